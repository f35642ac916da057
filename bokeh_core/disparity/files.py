"""Depth maps on disk -> raw values: a folder of stills or arrays, one still, one array, or a video."""

import hashlib
import os
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import islice, pairwise
from pathlib import Path, PurePath
from typing import Any, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..progress import Check, no_check
from .arrays import iterate_arrays
from .fit import MapFit
from .grey import grey_maps
from .in_words import count_frames
from .map_size import require_held_size
from .stills import STILLS, animation_length, iterate_stills
from .video import iterate_depth_video

ARRAYS = (".npy", ".npz")
_SAME_SUFFIX = {".jpeg": ".jpg", ".tiff": ".tif"}
# One map [H, W] and a description of its precision.
_Map: TypeAlias = tuple[Tensor, str]


@dataclass(frozen=True)
class DepthMaps:
    """Raw depth or disparity `values` float32 [T, H, W] and a line that says what was read.

    8 and 16-bit levels are scaled to [0, 1]; floating point is as in the file.
    """

    values: Tensor
    description: str


@dataclass(frozen=True)
class DepthMapStream:
    """Raw depth or disparity maps that are read one by one, as often as needed.

    Attributes:
        name: of the source, for people.
        read: given the first frame wanted, yields (map float32 [H, W], its precision as text) from there on.
    """

    name: str
    read: Callable[[int], Iterator[tuple[Tensor, str]]]

    def frames(self, start: int = 0) -> Iterator[Tensor]:
        """Yield the maps from number `start` on, float32 [H, W]."""
        for values, _ in self.read(start):
            yield values


def open_depth_maps(path: Path) -> DepthMapStream:
    """Find out what lies at a path, without reading the maps.

    Args:
        path: a folder of PNG, JPG, TIFF, BMP, WebP, PFM, EXR, NPY or NPZ files, read in natural order of
            their names; one such file; or a video.

    Raises:
        ValueError: a missing or empty path, files of several kinds, a gap in the numbering; and, while they
            are read, maps of several sizes, coloured maps, or a file that cannot be read.
    """
    with _readable(path):
        if path.is_dir():
            files = _checked_folder(path)
            source = files[0].name if len(files) == 1 else f"{files[0].name} to {files[-1].name}"
            return DepthMapStream(f"{path.name}: {source}", partial(_read_folder, files))
        if not path.exists():
            raise ValueError(f"Nothing at {path}; give a folder, a still, an array or a video.")
        if not path.is_file():
            raise ValueError(
                f"{path} is neither a file nor a folder; give a folder, a still, array or video."
            )
    suffix = suffix_of(path)
    if suffix in STILLS or suffix in ARRAYS:
        return DepthMapStream(path.name, partial(_read_file, path))
    return DepthMapStream(path.name, partial(_read_video, path))


def read_depth_maps(
    path: Path,
    check: Check = no_check,
    size: tuple[int, int] | None = None,
    fit: MapFit | None = None,
) -> DepthMaps:
    """Read every depth map at a path; see `open_depth_maps`.

    Args:
        path: what to read.
        check: called after every map; may raise to stop.
        size: (height, width) of the frames that the maps are for; the first map tells whether it can be.
        fit: how the maps lie on them.

    Raises:
        ValueError: as `open_depth_maps`, maps that cannot be brought to `size`, or more of them than
            `map_size.MAX_HELD_PIXELS` allows.
    """
    stream = open_depth_maps(path)
    frames: list[Tensor] = []
    precision = ""
    for frame, precision in stream.read(0):  # noqa: B007 - the last one describes all
        if size is not None and not frames:
            (fit or MapFit()).placing_report(frame.shape, size)
        frames.append(frame)
        require_held_size(len(frames), frame.shape[1], frame.shape[0], stream.name)
        check()
    values = torch.empty(len(frames), *frames[0].shape)
    for t, frame in enumerate(frames):
        values[t] = frame
        # Let go one by one, or a long clip would be held twice.
        frames[t] = frame[:0]
    return DepthMaps(values, describe_maps(len(values), values.shape[1:], precision, stream.name))


