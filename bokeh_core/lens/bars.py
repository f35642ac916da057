"""Lens blur of a clip with black bars: the picture between them alone goes through the lens."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from ..camera import breathe
from ..clip.checks import checked_frames, checked_maps
from ..clip.lengths import broadcast_over_frames
from ..clip.letterbox import BLACK_BARS, picture_area
from ..setting_checks import require_choice
from ..transfer import DISPLAY
from .render import lens_blur


def blur_between_bars(
    frames: Tensor,
    disparity: Tensor,
    *settings: Any,
    black_bars: str = BLACK_BARS[0],
    protect: Tensor | None = None,
    transfer: str = DISPLAY,
    magnification: Tensor | None = None,
    **named_settings: Any,
) -> Tensor:
    """Blur a clip as `lens_blur`, but leave black bars out: no light spills into them.

    Args:
        frames: see `lens_blur`.
        disparity: see `lens_blur`.
        settings: see `lens_blur`.
        black_bars: "leave out", or "blur too" to take them for a part of the picture.
        protect: see `lens_blur`.
        transfer: see `lens_blur`.
        magnification: [T] or [1], what each blurred picture is magnified by, see `camera.breathe`.
        named_settings: see `lens_blur`.

    Returns:
        [T, H, W, C]; bars are as they were.

    Raises:
        ValueError: see `lens_blur`.
    """
    require_choice("black_bars", black_bars, BLACK_BARS)
    frames = checked_frames(frames, transfer=transfer)
    named_settings["transfer"] = transfer
    area = picture_area(frames, transfer) if black_bars == BLACK_BARS[0] else None
    if area is None:
        blurred = lens_blur(frames, disparity, *settings, protect=protect, **named_settings)
        return _breathed(blurred, magnification)
    size = tuple(frames.shape[1:3])
    disparity = area.of(checked_maps(disparity, "disparity", size), 1)
    if protect is not None:
        protect = area.of(checked_maps(protect, "protect mask", size), 1)
    picture = lens_blur(area.of(frames, 1), disparity, *settings, protect=protect, **named_settings)
    result = frames.clone()
    area.of(result, 1).copy_(_breathed(picture, magnification))
    return result


def _breathed(pictures: Tensor, magnification: Tensor | None) -> Tensor:
    if magnification is None:
        return pictures
    each = broadcast_over_frames(magnification, len(pictures), "magnification").tolist()
    for picture, factor in zip(pictures, each, strict=True):
        picture.copy_(breathe(picture, factor))
    return pictures
