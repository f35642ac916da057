"""Depth or disparity maps of any origin -> DISPARITY: float32 [T, H, W] in [0, 1], 1 = near."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor

from ..clip.checks import as_plain_float
from ..clip.lengths import broadcast_over_frames
from ..clip.letterbox import PictureArea
from .fit import MapFit
from .meaning import DepthMeaning
from .polarity import contour_witness
from .statistics import DisparityStatistics

__all__ = [
    "PreparedDisparity",
    "cut_range",
    "grey_view",
    "prepare_disparity",
]


@dataclass(frozen=True)
class PreparedDisparity:
    """DISPARITY and what was decided on the way.

    Attributes:
        disparity: [T, H, W].
        report: one fact a line.
        distances: see `DisparityConversion.distances`.
    """

    disparity: Tensor
    report: str
    distances: tuple[float, float] | None = None


def prepare_disparity(
    values: Tensor,
    source: str = DepthMeaning.source,
    polarity: str = DepthMeaning.polarity,
    normalisation: str = DepthMeaning.normalisation,
    exponent: float = DepthMeaning.exponent,
    start_frame: int = 0,
    max_frames: int = 0,
    holes: str = DepthMeaning.holes,
    fit: str = MapFit.fit,
    frame_offset: int = MapFit.frame_offset,
    frames_per_map: float = MapFit.frames_per_map,
    *,
    num_frames: int | None = None,
    height: int | None = None,
    width: int | None = None,
    area: PictureArea | None = None,
    frames: Tensor | None = None,
) -> PreparedDisparity:
    """Turn raw maps into DISPARITY: orient, invert metric depth, undo a root, normalise, cut, resize.

    Args:
        values: [T, H, W], raw.
        source: "disparity" (any affine function of 1 / distance) or "metric depth" (distance in any unit).
        polarity: "near white", "near black" or "auto": near white unless contours that move in `frames` prove
            the opposite, with a warning where it is doubtful. Near black maps v are flipped: 1 - v if all are
            in [0, 1], else max(v) - v. Metric depth grows with distance, so "auto" there is near black and
            "near white" means depth stored as 1 - v.
        normalisation: over the whole clip: "min-max", "robust percentiles" (1 % and 99 % become 0 and
            1), or "none" (already in [0, 1]).
        exponent: power applied before normalising; 2 undoes a square root.
        start_frame: first map to use, counted from 0; the maps before still count in the normalisation.
        max_frames: number of maps to use, 0 = all.
        holes: what becomes of pixels that are NaN, infinite or, in metric depth, 0 or less: "refuse" raises,
            "far" gives them disparity 0, which then is 1 / infinity if the depth is metric, and "fill from
            around" the disparity of the nearest pixel that has depth; that also fills a disparity of 0.
        fit: how maps of another shape lie on the frames; this and the next two see `MapFit`.
        frame_offset: number of the map of the first frame.
        frames_per_map: frames from one map to the next.
        num_frames: length of the clip, which one map is repeated over; as `frames`, else the source, if None.
        height: rows of the result; likewise.
        width: columns of the result; likewise.
        area: of the frames, whose depth decides what becomes 0 and 1; None is all.
        frames: [T, H, W, C] in [0, 1] that the maps are for, where they are at hand: their motion tells which
            side of a contour is near, and where contours are between two maps.

    Raises:
        ValueError: another shape or type, holes that are refused, constant maps, values outside
            [0, 1] without normalisation, a clip of another length, frames that are not of the result's size.
    """
    meaning = DepthMeaning(source, polarity, normalisation, exponent, holes)
    placing = MapFit(fit, frame_offset, frames_per_map)
    values = as_plain_float(values, "depth")
    if values.numel() == 0:
        raise ValueError(f"The depth maps are empty (shape {tuple(values.shape)}); give at least one frame.")
    if values.ndim != 3:
        raise ValueError(f"The depth maps have shape {tuple(values.shape)}; they must be [T, H, W].")
    if frames is not None:
        given = tuple(frames.shape[:3])
        num_frames, height, width = (w or g for w, g in zip((num_frames, height, width), given, strict=True))
        if given != (num_frames, height, width):
            raise ValueError(
                f"frames are {given[0]} of {given[2]} x {given[1]} px; disparity was asked for {num_frames} "
                f"of {width} x {height} px."
            )
    size = (height or values.shape[1], width or values.shape[2])
    placed_lines = placing.placing_report(values.shape[1:], size)
    start, stop, cut_lines = cut_range(len(values), start_frame, max_frames)
    count = stop - start
    length = placing.length_of(count) if num_frames is None else num_frames
    placing.require_length(count, length)

    frames_from = None if frames is None else partial(_from, frames)
    statistics = DisparityStatistics(meaning)
    witness = contour_witness(meaning, frames_from, length, size, placing, start, area)
    shown = (slice(None),) * 2
    if area is not None:
        shown = placing.in_map(area.unsmeared(size), values.shape[1:], size)
    for number, frame in enumerate(values):
        statistics.add(frame[shown])
        if witness is not None:
            witness.take(number, frame)
    conversion = statistics.conversion(witness)
    report = [conversion.report, *cut_lines]
    if area is not None:
        report.append(area.report(size))
    report += placed_lines
    report += placing.timing_report(count, length, with_frames=frames is not None)

    def maps_from(first: int) -> Iterator[Tensor]:
        return (placing.place(conversion.apply(values[t]), size) for t in range(start + first, stop))

    placed = placing.in_time(maps_from, count, 0, length, frames_from)
    maps = torch.empty(1 if count == 1 else length, *size)
    for t, disparity in zip(range(len(maps)), placed, strict=False):
        maps[t] = disparity
    maps = broadcast_over_frames(maps, length, "disparity")
    return PreparedDisparity(maps, "\n".join(report), conversion.distances)


def _from(frames: Tensor, start: int) -> Iterator[Tensor]:
    return iter(frames[start:])


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
