"""A lens without any look is a round and even opening, to the last bit, whatever looks could be set on it."""

import math

import numpy as np
import pytest
import torch

from bokeh_core.lens import Aperture, LensSettings, lens_blur, lens_of_controls, through
from bokeh_core.lens.coverage import Shape, coverage_of

OFF = lens_of_controls(
    blades=0, anamorphic=1.0, cat_eye=0.0, swirl=0.0, ring=0.0, fringe=0.0, aperture_image=None
)


def disk_kernel(_aperture: Aperture, radius_px: float) -> np.ndarray:
    size_px = abs(radius_px)
    if size_px < 0.5:
        return np.ones((1, 1), np.float32)
    disk = Shape(lambda x, y: 1 - np.hypot(x, y))
    coverage = coverage_of([disk], math.ceil(size_px - 0.5), (size_px, size_px))
    return (coverage / coverage.sum()).astype(np.float32)


def test_looks_that_are_off_change_no_bit(monkeypatch: pytest.MonkeyPatch):
    random = torch.Generator().manual_seed(5)
    frame = torch.rand(1, 48, 64, 3, generator=random)
    disparity = torch.linspace(0, 1, 64).expand(1, 48, 64)
    given = (frame, disparity, torch.tensor([0.4]), torch.tensor([12.0]))
    off = lens_blur(*given, OFF, workers=1)
    # 0 and no other number is off.
    ring = lens_blur(*given, LensSettings(Aperture(ring=1e-3)), workers=1)
    monkeypatch.setattr(through, "lens_kernel", disk_kernel)
    assert torch.equal(off, lens_blur(*given, workers=1))
    assert not torch.equal(ring, off)
