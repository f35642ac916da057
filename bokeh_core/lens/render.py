"""Lens blur of a clip: occlusion-aware, layer by layer, without any trained weights."""

import math
from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor

from ..clip_length import broadcast_over_frames
from ..coc import signed_circle_of_confusion_px
from ..strength import REFERENCE_WIDTH_PX
from .aperture import Aperture, lens_kernel
from .areas import Area
from .border import spread_field_within_frame, spread_within_frame
from .composite import Spread, composite
from .frame_workers import render_frames, sensible_workers
from .layers import split_layers
from .light import lift_highlights, to_display, to_light

ROUND = Aperture()


def lens_blur(
    frames: Tensor,
    disparity: Tensor,
    focal_disparity: Tensor,
    blur_strength: Tensor,
    *,
    gamma: float = 2.2,
    aperture: Aperture = ROUND,
    highlight_gain: float = 0.0,
    highlight_threshold: float = 0.8,
    near_strength: float = 1.0,
    far_strength: float = 1.0,
    protect: Tensor | None = None,
    contour_reach_px: int = 4,
    device: torch.device | None = None,
    on_frame: Callable[[int], None] | None = None,
    check: Callable[[], None] | None = None,
    workers: int | None = None,
) -> Tensor:
    """Blur every frame as a lens focused at `focal_disparity` would, with radius r = K |d - d_f| (Eq. 1).

    Args:
        frames: [T, H, W, C] display values in [0, 1]; C = 1 (grey), 3 (RGB) or 4 (RGB and straight alpha).
        disparity: [T, H, W] or [1, H, W] in [0, 1], 1 = near.
        focal_disparity: [T] or [1] in [0, 1].
        blur_strength: [T] or [1], K >= 0 in pixels of these frames.
        gamma: light = display ** gamma; 2.2 blurs linear light, 1 blurs display values.
        aperture: shape of the lens opening.
        highlight_gain: extra light of out-of-focus white, >= 0; 1 doubles it.
        highlight_threshold: display luma above which the gain sets in, in [0, 1).
        near_strength, far_strength: factors >= 0 on the radius in front of and behind the focal plane.
        protect: [T, H, W] or [1, H, W] in [0, 1]; 1 keeps the input pixel.
        contour_reach_px: how far, in px, the disparity's contours may be off the picture's; 0 trusts the map.
        device: where to compute; None = the device of `frames`. Frames go there one at a time.
        on_frame: called with the number of finished frames, in order; may raise to stop.
        check: called several times within a frame; may raise to stop.
        workers: how many frames to render at a time, >= 1; None = on a CPU as many as torch has threads and
            4 GiB hold, elsewhere one. The result does not depend on it, but for the rounding of sums that
            torch divides among its threads, which the workers share.

    Returns:
        [T, H, W, C] float32 on the device of `frames`. Frames whose strength is 0 come back bit for bit.

    Raises:
        ValueError: shapes, lengths or ranges that do not fit; the message names the value and the rule.
    """
    num_frames = _check_frames(frames)
    size = tuple(frames.shape[1:3])
    disparity = _check_map(disparity, num_frames, size, "disparity")
    if protect is not None:
        protect = _check_map(protect, num_frames, size, "protect mask")
    focal_disparity = broadcast_over_frames(focal_disparity, num_frames, "focus")
    blur_strength = broadcast_over_frames(blur_strength, num_frames, "blur strength")
    _check_at_least(0, gamma=gamma, highlight_gain=highlight_gain)
    _check_at_least(0, near_strength=near_strength, far_strength=far_strength)
    if gamma == 0:
        raise ValueError("gamma is 0; use 2.2 for linear light or 1 for display values.")
    if not 0 <= highlight_threshold < 1:
        raise ValueError(f"highlight_threshold is {highlight_threshold}; it must lie in [0, 1).")
    if contour_reach_px < 0:
        raise ValueError(f"contour_reach_px is {contour_reach_px}; it must be 0 or more.")

    device = device or frames.device
    if workers is None:
        workers = sensible_workers(num_frames, frames[0, ..., 0].numel(), device)
    _check_at_least(1, workers=workers)

    result = torch.empty_like(frames, dtype=torch.float32)
    glow = partial(lift_highlights, gain=highlight_gain, threshold=highlight_threshold)
    reach_px = partial(_reach_px, aperture)

    def render(t: int, check: Callable[[], None]) -> None:
        frame = frames[t].to(device, torch.float32)
        radius_px = signed_circle_of_confusion_px(
            disparity[t : t + 1].to(device, torch.float32),
            focal_disparity[t : t + 1].to(device),
            blur_strength[t : t + 1].to(device),
        )[0]
        radius_px = torch.where(radius_px > 0, near_strength * radius_px, far_strength * radius_px)
        keep = None if protect is None else protect[t].to(frame).clamp(0, 1)
        if keep is not None:
            # Protected pixels are sharp for their surroundings too: they do not bleed out.
            radius_px = radius_px * (1 - keep)
        if bool((radius_px == 0).all()):
            result[t] = frames[t]
            return
        lens = _lens(aperture, frames.shape[1:3], check)
        blurred = _blur_frame(frame, radius_px, gamma, glow, lens, reach_px, contour_reach_px)
        if keep is not None:
            blurred = torch.where(keep[..., None] == 1, frame, torch.lerp(blurred, frame, keep[..., None]))
        result[t] = blurred.to(result.device)

    render_frames(render, num_frames, workers, on_frame or _ignore_progress, check or _never_stop)
    return result


