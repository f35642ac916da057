"""The paper's table, as published: another test set and another machine than anything measured here."""

PUBLISHED_COLUMNS = ("FD", "RM", "VFID-I", "FVD", "SSIM", "PSNR", "s a frame")

PUBLISHED: dict[str, tuple[float, ...]] = {
    "DeepLens": (1.162, 0.030, 16.042, 125.338, 0.819, 24.574, 0.226),
    "BokehMe": (0.536, 0.013, 8.633, 39.102, 0.936, 27.992, 0.103),
    "Dr.Bokeh": (0.522, 0.011, 6.097, 32.710, 0.950, 31.273, 2.729),
    "MPIB": (0.481, 0.011, 5.444, 35.766, 0.950, 31.390, 0.521),
    "Any-to-Bokeh": (0.431, 0.007, 1.479, 9.005, 0.974, 38.899, 0.363),
}
"""Rows of the paper's Tab. 1, on its own 200 clips of 25 frames at 1024 x 576; the GPU is not stated."""
