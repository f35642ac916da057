"""Depth maps in a NumPy file, one after the other: neither an NPY nor an NPZ is ever in memory as a whole."""

from __future__ import annotations

import lzma
import struct
import tokenize
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.lib import format as npy_format
from numpy.typing import NDArray

from .map_size import require_map_size, require_plausible_packing

_NPZ_KEYS = ("disparity", "disp", "depth", "depths", "arr_0")
# What zipfile, its decompressors and NumPy's reader of headers raise on damaged files.
_READ_ERRORS = (
    EOFError,
    IndexError,
    KeyError,
    NotImplementedError,
    OverflowError,
    RuntimeError,
    SyntaxError,
    TypeError,
    ValueError,
    lzma.LZMAError,
    struct.error,
    tokenize.TokenError,
    zipfile.BadZipFile,
    zlib.error,
)
# Whole and floating-point numbers; also, to be refused by name, bool.
_NUMBERS = "buif"
# An array by columns has every map scattered all over it, so it is read whole.
_MAX_BYTES_BY_COLUMNS = 2**31
_MOST_NAMES_SHOWN = 8


def iterate_arrays(path: Path, start: int = 0) -> Iterator[NDArray[Any]]:
    """Yield the maps [H, W] of an NPY or NPZ file from number `start` on, as they are stored.

    Raises:
        ValueError: a damaged file, pickled objects, another shape, maps that are too large, or an NPZ whose
            depth cannot be told.
        OSError: the file cannot be read.
    """
    with ExitStack() as stack:
        if path.suffix.lower() == ".npz":
            try:
                archive = stack.enter_context(zipfile.ZipFile(path))
                info = archive.getinfo(_npz_entry(archive.namelist(), path.name))
                stream: IO[bytes] = stack.enter_context(archive.open(info))
            except _Refused as refusal:
                raise ValueError(str(refusal)) from None
            except _READ_ERRORS as error:
                raise _unreadable(path.name, error) from error
            total = info.file_size
            require_plausible_packing(total, info.compress_size, path.name)
        else:
            stream = stack.enter_context(path.open("rb"))
            total = path.stat().st_size
        yield from _maps(stream, total, start, path.name)


class _Refused(Exception):
    """A sound file whose depth cannot be used, with the reason."""


def _maps(stream: IO[bytes], total: int, start: int, name: str) -> Iterator[NDArray[Any]]:
    try:
        shape, by_columns, dtype = _read_header(stream)
        first = stream.tell()
    except MemoryError as error:
        # What Python's parser raises on brackets that are nested too deep; a header is under 10 kB.
        raise _unreadable(name, error) from error
    except _READ_ERRORS as error:
        raise _unreadable(name, error) from error
    if dtype.kind not in _NUMBERS or dtype.subdtype is not None:
        raise ValueError(f"{name} holds {dtype} values; depth must be numbers.")
    count, height, width = map_shape(shape, name)
    require_map_size(width, height, name)
    map_bytes = height * width * dtype.itemsize
    if first + count * map_bytes > total:
        raise _unreadable(name, EOFError("it ends in the middle of a map"))
    if by_columns:
        if count * map_bytes > _MAX_BYTES_BY_COLUMNS:
            raise ValueError(
                f"{name} is stored by columns and has {count * map_bytes} bytes, too many to be read at "
                "once; save numpy.ascontiguousarray(depth)."
            )
        whole = np.frombuffer(_read(stream, count * map_bytes, name), dtype)
        yield from whole.reshape(shape, order="F").reshape(count, height, width)[start:]
        return
    if start:
        try:
            stream.seek(first + min(start, count) * map_bytes)
        except _READ_ERRORS as error:
            raise _unreadable(name, error) from error
    for _ in range(start, count):
        yield np.frombuffer(_read(stream, map_bytes, name), dtype).reshape(height, width)


def _read_header(stream: IO[bytes]) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    version = npy_format.read_magic(stream)
    read = npy_format.read_array_header_1_0 if version == (1, 0) else npy_format.read_array_header_2_0
    shape, by_columns, dtype = read(stream)
    if dtype.hasobject:
        raise ValueError("it holds Python objects, which are never loaded")
    return shape, by_columns, dtype


def _read(stream: IO[bytes], size: int, name: str) -> bytes:
    try:
        data = stream.read(size)
    except _READ_ERRORS as error:
        raise _unreadable(name, error) from error
    if len(data) != size:
        raise _unreadable(name, EOFError("it ends in the middle of a map"))
    return data


def _npz_entry(entries: list[str], name: str) -> str:
    keys = [entry.removesuffix(".npy") for entry in entries if entry.endswith(".npy")]
    if len(keys) == 1:
        return f"{keys[0]}.npy"
    for key in _NPZ_KEYS:
        if key in keys:
            return f"{key}.npy"
    if not keys:
        raise _Refused(f"{name} holds no arrays; write it again with numpy.savez(file, depth=maps).")
    shown = ", ".join(keys[:_MOST_NAMES_SHOWN])
    shown += f" and {len(keys) - _MOST_NAMES_SHOWN} more" if len(keys) > _MOST_NAMES_SHOWN else ""
    raise _Refused(
        f"{name} holds the arrays {shown}; name one of them {', '.join(_NPZ_KEYS[:-1])}, or keep one."
    )


def map_shape(shape: tuple[int, ...], name: str) -> tuple[int, int, int]:
    """Read the shape of an array as [T, H, W]: a clip or a still, with or without a channel of one.

    Raises:
        ValueError: another shape, or no values.
    """
    if not all(size > 0 for size in shape):
        raise ValueError(f"{name} has the shape {_shown(shape)}, without values; depth maps are [T, H, W].")
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
    raise ValueError(f"{name} has the shape {_shown(shape)}; depth maps are [T, H, W] or [H, W].")


def _shown(shape: tuple[int, ...]) -> str:
    if len(shape) > 8 or any(abs(size) > 10**15 for size in shape):
        return f"of {len(shape)} dimensions"
    return str(shape)


def _unreadable(name: str, error: Exception) -> ValueError:
    reason = str(error) or type(error).__name__
    return ValueError(f"{name} cannot be read as a NumPy file ({reason[:200]}).")