def _ignore_progress(_finished: int) -> None:
    """Stands in where nobody watches."""


def _never_stop() -> None:
    """Stands in where nobody cancels."""


def contour_reach_px(tolerance_px: float, width_px: int) -> int:
    """Scale a tolerance stated in px on a frame 1024 px wide to whole pixels of a frame; 0 stays 0."""
    return max(1, round(tolerance_px * width_px / REFERENCE_WIDTH_PX)) if tolerance_px > 0 else 0


def _blur_frame(
    frame: Tensor,
    radius_px: Tensor,
    gamma: float,
    glow: Callable[[Tensor, Tensor, Tensor], Tensor],
    lens: Spread,
    reach_px: Callable[[float], int],
    contour_reach_px: int,
) -> Tensor:
    """Blur one [H, W, C] frame given its signed blur radius [H, W]."""
    channels = frame.permute(2, 0, 1)  # HWC -> CHW
    display = channels[:3].expand(3, -1, -1)
    light = glow(to_light(display, gamma), display, radius_px)
    alpha = channels[3:4].clamp(0, 1)
    # Premultiplied, so that the colour behind transparent pixels does not bleed into visible ones.
    planes = torch.cat([light * alpha, alpha]) if len(alpha) else light

    layers = split_layers(planes, radius_px, contour_reach_px)
    blurred = composite(layers, lens, reach_px)
    if len(alpha):
        blurred_alpha = blurred[3:4].clamp(0, 1)
        seen = torch.where(blurred_alpha > 1e-4, blurred[:3] / blurred_alpha.clamp(min=1e-4), light)
        blurred = torch.cat([to_display(seen, gamma), blurred_alpha])
    else:
        blurred = to_display(blurred, gamma)
    return blurred[: frame.shape[2]].permute(1, 2, 0)  # CHW -> HWC


def _lens(aperture: Aperture, frame_size: torch.Size, check: Callable[[], None]) -> Spread:
    """How one slab spreads; the check runs before each, as a slab of a large frame takes seconds."""

    def spread_slab(planes: Tensor, radius_px: float, area: Area, target: Area) -> Tensor:
        check()
        if aperture.cat_eye == 0:
            kernel = lens_kernel(aperture, radius_px)
            return spread_within_frame(planes, kernel, area, target, (frame_size[0], frame_size[1]))
        return spread_field_within_frame(
            planes, radius_px, area, target, aperture=aperture, frame_size=(frame_size[0], frame_size[1])
        )

    return spread_slab


def _reach_px(aperture: Aperture, radius_px: float) -> int:
    return lens_kernel(aperture, radius_px).shape[0] // 2


def _check_frames(frames: Tensor) -> int:
    if frames.ndim != 4 or frames.shape[-1] not in (1, 3, 4) or 0 in frames.shape:
        raise ValueError(
            f"frames have shape {tuple(frames.shape)}; expected [T, H, W, C] with C = 1, 3 or 4."
        )
    return frames.shape[0]


def _check_map(values: Tensor, num_frames: int, size: tuple[int, ...], name: str) -> Tensor:
    if values.ndim != 3 or tuple(values.shape[1:]) != size:
        raise ValueError(
            f"{name} has shape {tuple(values.shape)}; the frames are {size[1]} x {size[0]} px, "
            f"so it must be [{num_frames}, {size[0]}, {size[1]}]: resize it to the frames."
        )
    if not bool(values.isfinite().all()):
        raise ValueError(f"{name} holds NaN or infinite values; fill them first.")
    return broadcast_over_frames(values, num_frames, name)


def _check_at_least(least: float, **values: float) -> None:
    for name, value in values.items():
        if not math.isfinite(value) or value < least:
            raise ValueError(f"{name} is {value}; it must be {least} or more.")
