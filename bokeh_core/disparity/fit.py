"""How depth maps lie on the frames of a clip: in the picture, and in time."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor
from torch.nn import functional

from ..clip.aspect import horizontal_stretch, require_same_picture
from ..setting_checks import require_choice, require_number, require_whole_number

if TYPE_CHECKING:
    from .between_maps import MapsBetween

FITS = ("stretch", "crop", "pad", "turn clockwise", "turn anticlockwise")
_STRETCH, _CROP, _PAD, _CLOCKWISE, _ANTICLOCKWISE = FITS

# Beyond this the maps show another picture than the frames, or were cropped.
_WARNED_STRETCH = 1.02
# Maps that differ from the frames by less, both ways, were cut to multiples of it and not scaled.
_MULTIPLE_PX = 64
# What multiplying a frame's number by a rate of many digits leaves.
_ROUNDING = 1e-6
# Of maps beyond the last frame, and only in clips where that is a small part.
_MOST_LEFT_OVER = 2
_FRAMES_FOR_ONE_LEFT_OVER = 10
MOST_OFFSET_FRAMES = 100_000
FRAMES_PER_MAP = (0.1, 120.0)


@dataclass(frozen=True)
class MapFit:
    """How maps are brought onto frames.

    Attributes:
        fit: "stretch" resizes maps to the frames; "crop" is for maps that show more than the frames, and cuts
            them about the centre; "pad" is for maps of the middle of the frames, and extends them; "turn
            clockwise" and "turn anticlockwise" turn maps by a quarter before they are stretched.
        frame_offset: number of the map that belongs to the first frame; negative where the maps begin later
            than the frames. Frames before the first map and after the last have the nearest one.
        frames_per_map: 3 for 8 maps a second of a clip with 24 frames a second. Frame t has the map number
            (t + frame_offset) / frames_per_map; between two maps, see `in_time`.

    Raises:
        ValueError: an unknown fit, or a number out of range.
    """

    fit: str = _STRETCH
    frame_offset: int = 0
    frames_per_map: float = 1.0

    def __post_init__(self) -> None:
        require_choice("fit", self.fit, FITS)
        most = MOST_OFFSET_FRAMES
        require_whole_number("frame_offset", self.frame_offset, -most, most, "frames")
        require_number(
            "frames_per_map", self.frames_per_map, *FRAMES_PER_MAP, "frames", "1 = a map for each frame"
        )

    def place(self, disparity: Tensor, size: tuple[int, int]) -> Tensor:
        """Bring one map [h, w] in [0, 1] onto frames of (height, width): [height, width]."""
        disparity = self._turned(disparity)
        if self.fit not in (_CROP, _PAD):
            return resize_disparity(disparity, size)
        (height, width), (map_height, map_width) = size, disparity.shape
        scale = self._scale((map_height, map_width), size)
        inner = (max(round(map_height * scale), 1), max(round(map_width * scale), 1))
        scaled = resize_disparity(disparity, inner)
        top, left = (inner[0] - height) // 2, (inner[1] - width) // 2
        if self.fit == _CROP:
            # Rounding may leave a row or a column short.
            top, left = max(top, 0), max(left, 0)
            scaled = scaled[top : top + height, left : left + width]
            top = left = 0
        rows = torch.arange(height).add_(top).clamp_(0, scaled.shape[0] - 1)
        columns = torch.arange(width).add_(left).clamp_(0, scaled.shape[1] - 1)
        return scaled[rows][:, columns]

    def placing_report(self, map_size: Sequence[int], size: tuple[int, int]) -> list[str]:
        """Say what `place` does to maps of one (height, width) on frames of another.

        Raises:
            ValueError: the maps lie where the frames stand, or would be stretched by more than 2.
        """
        lines = []
        if self.fit in (_CLOCKWISE, _ANTICLOCKWISE):
            lines.append(f"Maps turned by a quarter {self.fit.removeprefix('turn ')}.")
            map_size = (map_size[1], map_size[0])
        if self.fit not in (_CROP, _PAD):
            return lines + resizing_report(map_size, size)
        (map_height, map_width), (height, width) = map_size, size
        scale = self._scale(map_size, size)
        inner_height, inner_width = round(map_height * scale), round(map_width * scale)
        if (inner_height, inner_width) == size:
            return resizing_report(map_size, size)
        scaled = f"Maps of {map_width} x {map_height} px taken as {inner_width} x {inner_height} px"
        if self.fit == _CROP:
            return [f"{scaled} and cut about the centre to {width} x {height} px."]
        rows, columns = max(height - inner_height, 0), max(width - inner_width, 0)
        return [
            f"{scaled} in the middle of {width} x {height} px; {rows} rows and {columns} columns at the "
            "borders, half at each side, have the nearest depth."
        ]

    def in_map(
        self, area: tuple[int, int, int, int], map_size: Sequence[int], size: tuple[int, int]
    ) -> tuple[slice, slice]:
        """Rows and columns of a map that show an area (top, bottom, left, right) of the frames, in px."""
        turned = (map_size[1], map_size[0]) if self.fit in (_CLOCKWISE, _ANTICLOCKWISE) else map_size
        scales = (size[0] / turned[0], size[1] / turned[1])
        if self.fit in (_CROP, _PAD):
            scales = (self._scale(turned, size),) * 2
        spans = []
        for axis, (start, stop) in enumerate((area[:2], area[2:])):
            origin = (size[axis] - turned[axis] * scales[axis]) / 2
            first = math.ceil((start - origin) / scales[axis] - _ROUNDING)
            last = math.floor((stop - origin) / scales[axis] + _ROUNDING)
            first = min(max(first, 0), turned[axis] - 1)
            spans.append((first, min(max(last, first + 1), turned[axis])))
        rows, columns = spans
        # What is turned back: rows of the turned map are columns of the map itself.
        if self.fit == _CLOCKWISE:
            rows, columns = (turned[1] - columns[1], turned[1] - columns[0]), rows
        elif self.fit == _ANTICLOCKWISE:
            rows, columns = columns, (turned[0] - rows[1], turned[0] - rows[0])
        return slice(*rows), slice(*columns)

    def require_length(self, count: int, num_frames: int) -> None:
        """Check that so many maps go with so many frames; a single map goes with any number.

        Videos of depth are often a frame or two longer than their clip: what is left over is not used.

        Raises:
            ValueError: they do not.
        """
        slack = self.frames_per_map + abs(self.frame_offset)
        more = count * self.frames_per_map - num_frames
        left_over = min(_MOST_LEFT_OVER, num_frames // _FRAMES_FOR_ONE_LEFT_OVER)
        if count == 1 or -slack < more < slack + left_over:
            return
        wanted = max(round(num_frames / self.frames_per_map), 1)
        allowed = "1" if wanted == 1 else f"{wanted}, or 1 for the whole clip"
        rate = "" if self.frames_per_map == 1 else f" at {self.frames_per_map:g} frames a map"
        raise ValueError(
            f"{count} disparity frames for {num_frames} video frames{rate}; give {allowed}. Where maps begin "
            "earlier or later set frame_offset, where there are fewer a second frames_per_map."
        )

    def length_of(self, count: int) -> int:
        """Number of frames that so many maps are for, where nobody says it."""
        return count if self.frames_per_map == 1 else max(round(count * self.frames_per_map), 1)

    def map_of(self, t: int) -> int | None:
        """Number of the map that belongs to frame `t`; None if it lies between two, or before the first."""
        at = self._map_at(t)
        number = round(at)
        return number if number >= 0 and abs(at - number) < _ROUNDING else None

    def timing_report(self, count: int, num_frames: int, with_frames: bool = False) -> list[str]:
        """Say how maps are spread over the frames of a clip, whose frames are at hand or not."""
        if count == 1:
            return [f"One map serves all {num_frames} video frames."] if num_frames > 1 else []
        lines = []
        if self.frames_per_map != 1:
            between = (
                "in between they follow the motion of the picture."
                if with_frames
                else "in between two maps are mixed in proportion, so that contours which move are soft "
                "there; connected frames would say where they are."
            )
            lines.append(f"A map for every {self.frames_per_map:g} frames; {between}")
        before, after = max(-self.frame_offset, 0), 0
        if self.frame_offset:
            last = math.floor((count - 1) * self.frames_per_map + _ROUNDING) - self.frame_offset
            after = max(num_frames - 1 - last, 0)
            lines.append(f"Map {self.frame_offset / self.frames_per_map:g} belongs to the first frame.")
        if before or (self.frame_offset and after):
            lines.append(f"{before} frames at the start and {after} at the end have the nearest map.")
        used = math.ceil(self._map_at(num_frames - 1) - _ROUNDING) + 1
        if 0 < used < count:
            lines.append(
                f"{count} maps for {num_frames} video frames: those after the first {used} are left out."
            )
        return lines

    def in_time(
        self,
        maps_from: Callable[[int], Iterator[Tensor]],
        count: int,
        start: int,
        num_frames: int,
        frames: Callable[[int], Iterator[Tensor]] | None = None,
    ) -> Iterator[Tensor]:
        """Yield the map of every frame from number `start` on.

        Args:
            maps_from: given a number, yields the maps from there on, placed on the frames.
            count: of maps.
            start: first frame wanted.
            num_frames: of the clip.
            frames: given a number, yields the frames [H, W, C] from there on; maps between two are carried
                along their motion, see `between_maps`. None mixes the two in proportion.
        """
        if count == 1:
            (still,) = (next(maps_from(0)),)
            for _ in range(start, num_frames):
                yield still
            return
        held: dict[int, Tensor] = {}
        maps: Iterator[Tensor] | None = None
        following = 0
        between: MapsBetween | None = None
        for t in range(start, num_frames):
            at = min(max(self._map_at(t), 0.0), count - 1.0)
            first = math.floor(at + _ROUNDING)
            part = at - first
            last = first if part < _ROUNDING else first + 1
            if maps is None:
                maps, following = maps_from(first), first
            while following <= last:
                held[following] = next(maps)
                following += 1
            held = {number: values for number, values in held.items() if number >= first}
            if last == first:
                yield held[first]
            elif frames is None:
                yield torch.lerp(held[first], held[last], part)
            else:
                if between is None:
                    between = _between(frames, max(min(round(self._place_of(first)), t), 0))
                yield between.carried(
                    t, (self._place_of(first), self._place_of(last)), (held[first], held[last])
                )

    def _map_at(self, t: int) -> float:
        """Which map belongs to frame `t`; between two maps, or beyond those there are, too."""
        return (t + self.frame_offset) / self.frames_per_map

    def _place_of(self, number: int) -> float:
        """When a map is seen, in frames from the start of the clip."""
        return number * self.frames_per_map - self.frame_offset

    def _turned(self, disparity: Tensor) -> Tensor:
        if self.fit == _CLOCKWISE:
            return disparity.rot90(-1)
        return disparity.rot90(1) if self.fit == _ANTICLOCKWISE else disparity

    def _scale(self, map_size: Sequence[int], size: tuple[int, int]) -> float:
        """Of maps that are cut or extended: px of a frame for a px of the map."""
        missing = [outer - inner for outer, inner in zip(size, map_size, strict=True)]
        if self.fit == _CROP:
            missing = [-pixels for pixels in missing]
        if all(0 <= pixels < _MULTIPLE_PX for pixels in missing):
            return 1.0
        scales = [outer / inner for outer, inner in zip(size, map_size, strict=True)]
        return max(scales) if self.fit == _CROP else min(scales)


def _between(frames: Callable[[int], Iterator[Tensor]], start: int) -> MapsBetween:
    # Motion is found with OpenCV, which nothing else here needs.
    from .between_maps import MapsBetween

    return MapsBetween(frames, start)


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
    require_same_picture(
        from_size,
        to_size,
        turned="Set fit to turn clockwise or turn anticlockwise, or make them from frames turned as players "
        "show them.",
        unlike="Set fit to crop if they show more than the frames, to pad if they show the middle of them.",
    )
    stretch = horizontal_stretch(from_size, to_size)
    if max(stretch, 1 / stretch) > _WARNED_STRETCH:
        lines.append(
            "Warning: the maps have another shape than the frames and were stretched by "
            f"{stretch:.3f} horizontally; check that both show the same picture. If the maps were cut out "
            "of it set fit to pad, if they show more to crop."
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
