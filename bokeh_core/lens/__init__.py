"""The weight-free lens renderer: layers, slabs, lens kernels, compositing near to far."""

from .aperture import Aperture
from .light import GAMMA_OF_LIGHT, gamma_of
from .render import contour_reach_px, lens_blur, require_lens_settings, require_total_strength

__all__ = [
    "GAMMA_OF_LIGHT",
    "Aperture",
    "contour_reach_px",
    "gamma_of",
    "lens_blur",
    "require_lens_settings",
    "require_total_strength",
]
