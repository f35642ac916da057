"""Which side of a contour is in front, by what moves: a contour goes with the nearer of its two surfaces.

That holds whatever moves, a subject, what is behind it or the camera, and also where the far moves faster
than the near, as behind a subject that the camera follows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice

import torch
from torch import Tensor
from torch.nn import functional

from ..clip.letterbox import PictureArea
from ..motion.flow import Match, flow_between, grey_frame, judged_match, warped
from .fit import MapFit
from .in_words import percent

Frames = Callable[[int], Iterator[Tensor]]
"""Given the first frame wanted, yields frames [H, W, C] in [0, 1] from there on."""

# Longer side on which motion is looked at.
_SIDE_PX = 384
# Places of a clip that are looked at, and how far apart frames are compared: slow motion wants more, as it
# has to exceed what contours are off, and fast motion less.
_PLACES, _APART_FRAMES = 5, (2, 5)
# A surface's own motion is read where the smoothed map is flat, up to this far from its contour.
_REACH_PX = 10
_SMOOTH_PX = 4
_KERNEL_PX = 2 * _SMOOTH_PX + 1
# In units of the maps' range: the step of a contour, and how much better one motion must explain it.
_LEAST_STEP, _LEAST_BETTER = 0.15, 0.1
_LEAST_MOTION_PX = 1.0
_LEAST_TRUST = 0.8
# Fewer pixels are chance; with this share of them the motion is taken for proof, and for doubt.
_LEAST_PIXELS = 200
_PROOF, _DOUBT = 0.75, 0.6


@dataclass(frozen=True)
class ContourVotes:
    """What contours that move say: pixels of them that go with the brighter, and with the darker side."""

    with_white: int = 0
    with_black: int = 0

    def __add__(self, other: ContourVotes) -> ContourVotes:
        return ContourVotes(self.with_white + other.with_white, self.with_black + other.with_black)

    @property
    def share_with_black(self) -> float | None:
        """In [0, 1]; None where too little moves to say anything."""
        count = self.with_white + self.with_black
        return self.with_black / count if count >= _LEAST_PIXELS else None

    @property
    def prove_black_near(self) -> bool:
        """Whether at least three quarters of the contours go with the darker side."""
        return (self.share_with_black or 0) >= _PROOF

    @property
    def doubt_white_near(self) -> bool:
        """Whether more than by chance go with the darker side."""
        return (self.share_with_black or 0) >= _DOUBT

    @property
    def prove_white_near(self) -> bool:
        """Whether at least three quarters of the contours go with the brighter side."""
        return self.share_with_black is not None and self.share_with_black <= 1 - _PROOF

    def report(self) -> str:
        """What was seen, in words; to be asked only where there is a share."""
        black = self.share_with_black or 0.0
        side, share = ("black", black) if black > 0.5 else ("white", 1 - black)
        return f"{percent(share)} of the contours that move go with what is {side}"


class ContourWitness:
    """Keeps small copies of a few maps of a clip, and compares their contours with the frames.

    Args:
        frames: of the clip.
        num_frames: of the clip.
        size: (height, width) of the frames in px.
        placing: how the maps lie on them.
        first_map: number of the map that `placing` counts as 0.
        area: of the frames, which alone is looked at; None is all.
    """

    def __init__(
        self,
        frames: Frames,
        num_frames: int,
        size: tuple[int, int],
        placing: MapFit,
        first_map: int = 0,
        area: PictureArea | None = None,
    ) -> None:
        self._frames = frames
        self._size = size
        self._placing = placing
        self._area = area
        numbers = ((t, placing.map_of(t)) for t in range(num_frames))
        with_map = {t: first_map + number for t, number in numbers if number is not None}
        self._groups = _groups(list(with_map))
        self._map_of = {t: with_map[t] for group in self._groups for t in group}
        self._wanted = frozenset(self._map_of.values())
        self._maps: dict[int, Tensor] = {}

    def take(self, number: int, values: Tensor) -> None:
        """Look at a raw map [h, w] of a clip, by its number."""
        if number not in self._wanted:
            return
        known = values[values.isfinite()]
        low, high = (value.item() for value in known.aminmax()) if len(known) else (0.0, 0.0)
        if high > low:
            placed = self._placing.place((values.float() - low) / (high - low), self._size)
            self._maps[number] = _small(self._looked_at(placed)[None])[0] * (high - low) + low

    def votes(self, low: float, high: float) -> ContourVotes:
        """Read the frames that belong to the maps.

        Args:
            low: least value of the clip's maps; with `high`, the range that steps are measured in.
            high: greatest value.
        """
        votes = ContourVotes()
        for group in self._groups:
            maps = {t: self._maps[self._map_of[t]] for t in group if self._map_of.get(t) in self._maps}
            if len(maps) < 2:
                continue
            first = min(maps)
            read = enumerate(islice(self._frames(first), max(maps) + 1 - first), first)
            seen = [(self._picture(frame), (maps[t] - low) / (high - low)) for t, frame in read if t in maps]
            for later in seen[1:]:
                votes += contour_votes(*seen[0], *later)
        return votes

    def _picture(self, frame: Tensor) -> Tensor:
        """A frame as [h, w, 3], small."""
        colours = self._looked_at(frame)[..., :3].detach().cpu().float().movedim(-1, 0)
        return _small(colours.expand(3, -1, -1)).movedim(0, -1)

    def _looked_at(self, picture: Tensor) -> Tensor:
        return picture if self._area is None else self._area.of(picture)


def _groups(times: list[int]) -> list[tuple[int, ...]]:
    """Frames that are compared, of those that have a map: the first of each group with the others."""
    groups = []
    last = max(len(times) - 1 - max(_APART_FRAMES), 0)
    for start in sorted({round(i * last / (_PLACES - 1)) for i in range(_PLACES)}):
        following = times[start + 1 : start + 1 + max(_APART_FRAMES)]
        wanted = (next((t for t in following if t >= times[start] + n), None) for n in _APART_FRAMES)
        others = {following[-1] if t is None else t for t in wanted} if following else set()
        if others:
            groups.append((times[start], *sorted(others)))
    return groups


def contour_votes(frame: Tensor, disparity: Tensor, later: Tensor, later_disparity: Tensor) -> ContourVotes:
    """Look at the contours of two maps, there and back.

    Args:
        frame: [H, W, 3] in [0, 1].
        disparity: its map [H, W], about [0, 1]; NaN has no say.
        later: another frame.
        later_disparity: its map.
    """
    grey, later_grey = grey_frame(frame), grey_frame(later)
    there, back = flow_between(grey, later_grey), flow_between(later_grey, grey)
    forwards = _votes(judged_match(frame, later, there, back), disparity, later_disparity)
    return forwards + _votes(judged_match(later, frame, back, there), later_disparity, disparity)


def _votes(match: Match, disparity: Tensor, other: Tensor) -> ContourVotes:
    planes = disparity[None, None]
    smooth = functional.avg_pool2d(functional.pad(planes, (_SMOOTH_PX,) * 4, mode="replicate"), _KERNEL_PX, 1)
    # The extremes of the smoothed map lie inside of the two surfaces.
    white, black = (_place_of_greatest(sign * smooth) for sign in (1, -1))
    flow_px, trust = match.flow_px.flatten(1), match.trust.flatten()
    with_white, with_black = (flow_px[:, place.flatten()].view_as(match.flow_px) for place in (white, black))
    trusted = (trust[white] > _LEAST_TRUST) & (trust[black] > _LEAST_TRUST)
    step = functional.max_pool2d(planes, 5, 1, 2) + functional.max_pool2d(-planes, 5, 1, 2)
    # Along a contour nothing is seen to move.
    down, right = torch.gradient(smooth[0, 0])
    across = torch.stack([right, down])
    across = across / across.norm(dim=0).clamp(min=torch.finfo(torch.float32).tiny)
    moving = ((with_white - with_black) * across).sum(0).abs() > _LEAST_MOTION_PX
    contour = (step[0, 0] > _LEAST_STEP) & moving & trusted
    errors = [(warped(other[None], flow)[0] - disparity).abs() for flow in (with_white, with_black)]
    better = errors[1] - errors[0]
    return ContourVotes(
        int((contour & (better > _LEAST_BETTER)).sum()), int((contour & (better < -_LEAST_BETTER)).sum())
    )


def _place_of_greatest(planes: Tensor) -> Tensor:
    """Where in the flattened plane the greatest value around each pixel is, [H, W]."""
    kernel, pad = 2 * _REACH_PX + 1, _REACH_PX
    greatest, rows = functional.max_pool2d(planes, (kernel, 1), 1, (pad, 0), return_indices=True)
    _, columns = functional.max_pool2d(greatest, (1, kernel), 1, (0, pad), return_indices=True)
    return rows.flatten()[columns[0, 0]]


def _small(planes: Tensor) -> Tensor:
    """Planes [C, H, W] of at most `_SIDE_PX` a side; what is not finite is NaN."""
    height, width = planes.shape[-2:]
    scale = min(1.0, _SIDE_PX / max(height, width))
    size = (max(round(height * scale), 1), max(round(width * scale), 1))
    small = functional.interpolate(planes[None], size, mode="area")[0]
    return torch.where(small.isfinite(), small, torch.nan)
