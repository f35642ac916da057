"""The weight-free lens renderer: layers, slabs, lens kernels, compositing near to far."""

from .aperture import Aperture
from .render import contour_reach_px, lens_blur

__all__ = ["Aperture", "contour_reach_px", "lens_blur"]
