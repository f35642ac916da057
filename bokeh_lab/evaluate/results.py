"""From single measurements to one row a renderer: means over clips, times as multiples of plain gather."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..metrics import METRICS, Backbones, ClipMetric, Missing, Value, mean_over_clips
from .measure import features_file
from .perturb import NONE
from .plan import EvaluationPlan, Unit
from .scoring import score_set
from .store import number, read_json, read_tensors

GATHER = "gather"


@dataclass(frozen=True)
class Measurement:
    """One renderer on one clip with one disparity.

    Attributes:
        unit: what was measured.
        values: by name of the metric; a metric of sets has none.
        map_values: of the disparity that was given, by name of the metric.
        seconds_per_frame: on `machine`, with `processes` at the same time.
        strength_px: greatest K of the clip.
        focal_disparity: at the first and the last frame.
    """

    unit: Unit
    values: Mapping[str, Value]
    map_values: Mapping[str, float]
    seconds_per_frame: float
    machine: str
    processes: int
    strength_px: float
    focal_disparity: tuple[float, float]


@dataclass(frozen=True)
class Row:
    """One renderer with one kind of disparity, over all clips.

    Attributes:
        renderer, title, given_layers: see `Renderer`.
        perturbation: see `perturb.PERTURBATIONS`.
        values: mean over the measured clips, or the value of the set, by name of the metric.
        clips: how many were measured.
        planned: how many should have been.
        seconds_per_frame: mean; None where nothing was measured.
        times_gather: seconds as a multiple of plain gather's on the same clips and the same machine.
        why_not: why it could not run, or failed.
    """

    renderer: str
    title: str
    given_layers: bool
    perturbation: str
    values: Mapping[str, Value] = field(default_factory=dict)
    clips: int = 0
    planned: int = 0
    seconds_per_frame: float | None = None
    times_gather: float | None = None
    why_not: str | None = None

    @property
    def complete(self) -> bool:
        """Whether every planned clip was measured; others are not to be compared with."""
        return 0 < self.clips == self.planned


def read_measurements(plan: EvaluationPlan, out: Path) -> list[Measurement]:
    """Read what is measured of a plan, in its order."""
    found = ((unit, read_json(unit.result_file(out), unit.key)) for unit in plan.units)
    return [_measurement(unit, content) for unit, content in found if content is not None]


def summarise(
    plan: EvaluationPlan, measurements: Sequence[Measurement], failures: Mapping[str, str], out: Path
) -> list[Row]:
    """Make one row of every renderer and perturbation, in the order of the plan.

    Args:
        plan: what was to be measured.
        measurements: what was.
        failures: as `run` returns them.
        out: folder of the evaluation.
    """
    bench = plan.bench
    backbones = Backbones(bench.weights, allow_download=bench.allow_download, device=bench.device)
    gather = {m.unit.clip.name: m for m in measurements if _is_gather(m)}
    rows: list[Row] = []
    for name, renderer in plan.renderers.items():
        title, given_layers = renderer.title, renderer.given_layers
        if name in plan.missing:
            rows.append(Row(name, title, given_layers, NONE, why_not=plan.missing[name]))
            continue
        for perturbation in plan.perturbations:
            units = [u for u in plan.units if (u.renderer, u.perturbation) == (name, perturbation)]
            if not units:
                continue
            keys = {unit.key for unit in units}
            measured = [m for m in measurements if m.unit.key in keys]
            rows.append(
                Row(
                    name,
                    title,
                    given_layers,
                    perturbation,
                    values=_values(measured, backbones, out),
                    clips=len(measured),
                    planned=len(units),
                    seconds_per_frame=_mean_seconds(measured),
                    times_gather=_times_gather(measured, gather),
                    why_not=next((failures[unit.key] for unit in units if unit.key in failures), None),
                )
            )
    return rows


def _measurement(unit: Unit, content: Mapping[str, Any]) -> Measurement:
    missing: dict[str, Value] = {name: Missing(why) for name, why in content["missing"].items()}
    values: dict[str, Value] = {name: number(value) for name, value in content["values"].items()}
    first, last = content["focal_disparity"]
    return Measurement(
        unit,
        missing | values,
        {name: number(value) for name, value in content["map_values"].items()},
        content["seconds_per_frame"],
        content["machine"],
        content["processes"],
        content["strength_px"],
        (first, last),
    )


def _values(measured: Sequence[Measurement], backbones: Backbones, out: Path) -> dict[str, Value]:
    if not measured:
        return {}
    features = (read_tensors(features_file(m.unit.result_file(out))) for m in measured)
    of_set = score_set([tensors for tensors in features if tensors is not None], backbones)
    values: dict[str, Value] = {}
    for metric in METRICS:
        if isinstance(metric, ClipMetric):
            values[metric.name] = mean_over_clips([m.values[metric.name] for m in measured])
        else:
            values[metric.name] = of_set.get(
                metric.name, measured[0].values.get(metric.name, Missing("no features"))
            )
    return values


def _mean_seconds(measured: Sequence[Measurement]) -> float | None:
    return sum(m.seconds_per_frame for m in measured) / len(measured) if measured else None


def _is_gather(measurement: Measurement) -> bool:
    return (measurement.unit.renderer, measurement.unit.perturbation) == (GATHER, NONE)


def _times_gather(measured: Sequence[Measurement], gather: Mapping[str, Measurement]) -> float | None:
    """Ratio of summed seconds over the clips where both ran under the same conditions."""
    pairs = [
        (m, gather[m.unit.clip.name])
        for m in measured
        if m.unit.clip.name in gather
        and (m.machine, m.processes) == (gather[m.unit.clip.name].machine, gather[m.unit.clip.name].processes)
    ]
    of_gather = sum(other.seconds_per_frame for _, other in pairs)
    return sum(m.seconds_per_frame for m, _ in pairs) / of_gather if of_gather else None
