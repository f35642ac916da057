"""The widgets of a lens, the same on every node that has them."""

from collections.abc import Mapping
from typing import Any

from comfy_api.latest import io

from ..bokeh_core.lens import (
    GAMMA_OF_LIGHT,
    LENS_CONTROLS,
    MOVING_CONTROLS,
    Lens,
    lens_said,
)
from ..bokeh_core.lens.bad_pixels import BAD_PIXELS, REFUSE
from ..bokeh_core.lens.settings import MOST_FRINGE
from ..bokeh_core.schedule.named import named_schedules
from ..bokeh_core.schedule.values import EASINGS
from ..bokeh_core.strength import MAX_STRENGTH
from ..bokeh_core.transfer import DISPLAY, TRANSFERS
from .newer_host import gradient_slider, known_fields


def opening_inputs() -> list[Any]:
    """The widgets that describe the lens opening."""
    return [
        io.Int.Input(
            "blades",
            default=LENS_CONTROLS["blades"],
            min=0,
            max=16,
            optional=True,
            tooltip="Aperture blades. 0 (default) is a round opening; 5 to 9 give polygons. 1 and 2 are not "
            "openings and are refused.",
        ),
        io.Float.Input(
            "rotation",
            default=LENS_CONTROLS["rotation"],
            min=-360.0,
            max=360.0,
            step=1.0,
            optional=True,
            tooltip="Turns the polygon, degrees anticlockwise. Default 0: one corner up. No effect on a "
            "round opening.",
        ),
        io.Float.Input(
            "roundness",
            default=LENS_CONTROLS["roundness"],
            min=0.0,
            max=1.0,
            step=0.05,
            optional=True,
            tooltip="0 (default) keeps the blades straight, 1 makes them a circle.",
        ),
        io.Float.Input(
            "anamorphic",
            default=LENS_CONTROLS["anamorphic"],
            min=0.25,
            max=4.0,
            step=0.05,
            optional=True,
            tooltip="Height over width of the blur, as of an anamorphic lens. 1 (default) is spherical; 2 "
            "gives tall ovals. The area stays the same.",
        ),
        io.Float.Input(
            "cat_eye",
            default=LENS_CONTROLS["cat_eye"],
            min=0.0,
            max=1.0,
            step=0.05,
            optional=True,
            tooltip="How much the barrel cuts the opening towards the corners. 0 (default) never; 1 gives "
            "slim almonds there. Brightness is kept. Takes two to four times as long.",
        ),
    ]


def character_inputs() -> list[Any]:
    """The widgets that give a lens its character."""
    return [
        io.Float.Input(
            "swirl",
            default=LENS_CONTROLS["swirl"],
            min=0.0,
            max=1.0,
            step=0.05,
            optional=True,
            tooltip="How much the blur stretches around the middle of the frame towards the corners. 0 "
            "(default) not at all; 1 makes it three times as long as wide there. Goes well with cat_eye. "
            "Takes about four times as long.",
        ),
        io.Float.Input(
            "ring",
            default=LENS_CONTROLS["ring"],
            min=-1.0,
            max=1.0,
            step=0.05,
            optional=True,
            tooltip="Where a disk of blur is bright, behind the focus: 1 on its rim, as a soap bubble; -1 in "
            "its middle, creamy; 0 (default) evenly. In front of the focus the other way round, as in a "
            "real lens.",
        ),
        io.Float.Input(
            "fringe",
            default=LENS_CONTROLS["fringe"],
            min=0.0,
            max=MOST_FRINGE,
            step=0.01,
            optional=True,
            tooltip="Disparity by which red and blue focus behind green: magenta rims in front of the focus, "
            "green ones behind it. Default 0; 0.02 to 0.05 looks like a fast old lens. Takes twice as long.",
        ),
    ]


def light_inputs() -> list[Any]:
    """The widgets that describe how light adds up."""
    return [
        io.Combo.Input(
            "light",
            options=list(GAMMA_OF_LIGHT),
            default=LENS_CONTROLS["light"],
            optional=True,
            tooltip="linear (default): light adds up as in a camera (gamma 2.2), bright points stay bright. "
            "display: pixel values are averaged as they are, softer and duller, as in the paper's data.",
        ),
        io.Float.Input(
            "highlight_gain",
            default=LENS_CONTROLS["highlight_gain"],
            min=0.0,
            max=20.0,
            step=0.1,
            optional=True,
            tooltip="Extra light for small highlights that are out of focus: 0 (default) none, 1 doubles "
            "white, more makes brighter bokeh balls. Too much flickers on specular surfaces.",
        ),
        io.Float.Input(
            "highlight_threshold",
            default=LENS_CONTROLS["highlight_threshold"],
            min=0.0,
            max=0.99,
            step=0.01,
            optional=True,
            tooltip="Brightness (0 to 1) above which a pixel is a highlight. Default 0.8.",
            **gradient_slider(0, 255),
        ),
    ]


