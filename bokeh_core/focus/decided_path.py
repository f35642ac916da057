"""Decisions of what is sharp -> one focal disparity per frame: held, and racked from one to the next."""

from collections.abc import Iterator, Sequence
from itertools import pairwise, repeat

import torch
from torch import Tensor

from ..clip.checks import checked_mask
from ..motion.map_cuts import MapCutFinder
from ..schedule.values import ease
from .decision import FocusDecision
from .maps import FrameMaps
from .measure import disk_at, hold_gaps, mean_inside, surface_in
from .smoothing import require_smoothing, smooth_within_pieces


def focal_path(
    decisions: Sequence[FocusDecision],
    disparity: FrameMaps,
    mask: FrameMaps | None,
    smoothing_frames: float,
) -> tuple[Tensor, list[str]]:
    """Return where the lens is focused in every frame, and what people should know of it.

    A decision holds until the next one; the first also serves the frames before it. In the `transition`
    frames that end at a decision, the focus eases from the disparity held at their beginning to the one at
    the decision's own frame: between the two, nothing is measured. A transition begins no earlier than the
    decision before it, and no earlier than the last cut.

    Args:
        decisions: in the order of their frames; those past the end are left out.
        disparity: [T, H, W] in [0, 1], 1 = near.
        mask: [T, h, w] in [0, 1].
        smoothing_frames: see `script.FocusScript.focal_disparities`.

    Returns:
        float32 [T] in [0, 1], and lines of a report.

    Raises:
        ValueError: see `script.FocusScript.focal_disparities`.
    """
    require_smoothing(smoothing_frames)
    num_frames, height, width = disparity.shape
    decisions = [decision for decision in decisions if decision.frame < num_frames]
    _require_possible(decisions, num_frames, mask)
    starts = [0, *(decision.frame for decision in decisions[1:])]
    ends = [*starts[1:], num_frames]
    current = [i for i, (a, b) in enumerate(zip(starts, ends, strict=True)) for _ in range(a, b)]

    pieces = MapCutFinder()
    measured = torch.full((num_frames,), torch.nan)
    lines = []
    masks: Iterator[Tensor | None] = repeat(None, num_frames) if mask is None else iter(mask)
    for t, (frame_map, frame_mask) in enumerate(zip(disparity, masks, strict=True)):
        pieces.add(frame_map)
        decision = decisions[current[t]]
        if decision.disparity is not None:
            measured[t] = decision.disparity
        elif decision.kind == "point":
            disk = disk_at(frame_map, *decision.pixel(height, width), decision.radius)
            measured[t], other = surface_in(disk)
            if t == decision.frame and other == other:
                lines.append(_edge_line(decision, measured[t].item(), other))
        elif frame_mask is not None:
            measured[t] = mean_inside(frame_map, checked_mask(frame_mask, t))

    held = torch.empty_like(measured)
    cuts = pieces.starts()
    for decision, a, b in zip(decisions, starts, ends, strict=True):
        lines += _lost_lines(decision, measured[a:b], a)
        inside = [0, *(cut - a for cut in cuts if a < cut < b)]
        held[a:b] = smooth_within_pieces(hold_gaps(measured[a:b]), smoothing_frames, inside)
    for before, decision in pairwise(decisions):
        last_cut = max(cut for cut in cuts if cut <= decision.frame)
        _rack(held, max(before.frame, last_cut, decision.frame - decision.transition), decision)
    return held, lines


def _rack(values: Tensor, begin: int, decision: FocusDecision) -> None:
    """Ease values [T] in place from the one at `begin` to the one at the decision's frame."""
    if decision.ease == "cut" or begin >= decision.frame:
        return
    start, end = values[begin].item(), values[decision.frame].item()
    length = decision.frame - begin
    progress = ease(torch.arange(length, dtype=torch.float64) / length, decision.ease)
    values[begin : decision.frame] = (start + (end - start) * progress).float()


def _require_possible(decisions: Sequence[FocusDecision], num_frames: int, mask: FrameMaps | None) -> None:
    if not decisions:
        raise ValueError(
            f"The focus script decides nothing for this clip of {num_frames} frames; add a focus decision "
            f"at a frame from 0 to {num_frames - 1}."
        )
    for decision in decisions:
        where = f"The focus decision at frame {decision.frame} is of the kind {decision.kind}"
        if decision.kind == "mask" and mask is None:
            raise ValueError(f"{where}, and no mask is connected; connect one, or choose point or lock.")
        if decision.kind == "follow":
            raise ValueError(f"{where}, which cannot be measured here; choose point, lock or mask.")


def _edge_line(decision: FocusDecision, taken: float, other: float) -> str:
    return (
        f"Warning: the sample at frame {decision.frame} (radius {decision.radius} px) lies across an edge: "
        f"disparity {taken:.2f} was taken, and {other:.2f} lies in it too. If that was meant, move the "
        "point, or make the radius smaller."
    )


def _lost_lines(decision: FocusDecision, measured: Tensor, first_frame: int) -> list[str]:
    """Name the frames without a measurement, where the focus holds.

    Raises:
        ValueError: there is none in any frame.
    """
    lost = measured.isnan()
    last_frame = first_frame + len(measured) - 1
    if bool(lost.all()):
        raise ValueError(
            f"The mask is empty in all of the frames {first_frame} to {last_frame}, where the decision at "
            f"frame {decision.frame} focuses on it; mend the mask there, or choose point or lock."
        )
    if not bool(lost.any()):
        return []
    return [f"The mask is empty in {frame_spans(lost, first_frame)}: the focus holds there."]


def frame_spans(chosen: Tensor, first_frame: int = 0, most: int = 6) -> str:
    """Name the frames of a bool tensor [T], as "frames 3 to 5, 9"."""
    edges = torch.nn.functional.pad(chosen.int(), (1, 1)).diff()
    begins = (edges == 1).nonzero()[:, 0].tolist()
    ends = (edges == -1).nonzero()[:, 0].tolist()
    spans = [
        f"{first_frame + a}" if b - a == 1 else f"{first_frame + a} to {first_frame + b - 1}"
        for a, b in zip(begins, ends, strict=True)
    ]
    named = ", ".join(spans[:most])
    more = f" and {len(spans) - most} more runs" if len(spans) > most else ""
    return f"{'frame' if int(chosen.sum()) == 1 else 'frames'} {named}{more}"
