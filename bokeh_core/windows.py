"""Overlapping windows over a clip, their weighted fusion (Eq. 5), and the calls that decode the clip."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from .published import DECODE_FRAMES, OVERLAP_FRAMES, WINDOW_FRAMES
from .setting_checks import require_whole_number

MOST_FRAMES = 10_000_000


class Window(NamedTuple):
    """Frames [start, stop) that go through the U-Net together."""

    start: int
    stop: int


class DecodeCall(NamedTuple):
    """Frames [start, stop) decoded together, of which [keep_from, stop) are the result."""

    start: int
    stop: int
    keep_from: int


def plan_windows(
    num_frames: int, window: int = WINDOW_FRAMES, overlap: int = OVERLAP_FRAMES, *, join_rest: bool = False
) -> list[Window]:
    """Cover a clip with windows of `window` frames, each sharing `overlap` frames with the one before.

    A last window that would reach beyond the clip is moved back until it fits, so it shares more; a clip
    shorter than a window is one short window. No window holds a frame that is not in the clip.

    Args:
        num_frames: length of the clip, >= 1.
        window: frames per window, >= 1 (8 as trained).
        overlap: frames shared, 0 .. window - 1 (4 as published).
        join_rest: frames that a last window would be moved back for join the one before it instead, which
            is then longer, by less than `window - overlap`.

    Returns:
        Windows in order; starts and stops both ascend.

    Raises:
        ValueError: an argument is out of range.
    """
    require_whole_number("The length of the clip", num_frames, 1, MOST_FRAMES, "frames")
    require_whole_number("window", window, 1, MOST_FRAMES, "frames", f"{WINDOW_FRAMES} as trained")
    require_whole_number("overlap", overlap, 0, window - 1, "frames", "less than the window")
    if num_frames <= window:
        return [Window(0, num_frames)]
    windows = [Window(s, s + window) for s in range(0, num_frames - window + 1, window - overlap)]
    if join_rest:
        windows[-1] = Window(windows[-1].start, num_frames)
    if windows[-1].stop < num_frames:
        windows.append(Window(num_frames - window, num_frames))
    return windows


def longest(pieces: Sequence[Window] | Sequence[DecodeCall]) -> int:
    """Frames of the longest window or decode call."""
    return max(piece.stop - piece.start for piece in pieces)


def overlap_weights(overlap: int) -> Tensor:
    """g_j = (1 + cos(pi j / L)) / 2 for j = 0 .. L - 1 (Eq. 5): weight of the earlier window, float32 [L]."""
    return torch.tensor([(1 + math.cos(math.pi * j / overlap)) / 2 for j in range(overlap)])


class LatentFusion:
    """The clip's latents while windows arrive in order; a frame is final once no later window holds it.

    What is final can be dropped, so that no more than the frames between two windows need to be held.
    """

    def __init__(self, windows: Sequence[Window], first: int = 0) -> None:
        """Expect windows in order.

        Args:
            windows: the whole plan.
            first: window that will arrive first. Frames that the windows before it hold are then not known.
        """
        self._windows = list(windows)
        self._added = first
        # Frames before this one belong to windows that are not seen, or were dropped.
        self._begin = self._windows[first - 1].stop if first else 0
        self._frames: dict[int, Tensor] = {}

    @property
    def final_frames(self) -> int:
        """How many frames, from the first on, no further window will change."""
        if self._added < len(self._windows):
            return self._windows[self._added].start
        return self._windows[-1].stop

    def add(self, latents: Tensor) -> None:
        """Blend in the next window, [F, C, h, w] (Eq. 5 over all the frames it shares with what came before).

        Raises:
            ValueError: every window is in already, or this one has another length or shape.
        """
        if self._added == len(self._windows):
            raise ValueError(f"All {len(self._windows)} windows are fused already.")
        window = self._windows[self._added]
        if latents.shape[0] != window.stop - window.start:
            raise ValueError(
                f"Window {self._added} has {latents.shape[0]} frames of latents; "
                f"frames {window.start} to {window.stop - 1} need {window.stop - window.start}."
            )
        known = next(iter(self._frames.values()), latents[0])
        if latents.shape[1:] != known.shape:
            raise ValueError(
                f"Window {self._added} has latents of shape {tuple(latents.shape[1:])}; "
                f"the windows before it have {tuple(known.shape)}."
            )
        covered = self._windows[self._added - 1].stop if self._added else 0
        overlap = max(covered - window.start, 0)
        earlier = overlap_weights(overlap).to(known.device)
        for j, frame in enumerate(range(*window)):
            if frame < self._begin:
                continue
            # A copy, or one frame would keep the latents of its whole window.
            latent = latents[j].to(known.device, torch.float32, copy=True)
            if j < overlap:
                latent = earlier[j] * self._frames[frame] + (1 - earlier[j]) * latent
            self._frames[frame] = latent
        self._added += 1

    def frames(self, start: int, stop: int) -> Tensor:
        """Fused latents of final frames, float32 [stop - start, C, h, w].

        Raises:
            ValueError: a later window still changes one of them, or they are not held.
        """
        if stop > self.final_frames:
            raise ValueError(f"Frames {start} to {stop - 1} were asked for; {self.final_frames} are final.")
        if start < self._begin:
            raise ValueError(f"Frames from {start} on were asked for; those before {self._begin} are gone.")
        return torch.stack([self._frames[frame] for frame in range(start, stop)])

    def drop_before(self, frame: int) -> None:
        """Let go of the final frames before this one."""
        self._begin = max(self._begin, min(frame, self.final_frames))
        for dropped in [held for held in self._frames if held < self._begin]:
            del self._frames[dropped]


def fuse_windows(latents: Sequence[Tensor] | Tensor, windows: Sequence[Window]) -> Tensor:
    """Fuse the latents of every window into those of the clip (Eq. 5).

    Args:
        latents: one [F, C, h, w] a window, in the order of `windows`.
        windows: as `plan_windows` gives them.

    Returns:
        float32 [T, C, h, w].

    Raises:
        ValueError: another number of windows, or see `LatentFusion.add`.
    """
    if len(latents) != len(windows):
        raise ValueError(f"{len(latents)} windows of latents for a plan of {len(windows)} windows.")
    fusion = LatentFusion(windows)
    for window_latents in latents:
        fusion.add(window_latents)
    return fusion.frames(0, windows[-1].stop)


def plan_decode(num_frames: int, chunk: int = DECODE_FRAMES, *, join_rest: bool = False) -> list[DecodeCall]:
    """Cut a clip into decode calls of `chunk` frames, aligned to multiples of `chunk`.

    The decoder's temporal layers see the frames of one call, so the cut is part of the result. A shorter
    tail is decoded among the clip's last `chunk` frames and only the tail is kept; with `join_rest` it joins
    the call before it, if there is one.

    Raises:
        ValueError: no frames, or an empty chunk.
    """
    if num_frames < 1 or chunk < 1:
        raise ValueError(f"{num_frames} frames in calls of {chunk}; both must be 1 or more.")
    calls = [DecodeCall(s, s + chunk, s) for s in range(0, num_frames - chunk + 1, chunk)]
    decoded = len(calls) * chunk
    if join_rest and calls:
        calls[-1] = calls[-1]._replace(stop=num_frames)
    elif decoded < num_frames:
        calls.append(DecodeCall(max(num_frames - chunk, 0), num_frames, decoded))
    return calls
