"""The weight-free lens renderer: layers, slabs, lens kernels, compositing near to far."""

from ..transfer import GAMMA_OF_LIGHT
from .aperture import Aperture
from .controls import LENS_CONTROLS, MOVING_CONTROLS, lens_of_controls
from .frame_workers import Room
from .over_time import Lens, LensOverTime, at_width, lens_said
from .presets import PRESETS, with_preset
from .render import lens_blur
from .report import falloff_alone, lens_report, stated_numbers
from .settings import DEFAULT_LENS, LensSettings, contour_reach_px

__all__ = [
    "DEFAULT_LENS",
    "GAMMA_OF_LIGHT",
    "LENS_CONTROLS",
    "MOVING_CONTROLS",
    "PRESETS",
    "Aperture",
    "Lens",
    "LensOverTime",
    "LensSettings",
    "Room",
    "at_width",
    "contour_reach_px",
    "falloff_alone",
    "lens_blur",
    "lens_of_controls",
    "lens_report",
    "lens_said",
    "stated_numbers",
    "with_preset",
]
