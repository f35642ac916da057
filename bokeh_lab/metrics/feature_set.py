"""The Frechet distance between a set of rendered clips and the set of their ground truths."""

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional as F

from .clip_pair import channels_first
from .frechet import frechet_distance
from .missing import Missing, Value

SIDE_PX = 224

Extractor = Callable[[Tensor], Tensor]
"""Frames of one chunk [1, 3, F, 224, 224] in [0, 1] -> features [1, D]."""


class FeatureSet:
    """Collects features of clips, chunk by chunk; the distance is one number for the whole set.

    A clip is cut into consecutive chunks of `chunk_frames`; a shorter rest at its end does not count. Frames
    are resized to 224 x 224 px bilinearly, without antialiasing, whatever their aspect.

    Args:
        extract: the network behind the features.
        chunk_frames: frames the network sees at once.
        correction: of the covariance, see `frechet_distance`.
        device: where the network is.
    """

    def __init__(
        self,
        extract: Extractor,
        chunk_frames: int,
        *,
        correction: int = 1,
        device: torch.device | str = "cpu",
    ) -> None:
        self._extract = extract
        self._chunk_frames = chunk_frames
        self._correction = correction
        self._device = device
        self._predictions: list[Tensor] = []
        self._truths: list[Tensor] = []

    def features(self, clip: Tensor) -> Tensor:
        """Features of one clip [T, H, W, 3] in [0, 1]: float32 [T // chunk_frames, D] on the CPU."""
        found: list[Tensor] = []
        for start in range(0, clip.shape[0] - self._chunk_frames + 1, self._chunk_frames):
            frames = channels_first(clip[start : start + self._chunk_frames], self._device)
            small = F.interpolate(frames, size=(SIDE_PX, SIDE_PX), mode="bilinear", align_corners=False)
            with torch.inference_mode():
                found.append(self._extract(small.transpose(0, 1)[None].contiguous()).float().cpu())
        return torch.cat(found) if found else torch.empty(0, 0)

    def update(self, prediction: Tensor, truth: Tensor) -> None:
        """Add a rendered clip and its ground truth, both [T, H, W, 3] in [0, 1].

        Raises:
            ValueError: the clips differ in shape.
        """
        if prediction.shape != truth.shape:
            raise ValueError(
                f"The rendered clip has shape {tuple(prediction.shape)}, its truth {tuple(truth.shape)}."
            )
        self.add(self.features(prediction), self.features(truth))

    def add(self, prediction: Tensor, truth: Tensor) -> None:
        """Add a clip by its `features`, as an evaluation that is continued does."""
        if prediction.shape[0]:
            self._predictions.append(prediction)
            self._truths.append(truth)

    def compute(self) -> Value:
        """Return the distance of what was added so far."""
        if sum(len(chunks) for chunks in self._truths) < 2:
            return Missing(f"needs 2 chunks of {self._chunk_frames} frames")
        return frechet_distance(
            torch.cat(self._predictions), torch.cat(self._truths), correction=self._correction
        )
