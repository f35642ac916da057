"""The disparity that renderers are given: disturbed, and refined as the pack's node refines it."""

from dataclasses import dataclass

from torch import Tensor

from ..ground_truth import GroundTruthClip
from ..metrics import Missing, Value
from ..metrics.maps import MAP_METRICS
from .faults import FAULTS
from .perturb import base_of, is_refined, measured_focus, perturb


@dataclass(frozen=True)
class GivenMaps:
    """What a renderer is given beside the frames.

    Attributes:
        disparity: [T, H, W] in [0, 1].
        focal_disparity: [T]: that of the clean map; where maps have a scale of their own, measured in them.
        values: of `metrics.maps.MAP_METRICS`, by name.
    """

    disparity: Tensor
    focal_disparity: Tensor
    values: dict[str, Value]


class ClipMaps:
    """The maps of one clip under one perturbation after the other; the last are kept."""

    def __init__(self, truth: GroundTruthClip, seed: int) -> None:
        self._truth = truth
        self._seed = seed
        self._last: tuple[str, GivenMaps] | None = None

    def under(self, perturbation: str) -> GivenMaps:
        """Maps under a perturbation, see `perturb`; refined where its name says so."""
        if self._last is None or self._last[0] != perturbation:
            self._last = perturbation, self._made(perturbation)
        return self._last[1]

    def _made(self, perturbation: str) -> GivenMaps:
        truth, base = self._truth, base_of(perturbation)
        disparity = perturb(truth.disparity, base, self._seed)
        if is_refined(perturbation):
            from bokeh_core.disparity.refine import refine_disparity

            disparity = refine_disparity(truth.frames, disparity)
        focus = truth.focal_disparity
        if base in FAULTS or is_refined(perturbation):
            # A shift of the whole map costs nothing where the focus is taken from the same map.
            focus = measured_focus(focus, truth.in_focus, truth.disparity, disparity)
        values = {
            metric.name: metric.measure(truth.frames, disparity, truth.disparity) for metric in MAP_METRICS
        }
        return GivenMaps(disparity, focus, values)


def map_numbers(values: dict[str, Value]) -> dict[str, float]:
    """Those that could be measured."""
    return {name: value for name, value in values.items() if not isinstance(value, Missing)}
