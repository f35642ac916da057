"""A textured square that moves before a textured wall: frames, and disparity without a fault."""

import torch
from torch import Tensor
from torch.nn import functional

HEIGHT, WIDTH, SIDE = 144, 256, 72
FAR, NEAR = 0.2, 0.8


def texture(height: int, width: int, seed: int) -> Tensor:
    """Colours with detail of some pixels, [height, width, 3] in [0, 1]."""
    coarse = torch.rand((1, 3, height // 8, width // 8), generator=torch.Generator().manual_seed(seed))
    fine = functional.interpolate(coarse, (height, width), mode="bicubic", align_corners=False)
    return fine[0].movedim(0, -1).clamp(0, 1)


def square_before_wall(
    num_frames: int, square_px: int, wall_px: int = 0, seed: int = 0
) -> tuple[Tensor, Tensor]:
    """Frames [T, H, W, 3] and disparity [T, H, W]; both surfaces go so many px a frame to the right."""
    wall = texture(HEIGHT, WIDTH + num_frames * abs(wall_px), seed)
    square = texture(SIDE, SIDE, seed + 1)
    frames, maps = [], []
    for t in range(num_frames):
        start = (num_frames - t) * wall_px if wall_px > 0 else -t * wall_px
        frame = wall[:, start : start + WIDTH].clone()
        disparity = torch.full((HEIGHT, WIDTH), FAR)
        rows, columns = slice(36, 36 + SIDE), slice(60 + t * square_px, 60 + t * square_px + SIDE)
        frame[rows, columns] = square
        disparity[rows, columns] = NEAR
        frames.append(frame)
        maps.append(disparity)
    return torch.stack(frames), torch.stack(maps)
