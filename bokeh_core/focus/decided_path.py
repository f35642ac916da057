"""Decisions of what is sharp -> one focal disparity per frame: held, and racked from one to the next."""

from collections.abc import Iterator, Sequence
from itertools import pairwise, repeat
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from ..clip.checks import checked_mask
from ..clip.masks import INSIDE_MASK, resize_mask
from ..motion.map_cuts import MapCutFinder
from ..schedule.values import ease
from .cuts import picture_cuts, shots_by_both
from .decision import FocusDecision
from .maps import FrameMaps, require_frames_fit
from .measure import disk_at, hold_gaps, mean_inside, surface_in
from .pull import FocusPull
from .report_lines import edge_line, frame_spans
from .smoothing import require_smoothing, smooth_within_pieces

if TYPE_CHECKING:
    from .followed import FollowedSubject


def focal_path(
    decisions: Sequence[FocusDecision],
    disparity: FrameMaps,
    frames: FrameMaps | None,
    mask: FrameMaps | None,
    smoothing_frames: float,
) -> tuple[FocusPull, list[str]]:
    """Return where the lens is focused in every frame, and what people should know of it.

    A decision holds until the next one; the first also serves the frames before it. In the `transition`
    frames that end at a decision, the focus eases from the disparity held at their beginning to the one at
    the decision's own frame: between the two, nothing is measured. A transition begins no earlier than the
    decision before it, and no earlier than the last cut.

    A subject that is followed is measured inside the mask, where one is given that lies on it in the
    decision's frame; elsewhere it is tracked, up to the next cut. Where it is lost the focus holds.

    Args:
        decisions: in the order of their frames; those past the end are left out.
        disparity: [T, H, W] in [0, 1], 1 = near.
        frames: [T, h, w, C] in [0, 1], of any size.
        mask: [T, h, w] in [0, 1].
        smoothing_frames: see `script.FocusScript.focal_disparities`.

    Returns:
        focal disparity and the point that it was measured at, of every frame, and lines of a report.

    Raises:
        ValueError: see `script.FocusScript.focal_disparities`.
    """
    require_smoothing(smoothing_frames)
    num_frames = disparity.shape[0]
    decisions = [decision for decision in decisions if decision.frame < num_frames]
    _require_possible(decisions, num_frames, frames, mask)
    of_pictures = picture_cuts(frames)
    measured = _Measured(decisions, disparity.shape, of_pictures)
    map_cuts = MapCutFinder()
    pictures: Iterator[Tensor | None] = repeat(None, num_frames) if frames is None else iter(frames)
    masks: Iterator[Tensor | None] = repeat(None, num_frames) if mask is None else iter(mask)
    for t, (frame_map, frame, frame_mask) in enumerate(zip(disparity, pictures, masks, strict=True)):
        map_cuts.add(frame_map)
        measured.add(t, frame_map, frame, None if frame_mask is None else checked_mask(frame_mask, t))
    cuts = shots_by_both(map_cuts, of_pictures)

    values = measured.held()
    for a, b in measured.spans:
        inside = [0, *(cut - a for cut in cuts if a < cut < b)]
        values[a:b] = smooth_within_pieces(values[a:b], smoothing_frames, inside)
    for before, decision in pairwise(decisions):
        last_cut = max(cut for cut in cuts if cut <= decision.frame)
        _rack(values, max(before.frame, last_cut, decision.frame - decision.transition), decision)
    return FocusPull(values, measured.points_px), measured.lines


