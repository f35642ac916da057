"""Lens blur of a clip: occlusion-aware, layer by layer, without any trained weights."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import torch
from torch import Tensor

from ..clip.checks import checked_frames, checked_maps, checked_values
from ..clip.lengths import broadcast_over_frames
from ..coc import signed_circle_of_confusion_px
from ..inference import stated_precision
from ..memory.errors import is_device_memory_error
from ..progress import Check, Progress, Show, no_check, no_progress, no_show
from ..setting_checks import require_choice, require_whole_number
from ..strength import checked_strength_px
from ..transfer import DISPLAY, TRANSFERS
from .backend import backend_of
from .frame_workers import Room, render_frames, sensible_pass, sensible_workers
from .grain import with_grain
from .highlights import highlight_of, lift_highlights, share_of_lamps
from .layers import Layers, split_layers
from .light import Scale
from .other_frames import OtherFrames
from .over_time import require_strength, runs_alike
from .seen_behind import Behind, LampsOf, PlanesOf, seen_in_pass
from .settings import DEFAULT_LENS, REPEAT, LensSettings
from .through import layers_through_lens


def lens_blur(
    frames: Tensor,
    disparity: Tensor,
    focal_disparity: Tensor,
    blur_strength_px: Tensor,
    lens: LensSettings | Sequence[LensSettings] = DEFAULT_LENS,
    *,
    transfer: str = DISPLAY,
    protect: Tensor | None = None,
    first_frame: int = 0,
    other_frames: OtherFrames | None = None,
    device: torch.device | None = None,
    progress: Progress = no_progress,
    show: Show = no_show,
    check: Check = no_check,
    workers: int | None = None,
    frames_a_pass: int | None = None,
    room: Room | None = None,
    **changes: Any,
) -> Tensor:
    """Blur every frame as a lens focused at `focal_disparity` would, with radius r = K |d - d_f| (Eq. 1).

    Args:
        frames: [T, H, W, C] numbers, 0 = black, 1 = white or, in PQ and HLG, the brightest; C = 1 (grey), 3
            (RGB) or 4 (RGB and straight alpha). What is brighter than white or below black is light too.
        disparity: [T, H, W] or [1, H, W] in [0, 1], 1 = near.
        focal_disparity: [T] or [1] in [0, 1].
        blur_strength_px: [T] or [1], K >= 0 in px of these frames; at most `strength.most_strength_px`, also
            when multiplied by the lens's near_strength or far_strength.
        lens: see `LensSettings`; its contour reach and largest radius are in px of these frames. Or one for
            each frame, see `over_time.at_width`.
        transfer: how the numbers mean light, one of `transfer.TRANSFERS`; with the lens's gamma of 1 the
            numbers are blurred as they are.
        protect: [T, H, W] or [1, H, W] in [0, 1]; 1 keeps the input pixel.
        first_frame: number of the first of these frames in its clip; grain depends on it.
        other_frames: the clip around these frames, which may have seen their hidden background; None = it is
            continued from what is seen around it.
        device: where to compute; None = the device of `frames`. Frames go there pass by pass.
        progress: told of finished frames, in order; may raise to stop.
        show: given each finished frame, in order.
        check: called several times within a frame; may raise to stop.
        workers: how many passes to render at a time, >= 1; None = on a CPU as many as torch has threads and
            4 GiB hold, elsewhere one. The result does not depend on it, but for the rounding of sums that
            torch divides among its threads, which the workers share.
        frames_a_pass: how many frames go through every step together, >= 1; on a CPU always one, elsewhere by
            default as many as half of the free memory holds, up to 8; fewer where memory runs out all the
            same. The result does not depend on it, but for rounding.
        room: asked for the free memory of the device before the first pass; None = what torch says.
        changes: settings of the lens by name, in place of those of `lens`.

    Returns:
        [T, H, W, C] float32 on the device of `frames`, from black to white, or from the lowest to the highest
        number of the frame where they lie beyond. Frames whose strength is 0 come back bit for bit.

    Raises:
        ValueError: shapes, lengths or ranges that do not fit; the message names the value and the rule.
    """
    lens = (
        replace(lens, **changes)
        if isinstance(lens, LensSettings)
        else tuple(replace(one, **changes) if changes else one for one in lens)
    )
    require_choice("transfer", transfer, tuple(TRANSFERS))
    frames = checked_frames(frames, transfer=transfer)
    num_frames, size = frames.shape[0], tuple(frames.shape[1:3])
    disparity = broadcast_over_frames(checked_maps(disparity, "disparity", size), num_frames, "disparity")
    if protect is not None:
        protect = checked_maps(protect, "protect mask", size)
        protect = broadcast_over_frames(protect, num_frames, "protect mask")
    focal_disparity = checked_values(focal_disparity, "focal_disparity")
    focal_disparity = broadcast_over_frames(focal_disparity, num_frames, "focus")
    blur_strength_px = checked_strength_px(blur_strength_px, size[1])
    if not isinstance(lens, LensSettings) and len(lens) != num_frames:
        raise ValueError(f"{len(lens)} lenses for {num_frames} frames; give one, or one for each frame.")
    blur_strength_px = broadcast_over_frames(blur_strength_px, num_frames, "blur strength")
    require_strength(lens, blur_strength_px, size[1])
    lenses = (lens,) * num_frames if isinstance(lens, LensSettings) else lens
    for one in dict.fromkeys(lenses):
        one.whole_reach_px(size[1])

    device = device or frames.device
    if workers is None:
        workers = sensible_workers(num_frames, frames[0, ..., 0].numel(), device)
    require_whole_number("workers", workers, 1, 1024)
    if frames_a_pass is None:
        frames_a_pass = sensible_pass(num_frames, frames[0, ..., 0].numel(), device, room)
    require_whole_number("frames_a_pass", frames_a_pass, 1, 1024)
    if backend_of(device).frames_a_pass() == 1:
        frames_a_pass = 1

    result = torch.empty_like(frames, dtype=torch.float32)

    def render(these: range, check: Check) -> None:
        part = slice(these.start, these.stop)
        of_each = lenses[part]
        # In all but the amounts the others are like it.
        shared = of_each[0]
        one_lens = all(each is shared for each in of_each)
        falloff = shared.falloff if one_lens else [each.falloff for each in of_each]
        # In one layout whatever that of the clip: layouts are computed with different rounding.
        shown = frames[part].to(device).contiguous()
        depth, focus = disparity[part].to(device).contiguous(), focal_disparity[part].to(device)
        strength = blur_strength_px[part].to(device)
        keep = None if protect is None else protect[part].to(shown).clamp(0, 1)

        def radius_of(focus: Tensor) -> Tensor:
            radius_px = signed_circle_of_confusion_px(depth, focus, strength, falloff)
            # Protected pixels are sharp for their surroundings too: they do not bleed out.
            return radius_px if keep is None else radius_px * (1 - keep)

        radii_px = [radius_of(focus)]
        if shared.fringe > 0 and shown.shape[-1] > 1:
            radii_px.append(radius_of(focus - shared.fringe))
        sharp = torch.stack([(radius_px == 0).flatten(1).all(1) for radius_px in radii_px]).all(0).tolist()
        for t in [t for t, untouched in zip(these, sharp, strict=True) if untouched]:
            result[t] = frames[t]
        if all(sharp):
            return
        rest = [i for i, untouched in enumerate(sharp) if not untouched]
        if any(sharp):
            shown, *radii_px = (torch.stack([values[i] for i in rest]) for values in (shown, *radii_px))
            keep = None if keep is None else torch.stack([keep[i] for i in rest])

        gain: float | Tensor = shared.highlight_gain
        if not one_lens:
            gain = torch.tensor([of_each[i].highlight_gain for i in rest]).to(shown)[:, None, None]
        reach_px = shared.whole_reach_px(size[1])

        def through_lens(radius_px: Tensor, fringe: float) -> Tensor:
            def radius_of_other(values: Tensor, at: int) -> Tensor:
                i = rest[at]
                one = slice(i, i + 1)
                return signed_circle_of_confusion_px(
                    values[None, None], focus[one] - fringe, strength[one], of_each[i].falloff
                )[0, 0]

            seen = None
            if other_frames is not None:
                numbers = [these[i] for i in rest]
                seen = partial(seen_in_pass, other_frames, numbers, reach_px, radius_of_other)
            if frames_a_pass == 1:
                one_gain = shared.highlight_gain
                return _blur(shown[0], radius_px[0], shared, one_gain, transfer, reach_px, check, seen)[None]
            return _blur(shown, radius_px, shared, gain, transfer, reach_px, check, seen)

        blurred, *others = map(through_lens, radii_px, (0.0, shared.fringe))
        for red_and_blue in others:
            blurred[..., 0:3:2] = red_and_blue[..., 0:3:2]
        if any(each.grain > 0 for each in of_each):
            blurred = torch.stack(
                [
                    with_grain(
                        blurred[at],
                        shown[at],
                        radii_px[0][at],
                        shared.aperture,
                        of_each[i].grain,
                        first_frame + these[i],
                        transfer,
                    )
                    for at, i in enumerate(rest)
                ]
            )
        if keep is not None:
            blurred = torch.where(keep[..., None] == 1, shown, torch.lerp(blurred, shown, keep[..., None]))
        for i, picture in zip(rest, blurred.to(result.device), strict=True):
            result[these[i]] = picture

    def render_as_fits(these: range, check: Check) -> None:
        # Not by calling itself: what a function within a function refers to itself by keeps all frames alive.
        waiting = runs_alike(these, lenses)[::-1]
        while waiting:
            piece = waiting.pop()
            try:
                with stated_precision(device):
                    render(piece, check)
                continue
            except RuntimeError as error:
                if len(piece) == 1 or not is_device_memory_error(error):
                    raise
            # Only here the error no longer holds what was on the device.
            middle = (piece.start + piece.stop) // 2
            waiting += [range(middle, piece.stop), range(piece.start, middle)]

    def finished(done: int, total: int) -> None:
        show(result[done - 1])
        progress(done, total)

    render_frames(render_as_fits, num_frames, workers, finished, check, frames_a_pass=frames_a_pass)
    return result


def _blur(
    frame: Tensor,
    radius_px: Tensor,
    lens: LensSettings,
    highlight_gain: float | Tensor,
    transfer: str,
    contour_reach_px: int,
    check: Check,
    seen_elsewhere: Callable[[PlanesOf, LampsOf], Behind | None] | None = None,
) -> Tensor:
    """Blur a frame [H, W, C], or a pass of frames [T, H, W, C], given its signed blur radius [..., H, W].

    The gain of highlights is one for all frames, or [T, 1, 1].
    """
    channels = frame.movedim(-1, 0)  # HWC -> CHW
    values = channels[:3].expand(3, *channels.shape[1:])
    scale = Scale.of(values, transfer, lens.gamma)

    def light_of(
        values: Tensor, radius_px: Tensor, gain: float | Tensor, lamps: Tensor | None = None
    ) -> Tensor:
        light = scale.to_light(values)
        seen = values if transfer == DISPLAY else scale.to_picture(light)
        return lift_highlights(light, seen, radius_px, gain, lens.highlight_threshold, lamps)

    def lifted() -> Tensor:
        return light_of(values, radius_px, highlight_gain)

    def planes_of_other(values: Tensor, radius_px: Tensor, lamps: Tensor | None, at: int) -> Tensor:
        gain = highlight_gain[at, 0] if isinstance(highlight_gain, Tensor) else highlight_gain
        light = light_of(values[:3].expand(3, -1), radius_px, gain, lamps)
        alpha = values[3:4].clamp(0, 1)
        return torch.cat([light * alpha, alpha]) if len(alpha) else light

    def lamps_of_other(small: Tensor) -> Tensor | None:
        if not isinstance(highlight_gain, Tensor) and highlight_gain == 0:
            return None
        return share_of_lamps(highlight_of(small.movedim(-1, 0), lens.highlight_threshold))

    alpha = channels[3:4].clamp(0, 1)

    def taken_apart() -> Layers:
        planes = lifted()
        if len(alpha):
            # Premultiplied, so that the colour behind transparent pixels does not bleed into visible ones.
            planes = torch.cat([planes * alpha, alpha])
        elsewhere = None if seen_elsewhere is None else seen_elsewhere(planes_of_other, lamps_of_other)
        layers = split_layers(planes, radius_px, contour_reach_px, check, scale.beyond_white, elsewhere)
        check()
        return layers

    blurred = layers_through_lens(
        taken_apart,
        lens.aperture,
        (frame.shape[-3], frame.shape[-2]),
        beyond_frame=lens.border == REPEAT,
        in_double=scale.needs_double,
        check=check,
    )
    if len(alpha):
        blurred_alpha = blurred[3:4].clamp(0, 1)
        colours = torch.where(blurred_alpha > 1e-4, blurred[:3] / blurred_alpha.clamp(min=1e-4), lifted())
        blurred = torch.cat([scale.to_values(colours), blurred_alpha])
    else:
        blurred = scale.to_values(blurred)
    return blurred[: frame.shape[-1]].movedim(0, -1)  # CHW -> HWC
