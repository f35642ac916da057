"""Depth of a clip of any length: a few numbers from a first pass over the maps, then frame by frame."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

from torch import Tensor

from ..clip.checks import as_plain_float, checked_maps
from ..clip.lengths import require_clip_length
from ..clip.letterbox import PictureArea
from ..disparity.conversion import DisparityConversion
from ..disparity.files import DepthMapStream, describe_maps, open_depth_maps, state_of_files
from ..disparity.fit import MapFit, resize_disparity, resizing_report
from ..disparity.meaning import DepthMeaning
from ..disparity.polarity import contour_witness
from ..disparity.statistics import DisparityStatistics
from ..progress import Progress, counting, no_progress
from .content_hash import tensor_hash

Size = tuple[int, int]
Frames = Callable[[int], Iterator[Tensor]]
"""Given the first frame wanted, yields frames [H, W, C] in [0, 1] from there on."""


@dataclass(frozen=True)
class DepthRequest:
    """The clip for which depth is wanted.

    Attributes:
        num_frames: of the clip.
        size: (height, width) of the frames in px.
        saved: `PreparedDepth.saved` of an earlier run, which spares measuring; None measures.
        progress: told of maps, while they are measured; may raise to stop.
        area: of the frames, whose depth decides what becomes 0 and 1; None is all.
        frames: of the clip, from a number on; their motion tells which side of a contour is near where nobody
            says it, and where contours are between two maps.
    """

    num_frames: int
    size: Size
    saved: dict[str, Any] | None = None
    progress: Progress = no_progress
    area: PictureArea | None = None
    frames: Frames | None = None


@dataclass(frozen=True)
class PreparedDepth:
    """Disparity that can be read.

    Attributes:
        read: given the first frame wanted, yields [H, W] in [0, 1], near = 1, from there on.
        saved: what spares the first pass next time, as JSON takes it.
        report: what was read and decided, one fact a line.
        distances: see `DisparityConversion.distances`.
    """

    read: Callable[[int], Iterator[Tensor]]
    saved: dict[str, Any]
    report: str
    distances: tuple[float, float] | None = None


class DepthSource(Protocol):
    """Where the depth of a clip comes from."""

    def fingerprint(self) -> str:
        """A text that differs where the depth differs."""

    def prepare(self, wanted: DepthRequest) -> PreparedDepth:
        """Measure the whole depth where its meaning needs that, so that disparity can be read frame by frame.

        Raises:
            ValueError: unusable depth, or maps for another number of frames.
        """


@dataclass(frozen=True)
class FileDepth:
    """Maps in a folder, a video or a file, one per frame or one for the whole clip.

    Attributes:
        path: see `disparity.files.open_depth_maps`.
        meaning: how to read them.
        fit: how they lie on the frames.
    """

    path: Path
    meaning: DepthMeaning = field(default_factory=DepthMeaning)
    fit: MapFit = field(default_factory=MapFit)

    def fingerprint(self) -> str:
        return f"{state_of_files(self.path)} {self.meaning!r} {self.fit!r}"

    def prepare(self, wanted: DepthRequest) -> PreparedDepth:
        stream = open_depth_maps(self.path)
        return prepared_from(stream, self.meaning, self.fit, wanted)


@dataclass(frozen=True)
class GivenMaps:
    """Maps in memory: raw values [T, h, w], one per frame or one for the whole clip; else as `FileDepth`."""

    values: Tensor
    meaning: DepthMeaning = field(default_factory=DepthMeaning)
    fit: MapFit = field(default_factory=MapFit)

    def fingerprint(self) -> str:
        return f"{self._values} {self.meaning!r} {self.fit!r}"

    @cached_property
    def _values(self) -> str:
        return tensor_hash(self.values)

    def prepare(self, wanted: DepthRequest) -> PreparedDepth:
        maps = as_plain_float(self.values, "depth").cpu()
        stream = DepthMapStream("memory", lambda start: ((values, "float32") for values in maps[start:]))
        return prepared_from(stream, self.meaning, self.fit, wanted)


@dataclass(frozen=True)
class GivenDepth:
    """Disparity in memory.

    Attributes:
        disparity: [T, h, w], or [1, h, w] for the whole clip, in [0, 1], near = 1.
        refined: whether it is mended by the frames already, so that no renderer has that done again.
    """

    disparity: Tensor
    refined: bool = False

    def fingerprint(self) -> str:
        return self._values

    @cached_property
    def _values(self) -> str:
        return tensor_hash(self.disparity)

    def prepare(self, wanted: DepthRequest) -> PreparedDepth:
        disparity = checked_maps(self.disparity)
        count = len(disparity)
        require_clip_length(count, wanted.num_frames, "disparity")
        lines = [
            f"Disparity of {count} frames, in memory.",
            *resizing_report(disparity.shape[1:], wanted.size),
        ]

        def read(start: int) -> Iterator[Tensor]:
            for t in range(start, wanted.num_frames):
                yield resize_disparity(disparity[min(t, count - 1)].cpu(), wanted.size)

        return PreparedDepth(read, {}, "\n".join(lines))


def prepared_from(
    stream: DepthMapStream, meaning: DepthMeaning, fit: MapFit, wanted: DepthRequest
) -> PreparedDepth:
    """Look at raw maps once, so that they can be read as disparity; errors as of `DepthSource.prepare`."""
    num_frames, size, frames = wanted.num_frames, wanted.size, wanted.frames
    found = wanted.saved or _measured(stream, meaning, fit, wanted)
    count: int = found["count"]
    fit.require_length(count, num_frames)
    conversion = DisparityConversion(**found["conversion"])
    timing = fit.timing_report(count, num_frames, with_frames=frames is not None)
    lines = [found["description"], conversion.report, *found["placed"], *timing]

    def maps_from(first: int) -> Iterator[Tensor]:
        for values in stream.frames(first):
            yield fit.place(conversion.apply(values), size)

    def read(start: int) -> Iterator[Tensor]:
        return fit.in_time(maps_from, count, start, num_frames, frames)

    return PreparedDepth(read, found, "\n".join(lines), conversion.distances)


def _measured(
    stream: DepthMapStream, meaning: DepthMeaning, fit: MapFit, wanted: DepthRequest
) -> dict[str, Any]:
    size, area = wanted.size, wanted.area
    # There may be maps beyond the last frame.
    tick = counting(lambda done, total: wanted.progress(min(done, total), total), wanted.num_frames)
    witness = contour_witness(meaning, wanted.frames, wanted.num_frames, size, fit, 0, area)
    statistics = DisparityStatistics(meaning)
    precision, map_size, placed = "", size, list[str]()
    for frame, precision in stream.read(0):  # noqa: B007 - the last one describes all
        if not statistics.num_frames:
            map_size = (frame.shape[0], frame.shape[1])
            placed = fit.placing_report(map_size, size)
        if witness is not None:
            witness.take(statistics.num_frames, frame)
        statistics.add(frame if area is None else frame[fit.in_map(area.unsmeared(size), map_size, size)])
        tick()
    conversion = statistics.conversion(witness)
    return {
        "conversion": asdict(conversion),
        "count": statistics.num_frames,
        "description": describe_maps(statistics.num_frames, map_size, precision, stream.name),
        "placed": placed,
    }
