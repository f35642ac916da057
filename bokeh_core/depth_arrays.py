"""Depth maps in a NumPy file, one after the other: neither an NPY nor an NPZ is ever in memory as a whole."""

import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib import format as npy_format
from numpy.typing import NDArray

_NPZ_KEYS = ("disparity", "disp", "depth", "depths", "arr_0")
_READ_ERRORS = (OSError, EOFError, ValueError, zipfile.BadZipFile, zlib.error)


def iterate_arrays(path: Path, start: int = 0) -> Iterator[NDArray[Any]]:
    """Yield the maps [H, W] of an NPY or NPZ file from number `start` on, as they are stored.

    Raises:
        ValueError: a damaged file, pickled objects, another shape, or an NPZ whose depth cannot be told.
    """
    frames = _iterate_npz(path) if path.suffix.lower() == ".npz" else _iterate_npy(path)
    for t, frame in enumerate(frames):
        if t >= start:
            yield frame


def _iterate_npy(path: Path) -> Iterator[NDArray[Any]]:
    try:
        array = np.load(path, mmap_mode="r", allow_pickle=False)
    except _READ_ERRORS as error:
        raise _unreadable(path.name, error) from error
    if not isinstance(array, np.ndarray):
        raise ValueError(f"{path.name} is an archive of arrays; name it .npz.")
    maps = array.reshape(map_shape(array.shape, path.name))
    for frame in maps:
        # A copy: pages of the map are not to stay in memory on the caller's account.
        yield np.array(frame)


def _iterate_npz(path: Path) -> Iterator[NDArray[Any]]:
    try:
        archive = zipfile.ZipFile(path)
    except _READ_ERRORS as error:
        raise _unreadable(path.name, error) from error
    with archive:
        keys = [name.removesuffix(".npy") for name in archive.namelist()]
        with archive.open(_npz_key(keys, path.name) + ".npy") as stream:
            try:
                shape, by_columns, dtype = _read_header(stream)
            except _READ_ERRORS as error:
                raise _unreadable(path.name, error) from error
            count, height, width = map_shape(shape, path.name)
            if by_columns:
                # Frames of such an array are scattered all over it.
                whole = np.frombuffer(_read(stream, count * height * width, dtype, path.name), dtype)
                yield from whole.reshape(shape, order="F").reshape(count, height, width)
                return
            for _ in range(count):
                data = _read(stream, height * width, dtype, path.name)
                yield np.frombuffer(data, dtype).reshape(height, width)


def _read_header(stream: Any) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    version = npy_format.read_magic(stream)
    read = npy_format.read_array_header_1_0 if version == (1, 0) else npy_format.read_array_header_2_0
    shape, by_columns, dtype = read(stream)
    if dtype.hasobject:
        raise ValueError("it holds Python objects, which are never loaded")
    return shape, by_columns, dtype


def _read(stream: Any, count: int, dtype: np.dtype[Any], name: str) -> bytes:
    try:
        data: bytes = stream.read(count * dtype.itemsize)
    except _READ_ERRORS as error:
        raise _unreadable(name, error) from error
    if len(data) != count * dtype.itemsize:
        raise _unreadable(name, EOFError("it ends in the middle of a map"))
    return data


def _npz_key(keys: list[str], name: str) -> str:
    if len(keys) == 1:
        return keys[0]
    for key in _NPZ_KEYS:
        if key in keys:
            return key
    raise ValueError(
        f"{name} holds the arrays {', '.join(keys) or 'none'}; name one of them {', '.join(_NPZ_KEYS[:-1])}, "
        "or keep one."
    )


def map_shape(shape: tuple[int, ...], name: str) -> tuple[int, int, int]:
    """Read the shape of an array as [T, H, W]: a clip or a still, with or without a channel of one.

    Raises:
        ValueError: another shape.
    """
    if len(shape) == 2:
        return (1, *shape)
    if len(shape) == 3 and shape[2] == 1 and shape[1] > 1:
        return 1, shape[0], shape[1]
    if len(shape) == 3:
        return shape[0], shape[1], shape[2]
    if len(shape) == 4 and shape[3] == 1:
        return shape[:3]
    if len(shape) == 4 and shape[1] == 1:
        return shape[0], shape[2], shape[3]
    raise ValueError(f"{name} has the shape {shape}; depth maps are [T, H, W] or [H, W].")


def _unreadable(name: str, error: Exception) -> ValueError:
    return ValueError(f"{name} cannot be read as a NumPy file ({error}).")