class _Measured:
    """What each frame says of the subject of its decision.

    Attributes:
        spans: first frame, and the one behind the last, that each decision serves.
        points_px: float32 [T, 2], (x, y) in px of the maps; NaN where a decision looks at no place.
        lines: of a report.
    """

    def __init__(self, decisions: Sequence[FocusDecision], shape: torch.Size, cuts: Sequence[int]) -> None:
        num_frames, self._height, self._width = shape
        starts = [0, *(decision.frame for decision in decisions[1:])]
        self.spans = list(pairwise([*starts, num_frames]))
        self._decisions = decisions
        self._current = [i for i, (a, b) in enumerate(self.spans) for _ in range(a, b)]
        self._followed = {
            i: _followed(decision, cuts) for i, decision in enumerate(decisions) if decision.kind == "follow"
        }
        self._by_mask: set[int] = set()
        self._values = torch.full((num_frames,), torch.nan)
        self._inside_mask = torch.full((num_frames,), torch.nan)
        self.points_px = torch.full((num_frames, 2), torch.nan)
        self.lines: list[str] = []

    def add(self, t: int, frame_map: Tensor, frame: Tensor | None, mask: Tensor | None) -> None:
        """Measure in the next frame."""
        index = self._current[t]
        decision = self._decisions[index]
        if decision.disparity is not None:
            self._values[t] = decision.disparity
            return
        pixel = decision.pixel(self._height, self._width)
        if mask is not None and decision.kind in ("mask", "follow"):
            self._inside_mask[t] = mean_inside(frame_map, mask)
        if decision.kind == "mask":
            self._by_mask.add(index)
        elif decision.kind == "point":
            self._values[t], other = surface_in(disk_at(frame_map, *pixel, decision.radius))
            self.points_px[t] = torch.tensor(pixel)
            if t == decision.frame and other == other:
                self.lines.append(edge_line(t, decision.radius, self._values[t].item(), other))
        elif frame is not None:
            for seen, tracked in self._followed[index].look(t, frame, frame_map).items():
                self._values[seen] = tracked.focal_disparity
                self.points_px[seen] = self._pixel_at(tracked.x, tracked.y)
            if t == decision.frame and mask is not None and _lies_in(mask, pixel, frame_map):
                self._by_mask.add(index)

    def held(self) -> Tensor:
        """Focal disparity of every frame [T], held where nothing could be measured.

        Raises:
            ValueError: a mask is empty wherever it decides.
        """
        held = torch.empty_like(self._values)
        for index, (a, b) in enumerate(self.spans):
            values = self._values[a:b]
            if index in self._by_mask:
                inside = self._inside_mask[a:b]
                values = torch.where(inside.isnan(), values, inside)
            self.lines += _lost_lines(self._decisions[index], values, a)
            held[a:b] = hold_gaps(values)
        return held

    def _pixel_at(self, x: float, y: float) -> Tensor:
        pixel = torch.tensor([x * self._width - 0.5, y * self._height - 0.5])
        return pixel.clamp(torch.zeros(2), torch.tensor([self._width - 1.0, self._height - 1.0]))


def _followed(decision: FocusDecision, cuts: Sequence[int]) -> "FollowedSubject":
    from .followed import FollowedSubject  # only to track: the nodes start without OpenCV

    return FollowedSubject(decision, cuts)


def _lies_in(mask: Tensor, pixel: tuple[int, int], frame_map: Tensor) -> bool:
    """Whether a pixel (column, row) of the map lies in a mask [h, w] of any size."""
    column, row = pixel
    return resize_mask(mask, *frame_map.shape)[0, row, column].item() >= INSIDE_MASK


def _rack(values: Tensor, begin: int, decision: FocusDecision) -> None:
    """Ease values [T] in place from the one at `begin` to the one at the decision's frame."""
    if decision.ease == "cut" or begin >= decision.frame:
        return
    start, end = values[begin].item(), values[decision.frame].item()
    length = decision.frame - begin
    progress = ease(torch.arange(length, dtype=torch.float64) / length, decision.ease)
    values[begin : decision.frame] = (start + (end - start) * progress).float()


def _require_possible(
    decisions: Sequence[FocusDecision], num_frames: int, frames: FrameMaps | None, mask: FrameMaps | None
) -> None:
    if not decisions:
        raise ValueError(
            f"The focus is decided nowhere in this clip of {num_frames} frames; add a focus decision at a "
            f"frame from 0 to {num_frames - 1}."
        )
    require_frames_fit(frames, num_frames)
    for decision in decisions:
        where = f"The focus decision at frame {decision.frame} is of the kind {decision.kind}"
        if decision.kind == "mask" and mask is None:
            raise ValueError(f"{where}, and no mask is connected; connect one, or choose point or lock.")
        if decision.kind == "follow" and frames is None:
            raise ValueError(
                f"{where}, and a subject is followed in the frames; connect them, or choose point or lock."
            )


def _lost_lines(decision: FocusDecision, measured: Tensor, first_frame: int) -> list[str]:
    """Name the frames without a measurement, where the focus holds.

    Raises:
        ValueError: there is none in any frame.
    """
    lost = measured.isnan()
    if bool(lost.all()):
        raise ValueError(
            f"The mask is empty in all of the frames {first_frame} to {first_frame + len(measured) - 1}, "
            f"where the decision at frame {decision.frame} focuses on it; mend the mask there, or choose "
            "point or lock."
        )
    if not bool(lost.any()):
        return []
    spans = frame_spans(lost, first_frame)
    if decision.kind == "mask":
        return [f"The mask is empty in {spans}: the focus holds there."]
    return [
        f"Warning: the subject followed from frame {decision.frame} on is hidden, lost or in another shot in "
        f"{spans}: the focus holds there. A decision in the first of them sets it right."
    ]
