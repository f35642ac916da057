"""A textured subject that moves over a textured background, with its true disparity."""

import torch
import torch.nn.functional as F
from torch import Tensor

HEIGHT, WIDTH = 90, 160
SIDE_PX = 36
BACKGROUND = 0.2


def texture(seed: int, height: int, width: int) -> Tensor:
    """Blotches of several sizes, [height, width, 3] in [0, 1]."""
    random = torch.Generator().manual_seed(seed)
    layers = []
    for cell in (3, 8, 24):
        coarse = torch.rand(1, 3, height // cell + 1, width // cell + 1, generator=random)
        layers.append(F.interpolate(coarse, (height, width), mode="bilinear", align_corners=True))
    return torch.cat(layers).mean(0).sub(0.5).mul(1.6).add(0.5).clamp(0, 1).permute(1, 2, 0)


def moving_subject(
    disparities: list[float], left: list[int], bar: tuple[int, int] | None = None, seed: int = 1
) -> tuple[Tensor, Tensor]:
    """Frames [T, H, W, 3] and disparity [T, H, W] of a square subject at row 27.

    Args:
        disparities: of the subject in each frame.
        left: its first column in each frame.
        bar: first column of a bar at disparity 0.95 before it all, and the one behind its last.
        seed: of the textures.
    """
    frames = texture(seed, HEIGHT, WIDTH).repeat(len(left), 1, 1, 1)
    maps = torch.full((len(left), HEIGHT, WIDTH), BACKGROUND)
    subject, front = texture(seed + 100, SIDE_PX, SIDE_PX), texture(seed + 200, HEIGHT, WIDTH)
    for t, (disparity, first) in enumerate(zip(disparities, left, strict=True)):
        begin, end = max(first, 0), min(first + SIDE_PX, WIDTH)
        if begin < end:
            frames[t, 27 : 27 + SIDE_PX, begin:end] = subject[:, begin - first : end - first]
            maps[t, 27 : 27 + SIDE_PX, begin:end] = disparity
        if bar is not None:
            columns = slice(*bar)
            frames[t, :, columns] = front[:, columns]
            maps[t, :, columns] = 0.95
    return frames, maps
