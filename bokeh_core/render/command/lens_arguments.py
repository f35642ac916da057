"""The lens on the command line: a preset or a file, and every setting as an option."""

from __future__ import annotations

import argparse
import json
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ...disk.typed_paths import find_path
from ...disparity.stills import iterate_stills
from ...lens import GAMMA_OF_LIGHT, LENS_CONTROLS, MOVING_CONTROLS, PRESETS, Lens, lens_said, with_preset
from ...lens.aperture_image import ApertureImage, aperture_image_of
from ...lens.other_frames import CONTINUE, HIDDEN_BACKGROUNDS
from .text_files import read_text, text_or_file

LENS_HELP = {
    "blades": "of the aperture, 3 to 64; 0 is a round opening",
    "rotation": "of the polygon, degrees anticlockwise",
    "roundness": "0 keeps the blades straight, 1 makes a circle",
    "anamorphic": "height over width of the blur, 0.25 to 4",
    "cat_eye": "how much the barrel cuts the opening towards the corners, 0 to 1",
    "swirl": "how much the blur stretches around the middle towards the corners, 0 to 1",
    "ring": "light on the rim of a disk behind the focus against its middle, -1 to 1; 1 = soap bubble",
    "fringe": "disparity by which red and blue focus behind green, 0 to 0.25",
    "light": "linear adds up as in a camera, display averages pixel values",
    "highlight_gain": "extra light of highlights out of focus; 1 doubles white",
    "highlight_threshold": "brightness above which a pixel is a highlight, 0 to 0.999",
    "near_strength": "factor on the blur in front of the focus",
    "far_strength": "factor on the blur behind the focus",
    "contour_tolerance": "how far the depth's contours may be off the picture's, in px on a frame 1024 px "
    "wide; 0 trusts the map",
    "focus_range": "disparity over which all is sharp around the focus, 0 to 1",
    "grain": "how much of the footage's noise that the blur took comes back, 0 to 1",
    "largest_radius": "what no blur radius exceeds, in px on a frame 1024 px wide; 200 limits nothing",
}
_PRESET = "preset"
_IMAGE = "aperture_image"
_EXAMPLE = '{"preset": "swirl", "cat_eye": 0.6, "near_strength": "0: 1, 24: 0.5"}'


def add_lens(command: argparse.ArgumentParser) -> None:
    """Add the options of the lens."""
    lens = command.add_argument_group(
        "lens",
        "Lens Blur honours all of it, the paper's model near and far strength, range and largest radius. A "
        "decimal number may also move: '0: 1, 24: 0.5' (keyframes), a list, a table, or @FILE.",
    )
    lens.add_argument(
        "--lens",
        metavar="PRESET|FILE.json",
        help=f"{', '.join(PRESETS)}; or a file such as {_EXAMPLE}, with the settings below by name, _ for -. "
        "Options given beside it win",
    )
    lens.add_argument(
        "--aperture-image",
        metavar="FILE",
        help="picture in the opening, in place of blades: light passes where it is bright",
    )
    lens.add_argument(
        "--hidden-background",
        choices=HIDDEN_BACKGROUNDS,
        default=CONTINUE,
        help="what a blurred foreground lets through: continued from around it (default), or taken from "
        "other frames of the shot that have seen it; takes longer",
    )
    for name, default in LENS_CONTROLS.items():
        # No default here, so that those that were given are known.
        lens.add_argument(
            "--" + name.replace("_", "-"),
            type=_number_or_text if name in MOVING_CONTROLS else type(default),
            choices=list(GAMMA_OF_LIGHT) if name == "light" else None,
            help=f"{LENS_HELP[name]}; default {default}",
        )


def lens_of(arguments: argparse.Namespace) -> Lens:
    """The lens of a command line, stated for frames 1024 px wide.

    Raises:
        ValueError: an unknown preset, a file that cannot be used, or a setting out of range.
    """
    given: dict[str, Any] = {
        name: _typed_value(name, getattr(arguments, name))[0]
        for name in LENS_CONTROLS
        if getattr(arguments, name) is not None
    }
    file = lens_file(arguments)
    if arguments.aperture_image is not None:
        given[_IMAGE] = _image_at(find_path(arguments.aperture_image, Path.cwd()))
    if file is not None:
        controls = _controls_in(file)
        # On their own first, so that what is wrong with them is said of the file.
        _checked(controls, file)
    elif arguments.lens is not None:
        controls = with_preset(_preset_named(arguments.lens), {})
    else:
        controls = {}
    return _said({**controls, **given}, arguments.easing)