def state_of_files(path: Path) -> str:
    """Return a text that changes when the files at a path do: their names, sizes and times of change.

    Raises:
        ValueError: they cannot be looked at.
    """
    digest = hashlib.sha256(str(path).encode("utf-8", "surrogateescape"))
    with _readable(path):
        for file in files_of_folder(path) if path.is_dir() else [path]:
            state = file.stat()
            text = f"{file.name}\0{state.st_size}\0{state.st_mtime_ns}\0"
            digest.update(text.encode("utf-8", "surrogateescape"))
    return digest.hexdigest()


def natural_order(name: str) -> list[str | tuple[int, str]]:
    """Sort key under which frame_2 comes before frame_10."""
    # A library for these lines would be one more requirement of the nodes.
    # Numbers are compared as texts of digits, longer ones last: Python refuses to read very long ones.
    return [
        (len(digits := _digits(part)), digits) if part.isdecimal() else part.casefold()
        for part in re.split(r"(\d+)", name)
    ]


def _digits(number: str) -> str:
    """A number in any script in plain digits, without leading zeros."""
    plain = number if number.isascii() else "".join(str(int(digit)) for digit in number)
    return plain.lstrip("0")


def _checked_folder(folder: Path) -> list[Path]:
    files = files_of_folder(folder)
    kinds = Counter(suffix_of(file) for file in files)
    if not files:
        raise ValueError(
            f"{folder} has no depth maps; put PNG, JPG, TIFF, EXR, NPY or NPZ files in it, one per frame."
        )
    if len(kinds) > 1:
        found = ", ".join(f"{count} {kind}" for kind, count in kinds.items())
        raise ValueError(f"{folder} mixes kinds of files ({found}); keep one kind in the folder.")
    require_no_gap([file.name for file in files])
    return files


def _read_folder(files: list[Path], start: int) -> Iterator[_Map]:
    first: Tensor | None = None
    scale = _OneScale()
    for file in files[start:]:
        maps = list(islice(_read_file(file, 0), 2))
        if len(maps) != 1:
            raise ValueError(f"{file.name} holds several frames; in a folder each file must hold one.")
        frame, precision = maps[0]
        scale.require(precision, file.name)
        first = frame if first is None else first
        if frame.shape != first.shape:
            raise ValueError(
                f"{file.name} is {frame.shape[1]} x {frame.shape[0]} px but {files[start].name} is "
                f"{first.shape[1]} x {first.shape[0]} px; all frames of a clip must have one size."
            )
        yield frame, precision


def files_of_folder(folder: Path) -> list[Path]:
    """Return the depth maps of a folder in natural order; hidden files (.DS_Store, ._x.png) are not."""
    with os.scandir(folder) as entries:
        files = [
            Path(entry.path)
            for entry in entries
            if not entry.name.startswith(".")
            and suffix_of(PurePath(entry.name)) in STILLS + ARRAYS
            and entry.is_file()
        ]
    # Names that differ only in case or in leading zeros have one order too.
    return sorted(files, key=lambda file: (natural_order(file.name), file.name))


def suffix_of(path: PurePath) -> str:
    """Return a name's ending in small letters, one for each kind of file."""
    suffix = path.suffix.lower()
    return _SAME_SUFFIX.get(suffix, suffix)


def require_no_gap(names: list[str]) -> None:
    """Check the first number that differs between names; names without a regular count are left alone."""
    numbers = [re.findall(r"\d+", name) for name in names]
    columns = list(zip(*numbers, strict=False))
    counted = next((column for column in columns if len(set(column)) > 1), None)
    if counted is None:
        return
    steps = [int(b) - int(a) for a, b in pairwise(counted)]
    step, occurrences = Counter(steps).most_common(1)[0]
    if step < 1 or 2 * occurrences <= len(steps):
        return
    for i, found in enumerate(steps):
        if found != step:
            raise ValueError(
                f"A frame is missing between {names[i]} and {names[i + 1]} (the others count in steps of "
                f"{step}); add it, or number the files without gaps."
            )


