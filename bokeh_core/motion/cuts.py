"""Where a clip cuts to another shot, told from its pictures: nothing may be smoothed or tracked across."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import cv2
import torch
import torch.nn.functional as F
from torch import Tensor

from .flow import GreyFrame, flow_between, lies_inside, round_trip_px, warped

_SIDE_PX = 160
_BINS = 32
# Two pictures whose greys are spread alike and that hardly differ need no search for motion.
_ALIKE_HISTOGRAM = 0.05
_ALIKE_DIFFERENCE = 0.05
# Structure: the standard deviation of the greys around a pixel. A picture almost without any is blank.
_AROUND_PX = 3
_LEAST_STRUCTURE = 0.02
_BLANK_SHARE = 0.02
# What moved from one picture to the other looks alike around each pixel, and comes back by the way back.
_LEAST_CORRELATION = 0.7
_MOST_ROUND_TRIP_PX = 1.0
# Motion within a shot explains 12 % of the structure or more even where half of the frame moves fast; between
# shots, by chance, 3 % or less.
_LEAST_EXPLAINED = 0.06
# Of the part that two pictures share after a pan, for which the best of many was taken: by chance up to 30 %.
_LEAST_EXPLAINED_OF_PAN = 0.4
# A shot lasts: what one or two frames change, a flash or a torn frame, the next one takes back.
_LASTING_FRAMES = 3
_ABRUPT_DIFFERENCE = 0.06
# Of the width or height, from one picture to the next; beyond it too little is left to compare.
_MOST_PAN = 0.5
_SMALLEST_PX = 16


@dataclass
class _Look:
    """What is kept of a frame: `grey` [h, w] in [0, 1], and how much it differs from the one before."""

    number: int
    grey: Tensor
    blank: bool
    change: float
    left_by: float = 0.0


def is_cut(frame: Tensor, following: Tensor) -> bool:
    """Whether two frames [H, W, C] in [0, 1] belong to different shots, judged by the two alone.

    They belong to one where motion explains enough of what is seen, whatever became of the light: fades,
    dissolves and pans are no cuts. Neither is anything to or from a picture without structure, black for
    example. A torn frame can only be told from a shot by what follows, see `CutFinder`.
    """
    first, second = _look(0, frame, None), _look(1, following, None)
    return not (first.blank or second.blank or _same_shot(first, second))


def shot_starts(frames: Iterable[Tensor]) -> list[int]:
    """Return the first frame of each shot, from frames [H, W, C] in [0, 1]; 0 alone where nothing cuts."""
    finder = CutFinder()
    for frame in frames:
        finder.add(frame)
    return finder.starts()


class CutFinder:
    """Finds the cuts of a clip that is seen once, frame by frame, in memory that does not grow with it.

    A cut is where none of the next frames shows the same scene as any of the last. Frames without structure,
    as between two fades, are passed over; three or more that come or go at once are a piece of their own.
    """

    def __init__(self) -> None:
        self._count = 0
        self._last: _Look | None = None
        # Frames with structure: those before the boundary that is looked at, and those behind it.
        self._before: list[_Look] = []
        self._after: list[_Look] = []
        self._starts = [0]

    def add(self, frame: Tensor) -> None:
        """Look at the next frame [H, W, C] in [0, 1]."""
        look = _look(self._count, frame, self._last)
        self._count += 1
        if self._last is not None and look.blank and not self._last.blank:
            self._last.left_by = look.change
        self._last = look
        if look.blank:
            return
        self._after.append(look)
        if len(self._after) == _LASTING_FRAMES:
            self._judge()

    def starts(self) -> list[int]:
        """First frame of each shot; 0 alone where nothing cuts. Call it when all frames were looked at."""
        while self._after:
            self._judge()
        found = list(self._starts)
        if self._before and self._is_a_piece(self._before[-1], self._count):
            found.append(self._before[-1].number + 1)
        return found

    def _judge(self) -> None:
        """Decide on the boundary between the last frame before and the first one behind."""
        following = self._after[0]
        if self._before:
            last = self._before[-1]
            gap = following.number - last.number - 1
            if not (gap == 0 and _nearly_equal(last, following)) and not self._one_scene():
                if gap and last.left_by > _ABRUPT_DIFFERENCE:
                    self._starts.append(last.number + 1)
                self._starts.append(following.number)
            else:
                if self._is_a_piece(last, following.number):
                    self._starts.append(last.number + 1)
                if gap >= _LASTING_FRAMES and following.change > _ABRUPT_DIFFERENCE:
                    self._starts.append(following.number)
        elif following.number >= _LASTING_FRAMES and following.change > _ABRUPT_DIFFERENCE:
            self._starts.append(following.number)
        self._before = [*self._before, self._after.pop(0)][-_LASTING_FRAMES:]

    def _one_scene(self) -> bool:
        # Neighbours first, which mostly settle it.
        return any(_same_shot(last, next_) for next_ in self._after for last in reversed(self._before))

    @staticmethod
    def _is_a_piece(last: _Look, following: int) -> bool:
        """Whether the blank frames between two numbers came at once, and last."""
        return following - last.number > _LASTING_FRAMES and last.left_by > _ABRUPT_DIFFERENCE


def _look(number: int, frame: Tensor, before: _Look | None) -> _Look:
    height, width = frame.shape[:2]
    scale = min(1.0, _SIDE_PX / max(height, width))
    grey = frame[..., :3].float().clamp(0, 1).mean(-1)
    size = (max(1, round(height * scale)), max(1, round(width * scale)))
    small = F.interpolate(grey[None, None], size, mode="area")[0, 0].cpu()
    blank = (_variance(small) > _LEAST_STRUCTURE**2).float().mean().item() < _BLANK_SHARE
    same_size = before is not None and before.grey.shape == small.shape
    change = (small - before.grey).abs().mean().item() if before is not None and same_size else 0.0
    return _Look(number, small, blank, change)


def _nearly_equal(first: _Look, second: _Look) -> bool:
    if second.change > _ALIKE_DIFFERENCE:
        return False
    shares = [torch.histc(look.grey, _BINS, 0, 1) / look.grey.numel() for look in (first, second)]
    return (shares[0] - shares[1]).abs().sum().item() / 2 < _ALIKE_HISTOGRAM


def _same_shot(first: _Look, second: _Look) -> bool:
    """Whether motion explains enough of the second picture, as it is or after the pan that fits best."""
    one, other = first.grey, second.grey
    if one.shape != other.shape:
        return False
    if _explained_share(one, other) > _LEAST_EXPLAINED:
        return True
    height, width = one.shape
    if min(height, width) < _SMALLEST_PX:
        return False
    right, down = _pan(one, other)
    if max(abs(down) / height, abs(right) / width) > _MOST_PAN:
        return False
    one = one[max(0, -down) : height - max(0, down), max(0, -right) : width - max(0, right)]
    other = other[max(0, down) : height + min(0, down), max(0, right) : width + min(0, right)]
    return _explained_share(one, other) > _LEAST_EXPLAINED_OF_PAN


def _pan(first: Tensor, second: Tensor) -> tuple[int, int]:
    """By how many pixels to the right and down the whole of one picture best fits another."""
    window = cv2.createHanningWindow(first.shape[::-1], cv2.CV_64F)
    greys = [(grey - grey.mean()).double().numpy() for grey in (first, second)]
    (right, down), _ = cv2.phaseCorrelate(greys[0], greys[1], window)
    return round(right), round(down)


def _explained_share(first: Tensor, second: Tensor) -> float:
    """Share of the first picture's structure that is found again where its motion leads to, both [h, w].

    Likeness is the correlation of the surroundings, which no change of exposure touches.
    """
    greys = [GreyFrame((grey * 255).round().byte().numpy()) for grey in (first, second)]
    there, back = flow_between(greys[0], greys[1]), flow_between(greys[1], greys[0])
    seen = warped(second[None], there)[0]
    of_first, of_seen = _variance(first), _variance(seen)
    together = _mean_around(first * seen) - _mean_around(first) * _mean_around(seen)
    correlation = together / (of_first * of_seen).clamp_min(1e-12).sqrt()
    structured = (of_first > _LEAST_STRUCTURE**2) & lies_inside(there)
    explained = (correlation > _LEAST_CORRELATION) & (round_trip_px(there, back) < _MOST_ROUND_TRIP_PX)
    return (explained & structured).sum().item() / max(1, int(structured.sum()))


def _variance(grey: Tensor) -> Tensor:
    return (_mean_around(grey.square()) - _mean_around(grey).square()).clamp_min(0)


def _mean_around(values: Tensor) -> Tensor:
    side = 2 * _AROUND_PX + 1
    return F.avg_pool2d(values[None, None], side, 1, _AROUND_PX, count_include_pad=False)[0, 0]
