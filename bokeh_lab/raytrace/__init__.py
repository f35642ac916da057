"""Ray-traced lens blur of layered scenes: the ground truth (paper appendix A, Eq. 6)."""

from .grid import PUBLISHED_RAYS_ACROSS, greatest_radius_px, lens_points, sufficient_rays_across
from .planes import OPAQUE
from .trace import ray_trace, sharp_frame, visible_disparity

__all__ = [
    "OPAQUE",
    "PUBLISHED_RAYS_ACROSS",
    "greatest_radius_px",
    "lens_points",
    "ray_trace",
    "sharp_frame",
    "sufficient_rays_across",
    "visible_disparity",
]
