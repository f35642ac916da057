"""Pictures, maps and values per frame as other programs hand them over, checked -> plain float32.

Every function that a node calls checks its tensors here first, so that a bad value is reported by name and
frame before anything is rendered.
"""

import math
from typing import Any, NoReturn

import torch
from torch import Tensor

from ..transfer import DISPLAY, LINEAR

# A resizer overshoots by a few hundredths; what lies farther out was made on another scale.
_MAP_SLACK = 0.1
_VALUE_SLACK = 1e-3
_ALPHA_SLACK = 0.5
# No picture is this many times as bright as white on average, however bright its lamps are.
_BRIGHTEST_MEAN = 8.0
# An 8-bit picture that was not divided has whole numbers up to 255; highlights of a renderer do not.
_WHOLE_NUMBERS_ABOVE = 100.0
# Resizing may undershoot beside a highlight, by less than this share of it.
_UNDERSHOOT = 0.5


def checked_frames(
    frames: Tensor, name: str = "frames", *, channels_last: bool = True, transfer: str = DISPLAY
) -> Tensor:
    """Return pictures as float32, checked to be pictures.

    8-bit integers are divided by 255, gradients are left behind. Values above 1 are light brighter than white
    and stay, as does what a resizer puts a little below 0.

    Args:
        frames: [T, H, W, C] with C = 1 (grey), 3 (RGB) or 4 (RGBA); [T, 3, H, W] where channels are not last.
        name: what they are, for messages.
        channels_last: the order of the axes.
        transfer: how numbers mean light, see `transfer.TRANSFERS`; linear light has lamps of any brightness.

    Returns:
        The same shape, on the same device.

    Raises:
        ValueError: another shape or type, NaN or infinite values, or values on another scale than 0 to 1.
    """
    pictures = as_plain_float(frames, name)
    _require_pictures(pictures, name, channels_last)
    if frames.dtype == torch.uint8:
        pictures = pictures / 255
    brightest_mean = math.inf if transfer == LINEAR else _BRIGHTEST_MEAN
    for t in _different_frames(pictures):
        picture = pictures[t] if channels_last else pictures[t].movedim(0, -1)
        _require_range_of_picture(picture, t, name, brightest_mean)
    return pictures


def checked_maps(maps: Tensor, name: str = "disparity", size: tuple[int, ...] | None = None) -> Tensor:
    """Return maps as float32 in [0, 1], checked to be maps.

    Args:
        maps: [T, H, W] in [0, 1]; bool, or integers 0 and 1, or 8-bit integers up to 255, are converted.
        name: what they are, for messages.
        size: (height, width) that they must have; None takes any.

    Raises:
        ValueError: another shape or type, NaN or infinite values, or values outside of [0, 1].
    """
    values = as_plain_float(maps, name)
    if values.ndim != 3 or (size is not None and tuple(values.shape[1:]) != tuple(size)):
        _refuse_shape_of_maps(values, name, size)
    if values.numel() == 0:
        raise ValueError(f"{name} is empty (shape {tuple(values.shape)}); give at least one frame.")
    outside = False
    for t in _different_frames(values):
        outside |= _outside_of_unit_range(values[t], t, name, maps.dtype)
    if maps.dtype == torch.uint8 and outside:
        return values / 255
    return values.clamp(0, 1) if outside else values


def checked_map(frame_map: Tensor, frame: int, name: str = "disparity") -> Tensor:
    """`checked_maps` for one map [H, W] of a stream, the frame's number given for messages."""
    values = as_plain_float(frame_map, name)
    if values.ndim != 2 or values.numel() == 0:
        raise ValueError(f"{name} of frame {frame} has shape {tuple(values.shape)}; it must be [H, W].")
    outside = _outside_of_unit_range(values, frame, name, frame_map.dtype)
    if frame_map.dtype == torch.uint8 and outside:
        return values / 255
    return values.clamp(0, 1) if outside else values


