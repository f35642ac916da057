"""Depth that is estimated from the clip itself, in a first pass whose maps wait beside the parts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path

from torch import Tensor

from ..disk.space import require_space
from ..disparity.estimator import EACH_BY_ITSELF, DepthEstimator, EstimatorFiles, estimated
from ..disparity.files import DepthMapStream
from ..disparity.fit import MapFit
from ..disparity.meaning import DepthMeaning
from ..progress import Check, Progress, counting
from .depth import DepthRequest, PreparedDepth, prepared_from
from .source import ClipSource, pictures_of
from .stored_maps import BYTES_OF_A_VALUE, ESTIMATED, StoredMaps


@dataclass(frozen=True)
class EstimatedDepth:
    """Depth by a model, frame by frame.

    Attributes:
        files: of the model.
        load: given the files, gives the model on its device and how many frames it takes at once; called
            once frames have to be estimated.
        normalisation: see `prepare_disparity`.
    """

    files: EstimatorFiles
    load: Callable[[EstimatorFiles], tuple[DepthEstimator, int]]
    normalisation: str = DepthMeaning.normalisation

    def fingerprint(self) -> str:
        """A text that differs where the depth differs."""
        return f"estimated {self.files.fingerprint()} {self.normalisation}"

    def of_clip(
        self,
        clip: ClipSource,
        times: list[int],
        folder: Path,
        progress: Progress,
        free_bytes: Callable[[Path], int],
    ) -> EstimatedMaps:
        """Estimate the maps that are not in `folder` yet.

        Args:
            clip: the frames.
            times: of the frames.
            folder: of the parts; it takes two bytes for every pixel of the maps, packed.
            progress: told of frames; may raise to stop, which keeps the maps that are finished.
            free_bytes: tells how much may be written to the disk of a folder.

        Raises:
            ValueError: a model that cannot be loaded, or a disk that is too full.
        """
        stored = StoredMaps(folder, len(times), ESTIMATED)
        missing = [start for start in stored.starts() if not stored.has(start)]
        count = sum(len(stored.span(start)) for start in missing)
        count_frame = counting(progress, len(times))
        for _ in range(len(times) - count):
            count_frame()
        if missing:
            estimator, at_once = self.load(self.files)
            height, width = estimator.size_of((clip.format.height, clip.format.width))
            require_space(folder, count * height * width * BYTES_OF_A_VALUE, free_bytes(folder))
            _estimate(clip, times, stored, missing, estimator, at_once, count_frame)
        return EstimatedMaps(stored, self.files.folder.name, self.files.meaning(self.normalisation))


@dataclass(frozen=True)
class EstimatedMaps:
    """Maps that a model made frame by frame.

    Attributes:
        stored: the maps.
        model: that made them, for people.
        meaning: how to read them.
    """

    stored: StoredMaps
    model: str
    meaning: DepthMeaning = field(default_factory=DepthMeaning)

    def prepare(self, wanted: DepthRequest) -> PreparedDepth:
        """Look at the stored maps once, so that they can be read as disparity; see `DepthSource`."""
        stream = DepthMapStream(f"{self.model}, estimated frame by frame", self._values_from)
        found = prepared_from(stream, self.meaning, MapFit(), wanted)
        return replace(found, report=f"{found.report}\n{EACH_BY_ITSELF}") if wanted.num_frames > 1 else found

    def _values_from(self, first: int) -> Iterator[tuple[Tensor, str]]:
        return ((values, "16-bit") for values in self.stored.read(first))


def _estimate(
    clip: ClipSource,
    times: list[int],
    stored: StoredMaps,
    missing: list[int],
    estimator: DepthEstimator,
    at_once: int,
    count_frame: Check,
) -> None:
    following: int | None = None
    maps: Iterator[Tensor] = iter(())
    for start in missing:
        if start != following:
            maps = estimated(estimator, islice(pictures_of(clip, start, times), len(times) - start), at_once)
        chunk = []
        for found in islice(maps, len(stored.span(start))):
            chunk.append(found)
            count_frame()
        stored.write(start, chunk)
        following = start + stored.chunk_frames
