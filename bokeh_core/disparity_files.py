"""Depth maps on disk -> raw values: a folder of stills or arrays, one still, one array, or a video."""

import hashlib
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from einops import rearrange
from numpy.typing import NDArray
from torch import Tensor

from .depth_video import read_depth_video
from .exr import read_exr
from .grey import grey_maps

_STILLS = (".png", ".jpg", ".tif", ".bmp", ".webp", ".pfm", ".exr")
_ARRAYS = (".npy", ".npz")
_SAME_SUFFIX = {".jpeg": ".jpg", ".tiff": ".tif"}
_NPZ_KEYS = ("disparity", "disp", "depth", "depths", "arr_0")


@dataclass(frozen=True)
class DepthMaps:
    """Raw depth or disparity `values` float32 [T, H, W] and a line that says what was read.

    8 and 16-bit levels are scaled to [0, 1]; floating point is as in the file.
    """

    values: Tensor
    description: str


def read_depth_maps(path: Path, on_frame: Callable[[], None] | None = None) -> DepthMaps:
    """Read every depth map at a path.

    Args:
        path: a folder of PNG, JPG, TIFF, BMP, WebP, PFM, EXR, NPY or NPZ files, read in natural order of
            their names; one such file; or a video.
        on_frame: called after every frame; may raise to stop.

    Raises:
        ValueError: a missing or empty path, files of several kinds or sizes, a gap in the numbering, coloured
            maps, or a file that cannot be read.
    """
    if path.is_dir():
        return _read_folder(path, on_frame)
    if not path.exists():
        raise ValueError(f"{path} does not exist; give a folder, a still, an array or a video.")
    suffix = _suffix(path)
    if suffix in _STILLS or suffix in _ARRAYS:
        values, precision = _read_file(path)
    else:
        values, bits = read_depth_video(path, on_frame)
        precision = f"{bits}-bit video"
    return DepthMaps(values, _describe(values, precision, path.name))


def fingerprint(path: Path) -> str:
    """Return a text that changes when the files at a path do: their names, sizes and times of change."""
    files = _files_in(path) if path.is_dir() else [path]
    digest = hashlib.sha256(str(path).encode())
    for file in files:
        state = file.stat()
        digest.update(f"{file.name}\0{state.st_size}\0{state.st_mtime_ns}\0".encode())
    return digest.hexdigest()


def natural_order(name: str) -> list[str | int]:
    """Sort key under which frame_2 comes before frame_10."""
    return [int(part) if part.isdecimal() else part.casefold() for part in re.split(r"(\d+)", name)]


def _read_folder(folder: Path, on_frame: Callable[[], None] | None) -> DepthMaps:
    files = _files_in(folder)
    kinds = Counter(_suffix(file) for file in files)
    if not files:
        raise ValueError(
            f"{folder} has no depth maps; put PNG, JPG, TIFF, EXR, NPY or NPZ files in it, one per frame."
        )
    if len(kinds) > 1:
        found = ", ".join(f"{count} {kind}" for kind, count in kinds.items())
        raise ValueError(f"{folder} mixes kinds of files ({found}); keep one kind in the folder.")
    _require_no_gap([file.name for file in files])

    first, precision = _read_file(files[0])
    height, width = first.shape[1:]
    values = torch.empty(len(files), height, width)
    for t, file in enumerate(files):
        frame = first if t == 0 else _read_file(file)[0]
        if len(frame) != 1:
            raise ValueError(f"{file.name} holds {len(frame)} frames; in a folder each file must hold one.")
        if frame.shape[1:] != (height, width):
            raise ValueError(
                f"{file.name} is {frame.shape[2]} x {frame.shape[1]} px but {files[0].name} is {width} x "
                f"{height} px; all frames of a clip must have one size."
            )
        values[t] = frame[0]
        if on_frame is not None:
            on_frame()
    source = files[0].name if len(files) == 1 else f"{files[0].name} to {files[-1].name}"
    return DepthMaps(values, _describe(values, precision, f"{folder.name}: {source}"))


