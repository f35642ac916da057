"""The weight-free lens renderer: layers, slabs, lens kernels, compositing near to far."""

from .aperture import Aperture
from .light import GAMMA_OF_LIGHT
from .render import lens_blur
from .settings import DEFAULT_LENS, LENS_CONTROLS, LensSettings, contour_reach_px, lens_of_controls

__all__ = [
    "DEFAULT_LENS",
    "GAMMA_OF_LIGHT",
    "LENS_CONTROLS",
    "Aperture",
    "LensSettings",
    "contour_reach_px",
    "lens_blur",
    "lens_of_controls",
]