def checked_masks(mask: Tensor, name: str = "mask") -> Tensor:
    """`checked_maps` for masks, which also come as [H, W], [T, H, W, 1] or [T, 1, H, W], and up to 255."""
    if isinstance(mask, Tensor):
        if mask.ndim == 2:
            mask = mask[None]
        elif mask.ndim == 4 and 1 in (mask.shape[-1], mask.shape[1]):
            mask = mask.squeeze(-1 if mask.shape[-1] == 1 else 1)
    return checked_maps(_unit_mask(mask), name)


def checked_mask(frame_mask: Tensor, frame: int, name: str = "mask") -> Tensor:
    """`checked_masks` for one mask [H, W] of a stream, the frame's number given for messages."""
    return checked_map(_unit_mask(frame_mask), frame, name)


def _unit_mask(mask: Tensor) -> Tensor:
    """Masks of whole numbers up to 255, whatever their type, divided by 255; others as they are."""
    if not isinstance(mask, Tensor) or mask.numel() == 0 or mask.is_complex() or mask.is_meta:
        return mask
    if mask.layout != torch.strided:
        return mask
    values = mask.detach().float()
    lowest, highest = (value.item() for value in values.aminmax())
    if lowest >= 0 and 1 + _MAP_SLACK < highest <= 255 and bool((values == values.round()).all()):
        return values / 255
    return mask


def checked_values(
    values: Tensor, name: str, least: float = 0.0, most: float = 1.0, unit: str = ""
) -> Tensor:
    """Return one value per frame as float32 [T], checked to be finite and in range.

    Args:
        values: [T], or a single one without an axis.
        name: what they are, for messages.
        least: smallest allowed value.
        most: greatest allowed value.
        unit: behind values in messages.

    Raises:
        ValueError: another shape or type, or a value out of range; the message names its frame.
    """
    numbers = as_plain_float(values, name)
    numbers = numbers[None] if numbers.ndim == 0 else numbers
    if numbers.ndim != 1:
        raise ValueError(f"{name} has shape {tuple(numbers.shape)}; give one value per frame, [T].")
    if len(numbers) == 0:
        raise ValueError(f"{name} is empty; give one value per frame, or one for the whole clip.")
    # Written so that NaN fails too.
    bad = ~((numbers >= least - _VALUE_SLACK) & (numbers <= most + _VALUE_SLACK))
    if bool(bad.any()):
        frame = int(bad.nonzero()[0])
        behind = f" {unit}" if unit else ""
        raise ValueError(
            f"{name} is {numbers[frame].item():g}{behind} at frame {frame}; "
            f"it must be {least:g} to {most:g}{behind}."
        )
    return numbers.clamp(least, most) if bool((numbers < least).any() | (numbers > most).any()) else numbers


def as_plain_float(values: Any, name: str) -> Tensor:
    """Return any dense tensor of real numbers as float32 without its gradient.

    Raises:
        ValueError: something else.
    """
    if values is None:
        raise ValueError(f"No value was given for {name}; connect it.")
    if not isinstance(values, Tensor):
        raise ValueError(f"{name} is of the type {type(values).__name__}; it must be a tensor.")
    if values.layout != torch.strided or values.is_quantized:
        raise ValueError(f"{name} is a sparse or quantised tensor; make it a dense one.")
    if values.is_meta:
        raise ValueError(f"{name} has a shape but no values (device meta); compute it first.")
    if values.is_complex():
        raise ValueError(f"{name} holds complex numbers; give real ones.")
    return values.detach().float()


def _different_frames(values: Tensor) -> range:
    """Frames to look at: a single one where it only is repeated."""
    return range(1 if values.stride(0) == 0 else values.shape[0])


def _require_pictures(frames: Tensor, name: str, channels_last: bool) -> None:
    order, counts = ("[T, H, W, C]", (1, 3, 4)) if channels_last else ("[T, 3, H, W]", (3,))
    axis = 3 if channels_last else 1
    if frames.ndim == 4 and frames.shape[axis] in counts and 0 not in frames.shape:
        return
    hint = ""
    if frames.ndim == 4 and 0 in frames.shape:
        hint = ": there is no frame" if frames.shape[0] == 0 else ": a frame has no pixel"
    elif channels_last and frames.ndim == 4 and frames.shape[1] in counts and frames.shape[3] > max(counts):
        hint = ": the channels come last, and these seem to have them first"
    elif channels_last and frames.ndim == 3 and frames.shape[-1] in counts:
        hint = ": a single picture needs an axis of frames in front"
    allowed = " with C = 1, 3 or 4" if channels_last else ""
    raise ValueError(f"{name} have shape {tuple(frames.shape)}; expected {order}{allowed}{hint}.")


