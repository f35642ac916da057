"""What lies beyond the border of the frame: its pixels go on, but its lamps do not."""

import torch
import torch.nn.functional as F
from torch import Tensor

from .areas import Area
from .lamps import LIT
from .neighbourhood import with_border_repeated

# What goes on is no brighter than this many times the mean of the pixels around it, of lit things without the
# light that lamps have beyond white: as often as a lamp at the border would be repeated it would shine.
_BRIGHTEST_OF_MEAN = 2.0
# The mean reaches this share of the frame's longer side: not one of the blur, which differs within a pass.
_REACH_OF_MEAN = 1 / 64


def grown_beyond(source: Area, target: Area, reach_px: int, frame_size: tuple[int, int]) -> Area:
    """An area of samples, and what goes on beyond the border that it touches as far as a target needs it.

    Args:
        source: (rows, columns) within the frame.
        target: (rows, columns) within the frame, no farther from the source than the reach.
        reach_px: how far samples spread.
        frame_size: (H, W).

    Returns:
        (rows, columns); it may begin before the frame and end behind it.
    """
    rows, columns = (
        slice(
            part.start if part.start > 0 else min(0, to.start - reach_px),
            part.stop if part.stop < length else max(length, to.stop + reach_px),
        )
        for part, to, length in zip(source, target, frame_size, strict=True)
    )
    return rows, columns


def going_on(planes: Tensor, reach_px: int) -> Tensor:
    """Planes [..., H + 2 reach, W + 2 reach] of [..., H, W] whose border goes on."""
    return with_border_repeated(planes, reach_px)


def light_going_on(color: Tensor, reach_px: int) -> Tensor:
    """Light that goes on beyond the border, but for its lamps.

    Args:
        color: [C, ..., H, W] linear light; alpha as a fourth channel goes on as it is.
        reach_px: how far to go on, 1 or more.

    Returns:
        [C, ..., H + 2 reach, W + 2 reach].
    """
    repeated = going_on(color, reach_px)
    light, (height, width) = repeated[:3], color.shape[-2:]
    window_px = max(1, round(_REACH_OF_MEAN * max(height, width)))
    rows, columns = min(window_px + 1, height), min(window_px + 1, width)
    lit = color[:3]
    above, below = _limits(lit[..., :rows, :], lit[..., height - rows :, :], -2, window_px, reach_px)
    left, right = _limits(lit[..., :columns], lit[..., width - columns :], -1, window_px, reach_px)
    sides = (
        (light[..., :reach_px, :], above),
        (light[..., -reach_px:, :], below),
        (light[..., :reach_px], left),
        (light[..., -reach_px:], right),
    )
    for beyond, limit in sides:
        torch.minimum(beyond, limit, out=beyond)
    return repeated


def _limits(first: Tensor, last: Tensor, across: int, window_px: int, reach_px: int) -> Tensor:
    """Greatest light beyond two opposite sides, of the strips along them: with a dimension of 1 across."""
    mean = torch.stack([first, last]).clamp_(max=LIT).mean(across)
    line, side = mean.reshape(1, -1, mean.shape[-1]), 2 * window_px + 1
    line = F.avg_pool1d(line, side, 1, window_px, count_include_pad=False)
    # The brightest mean in reach: a bright surface goes on beside a dark one too.
    line = F.max_pool1d(line, side, 1, window_px).mul_(_BRIGHTEST_OF_MEAN)
    line = F.pad(line, (reach_px,) * 2, mode="replicate")
    return line.view(*mean.shape[:-1], -1).unsqueeze(across)
