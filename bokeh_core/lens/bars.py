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
from .other_frames import CONTINUE, HIDDEN_BACKGROUNDS, OtherFrames
from .render import lens_blur


def blur_between_bars(
    frames: Tensor,
    disparity: Tensor,
    *settings: Any,
    black_bars: str = BLACK_BARS[0],
    protect: Tensor | None = None,
    transfer: str = DISPLAY,
    magnification: Tensor | None = None,
    hidden_background: str = CONTINUE,
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
        hidden_background: "continue" what is seen around it, or take it from "other frames" of the clip.
        named_settings: see `lens_blur`.

    Returns:
        [T, H, W, C]; bars are as they were.

    Raises:
        ValueError: see `lens_blur`.
    """
    require_choice("black_bars", black_bars, BLACK_BARS)
    require_choice("hidden_background", hidden_background, HIDDEN_BACKGROUNDS)
    frames = checked_frames(frames, transfer=transfer)
    size = tuple(frames.shape[1:3])
    disparity = checked_maps(disparity, "disparity", size)
    area = picture_area(frames, transfer) if black_bars == BLACK_BARS[0] else None
    picture = frames
    if area is not None:
        picture, disparity = area.of(frames, 1), area.of(disparity, 1)
        if protect is not None:
            protect = area.of(checked_maps(protect, "protect mask", size), 1)
    if hidden_background != CONTINUE:
        each = broadcast_over_frames(disparity, len(frames), "disparity")
        named_settings["other_frames"] = OtherFrames(picture, each, transfer=transfer)
    named_settings["transfer"] = transfer
    blurred = lens_blur(picture, disparity, *settings, protect=protect, **named_settings)
    blurred = _breathed(blurred, magnification)
    if area is None:
        return blurred
    result = frames.clone()
    area.of(result, 1).copy_(blurred)
    return result


def _breathed(pictures: Tensor, magnification: Tensor | None) -> Tensor:
    if magnification is None:
        return pictures
    each = broadcast_over_frames(magnification, len(pictures), "magnification").tolist()
    for picture, factor in zip(pictures, each, strict=True):
        picture.copy_(breathe(picture, factor))
    return pictures
