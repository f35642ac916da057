"""The weight-free lens renderer: layers, slabs, lens kernels, compositing near to far."""

from .aperture import Aperture
from .controls import LENS_CONTROLS, falloff_alone, lens_of_controls, lens_report
from .light import GAMMA_OF_LIGHT
from .presets import PRESETS, with_preset
from .render import lens_blur
from .settings import DEFAULT_LENS, LensSettings, contour_reach_px

__all__ = [
    "DEFAULT_LENS",
    "GAMMA_OF_LIGHT",
    "LENS_CONTROLS",
    "PRESETS",
    "Aperture",
    "LensSettings",
    "contour_reach_px",
    "falloff_alone",
    "lens_blur",
    "lens_of_controls",
    "lens_report",
    "with_preset",
]