def lens_files(arguments: argparse.Namespace) -> list[Path]:
    """The files that a command line's lens is read from.

    Raises:
        ValueError: one is missing, or --lens names neither a preset nor a file.
    """
    file = lens_file(arguments)
    if file is None:
        files = []
    else:
        image = _content_of(file).get(_IMAGE)
        files = [file] if image is None else [file, _image_beside(file, image)]
    if arguments.aperture_image is not None:
        files.append(find_path(arguments.aperture_image, Path.cwd()))
    texts = (_typed_value(name, getattr(arguments, name))[1] for name in MOVING_CONTROLS)
    return [*files, *(path for path in texts if path is not None)]


def lens_file(arguments: argparse.Namespace) -> Path | None:
    """The file that --lens names, None where it names a preset or is not given.

    Raises:
        ValueError: it names neither.
    """
    text = arguments.lens
    if text is None or _preset_named(text) in PRESETS:
        return None
    if not text.strip().lower().endswith(".json"):
        raise ValueError(
            f"--lens {text!r:.60} is no preset and no file that ends with .json; the presets are "
            f"{', '.join(PRESETS)}."
        )
    return find_path(text, Path.cwd())


def _number_or_text(text: str) -> float | str:
    try:
        return float(text)
    except ValueError:
        return text


def _typed_value(name: str, value: Any) -> tuple[Any, Path | None]:
    """A value of an option, and the file that it is in where the option says @FILE."""
    if name in MOVING_CONTROLS and isinstance(value, str):
        return text_or_file(value, "--" + name.replace("_", "-"))
    return value, None


def _said(controls: dict[str, Any], easing: str = "linear") -> Lens:
    """The lens of controls by name, of which those that move are texts."""
    schedules = {
        name: text for name, text in controls.items() if name in MOVING_CONTROLS and isinstance(text, str)
    }
    return lens_said({name: v for name, v in controls.items() if name not in schedules}, schedules, easing)


def _preset_named(text: str) -> str:
    """The name as presets are written: a shell is easier on `soap-bubble`."""
    return " ".join(text.lower().replace("-", " ").replace("_", " ").split())


def _content_of(file: Path) -> dict[str, Any]:
    try:
        content = json.loads(read_text(file))
    except (json.JSONDecodeError, RecursionError) as error:
        raise ValueError(f"{file} is not JSON ({error}); write settings such as {_EXAMPLE}.") from error
    if not isinstance(content, dict):
        raise ValueError(f"{file} holds {type(content).__name__}; write settings such as {_EXAMPLE}.")
    return content


def _controls_in(file: Path) -> dict[str, Any]:
    content = _content_of(file)
    controls = {name: value for name, value in content.items() if name not in (_PRESET, _IMAGE)}
    unknown = [name for name in controls if name not in LENS_CONTROLS]
    if unknown:
        raise ValueError(
            f"{file} sets {', '.join(map(repr, unknown[:5]))}, which no lens has; it may set "
            f"{', '.join([_PRESET, *LENS_CONTROLS, _IMAGE])}."
        )
    # JSON knows no whole numbers: 6.0 is 6.
    controls = {
        name: int(value) if isinstance(value, float) and name == "blades" and value.is_integer() else value
        for name, value in controls.items()
    }
    if content.get(_IMAGE) is not None:
        controls[_IMAGE] = _image_at(_image_beside(file, content[_IMAGE]))
    if _PRESET not in content:
        return controls
    preset = content[_PRESET]
    named = _preset_named(preset) if isinstance(preset, str) else preset
    if not isinstance(named, str) or named not in PRESETS:
        raise ValueError(
            f"{file} names the preset {preset!r:.60}; choose one of {', '.join(PRESETS)}, or leave it out."
        )
    return {**with_preset(named, {}), **controls}


def _image_beside(file: Path, name: Any) -> Path:
    """The picture that a lens file names, relative to that file."""
    if not isinstance(name, str):
        raise ValueError(f"{file}: {_IMAGE} is {name!r:.60}; it must be the name of a picture.")
    try:
        return find_path(name, file.parent)
    except ValueError as error:
        raise ValueError(f"{file}: {error}") from error


def _image_at(path: Path) -> ApertureImage:
    try:
        pictures = list(islice(iterate_stills(path), 2))
    except OSError as error:
        raise ValueError(f"The aperture image {path} cannot be read ({error.strerror}).") from error
    if len(pictures) != 1:
        raise ValueError(f"The aperture image {path} holds several pictures; give one.")
    picture = pictures[0]
    if np.issubdtype(picture.dtype, np.integer):
        picture = picture / np.float32(np.iinfo(picture.dtype).max)
    if picture.ndim == 2:
        picture = picture[..., None]
    if picture.shape[2] >= 3:
        picture = picture[..., [2, 1, 0, *range(3, picture.shape[2])]]  # BGR(A) -> RGB(A)
    try:
        return aperture_image_of(torch.from_numpy(np.ascontiguousarray(picture, np.float32))[None])
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error


def _checked(controls: dict[str, Any], file: Path) -> None:
    try:
        _said(controls)
    except ValueError as error:
        raise ValueError(f"{file}: {error}") from error