def balance_inputs() -> list[Any]:
    """The widgets that weigh the blur in front of the focus against that behind it."""
    return [
        io.Float.Input(
            "near_strength",
            default=LENS_CONTROLS["near_strength"],
            min=0.0,
            max=4.0,
            step=0.05,
            optional=True,
            tooltip="Factor on the blur in front of the focus. Default 1; 0 keeps the foreground sharp.",
        ),
        io.Float.Input(
            "far_strength",
            default=LENS_CONTROLS["far_strength"],
            min=0.0,
            max=4.0,
            step=0.05,
            optional=True,
            tooltip="Factor on the blur behind the focus. Default 1; 0 keeps the background sharp.",
        ),
    ]


def contour_inputs() -> list[Any]:
    """The widget that says how far the depth map may be off the picture."""
    return [
        io.Float.Input(
            "contour_tolerance",
            default=LENS_CONTROLS["contour_tolerance"],
            min=0.0,
            max=12.0,
            step=0.5,
            optional=True,
            tooltip="How far the contours of the depth map may be off the picture's, in px on a frame 1024 "
            "px wide; within it the renderer follows the picture. Default 4 suits estimated depth. 0 trusts "
            "the map, best for rendered depth.",
            **known_fields(io.Float.Input, advanced=True),
        ),
    ]


def grain_inputs() -> list[Any]:
    """The widget that brings the noise of the footage back."""
    return [
        io.Float.Input(
            "grain",
            default=LENS_CONTROLS["grain"],
            min=0.0,
            max=1.0,
            step=0.05,
            optional=True,
            tooltip="How much of the footage's noise that the blur took comes back, as strong and as coarse "
            "as in the sharp frame. Default 0: blurred areas are clean. 1: all of it, so that they match the "
            "rest.",
        )
    ]


def limit_inputs() -> list[Any]:
    """The widgets that say where the blur begins and where it ends."""
    return [
        io.Float.Input(
            "focus_range",
            default=LENS_CONTROLS["focus_range"],
            min=0.0,
            max=1.0,
            step=0.01,
            optional=True,
            tooltip="Disparity over which all is sharp, half of it in front of the focus and half behind, so "
            "that a whole subject stays sharp. Default 0: only the focal plane; 0.1 to 0.2 holds a person.",
        ),
        io.Float.Input(
            "largest_radius",
            default=LENS_CONTROLS["largest_radius"],
            min=0.0,
            max=MAX_STRENGTH,
            step=0.5,
            optional=True,
            tooltip="What no blur radius exceeds, in px on a frame 1024 px wide. Default 200 limits nothing; "
            "10 to 20 keeps a far background readable and saves time.",
        ),
    ]


def over_time_inputs() -> list[Any]:
    """The widgets of numbers that move."""
    return [
        io.String.Input(
            "over_time",
            default="",
            multiline=True,
            optional=True,
            placeholder="near_strength: 0: 1, 24: 0.5",
            tooltip="Numbers that move, one a line: the widget's name, then keyframes 'frame: value', or a "
            "list of one value per frame. Empty (default): all stay. They win over widgets and preset. Not: "
            "blades, light, contour_tolerance.",
        ),
        io.Combo.Input(
            "easing",
            options=list(EASINGS),
            default="linear",
            optional=True,
            tooltip="Curve between the keyframes of over_time. linear (default) is even, smooth starts and "
            "ends gently, ease in only starts gently, ease out only ends gently, hold jumps.",
        ),
    ]


def numbers_inputs() -> list[Any]:
    """The widgets that say what the numbers of frames in memory are."""
    return [
        io.Combo.Input(
            "transfer",
            options=list(TRANSFERS),
            default=DISPLAY,
            optional=True,
            tooltip="How the numbers of the frames mean light. display (default): gamma 2.2, as pictures and "
            "video come. linear: light itself, as from OpenEXR, of any brightness. pq, hlg: HDR video whose "
            "numbers were not converted. Light beyond white is kept in all of them.",
            **known_fields(io.Combo.Input, advanced=True),
        ),
        io.Combo.Input(
            "bad_pixels",
            options=list(BAD_PIXELS),
            default=REFUSE,
            optional=True,
            tooltip="Pixels that are NaN, infinite or beyond 1e6, as renderers leave them. refuse "
            "(default): an error that says where. replace: filled from around them, and told in the report.",
            **known_fields(io.Combo.Input, advanced=True),
        ),
    ]


def lens_of_widgets(
    controls: Mapping[str, Any], over_time: str, easing: str, aperture_image: Any = None
) -> Lens:
    """The lens that widgets say, stated for frames 1024 px wide.

    Raises:
        ValueError: one is out of range, or over_time cannot be read.
    """
    schedules = named_schedules(over_time, MOVING_CONTROLS)
    return lens_said({**controls, "aperture_image": aperture_image}, schedules, easing)
