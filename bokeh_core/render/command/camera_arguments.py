"""A camera in millimetres and metres on the command line, in place of a strength K."""

from __future__ import annotations

import argparse
import math
from pathlib import Path

from ...camera import SENSORS, Camera, sensor_width_mm
from ...camera.camera import DEFAULT_F_NUMBER, DEFAULT_FOCAL_LENGTH_MM, DEFAULT_FOCUS_DISTANCE_M
from ..strength_settings import CameraStrength
from .text_files import text_or_file

DEFAULT_SENSOR = "full frame"
_TEXTS = ("focal_length", "f_number", "focus_distance")
_OTHERS = ("sensor", "near_distance", "far_distance")


def add_camera(command: argparse.ArgumentParser) -> None:
    """Add the options of the camera."""
    camera = command.add_argument_group(
        "camera, in place of --strength",
        "With --focal-length or --f-number the blur is exactly that of a thin lens. Both, and the focus "
        "distance, may move: '0: 35, 48: 85' (keyframes), a list, a table, or @FILE.",
    )
    add = camera.add_argument
    add("--focal-length", metavar="MM", help=f"1 to 2000 mm; default {DEFAULT_FOCAL_LENGTH_MM:g}")
    add("--f-number", metavar="N", help=f"0.5 to 128; default {DEFAULT_F_NUMBER:g}")
    add(
        "--sensor",
        metavar="NAME|MM",
        help=f"what the width of the frame shows: a width, or {', '.join(SENSORS)}; default {DEFAULT_SENSOR}",
    )
    add(
        "--near-distance",
        metavar="M",
        help="metres from the lens where disparity is 1; not needed where the depth is metric",
    )
    add("--far-distance", metavar="M", help="metres where disparity is 0; inf = infinitely far")
    add(
        "--focus-distance",
        metavar="M",
        help="metres from the lens that are sharp, in place of --focus",
    )
    add("--breathing", action="store_true", help="the picture grows as the focus comes nearer")


def camera_of(arguments: argparse.Namespace) -> CameraStrength | None:
    """The camera of a command line; None where it states none.

    Raises:
        ValueError: one of its numbers is out of range, or options of a camera without one.
    """
    given = {name: getattr(arguments, name) for name in (*_TEXTS, *_OTHERS)}
    if given["focal_length"] is None and given["f_number"] is None:
        alone = [name for name, value in given.items() if value is not None]
        alone += ["breathing"] if arguments.breathing else []
        if alone:
            options = ", ".join("--" + name.replace("_", "-") for name in alone)
            raise ValueError(f"{options} belongs to a camera; add --focal-length and --f-number.")
        return None
    texts = {name: _text(name, given[name])[0] for name in _TEXTS if given[name] is not None}
    camera = Camera(
        sensor_width_mm(given["sensor"] or DEFAULT_SENSOR),
        texts.get("focal_length", DEFAULT_FOCAL_LENGTH_MM),
        texts.get("f_number", DEFAULT_F_NUMBER),
        texts.get("focus_distance", DEFAULT_FOCUS_DISTANCE_M),
        arguments.breathing,
        arguments.easing,
    )
    near, far = (_metres(name, given[name]) for name in ("near_distance", "far_distance"))
    return CameraStrength(camera, near, far, focuses=given["focus_distance"] is not None)


def camera_files(arguments: argparse.Namespace) -> list[Path]:
    """The files that a command line's camera is read from."""
    texts = (getattr(arguments, name) for name in _TEXTS)
    named = (_text(name, text)[1] for name, text in zip(_TEXTS, texts, strict=True) if text is not None)
    return [path for path in named if path is not None]


def _text(name: str, text: str) -> tuple[float | str, Path | None]:
    content, file = text_or_file(text, "--" + name.replace("_", "-"))
    try:
        return float(content), file
    except ValueError:
        return content, file


def _metres(name: str, text: str | None) -> float | None:
    if text is None:
        return None
    try:
        value = float(text)
    except ValueError:
        raise ValueError(f"--{name.replace('_', '-')} is {text!r:.60}; give metres, such as 2.5.") from None
    # NaN is refused by the camera, with the range.
    return math.inf if value == math.inf else value
