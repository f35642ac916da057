"""Lens blur of a clip: occlusion-aware, layer by layer, without any trained weights."""

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor

from ..clip.checks import checked_frames, checked_maps, checked_values
from ..clip.lengths import broadcast_over_frames
from ..coc import signed_circle_of_confusion_px
from ..setting_checks import require_number, require_whole_number
from ..strength import REFERENCE_WIDTH_PX, checked_strength_px, most_strength_px
from .aperture import Aperture, kernel_reach_px, lens_kernel
from .areas import Area
from .border import spread_field_within_frame, spread_within_frame
from .composite import Spread, composite
from .frame_workers import render_frames, sensible_workers
from .layers import split_layers
from .light import brightest_of, lift_highlights, to_display, to_light

ROUND = Aperture()
MOST_TOLERANCE_PX = 64.0
"""Greatest contour tolerance on a frame 1024 px wide: four times what any map needed."""


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
        frames: [T, H, W, C] display values, 0 = black, 1 = white; C = 1 (grey), 3 (RGB) or 4 (RGB and
            straight alpha). Values above 1 are light brighter than white, up to `light.BRIGHTEST`.
        disparity: [T, H, W] or [1, H, W] in [0, 1], 1 = near.
        focal_disparity: [T] or [1] in [0, 1].
        blur_strength: [T] or [1], K >= 0 in pixels of these frames; at most `strength.most_strength_px`, also
            when multiplied by near_strength or far_strength.
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
        [T, H, W, C] float32 on the device of `frames`, no brighter than white, or than the brightest pixel of
        the frame if that is more. Frames whose strength is 0 come back bit for bit.

    Raises:
        ValueError: shapes, lengths or ranges that do not fit; the message names the value and the rule.
    """
    frames = checked_frames(frames)
    num_frames, size = frames.shape[0], tuple(frames.shape[1:3])
    disparity = broadcast_over_frames(checked_maps(disparity, "disparity", size), num_frames, "disparity")
    if protect is not None:
        protect = checked_maps(protect, "protect mask", size)
        protect = broadcast_over_frames(protect, num_frames, "protect mask")
    focal_disparity = checked_values(focal_disparity, "focal_disparity")
    focal_disparity = broadcast_over_frames(focal_disparity, num_frames, "focus")
    blur_strength = checked_strength_px(blur_strength, size[1])
    require_lens_settings(gamma, highlight_gain, highlight_threshold, near_strength, far_strength)
    require_total_strength(blur_strength, size[1], near_strength=near_strength, far_strength=far_strength)
    blur_strength = broadcast_over_frames(blur_strength, num_frames, "blur strength")
    most_reach_px = MOST_TOLERANCE_PX * max(1.0, size[1] / REFERENCE_WIDTH_PX)
    require_whole_number("contour_reach_px", contour_reach_px, 0, most_reach_px)

    device = device or frames.device
    if workers is None:
        workers = sensible_workers(num_frames, frames[0, ..., 0].numel(), device)
    require_whole_number("workers", workers, 1, 1024)

    result = torch.empty_like(frames, dtype=torch.float32)
    glow = partial(lift_highlights, gain=highlight_gain, threshold=highlight_threshold)
    reach_px = partial(kernel_reach_px, aperture)

    def render(t: int, check: Callable[[], None]) -> None:
        # In one layout whatever that of the clip: layouts are computed with different rounding.
        frame = frames[t].to(device).contiguous()
        radius_px = signed_circle_of_confusion_px(
            disparity[t : t + 1].to(device).contiguous(),
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
        blurred = _blur_frame(frame, radius_px, gamma, glow, lens, reach_px, contour_reach_px, check)
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
    """Scale a tolerance stated in px on a frame 1024 px wide to whole pixels of a frame; 0 stays 0.

    Raises:
        ValueError: a tolerance outside of 0 to `MOST_TOLERANCE_PX`.
    """
    require_number("contour_tolerance", tolerance_px, 0, MOST_TOLERANCE_PX, "px", "0 trusts the map")
    return max(1, round(tolerance_px * width_px / REFERENCE_WIDTH_PX)) if tolerance_px > 0 else 0


def _blur_frame(
    frame: Tensor,
    radius_px: Tensor,
    gamma: float,
    glow: Callable[[Tensor, Tensor, Tensor], Tensor],
    lens: Spread,
    reach_px: Callable[[float], int],
    contour_reach_px: int,
    check: Callable[[], None],
) -> Tensor:
    """Blur one [H, W, C] frame given its signed blur radius [H, W]."""
    channels = frame.permute(2, 0, 1)  # HWC -> CHW
    display = channels[:3].expand(3, -1, -1)
    brightest = brightest_of(display)
    light = glow(to_light(display, gamma, brightest), display, radius_px)
    alpha = channels[3:4].clamp(0, 1)
    # Premultiplied, so that the colour behind transparent pixels does not bleed into visible ones.
    planes = torch.cat([light * alpha, alpha]) if len(alpha) else light

    layers = split_layers(planes, radius_px, contour_reach_px, check)
    check()
    blurred = composite(layers, lens, reach_px)
    if len(alpha):
        blurred_alpha = blurred[3:4].clamp(0, 1)
        seen = torch.where(blurred_alpha > 1e-4, blurred[:3] / blurred_alpha.clamp(min=1e-4), light)
        blurred = torch.cat([to_display(seen, gamma, brightest), blurred_alpha])
    else:
        blurred = to_display(blurred, gamma, brightest)
    return blurred[: frame.shape[2]].permute(1, 2, 0)  # CHW -> HWC


def _lens(aperture: Aperture, frame_size: torch.Size, check: Callable[[], None]) -> Spread:
    """How one slab spreads; the check runs before each, as a slab of a large frame takes seconds."""

    def spread_slab(planes: Tensor, radius_px: float, area: Area, target: Area) -> Tensor:
        check()
        if aperture.cat_eye == 0:
            kernel = lens_kernel(aperture, radius_px)
            return spread_within_frame(planes, kernel, area, target, (frame_size[0], frame_size[1]))
        return spread_field_within_frame(
            planes,
            radius_px,
            area,
            target,
            aperture=aperture,
            frame_size=(frame_size[0], frame_size[1]),
            check=check,
        )

    return spread_slab


def require_lens_settings(
    gamma: float,
    highlight_gain: float,
    highlight_threshold: float,
    near_strength: float,
    far_strength: float,
) -> None:
    """Check the settings of `lens_blur` that are numbers.

    Raises:
        ValueError: one is out of range.
    """
    require_number("gamma", gamma, 0.2, 5, meaning="2.2 = linear light, 1 = display values")
    require_number("highlight_gain", highlight_gain, 0, 1000)
    require_number("highlight_threshold", highlight_threshold, 0, 0.999)
    require_number("near_strength", near_strength, 0, 100)
    require_number("far_strength", far_strength, 0, 100)


def require_total_strength(blur_strength_px: Tensor, width_px: int, **factors: float) -> None:
    """Check K [T] in px of frames of a width, times the factors in front of and behind the focus.

    Raises:
        ValueError: more than `strength.most_strength_px`.
    """
    most_px = most_strength_px(width_px)
    strength_px = blur_strength_px.max().item()
    for name, factor in factors.items():
        if factor > 1 and factor * strength_px > most_px * (1 + 1e-5):
            raise ValueError(
                f"{name} {factor:g} times K of {strength_px:g} px is {factor * strength_px:g} px; frames "
                f"{width_px} px wide take up to {most_px:g} px, so {name} may be {most_px / strength_px:.3g}."
            )
