"""All metrics under their names, for whoever makes a table."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from .clip_pair import ClipPair
from .feature_set import FeatureSet
from .fidelity import edge_psnr, psnr, ssim
from .flow import fd_dis
from .fvd import VIDEOMAE_GIANT, fvd
from .lpips import SQUEEZENET, lpips
from .missing import Missing, Value
from .raft import RAFT_LARGE, fd
from .temporal import rm
from .vepi import vepi
from .vfid import I3D, vfid_i
from .weights import Backbone, Backbones, missing_packages


@dataclass(frozen=True, kw_only=True)
class Metric:
    """A metric and how tables show it.

    Attributes:
        name: short and unique, for command lines and files.
        title: as tables show it.
        higher_is_better: which way is good.
        unit: "dB", "px", or "" for a plain number.
        digits: decimals worth printing.
        backbone: the network it needs, or None.
        packages: what it imports beside the pack's own requirements and those of its backbone.
    """

    name: str
    title: str
    higher_is_better: bool
    unit: str = ""
    digits: int = 3
    backbone: Backbone | None = None
    packages: tuple[str, ...] = ()

    def missing(self, backbones: Backbones) -> Missing | None:
        """Say what is not there on this machine (a package, weights), or None when it can be measured."""
        absent = missing_packages(*self.packages)
        if absent is None and self.backbone is not None:
            return backbones.missing(self.backbone)
        return absent


@dataclass(frozen=True, kw_only=True)
class ClipMetric(Metric):
    """A metric with one value a clip; a table shows the mean over clips.

    Attributes:
        measure: the metric.
    """

    measure: Callable[[ClipPair, Backbones], Value]


@dataclass(frozen=True, kw_only=True)
class SetMetric(Metric):
    """A metric with one value for a set of clips.

    Attributes:
        start: makes the accumulator that clips are added to.
    """

    start: Callable[[Backbones], FeatureSet | Missing]


METRICS: tuple[ClipMetric | SetMetric, ...] = (
    ClipMetric(
        name="psnr",
        title="PSNR",
        unit="dB",
        higher_is_better=True,
        digits=2,
        packages=("torchmetrics",),
        measure=lambda pair, backbones: psnr(pair, backbones.device),
    ),
    ClipMetric(
        name="edge_psnr",
        title="PSNR near edges",
        unit="dB",
        higher_is_better=True,
        digits=2,
        packages=("torchmetrics",),
        measure=lambda pair, backbones: edge_psnr(pair, backbones.device),
    ),
    ClipMetric(name="ssim", title="SSIM", higher_is_better=True, measure=lambda pair, backbones: ssim(pair)),
    ClipMetric(
        name="rm",
        title="RM",
        higher_is_better=False,
        digits=4,
        measure=lambda pair, backbones: rm(pair, backbones.device),
    ),
    ClipMetric(name="fd", title="FD", unit="px", higher_is_better=False, backbone=RAFT_LARGE, measure=fd),
    ClipMetric(
        name="fd_dis",
        title="FD-DIS",
        unit="px",
        higher_is_better=False,
        measure=lambda pair, backbones: fd_dis(pair),
    ),
    ClipMetric(
        name="lpips", title="LPIPS", higher_is_better=False, digits=4, backbone=SQUEEZENET, measure=lpips
    ),
    ClipMetric(name="vepi", title="VEPI", higher_is_better=True, measure=lambda pair, backbones: vepi(pair)),
    SetMetric(name="vfid_i", title="VFID-I", higher_is_better=False, backbone=I3D, start=vfid_i),
    SetMetric(name="fvd", title="FVD", higher_is_better=False, backbone=VIDEOMAE_GIANT, start=fvd),
)


def metric_named(name: str) -> ClipMetric | SetMetric:
    """Find a metric by its name in `METRICS`.

    Raises:
        ValueError: there is none of that name.
    """
    for metric in METRICS:
        if metric.name == name:
            return metric
    raise ValueError(f"There is no metric {name!r}; choose from {', '.join(m.name for m in METRICS)}.")


def measure_clip(name: str, pair: ClipPair, backbones: Backbones | None = None) -> Value:
    """Measure one clip by one metric.

    Args:
        name: of a `ClipMetric`.
        pair: the rendered clip and its ground truth.
        backbones: where networks come from and the device; None: no weights, on the CPU.

    Returns:
        The value, or why there is none.

    Raises:
        ValueError: no such metric, a metric of sets, or weights that do not load.
    """
    metric = metric_named(name)
    if not isinstance(metric, ClipMetric):
        raise ValueError(f"{name} is a metric of sets of clips; use start_set.")
    backbones = backbones or Backbones()
    return metric.missing(backbones) or metric.measure(pair, backbones)


def start_set(name: str, backbones: Backbones | None = None) -> FeatureSet | Missing:
    """Make the accumulator of a metric of sets: `update` it with every clip, then `compute`.

    Raises:
        ValueError: no such metric, a metric of single clips, or weights that do not load.
    """
    metric = metric_named(name)
    if not isinstance(metric, SetMetric):
        raise ValueError(f"{name} is a metric of single clips; use measure_clip.")
    backbones = backbones or Backbones()
    return metric.missing(backbones) or metric.start(backbones)


def mean_over_clips(values: Sequence[Value]) -> Value:
    """Mean of the values that are there; the first reason where none is.

    Raises:
        ValueError: no values at all.
    """
    if not values:
        raise ValueError("There are no clips to take the mean of.")
    numbers = [value for value in values if not isinstance(value, Missing)]
    return sum(numbers) / len(numbers) if numbers else values[0]
