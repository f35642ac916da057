"""Photographs and cut-outs that synthetic scenes are made of, read from a folder with a manifest."""

import hashlib
import json
import os
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor

MANIFEST = "manifest.json"
KINDS = ("background", "cutout", "texture")
SPLITS = ("training", "held-out")
BUNDLED_FOLDER = Path(__file__).resolve().parents[2] / "assets" / "scenes"
FOLDER_VARIABLE = "BOKEH_SCENE_ASSETS"
"""Environment variable that names a fetched folder to use in place of the bundled one."""

_FETCH = "python -m bokeh_lab.scenes.fetch --to FOLDER"
# A background at 1600 px is 20 MB as floats; a scene uses at most five pictures.
_CACHED_PICTURES = 12


@dataclass(frozen=True)
class Asset:
    """One file of a library and where it comes from.

    Attributes:
        file: path below the library's folder, with forward slashes.
        kind: "background" (RGB photograph), "cutout" (RGB and straight alpha) or "texture" (RGB surface).
        sha256: of the file.
        split: "training" or "held-out"; all files made from one picture are in the same split.
        package, version: what the picture was taken from, and how the package's client names it.
        source: path of the picture inside the package.
        author: who made the picture.
        licence: SPDX identifier.
    """

    file: str
    kind: str
    sha256: str
    split: str
    package: str
    version: str
    source: str
    author: str
    licence: str


class AssetLibrary:
    """Pictures for scenes, decoded when asked for and checked against the manifest's SHA-256."""

    def __init__(self, folder: Path, assets: Iterable[Asset]) -> None:
        self.folder = folder
        self.assets = tuple(sorted(assets, key=lambda asset: asset.file))
        self._by_file = {asset.file: asset for asset in self.assets}
        self._decoded: OrderedDict[str, Tensor] = OrderedDict()

    @classmethod
    def load(cls, folder: Path | str | None = None, *, split: str = "all") -> "AssetLibrary":
        """Read the manifest of a folder.

        Args:
            folder: None takes the one that the environment variable BOKEH_SCENE_ASSETS names, else the
                set in the repository.
            split: "training" (two thirds of the pictures), "held-out" (the rest, for evaluation) or "all".

        Raises:
            ValueError: no such folder or manifest, an unreadable manifest or an unknown split.
        """
        if split not in ("all", *SPLITS):
            raise ValueError(f"split is {split!r}; choose one of all, {', '.join(SPLITS)}.")
        path = Path(folder or os.environ.get(FOLDER_VARIABLE) or BUNDLED_FOLDER)
        assets = _read_manifest(path)
        return cls(path, (asset for asset in assets if split in ("all", asset.split)))

    def files(self, kind: str) -> tuple[str, ...]:
        """Names of the files of one kind, sorted.

        Raises:
            ValueError: unknown kind.
        """
        if kind not in KINDS:
            raise ValueError(f"kind is {kind!r}; choose one of {', '.join(KINDS)}.")
        return tuple(asset.file for asset in self.assets if asset.kind == kind)

    def asset(self, file: str) -> Asset:
        """Manifest entry of a file.

        Raises:
            ValueError: the manifest does not list it.
        """
        if file not in self._by_file:
            raise ValueError(f"{file!r} is not in the manifest of {self.folder} (or not in this split).")
        return self._by_file[file]

    def picture(self, file: str) -> Tensor:
        """Decode a file: float32 [3, h, w], or [4, h, w] with straight alpha for a cut-out, in [0, 1].

        Raises:
            ValueError: not in the manifest, missing, altered or not a picture of its kind.
        """
        if file in self._decoded:
            self._decoded.move_to_end(file)
            return self._decoded[file]
        picture = self._decode(self.asset(file))
        self._decoded[file] = picture
        if len(self._decoded) > _CACHED_PICTURES:
            self._decoded.popitem(last=False)
        return picture

    def _decode(self, asset: Asset) -> Tensor:
        path = self.folder / asset.file
        if not path.is_file():
            raise ValueError(f"{path} is missing; fetch the pictures anew: {_FETCH}")
        content = path.read_bytes()
        if hashlib.sha256(content).hexdigest() != asset.sha256:
            raise ValueError(
                f"{path} is not the file its manifest describes (SHA-256 differs); fetch the pictures "
                f"anew: {_FETCH}"
            )
        pixels = decode_picture(content, alpha=asset.kind == "cutout")
        if pixels is None:
            raise ValueError(f"{path} is listed as a {asset.kind} but does not decode as one.")
        return torch.from_numpy(pixels).permute(2, 0, 1).contiguous().float() / 255


def decode_picture(content: bytes, *, alpha: bool) -> np.ndarray | None:
    """Decode a picture file: uint8 RGB [h, w, 3], or RGBA [h, w, 4]; None where that is impossible.

    Greys become RGB. With `alpha`, a picture without an alpha channel is refused; without, it is dropped.
    """
    pixels = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_UNCHANGED)
    if pixels is None or pixels.dtype != np.uint8:
        return None
    channels = 1 if pixels.ndim == 2 else pixels.shape[2]
    if alpha:
        return cv2.cvtColor(pixels, cv2.COLOR_BGRA2RGBA) if channels == 4 else None
    to_rgb = {1: cv2.COLOR_GRAY2RGB, 3: cv2.COLOR_BGR2RGB, 4: cv2.COLOR_BGRA2RGB}
    return cv2.cvtColor(pixels, to_rgb[channels]) if channels in to_rgb else None


def _read_manifest(folder: Path) -> list[Asset]:
    path = folder / MANIFEST
    if not path.is_file():
        raise ValueError(
            f"{folder} holds no {MANIFEST}; fetch pictures into it ({_FETCH}) or unset {FOLDER_VARIABLE} "
            "to use the set that comes with the repository."
        )
    try:
        assets = [Asset(**entry) for entry in json.loads(path.read_text(encoding="utf-8"))["files"]]
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{path} is not a manifest of scene pictures: {error}.") from error
    for asset in assets:
        if asset.kind not in KINDS or asset.split not in SPLITS or ".." in Path(asset.file).parts:
            raise ValueError(f"{path} has a wrong entry: {asset.file!r} ({asset.kind!r}, {asset.split!r}).")
    return assets
