"""Depth or disparity maps of any origin -> DISPARITY: float32 [T, H, W] in [0, 1], 1 = near."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from .clip_length import broadcast_over_frames

SOURCES = ("disparity", "metric depth")
POLARITIES = ("auto", "near white", "near black")
NORMALISATIONS = ("min-max", "robust percentiles", "none")

_ROBUST_PERCENTILES = (1.0, 99.0)
# Percentiles of more samples than this cost seconds and differ in the fourth digit.
_MAX_PERCENTILE_SAMPLES = 4_000_000
_UNCERTAIN_POLARITY_MARGIN = 0.05
_ONE_8BIT_STEP = 1 / 255
# Resizers and codecs overshoot [0, 1] by rounding.
_RANGE_SLACK = 1e-4


@dataclass(frozen=True)
class PreparedDisparity:
    """DISPARITY and what was decided on the way: `disparity` [T, H, W], `report` one fact a line."""

    disparity: Tensor
    report: str


def prepare_disparity(
    values: Tensor,
    source: str = "disparity",
    polarity: str = "auto",
    normalisation: str = "min-max",
    exponent: float = 1.0,
    start_frame: int = 0,
    max_frames: int = 0,
    *,
    num_frames: int | None = None,
    height: int | None = None,
    width: int | None = None,
) -> PreparedDisparity:
    """Turn raw maps into DISPARITY: orient, invert metric depth, undo a root, normalise, cut, resize.

    Args:
        values: [T, H, W], raw.
        source: "disparity" (any affine function of 1 / distance) or "metric depth" (distance in any unit).
        polarity: "near white", "near black" or "auto". Near black maps v are flipped: 1 - v if all
            are in [0, 1], else max(v) - v. Metric depth grows with distance, so "auto" there is near
            black and "near white" means depth stored as 1 - v.
        normalisation: over the whole clip: "min-max", "robust percentiles" (1 % and 99 % become 0 and
            1), or "none" (already in [0, 1]).
        exponent: power applied before normalising; 2 undoes a square root.
        start_frame: first map to use, counted from 0; the maps before still count in the normalisation.
        max_frames: number of maps to use, 0 = all.
        num_frames: length of the clip, which one map is repeated over; as the source if None.
        height: rows of the result; as the source if None.
        width: columns of the result; as the source if None.

    Raises:
        ValueError: NaN or infinite values, constant maps, depth of 0 or less, values outside [0, 1]
            without normalisation, a clip of another length.
    """
    _require_option("source", source, SOURCES)
    _require_option("polarity", polarity, POLARITIES)
    _require_option("normalisation", normalisation, NORMALISATIONS)
    if not exponent > 0:
        raise ValueError(
            f"exponent is {exponent:g}; it must be above 0 (1 = unchanged, 2 undoes a square root)."
        )
    low, high = _finite_extremes(values)
    report = [f"Values {low.min().item():g} to {high.max().item():g} in {_count_frames(len(values))}."]
    if _normalised_frame_by_frame(low, high):
        report.append(
            f"Warning: every frame spans the same {low[0].item():g} to {high[0].item():g}, as if each had "
            "been normalised on its own; the focal plane will then flicker. Prefer a video depth model that "
            "normalises the whole clip (Video Depth Anything, DepthCrafter), or raise the focus smoothing."
        )
    maps, line = _oriented(values, source, polarity, low.min(), high.max())
    report.append(line)
    if exponent != 1:
        maps = _raised(maps, exponent)
        report.append(f"Raised to the power {exponent:g}.")
    maps, line = _normalised(maps, normalisation)
    report.append(line)
    maps, lines = _cut(maps, start_frame, max_frames)
    report += lines
    maps, lines = _resized(maps, height or maps.shape[1], width or maps.shape[2])
    report += lines
    if num_frames is not None:
        if len(maps) == 1 < num_frames:
            report.append(f"One map serves all {num_frames} video frames.")
        maps = broadcast_over_frames(maps, num_frames, "disparity")
    return PreparedDisparity(maps, "\n".join(report))


def grey_view(disparity: Tensor) -> Tensor:
    """Show disparity [T, H, W] as grey RGB pictures [T, H, W, 3] without copying; near = white."""
    return disparity[..., None].expand(-1, -1, -1, 3)


def guess_near_is_white(maps: Tensor) -> tuple[bool, float, str]:
    """Guess the polarity of disparity-like maps [T, H, W] from how pictures are composed.

    Two cues, each a difference of mean values in units of the range of the mean map: the bottom
    third is nearer than the top third (weight 0.6), the middle is nearer than the top, left and
    right borders (weight 0.4).

    Returns:
        whether near is white, the margin in [0, 1], and the reason in words. Maps with fewer than
        3 rows or columns, or without contrast, give near white with margin 0.
    """
    mean_map = maps.mean(dim=0)
    height, width = mean_map.shape
    contrast = (mean_map.max() - mean_map.min()).item()
    if min(height, width) < 3 or contrast == 0:
        return True, 0.0, "no cue in the picture"
    third_h, third_w = height // 3, width // 3
    border_h, border_w = max(height // 8, 1), max(width // 8, 1)
    vertical = (mean_map[-third_h:].mean() - mean_map[:third_h].mean()).item() / contrast
    border = torch.cat(
        [mean_map[:border_h].flatten(), mean_map[:, :border_w].flatten(), mean_map[:, -border_w:].flatten()]
    )
    middle = mean_map[third_h : height - third_h, third_w : width - third_w]
    central = (middle.mean() - border.mean()).item() / contrast
    score = 0.6 * vertical + 0.4 * central
    reason = f"bottom minus top {vertical:+.2f}, middle minus borders {central:+.2f} of the range"
    return score >= 0, abs(score), reason


def _count_frames(count: int) -> str:
    return f"{count} frame" if count == 1 else f"{count} frames"


def _require_option(name: str, value: str, options: tuple[str, ...]) -> None:
    if value not in options:
        raise ValueError(f"{name} is {value!r}; choose one of {', '.join(options)}.")


def _finite_extremes(values: Tensor) -> tuple[Tensor, Tensor]:
    """Per-frame minimum and maximum [T]; an extreme is not finite exactly if some value is not."""
    if values.numel() == 0:
        raise ValueError(f"The depth maps are empty (shape {tuple(values.shape)}); give at least one frame.")
    low, high = values.amin(dim=(1, 2)), values.amax(dim=(1, 2))
    bad_frames = (~(torch.isfinite(low) & torch.isfinite(high))).nonzero()[:, 0].tolist()
    if bad_frames:
        nan = sum(int(values[t].isnan().sum()) for t in bad_frames)
        infinite = sum(int(values[t].isinf().sum()) for t in bad_frames)
        raise ValueError(
            f"The depth has {nan} NaN and {infinite} infinite values in {_count_frames(len(bad_frames))}, "
            f"first in frame {bad_frames[0]}; every value must be a finite number. Fill the holes in the "
            "source; for sky use a large distance."
        )
    return low, high


def _normalised_frame_by_frame(low: Tensor, high: Tensor) -> bool:
    count = len(low)
    span = (high.max() - low.min()).item()
    if count < 2 or span == 0:
        return False
    tolerance = _ONE_8BIT_STEP * span
    full_range = (low - low.min() <= tolerance) & (high.max() - high <= tolerance)
    share = full_range.float().mean().item()
    return share == 1 or (count >= 4 and share > 0.9)


def _oriented(
    values: Tensor, source: str, polarity: str, lowest: Tensor, highest: Tensor
) -> tuple[Tensor, str]:
    """Make near large: a new tensor [T, H, W] and what was decided."""
    in_unit_range = lowest.item() >= 0 and highest.item() <= 1
    if source == "metric depth":
        if polarity == "near white":
            if not in_unit_range:
                raise ValueError(
                    f"Metric depth from {lowest.item():g} to {highest.item():g} cannot be near white: that "
                    "means depth stored as 1 - v in [0, 1]. Choose near black or auto."
                )
            return _inverted(1 - values), "Metric depth stored as 1 - v (near white), inverted to 1 / depth."
        return _inverted(values), "Metric depth: near is small (near black); inverted to 1 / depth."

    decided = f"Polarity: {polarity} (chosen)."
    if polarity == "auto":
        near_is_white, margin, reason = guess_near_is_white(values)
        polarity = "near white" if near_is_white else "near black"
        decided = f"Polarity: {polarity} (auto: {reason}; margin {margin:.2f})."
        if margin < _UNCERTAIN_POLARITY_MARGIN:
            decided += " Warning: this guess is uncertain; set the polarity if near and far are swapped."
    if polarity == "near white":
        return values, decided
    return (1.0 if in_unit_range else highest) - values, decided


def _inverted(depth: Tensor) -> Tensor:
    bad = [int((frame <= 0).sum()) for frame in depth]
    if any(bad):
        first = next(t for t, count in enumerate(bad) if count)
        raise ValueError(
            f"{sum(bad)} metric depth values are 0 or less, first in frame {first}; a distance must be above "
            "0. Fill the holes, or, if the map was normalised (0 = nearest), choose source disparity with "
            "polarity near black."
        )
    return 1 / depth


def _raised(maps: Tensor, exponent: float) -> Tensor:
    lowest = maps.min().item()
    if lowest < 0:
        raise ValueError(
            f"exponent {exponent:g} needs values of 0 or more, but the smallest is {lowest:g}; set it to 1."
        )
    return maps**exponent


def _normalised(maps: Tensor, normalisation: str) -> tuple[Tensor, str]:
    low, high = maps.min().item(), maps.max().item()
    if normalisation == "none":
        if low < -_RANGE_SLACK or high > 1 + _RANGE_SLACK:
            raise ValueError(
                f"Without normalisation the disparity must be in [0, 1], but it is {low:g} to {high:g}; "
                "choose min-max."
            )
        return maps.clamp(0, 1), "Not normalised."
    if low == high:
        raise ValueError(
            f"The depth is constant ({low:g} everywhere), so there is no near and far to normalise. Check "
            "the source; a flat plane needs values in [0, 1] and normalisation none."
        )
    label = "min-max"
    if normalisation == "robust percentiles":
        whole_low, whole_high = low, high
        low, high = _percentiles(maps)
        label = f"percentiles {_ROBUST_PERCENTILES[0]:g} and {_ROBUST_PERCENTILES[1]:g}"
        if low >= high:
            raise ValueError(
                f"98 % of the depth is the same value ({low:g}) in a range of {whole_low:g} to "
                f"{whole_high:g}; robust percentiles would erase the rest. Choose min-max."
            )
    normalised = (maps - low).div_(high - low).clamp_(0, 1)
    return normalised, f"Normalised over the whole clip by {label}: {low:g} to {high:g} became 0 to 1."


def _percentiles(maps: Tensor) -> tuple[float, float]:
    flat = maps.reshape(-1)
    stride = -(-flat.numel() // _MAX_PERCENTILE_SAMPLES)
    # A stride that divides the width would look at the same columns in every row.
    while stride > 1 and maps.shape[2] % stride == 0:
        stride += 1
    low, high = np.percentile(flat[::stride].numpy(), _ROBUST_PERCENTILES)
    return float(low), float(high)


def _cut(maps: Tensor, start_frame: int, max_frames: int) -> tuple[Tensor, list[str]]:
    count = len(maps)
    if start_frame < 0 or max_frames < 0:
        raise ValueError(f"start_frame is {start_frame} and max_frames {max_frames}; both must be 0 or more.")
    # One still serves any part of a clip.
    if count == 1 or (start_frame == 0 and max_frames == 0):
        return maps, []
    if start_frame >= count:
        raise ValueError(f"start_frame is {start_frame}, but the last disparity frame is {count - 1}.")
    end = min(start_frame + max_frames, count) if max_frames else count
    return maps[start_frame:end], [f"Using frames {start_frame} to {end - 1}."]


def _resized(maps: Tensor, height: int, width: int) -> tuple[Tensor, list[str]]:
    _, source_height, source_width = maps.shape
    if (source_height, source_width) == (height, width):
        return maps, []
    lines = [f"Resized from {source_width} x {source_height} to {width} x {height} px."]
    stretch = (width / height) / (source_width / source_height)
    if max(stretch, 1 / stretch) > 1.02:
        lines.append(
            "Warning: the maps have another shape than the frames and were stretched by "
            f"{stretch:.3f} horizontally; check that both show the same picture."
        )
    resized = torch.empty(len(maps), height, width)
    for t, frame in enumerate(maps):
        resized[t] = functional.interpolate(
            frame[None, None], (height, width), mode="bilinear", antialias=True, align_corners=False
        )[0, 0]
    return resized.clamp_(0, 1), lines