def _files_in(folder: Path) -> list[Path]:
    """Return the depth maps of a folder in natural order; hidden files (.DS_Store, ._x.png) are not."""
    files = (
        file
        for file in folder.iterdir()
        if _suffix(file) in _STILLS + _ARRAYS and not file.name.startswith(".") and file.is_file()
    )
    return sorted(files, key=lambda file: natural_order(file.name))


def _suffix(path: Path) -> str:
    suffix = path.suffix.lower()
    return _SAME_SUFFIX.get(suffix, suffix)


def _require_no_gap(names: list[str]) -> None:
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


def _read_file(path: Path) -> tuple[Tensor, str]:
    """Return one file's maps float32 [T, H, W] and its precision in words."""
    if _suffix(path) in _ARRAYS:
        array = _as_maps(_load_array(path), path.name)
    else:
        array = read_exr(path) if _suffix(path) == ".exr" else _load_still(path)
        array = array[None]
    values, precision = _scaled(array, path.name)
    if values.dim() == 4:
        values = grey_maps(values, path.name)
    return values, precision


def _load_still(path: Path) -> NDArray[Any]:
    # imdecode rather than imread: OpenCV cannot open paths with other than ANSI letters on Windows.
    data = np.fromfile(path, dtype=np.uint8)
    picture = cv2.imdecode(data, cv2.IMREAD_UNCHANGED) if data.size else None
    if picture is None:
        raise ValueError(f"{path.name} cannot be read as a picture; it is damaged or of another kind.")
    return picture


def _load_array(path: Path) -> NDArray[Any]:
    try:
        loaded = np.load(path, allow_pickle=False)
        if isinstance(loaded, np.ndarray):
            return loaded
        with loaded:
            return np.asarray(loaded[_npz_key(loaded.files, path.name)])
    except (OSError, EOFError, ValueError) as error:
        if isinstance(error, _WrongKeysError):
            raise
        raise ValueError(f"{path.name} cannot be read as a NumPy file ({error}).") from error


class _WrongKeysError(ValueError):
    """An NPZ whose depth array cannot be told from its keys."""


def _npz_key(keys: list[str], name: str) -> str:
    if len(keys) == 1:
        return keys[0]
    for key in _NPZ_KEYS:
        if key in keys:
            return key
    raise _WrongKeysError(
        f"{name} holds the arrays {', '.join(keys) or 'none'}; name one of them {', '.join(_NPZ_KEYS[:-1])}, "
        "or keep one."
    )


def _as_maps(array: NDArray[Any], name: str) -> NDArray[Any]:
    """Bring an array to [T, H, W]."""
    shape = array.shape
    if array.ndim == 2:
        return array[None]
    if array.ndim == 3 and shape[2] == 1 and shape[1] > 1:
        return rearrange(array, "h w 1 -> 1 h w")
    if array.ndim == 3:
        return array
    if array.ndim == 4 and shape[3] == 1:
        return rearrange(array, "t h w 1 -> t h w")
    if array.ndim == 4 and shape[1] == 1:
        return rearrange(array, "t 1 h w -> t h w")
    raise ValueError(f"{name} has the shape {shape}; depth maps are [T, H, W] or [H, W].")


def _scaled(array: NDArray[Any], name: str) -> tuple[Tensor, str]:
    if array.dtype in (np.uint8, np.uint16):
        levels = np.iinfo(array.dtype).max
        return torch.from_numpy(array.astype(np.float32)) / levels, f"{array.dtype.itemsize * 8}-bit"
    if not (np.issubdtype(array.dtype, np.floating) or np.issubdtype(array.dtype, np.integer)):
        raise ValueError(f"{name} holds {array.dtype} values; depth must be numbers.")
    return torch.from_numpy(array.astype(np.float32)), str(array.dtype)


def _describe(values: Tensor, precision: str, source: str) -> str:
    count, height, width = values.shape
    frames = "1 frame" if count == 1 else f"{count} frames"
    return f"Read {frames} of {width} x {height} px, {precision}, from {source}."
