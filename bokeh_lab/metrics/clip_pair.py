"""What a metric looks at: a rendered clip beside its ground truth."""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

# A few float roundings outside [0, 1] are no error of the renderer.
_ROUNDING = 1e-3


@dataclass(frozen=True)
class ClipPair:
    """A rendered clip and its ground truth.

    Attributes:
        prediction: float32 [T, H, W, 3], rendered bokeh, display values in [0, 1].
        truth: float32 [T, H, W, 3], the ground truth of the same frames.
        sharp: float32 [T, H, W, 3], the frames without blur.
        in_focus: bool [T, H, W], where the ground truth is in focus.
        edges: bool [T, H, W], near occlusion edges.

    Raises:
        ValueError: shapes that do not match, masks that are not bool, or a prediction outside [0, 1].
    """

    prediction: Tensor
    truth: Tensor
    sharp: Tensor
    in_focus: Tensor
    edges: Tensor

    def __post_init__(self) -> None:
        shape = tuple(self.truth.shape)
        if len(shape) != 4 or shape[-1] != 3 or 0 in shape:
            raise ValueError(f"truth has shape {shape}; it must be [T, H, W, 3] and not empty.")
        for name in ("prediction", "sharp"):
            found = tuple(getattr(self, name).shape)
            if found != shape:
                raise ValueError(f"{name} has shape {found}; the truth has {shape}.")
        for name in ("in_focus", "edges"):
            mask = getattr(self, name)
            if tuple(mask.shape) != shape[:3] or mask.dtype != torch.bool:
                raise ValueError(
                    f"{name} is {mask.dtype} of shape {tuple(mask.shape)}; "
                    f"it must be bool of shape {shape[:3]}."
                )
        low, high = (float(bound) for bound in self.prediction.aminmax())
        if not (low >= -_ROUNDING and high <= 1 + _ROUNDING):
            raise ValueError(
                f"prediction has values from {low:g} to {high:g}; they must be finite and in [0, 1]."
            )

    @property
    def num_frames(self) -> int:
        """Length of the clip."""
        return self.truth.shape[0]


def frame_chunks(num_frames: int, frames_at_once: int) -> Iterator[slice]:
    """Cut frames 0 .. num_frames - 1 into slices of at most `frames_at_once`, to bound memory."""
    for start in range(0, num_frames, frames_at_once):
        yield slice(start, min(start + frames_at_once, num_frames))


def channels_first(frames: Tensor, device: torch.device | str) -> Tensor:
    """Bring frames [N, H, W, 3] to a device as float32 [N, 3, H, W]."""
    return frames.to(device, torch.float32).permute(0, 3, 1, 2).contiguous()
