"""Small clips whose true disparity is known."""

import torch
import torch.nn.functional as F


def textured(height: int, width: int, seed: int) -> torch.Tensor:
    """Smooth spots [H, W, 3], as motion can be found in."""
    coarse = torch.rand(1, 3, height // 6, width // 6, generator=torch.Generator().manual_seed(seed))
    picture = F.interpolate(coarse, (height, width), mode="bicubic", align_corners=False)
    return picture[0].clamp(0, 1).movedim(0, -1).contiguous()


def moving_square(frames: int, step_px: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    """A bright square at 0.8 that moves before a dark background at 0.2: [T, H, W, 3] and [T, H, W]."""
    background, square = textured(96, 144, 1) * 0.4, textured(60, 60, 2) * 0.4 + 0.6
    pictures = background.expand(frames, -1, -1, -1).clone()
    disparity = torch.full((frames, 96, 144), 0.2)
    for t in range(frames):
        left = 30 + step_px * t
        pictures[t, 18:78, left : left + 60] = square
        disparity[t, 18:78, left : left + 60] = 0.8
    return pictures, disparity
