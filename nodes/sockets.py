"""The pack's own socket types; each carries one CPU float32 or uint8 tensor.

DISPARITY      float32 [T, H, W] in [0, 1], 1 = nearest (inverse depth, normalised over the clip).
FOCUS          float32 [T] or [1], focal disparity in [0, 1]; one value serves the whole clip.
BLUR_STRENGTH  float32 [T] or [1], K >= 0: blur radius in px per unit of disparity from the focal
               plane, for a frame 1024 px wide (Eq. 1: r = K |d - d_f|).
MPI_REGIONS    uint8 [T, H, W], 0 = in focus ... n - 1 = farthest from the focal plane (Eq. 2).
"""

from comfy_api.latest import io

Disparity = io.Custom("DISPARITY")
Focus = io.Custom("FOCUS")
BlurStrength = io.Custom("BLUR_STRENGTH")
MPIRegions = io.Custom("MPI_REGIONS")

CATEGORY = "Any-to-Bokeh"
