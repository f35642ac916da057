"""Depth that is estimated from the clip itself, in a first pass whose maps wait beside the parts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
import torch
from torch import Tensor

from ..clip.letterbox import PictureArea
from ..disk.space import require_space
from ..disk.whole_file import whole_file
from ..disparity.estimator import EACH_BY_ITSELF, DepthEstimator, EstimatorFiles, estimated
from ..disparity.files import DepthMapStream
from ..disparity.fit import MapFit
from ..disparity.meaning import DepthMeaning
from ..progress import Check, Progress, counting
from .depth import Frames, PreparedDepth, Size, prepared_from
from .source import ClipSource, pictures_of

# Maps in a file: what is lost when a run is stopped, and what is in memory when a map is read.
CHUNK_FRAMES = 16
PREFIX = "depth_"
_BYTES_OF_A_VALUE = 2
_MOST_LEVEL = 65535


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
    ) -> StoredMaps:
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
        stored = StoredMaps(
            folder, len(times), self.files.folder.name, self.files.meaning(self.normalisation)
        )
        missing = [start for start in range(0, len(times), CHUNK_FRAMES) if not stored.has(start)]
        count = sum(len(stored.span(start)) for start in missing)
        count_frame = counting(progress, len(times))
        for _ in range(len(times) - count):
            count_frame()
        if missing:
            estimator, at_once = self.load(self.files)
            height, width = estimator.size_of((clip.format.height, clip.format.width))
            require_space(folder, count * height * width * _BYTES_OF_A_VALUE, free_bytes(folder))
            _estimate(clip, times, stored, missing, estimator, at_once, count_frame)
        return stored


@dataclass(frozen=True)
class StoredMaps:
    """Raw maps that wait in a folder of parts, 16-bit, some in each file.

    Attributes:
        folder: of the parts.
        count: of maps.
        model: that made them, for people.
        meaning: how to read them.
    """

    folder: Path
    count: int
    model: str
    meaning: DepthMeaning = field(default_factory=DepthMeaning)

    def span(self, start: int) -> range:
        """Frames of the file that begins with frame `start`."""
        return range(start, min(start + CHUNK_FRAMES, self.count))

    def path(self, start: int) -> Path:
        """The file that begins with frame `start`."""
        return self.folder / f"{PREFIX}{start:08d}.npz"

    def has(self, start: int) -> bool:
        """Whether a file is there and as it was written."""
        try:
            return len(self._read(start)) == len(self.span(start))
        except (OSError, ValueError, KeyError, EOFError, BadZipFile):
            return False

    def write(self, start: int, maps: list[Tensor]) -> None:
        """Put a file in place, whole or not at all; each map has 65536 levels of its own."""
        levels = torch.stack(maps).double()
        low, high = levels.amin((1, 2)), levels.amax((1, 2))
        step = ((high - low) / _MOST_LEVEL).clamp(min=torch.finfo(torch.float64).tiny)
        levels = ((levels - low[:, None, None]) / step[:, None, None]).round()
        with whole_file(self.path(start)) as beside, beside.open("wb") as file:
            np.savez_compressed(
                file, levels=levels.numpy().astype(np.uint16), low=low.numpy(), step=step.numpy()
            )

    def prepare(
        self,
        num_frames: int,
        size: Size,
        saved: dict[str, Any] | None,
        progress: Progress,
        area: PictureArea | None = None,
        frames: Frames | None = None,
    ) -> PreparedDepth:
        """Look at the stored maps once, so that they can be read as disparity; see `DepthSource`."""
        stream = DepthMapStream(f"{self.model}, estimated frame by frame", self._from)
        found = prepared_from(stream, self.meaning, MapFit(), num_frames, size, saved, progress, area, frames)
        return replace(found, report=f"{found.report}\n{EACH_BY_ITSELF}") if num_frames > 1 else found

    def _read(self, start: int) -> Tensor:
        # Its checksums are compared as it is unpacked.
        with np.load(self.path(start)) as stored:
            levels, low, step = (torch.from_numpy(stored[name]) for name in ("levels", "low", "step"))
        return (levels.double() * step[:, None, None] + low[:, None, None]).float()

    def _from(self, first: int) -> Iterator[tuple[Tensor, str]]:
        begin = first - first % CHUNK_FRAMES
        for start in range(begin, self.count, CHUNK_FRAMES):
            for values in self._read(start)[max(first - start, 0) :]:
                yield values, "16-bit"


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
        following = start + CHUNK_FRAMES
