"""Depth of a clip of any length: a few numbers from a first pass over the maps, then frame by frame."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from functools import cached_property, partial
from itertools import islice, repeat
from pathlib import Path
from typing import Any, Protocol

from torch import Tensor

from ..clip.checks import checked_maps
from ..clip.lengths import require_clip_length
from ..disparity.conversion import DepthMeaning, DisparityConversion, DisparityStatistics
from ..disparity.files import DepthMapStream, describe_maps, open_depth_maps, state_of_files
from ..disparity.prepare import resize_disparity, resizing_report
from .content_hash import tensor_hash

Size = tuple[int, int]


@dataclass(frozen=True)
class PreparedDepth:
    """Disparity that can be read.

    Attributes:
        read: given the first frame wanted, yields [H, W] in [0, 1], near = 1, from there on.
        saved: what spares the first pass next time, as JSON takes it.
        report: what was read and decided, one fact a line.
    """

    read: Callable[[int], Iterator[Tensor]]
    saved: dict[str, Any]
    report: str


class DepthSource(Protocol):
    """Where the depth of a clip comes from."""

    def fingerprint(self) -> str:
        """A text that differs where the depth differs."""

    def prepare(
        self, num_frames: int, size: Size, saved: dict[str, Any] | None, on_frame: Callable[[], None]
    ) -> PreparedDepth:
        """Measure the whole depth where its meaning needs that, so that disparity can be read frame by frame.

        Args:
            num_frames: of the clip.
            size: (height, width) of the frames in px.
            saved: `PreparedDepth.saved` of an earlier run, which spares measuring; None measures.
            on_frame: called for every map; may raise to stop.

        Raises:
            ValueError: unusable depth, or maps for another number of frames.
        """


@dataclass(frozen=True)
class FileDepth:
    """Maps in a folder, a video or a file, one per frame or one for the whole clip.

    Attributes:
        path: see `disparity.files.open_depth_maps`.
        meaning: how to read them.
    """

    path: Path
    meaning: DepthMeaning = field(default_factory=DepthMeaning)

    def fingerprint(self) -> str:
        return f"{state_of_files(self.path)} {self.meaning!r}"

    def prepare(
        self, num_frames: int, size: Size, saved: dict[str, Any] | None, on_frame: Callable[[], None]
    ) -> PreparedDepth:
        stream = open_depth_maps(self.path)
        found = saved or self._measured(stream, size, on_frame)
        require_clip_length(found["count"], num_frames, "disparity")
        conversion = DisparityConversion(**found["conversion"])
        lines = [found["description"], conversion.report, *found["resized"]]
        if found["count"] == 1 < num_frames:
            lines.append(f"One map serves all {num_frames} video frames.")
        read = partial(_read, stream, conversion, size, num_frames if found["count"] == 1 else None)
        return PreparedDepth(read, found, "\n".join(lines))

    def _measured(self, stream: DepthMapStream, size: Size, on_frame: Callable[[], None]) -> dict[str, Any]:
        statistics = DisparityStatistics(self.meaning)
        precision, map_size, resized = "", size, list[str]()
        for frame, precision in stream.read(0):  # noqa: B007 - the last one describes all
            if not statistics.num_frames:
                map_size = (frame.shape[0], frame.shape[1])
                resized = resizing_report(map_size, size)
            statistics.add(frame)
            on_frame()
        conversion = statistics.conversion()
        return {
            "conversion": asdict(conversion),
            "count": statistics.num_frames,
            "description": describe_maps(statistics.num_frames, map_size, precision, stream.name),
            "resized": resized,
        }


@dataclass(frozen=True)
class GivenDepth:
    """Disparity in memory: [T, h, w], or [1, h, w] for the whole clip, in [0, 1], near = 1."""

    disparity: Tensor

    def fingerprint(self) -> str:
        return self._values

    @cached_property
    def _values(self) -> str:
        return tensor_hash(self.disparity)

    def prepare(
        self, num_frames: int, size: Size, saved: dict[str, Any] | None, on_frame: Callable[[], None]
    ) -> PreparedDepth:
        disparity = checked_maps(self.disparity)
        count = len(disparity)
        require_clip_length(count, num_frames, "disparity")
        lines = [f"Disparity of {count} frames, in memory.", *resizing_report(disparity.shape[1:], size)]

        def read(start: int) -> Iterator[Tensor]:
            for t in range(start, num_frames):
                yield resize_disparity(disparity[min(t, count - 1)].cpu(), size)

        return PreparedDepth(read, {}, "\n".join(lines))


def _read(
    stream: DepthMapStream, conversion: DisparityConversion, size: Size, repeated: int | None, start: int
) -> Iterator[Tensor]:
    if repeated is None:
        for values in stream.frames(start):
            yield resize_disparity(conversion.apply(values), size)
        return
    (still,) = islice(stream.frames(), 1)
    yield from repeat(resize_disparity(conversion.apply(still), size), repeated - start)