def _read_video(path: Path, start: int) -> Iterator[_Map]:
    with _readable(path):
        for values, bits in iterate_depth_video(path, start):
            yield values, f"{bits}-bit video"


def _read_animation(path: Path, start: int, length: int) -> Iterator[_Map]:
    count = 0
    for count, found in enumerate(_read_video(path, 0), 1):
        if count > start:
            yield found
    if count < length:
        raise ValueError(f"{path.name} is cut off after {count} of {length} pictures; write it again.")


def _read_file(path: Path, start: int) -> Iterator[_Map]:
    """The maps of one file that is no video."""
    with _readable(path):
        if suffix_of(path) in ARRAYS:
            for t, array in enumerate(iterate_arrays(path, start), start):
                yield _scaled(array, path.name, t)
        elif suffix_of(path) != ".exr" and (length := animation_length(path)) is not None:
            yield from _read_animation(path, start, length)
        else:
            first: tuple[int, ...] | None = None
            scale = _OneScale()
            for t, picture in enumerate(iterate_stills(path, start), start):
                values, precision = _scaled(picture, path.name, t)
                scale.require(precision, f"{path.name}, page {t},")
                values = grey_maps(values[None], path.name)[0] if values.dim() == 3 else values
                first = first or tuple(values.shape)
                if values.shape != first:
                    raise ValueError(
                        f"{path.name}: page {t} is {values.shape[1]} x {values.shape[0]} px but the first is "
                        f"{first[1]} x {first[0]} px; all frames of a clip must have one size."
                    )
                yield values, precision


class _OneScale:
    """Levels become 0 to 1 and other numbers stay, so a clip of both would have two scales."""

    def __init__(self) -> None:
        self._first: tuple[str, str] | None = None

    def require(self, precision: str, name: str) -> None:
        """Take in the precision of the next map."""
        self._first = self._first or (precision, name)
        known, first = self._first
        if _are_levels(precision) != _are_levels(known):
            raise ValueError(
                f"{name} holds {_numbers(precision)} but {first} holds {_numbers(known)}; all maps of a clip "
                "must have one kind of numbers."
            )


def _are_levels(precision: str) -> bool:
    return "-bit" in precision


def _numbers(precision: str) -> str:
    return f"{precision} levels" if _are_levels(precision) else f"{precision} values"


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    """Say in words which file the system does not let us read, and why."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        raise ValueError(
            f"{path} cannot be read ({reason}); check that it is there and may be read."
        ) from error


def _scaled(array: NDArray[Any], name: str, t: int) -> _Map:
    if array.dtype.kind not in "iuf":
        raise ValueError(f"{name} holds {array.dtype} values; depth must be numbers.")
    array = array.astype(array.dtype.newbyteorder("="), copy=False)
    if array.dtype in (np.uint8, np.uint16):
        levels = np.iinfo(array.dtype).max
        return torch.from_numpy(array.astype(np.float32)) / levels, f"{array.dtype.itemsize * 8}-bit"
    with np.errstate(over="ignore"):
        values = array.astype(np.float32)
    if array.dtype.itemsize > values.itemsize:
        lost = np.argwhere(np.isinf(values) & np.isfinite(array))
        if len(lost):
            place = tuple(lost[0])
            raise ValueError(
                f"{name}: the value {array[place]:g} in frame {t} at column {place[1]}, row {place[0]} is "
                "beyond 3.4e38, the largest that is kept; fill such holes in the source."
            )
    return torch.from_numpy(values), str(array.dtype)


def describe_maps(count: int, size: Sequence[int], precision: str, source: str) -> str:
    """Say what was read: how many maps of which (height, width), how precise, from where."""
    return f"Read {count_frames(count)} of {size[1]} x {size[0]} px, {precision}, from {source}."
