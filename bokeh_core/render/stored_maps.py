"""Maps of a clip that wait beside its parts, so that a later pass or run need not make them again."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
import torch
from torch import Tensor

from ..disk.whole_file import whole_file

ESTIMATED, REFINED = "depth_", "refined_"
"""How the names of files begin: of maps as a model estimated them, and of refined ones."""

# Maps in a file: what is lost when a run is stopped, and what is in memory when a map is read.
CHUNK_FRAMES = 16
_CHUNK_PIXELS = 2**23
BYTES_OF_A_VALUE = 2
_MOST_LEVEL = 65535


@dataclass(frozen=True)
class StoredMaps:
    """Maps in a folder of parts, each in 65536 levels between its lowest and its highest value.

    Attributes:
        folder: of the parts.
        count: of maps.
        prefix: how the names of the files begin.
        chunk_frames: maps in a file.
    """

    folder: Path
    count: int
    prefix: str = ESTIMATED
    chunk_frames: int = CHUNK_FRAMES

    @classmethod
    def of_size(cls, folder: Path, count: int, prefix: str, size: tuple[int, int]) -> StoredMaps:
        """With as many maps in a file as memory takes easily; size is (height, width) in px."""
        fitting = _CHUNK_PIXELS // (size[0] * size[1])
        return cls(folder, count, prefix, max(1, min(fitting, CHUNK_FRAMES)))

    def starts(self) -> range:
        """First frames of the files."""
        return range(0, self.count, self.chunk_frames)

    def span(self, start: int) -> range:
        """Frames of the file that begins with frame `start`."""
        return range(start, min(start + self.chunk_frames, self.count))

    def path(self, start: int) -> Path:
        """The file that begins with frame `start`."""
        return self.folder / f"{self.prefix}{start:08d}.npz"

    def has(self, start: int) -> bool:
        """Whether a file is there and as it was written."""
        try:
            return len(self._read(start)) == len(self.span(start))
        except (OSError, ValueError, KeyError, EOFError, BadZipFile):
            return False

    def has_all(self) -> bool:
        """Whether every file is there and as it was written."""
        return all(self.has(start) for start in self.starts())

    def write(self, start: int, maps: list[Tensor]) -> None:
        """Put a file in place, whole or not at all."""
        levels = torch.stack(maps).double()
        low, high = levels.amin((1, 2)), levels.amax((1, 2))
        step = ((high - low) / _MOST_LEVEL).clamp(min=torch.finfo(torch.float64).tiny)
        levels = ((levels - low[:, None, None]) / step[:, None, None]).round()
        with whole_file(self.path(start)) as beside, beside.open("wb") as file:
            np.savez_compressed(
                file, levels=levels.numpy().astype(np.uint16), low=low.numpy(), step=step.numpy()
            )

    def write_all(self, maps: Iterable[Tensor]) -> None:
        """Put the files of all maps in place, as the maps come."""
        coming = iter(maps)
        for start in self.starts():
            self.write(start, [values.cpu() for values in islice(coming, len(self.span(start)))])

    def read(self, first: int) -> Iterator[Tensor]:
        """Yield the maps from number `first` on, float32."""
        for start in range(first - first % self.chunk_frames, self.count, self.chunk_frames):
            yield from self._read(start)[max(first - start, 0) :]

    def _read(self, start: int) -> Tensor:
        # Its checksums are compared as it is unpacked.
        with np.load(self.path(start)) as stored:
            levels, low, step = (torch.from_numpy(stored[name]) for name in ("levels", "low", "step"))
        return (levels.double() * step[:, None, None] + low[:, None, None]).float()
