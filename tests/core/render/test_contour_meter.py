"""Maps pass the meter of outlines as they are, each counted once."""

from typing import Any

import pytest
import torch
from torch import Tensor

from bokeh_core.lens import LensSettings
from bokeh_core.render.contour_meter import ContourMeter
from bokeh_core.render.renderers import LensRenderer


def crisp_maps(count: int) -> Tensor:
    maps = torch.full((count, 24, 32), 0.2)
    maps[:, 6:18, 10:20] = 0.8
    return maps


@pytest.mark.parametrize("reach_px", [0.0, 4.0])
def test_maps_pass_as_they_are_and_the_report_tells_of_them(reach_px: float):
    renderer = LensRenderer(LensSettings(contour_reach_px=reach_px))
    # 4 px at 1024 px width are 1 px at 256, too little for outlines: those begin with frame 8.
    strength = torch.tensor([4.0] * 8 + [160.0] * 4)
    meter, maps = ContourMeter(renderer, strength, 256), crisp_maps(12)

    for start in (8, 0):
        passed = list(meter.watch(iter(maps[start:]), start))
        assert torch.equal(torch.stack(passed), maps[start:])

    assert meter.report().startswith("Outlines of the disparity are crisp")


def test_only_lens_blur_tells_of_outlines():
    other: Any = object()
    meter = ContourMeter(other, torch.tensor([160.0]), 256)
    list(meter.watch(iter(crisp_maps(1)), 0))
    assert meter.report() == ""
