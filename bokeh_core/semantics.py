"""What the CLIP image encoder sees: frames resized as Stable Video Diffusion does, not normalised."""

from collections.abc import Callable
from functools import lru_cache

import torch
import torch.nn.functional as F
from torch import Tensor

CLIP_SIDE = 224

ImageEncoder = Callable[[Tensor], Tensor]
"""Images [N, 3, 224, 224] as `clip_input` gives them -> embeddings [N, D]."""


@lru_cache(maxsize=16)
def _gaussian_kernel(scale: float, device: torch.device) -> Tensor:
    """Taps of the blur before shrinking by `scale`: float32, odd in number."""
    # Training reads it, too, whoever asks first.
    with torch.inference_mode(False):
        return _taps(scale).to(device)


def _taps(scale: float) -> Tensor:
    sigma = max((scale - 1) / 2, 0.001)
    taps = int(max(4 * sigma, 3)) | 1
    distance = torch.arange(taps, dtype=torch.float32) - taps // 2
    weights = torch.exp(-(distance**2) / (2 * sigma**2))
    return weights / weights.sum()


def _blur(images: Tensor, kernel: Tensor, dim: int) -> Tensor:
    """Blur along one of the last two dimensions, mirrored at the borders."""
    shape = [1, 1, 1, 1]
    shape[dim] = len(kernel)
    radius = len(kernel) // 2
    padding = (radius, radius, 0, 0) if dim == 3 else (0, 0, radius, radius)
    channels = images.shape[1]
    weight = kernel.view(shape).expand(channels, -1, -1, -1)
    return F.conv2d(F.pad(images, padding, mode="reflect"), weight, groups=channels)


def no_image_encoder(width: int) -> ImageEncoder:
    """Zeros [N, width] in place of embeddings of N images, for networks that do not read them."""
    return lambda images: torch.zeros(images.shape[0], width, device=images.device)


def clip_input(frames: Tensor) -> Tensor:
    """Shrink frames for the image encoder: Gaussian antialiasing, bicubic, [0, 1], not normalised.

    The published inference leaves CLIP's normalisation away, and the published numbers were made so.

    Args:
        frames: [N, 3, H, W] in [-1, 1], at full size.

    Returns:
        float32 [N, 3, 224, 224], about [0, 1]; bicubic interpolation overshoots slightly.

    Raises:
        ValueError: another shape, or a side too short to blur.
    """
    if frames.ndim != 4 or frames.shape[1] != 3:
        raise ValueError(f"frames have shape {tuple(frames.shape)}; they must be [N, 3, H, W].")
    height, width = frames.shape[-2:]
    if min(height, width) < 2:
        raise ValueError(f"frames are {width} x {height}; both sides must be 2 pixels or more.")
    frames = frames.float()
    frames = _blur(frames, _gaussian_kernel(width / CLIP_SIDE, frames.device), dim=3)
    frames = _blur(frames, _gaussian_kernel(height / CLIP_SIDE, frames.device), dim=2)
    frames = F.interpolate(frames, (CLIP_SIDE, CLIP_SIDE), mode="bicubic", align_corners=True)
    return (frames + 1) / 2
