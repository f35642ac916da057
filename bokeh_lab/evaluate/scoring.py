"""All metrics of one rendered clip, and the metrics of a set of clips from the features that were kept."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from torch import Tensor

from ..ground_truth import GroundTruthClip
from ..metrics import (
    METRICS,
    Backbones,
    ClipMetric,
    ClipPair,
    FeatureSet,
    Missing,
    SetMetric,
    Value,
    start_set,
)
from ..metrics import measure_clip as measure_pair


@dataclass(frozen=True)
class Scores:
    """What was measured on one clip.

    Attributes:
        values: by name of the metric.
        missing: why a metric has no value, by name.
        features: of the metrics of sets, "NAME.prediction" and "NAME.truth".
    """

    values: dict[str, float]
    missing: dict[str, str]
    features: dict[str, Tensor]


class Scorer:
    """Measures clips, with networks that are loaded once.

    Args:
        backbones: where networks come from.
    """

    def __init__(self, backbones: Backbones) -> None:
        self._backbones = backbones
        self._sets = {m.name: start_set(m.name, backbones) for m in METRICS if isinstance(m, SetMetric)}
        self._truth: GroundTruthClip | None = None
        self._truth_features: dict[str, Tensor] = {}

    def score(self, truth: GroundTruthClip, rendered: Tensor) -> Scores:
        """Measure one clip [T, H, W, 3] with every metric."""
        pair = ClipPair(rendered, truth.bokeh, truth.frames, truth.in_focus, truth.edges)
        values: dict[str, Value] = {
            metric.name: measure_pair(metric.name, pair, self._backbones)
            for metric in METRICS
            if isinstance(metric, ClipMetric)
        }
        features: dict[str, Tensor] = {}
        if self._truth is not truth:
            self._truth, self._truth_features = truth, {}
        for name, features_of in self._sets.items():
            if isinstance(features_of, Missing):
                values[name] = features_of
                continue
            if name not in self._truth_features:
                self._truth_features[name] = features_of.features(truth.bokeh)
            features[f"{name}.prediction"] = features_of.features(rendered)
            features[f"{name}.truth"] = self._truth_features[name]
        return Scores(
            values={name: value for name, value in values.items() if not isinstance(value, Missing)},
            missing={name: value.reason for name, value in values.items() if isinstance(value, Missing)},
            features=features,
        )


def score_set(clips: Iterable[Mapping[str, Tensor]], backbones: Backbones) -> dict[str, Value]:
    """Metrics of a set of clips from the `features` of each, by name; those without networks are left out."""
    kept = list(clips)
    values: dict[str, Value] = {}
    for metric in METRICS:
        if not isinstance(metric, SetMetric) or not any(f"{metric.name}.truth" in clip for clip in kept):
            continue
        features = start_set(metric.name, backbones)
        if isinstance(features, FeatureSet):
            for clip in kept:
                features.add(clip[f"{metric.name}.prediction"], clip[f"{metric.name}.truth"])
            values[metric.name] = features.compute()
    return values
