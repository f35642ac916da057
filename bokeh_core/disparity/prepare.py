"""Depth or disparity maps of any origin -> DISPARITY: float32 [T, H, W] in [0, 1], 1 = near."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from ..clip.aspect import horizontal_stretch, require_same_picture
from ..clip.checks import as_plain_float
from ..clip.lengths import broadcast_over_frames
from .conversion import DepthMeaning, DisparityStatistics

__all__ = [
    "PreparedDisparity",
    "cut_range",
    "grey_view",
    "prepare_disparity",
    "resize_disparity",
    "resizing_report",
]

# Beyond this the maps show another picture than the frames, or were cropped.
_WARNED_STRETCH = 1.02


@dataclass(frozen=True)
class PreparedDisparity:
    """DISPARITY and what was decided on the way: `disparity` [T, H, W], `report` one fact a line."""

    disparity: Tensor
    report: str


def prepare_disparity(
    values: Tensor,
    source: str = DepthMeaning.source,
    polarity: str = DepthMeaning.polarity,
    normalisation: str = DepthMeaning.normalisation,
    exponent: float = DepthMeaning.exponent,
    start_frame: int = 0,
    max_frames: int = 0,
    holes: str = DepthMeaning.holes,
    *,
    num_frames: int | None = None,
    height: int | None = None,
    width: int | None = None,
) -> PreparedDisparity:
    """Turn raw maps into DISPARITY: orient, invert metric depth, undo a root, normalise, cut, resize.

    Args:
        values: [T, H, W], raw.
        source: "disparity" (any affine function of 1 / distance) or "metric depth" (distance in any unit).
        polarity: "near white", "near black" or "auto": near white, with a warning where the picture looks
            otherwise. Near black maps v are flipped: 1 - v if all are in [0, 1], else max(v) - v. Metric
            depth grows with distance, so "auto" there is near black and "near white" means depth stored
            as 1 - v.
        normalisation: over the whole clip: "min-max", "robust percentiles" (1 % and 99 % become 0 and
            1), or "none" (already in [0, 1]).
        exponent: power applied before normalising; 2 undoes a square root.
        start_frame: first map to use, counted from 0; the maps before still count in the normalisation.
        max_frames: number of maps to use, 0 = all.
        holes: what becomes of pixels that are NaN, infinite or, in metric depth, 0 or less: "refuse" raises,
            "far" gives them disparity 0, which then is 1 / infinity if the depth is metric, and "fill from
            around" the disparity of the nearest pixel that has depth; that also fills a disparity of 0.
        num_frames: length of the clip, which one map is repeated over; as the source if None.
        height: rows of the result; as the source if None.
        width: columns of the result; as the source if None.

    Raises:
        ValueError: another shape or type, holes that are refused, constant maps, values outside
            [0, 1] without normalisation, a clip of another length.
    """
    meaning = DepthMeaning(source, polarity, normalisation, exponent, holes)
    values = as_plain_float(values, "depth")
    if values.numel() == 0:
        raise ValueError(f"The depth maps are empty (shape {tuple(values.shape)}); give at least one frame.")
    if values.ndim != 3:
        raise ValueError(f"The depth maps have shape {tuple(values.shape)}; they must be [T, H, W].")
    statistics = DisparityStatistics(meaning)
    for frame in values:
        statistics.add(frame)
    conversion = statistics.conversion()
    report = [conversion.report]
    start, stop, lines = cut_range(len(values), start_frame, max_frames)
    report += lines
    size = (height or values.shape[1], width or values.shape[2])
    report += resizing_report(values.shape[1:], size)
    maps = torch.empty(stop - start, *size)
    for t in range(start, stop):
        maps[t - start] = resize_disparity(conversion.apply(values[t]), size)
    if num_frames is not None:
        if len(maps) == 1 < num_frames:
            report.append(f"One map serves all {num_frames} video frames.")
        maps = broadcast_over_frames(maps, num_frames, "disparity")
    return PreparedDisparity(maps, "\n".join(report))


def grey_view(disparity: Tensor) -> Tensor:
    """Show disparity [T, H, W] as grey RGB pictures [T, H, W, 3] without copying; near = white."""
    return disparity[..., None].expand(-1, -1, -1, 3)


def cut_range(count: int, start_frame: int, max_frames: int) -> tuple[int, int, list[str]]:
    """Choose a part of `count` maps.

    Returns:
        first map, the one after the last, and what was decided; a single map serves any part of a clip.

    Raises:
        ValueError: negative numbers, or a start behind the last map.
    """
    if start_frame < 0 or max_frames < 0:
        raise ValueError(f"start_frame is {start_frame} and max_frames {max_frames}; both must be 0 or more.")
    if count == 1 or (start_frame == 0 and max_frames == 0):
        return 0, count, []
    if start_frame >= count:
        raise ValueError(f"start_frame is {start_frame}, but the last disparity frame is {count - 1}.")
    end = min(start_frame + max_frames, count) if max_frames else count
    return start_frame, end, [f"Using frames {start_frame} to {end - 1}."]


def resizing_report(from_size: Sequence[int], to_size: Sequence[int]) -> list[str]:
    """Say what resizing maps from one (height, width) to another does to them; nothing if they agree.

    Raises:
        ValueError: the maps lie where the frames stand, or the other way round, or would be stretched by more
            than 2.
    """
    (source_height, source_width), (height, width) = from_size, to_size
    if (source_height, source_width) == (height, width):
        return []
    lines = [f"Resized from {source_width} x {source_height} to {width} x {height} px."]
    require_same_picture(from_size, to_size)
    stretch = horizontal_stretch(from_size, to_size)
    if max(stretch, 1 / stretch) > _WARNED_STRETCH:
        lines.append(
            "Warning: the maps have another shape than the frames and were stretched by "
            f"{stretch:.3f} horizontally; check that both show the same picture."
        )
    return lines


def resize_disparity(disparity: Tensor, size: tuple[int, int]) -> Tensor:
    """Resize one map [h, w] in [0, 1] to (height, width), bilinear and antialiased."""
    if tuple(disparity.shape) == size:
        return disparity
    resized = functional.interpolate(
        disparity[None, None], size, mode="bilinear", antialias=True, align_corners=False
    )
    return resized[0, 0].clamp_(0, 1)
