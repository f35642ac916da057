"""The node that states a camera in millimetres and metres: Camera."""

import math
from typing import Any

from comfy_api.latest import io

from ..bokeh_core.camera import SENSORS, Camera
from ..bokeh_core.camera.camera import (
    DEFAULT_F_NUMBER,
    DEFAULT_FOCAL_LENGTH_MM,
    DEFAULT_FOCUS_DISTANCE_M,
    LEAST_F_NUMBER,
    LEAST_FOCAL_LENGTH_MM,
    MOST_F_NUMBER,
    MOST_FOCAL_LENGTH_MM,
    MOVING_NUMBERS,
)
from ..bokeh_core.camera.sensors import LEAST_WIDTH_MM, MOST_WIDTH_MM
from ..bokeh_core.clip.checks import checked_maps
from ..bokeh_core.schedule.named import late_notes, named_schedules
from ..bokeh_core.schedule.values import EASINGS
from . import categories, sockets
from .newer_host import known_fields
from .number_plots import plot_of, plot_output

CUSTOM = "custom"
_MOST_METRES = 100_000.0


class ThinLensCamera(io.ComfyNode):
    """Millimetres and metres -> BLUR_STRENGTH and FOCUS."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="AnyToBokehCamera",
            display_name="Camera (f-stop, mm)",
            category=categories.RENDER,
            description="States a camera in millimetres and metres; the blur is then exactly that of a thin "
            "lens, frame by frame as focus and zoom move.",
            inputs=[
                io.Combo.Input(
                    "sensor",
                    options=[*SENSORS, CUSTOM],
                    default=next(iter(SENSORS)),
                    tooltip="What the width of the frame shows: the whole width of that sensor or film. full "
                    "frame (default) is 36 mm wide, Super 35 24.89 mm. custom: sensor_width. Smaller sensors "
                    "blur more at the same focal length, and see less.",
                ),
                io.Float.Input(
                    "sensor_width",
                    default=36.0,
                    min=LEAST_WIDTH_MM,
                    max=MOST_WIDTH_MM,
                    step=0.01,
                    round=False,
                    tooltip="Width in mm that the frame shows, for the sensor custom; a crop for video is "
                    "narrower than the sensor. Default 36.",
                ),
                io.Float.Input(
                    "focal_length",
                    default=DEFAULT_FOCAL_LENGTH_MM,
                    min=LEAST_FOCAL_LENGTH_MM,
                    max=MOST_FOCAL_LENGTH_MM,
                    step=1.0,
                    round=False,
                    tooltip="Focal length in mm, the real one, not the equivalent for full frame. Default "
                    "50. Blur grows with its square. Not used where intrinsics are connected.",
                ),
                io.Float.Input(
                    "f_number",
                    default=DEFAULT_F_NUMBER,
                    min=LEAST_F_NUMBER,
                    max=MOST_F_NUMBER,
                    step=0.1,
                    round=False,
                    tooltip="Aperture: 1.4 is wide open and blurs twice as much as 2.8 (default); 16 leaves "
                    "little blur.",
                ),
                io.Float.Input(
                    "near_distance",
                    default=1.0,
                    min=0.0,
                    max=_MOST_METRES,
                    step=0.1,
                    round=False,
                    tooltip="Metres from the lens where the disparity is 1, the nearest point of the clip. "
                    "Default 1. From Disparity from Geometry, from Load Depth of metric depth, or as you "
                    "judge.",
                ),
                io.Float.Input(
                    "far_distance",
                    default=0.0,
                    min=0.0,
                    max=_MOST_METRES,
                    step=1.0,
                    round=False,
                    tooltip="Metres where the disparity is 0, the farthest point. 0 (default) = infinitely "
                    "far, as sky. From the same node as near_distance.",
                ),
                io.Float.Input(
                    "focus_distance",
                    default=DEFAULT_FOCUS_DISTANCE_M,
                    min=0.0,
                    max=_MOST_METRES,
                    step=0.1,
                    round=False,
                    optional=True,
                    tooltip="Metres from the lens that are sharp, within near_distance to far_distance; 0 = "
                    "infinity. Default 2. Not used where focus is connected.",
                ),
                sockets.Focus.Input(
                    "focus",
                    optional=True,
                    tooltip="Where the lens is focused, from the Viewfinder or a Focus node, in place of "
                    "focus_distance; its distance follows from near_distance and far_distance.",
                ),
                sockets.Intrinsics.Input(
                    "intrinsics",
                    optional=True,
                    tooltip="The camera's matrix from Disparity from Geometry: with the sensor's width it "
                    "gives the focal length of every frame, in place of focal_length.",
                ),
                io.Boolean.Input(
                    "breathing",
                    default=False,
                    optional=True,
                    tooltip="The picture grows as the focus comes nearer, as with lenses that are not "
                    "corrected for it. Lens Blur and Any-to-Bokeh Video then magnify the blurred frames "
                    "about their middle. Default off.",
                ),
                io.String.Input(
                    "over_time",
                    default="",
                    multiline=True,
                    optional=True,
                    placeholder="focal_length: 0: 35, 48: 85\nf_number: 0: 2.8, 48: 1.4",
                    tooltip="Numbers that move, one a line: focal_length, f_number or focus_distance, then "
                    "keyframes 'frame: value', or a list of one value per frame. Empty (default): all stay. "
                    "They win over the widgets, but not over focus and intrinsics.",
                ),
                io.Combo.Input(
                    "easing",
                    options=list(EASINGS),
                    default="linear",
                    optional=True,
                    tooltip="Curve between the keyframes of over_time. linear (default) is even, smooth "
                    "starts and ends gently, ease in only starts gently, ease out only ends gently, hold "
                    "jumps.",
                ),
                sockets.Disparity.Input(
                    "disparity",
                    optional=True,
                    tooltip="Gives the number of frames, which keyframes need. Not connected: that of focus "
                    "or intrinsics, else one value for the whole clip.",
                ),
            ],
            outputs=[
                sockets.BlurStrength.Output(
                    display_name="blur_strength",
                    tooltip="K of every frame, so that each radius is the thin lens's.",
                ),
                sockets.Focus.Output(
                    display_name="focus",
                    tooltip="Where the lens is focused: the one connected, or the distance's.",
                ),
                io.String.Output(
                    display_name="report",
                    tooltip="The camera and its K in words, and keyframes past the end.",
                ),
                plot_output("Focal length, f-number, focus distance and K"),
            ],
            **known_fields(
                io.Schema,
                search_aliases=[
                    "focal length",
                    "f-number",
                    "aperture",
                    "sensor",
                    "millimetres",
                    "focus breathing",
                    "zoom",
                    "thin lens",
                ],
            ),
        )

    @classmethod
    def execute(
        cls,
        sensor: str = next(iter(SENSORS)),
        sensor_width: float = 36.0,
        focal_length: float = DEFAULT_FOCAL_LENGTH_MM,
        f_number: float = DEFAULT_F_NUMBER,
        near_distance: float = 1.0,
        far_distance: float = 0.0,
        focus_distance: float = DEFAULT_FOCUS_DISTANCE_M,
        focus: Any = None,
        intrinsics: Any = None,
        breathing: bool = False,
        over_time: str = "",
        easing: str = "linear",
        disparity: Any = None,
    ) -> io.NodeOutput:
        if near_distance == 0:
            raise ValueError(
                "near_distance is 0: this depth does not say distances; type the metres where the disparity "
                "is 1, and far_distance where it is 0."
            )
        schedules = named_schedules(over_time, MOVING_NUMBERS)
        numbers: dict[str, Any] = {
            "focal_length": focal_length,
            "f_number": f_number,
            "focus_distance": focus_distance or math.inf,
            **schedules,
        }
        width = sensor_width if sensor == CUSTOM else SENSORS[sensor]
        camera = Camera(width, **numbers, breathing=breathing, easing=easing)
        focal = None if focus is None else sockets.focal_disparity_of(focus)
        lengths = [len(values) for values in (focal, intrinsics) if values is not None]
        count = max(lengths, default=1) if disparity is None else len(checked_maps(disparity))
        if count == 1 and disparity is None and schedules:
            raise ValueError("Numbers over time need the length of the clip; connect the disparity.")
        path = camera.along(
            count,
            near_distance,
            far_distance or math.inf,
            focal,
            intrinsics,
        )
        return io.NodeOutput(
            sockets.blur_strength_of(path),
            sockets.FocusPull(path.focal_disparity, sockets.focus_points_of(focus)),
            "\n".join([path.report, *late_notes(schedules, count)]),
            plot_of(path.numbers),
        )