def _require_range_of_picture(picture: Tensor, frame: int, name: str, brightest_mean: float) -> None:
    lowest, highest = _finite_range(picture, frame, name)
    if lowest >= 0 and highest <= 1:
        return
    colours = picture[..., :3]
    if picture.shape[-1] == 4:
        low, high = (value.item() for value in picture[..., 3].aminmax())
        if low < -_ALPHA_SLACK or high > 1 + _ALPHA_SLACK:
            raise ValueError(f"Alpha of {name} is {low:g} to {high:g} at frame {frame}; it must be 0 to 1.")
        lowest, highest = (value.item() for value in colours.aminmax())
    whole = highest > _WHOLE_NUMBERS_ABOVE and bool((colours == colours.round()).all())
    if whole or (highest > 1 and colours.mean(dtype=torch.float64).item() > brightest_mean):
        raise ValueError(
            f"{name} reach {highest:g} at frame {frame}, as numbers from 0 to {_scale(highest)}; "
            f"white must be 1: divide them by {_scale(highest)}."
        )
    if lowest < -_UNDERSHOOT * max(1.0, highest):
        raise ValueError(
            f"{name} go down to {lowest:g} at frame {frame}; black must be 0 and white 1. "
            "Values from -1 to 1 become that by adding 1 and halving."
        )


def _scale(highest: float) -> int:
    return 255 if highest <= 255 else 65535


def _outside_of_unit_range(values: Tensor, frame: int, name: str, dtype: torch.dtype) -> bool:
    """Whether a map leaves [0, 1], by as little as resizing does, or as 8-bit integers do."""
    lowest, highest = _finite_range(values, frame, name)
    if dtype == torch.uint8:
        return highest > 1
    if lowest < -_MAP_SLACK or highest > 1 + _MAP_SLACK:
        remedy = f"; divide it by {_scale(highest)}" if lowest >= 0 and 16 < highest <= 65535 else ""
        raise ValueError(f"{name} is {lowest:g} to {highest:g} at frame {frame}; it must be 0 to 1{remedy}.")
    return lowest < 0 or highest > 1


def _finite_range(values: Tensor, frame: int, name: str) -> tuple[float, float]:
    """Least and greatest value; both take NaN over where there is one."""
    lowest, highest = (value.item() for value in values.aminmax())
    if not -torch.inf < lowest <= highest < torch.inf:
        _refuse_not_finite(values, frame, name)
    return lowest, highest


def _refuse_not_finite(values: Tensor, frame: int, name: str) -> NoReturn:
    row, column, *_ = (~values.isfinite()).nonzero()[0].tolist()
    kind = "NaN" if bool(values[row, column].isnan().any()) else "an infinite value"
    verb = "hold" if name.endswith("s") else "holds"
    raise ValueError(
        f"{name} {verb} {kind} at frame {frame}, row {row}, column {column}; every value must be a "
        "finite number. Repair that frame, or fill the hole."
    )


def _refuse_shape_of_maps(maps: Tensor, name: str, size: tuple[int, ...] | None) -> NoReturn:
    if size is None:
        raise ValueError(f"{name} has shape {tuple(maps.shape)}; it must be [T, H, W].")
    height, width = size
    if maps.ndim == 3:
        raise ValueError(
            f"{name} is {maps.shape[2]} x {maps.shape[1]} px but the frames are {width} x {height} px; "
            "connect the frames where the maps are loaded, which then fits them."
        )
    raise ValueError(
        f"{name} has shape {tuple(maps.shape)}; the frames are {width} x {height} px, so it must be "
        f"[T, {height}, {width}]."
    )
