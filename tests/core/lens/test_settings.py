"""Settings of the lens: as controls say them, at a frame's width, and by name in a call."""

from typing import Any

import pytest
import torch

from bokeh_core.lens import LENS_CONTROLS, Aperture, LensSettings, lens_blur, lens_of_controls

CONTROLS: dict[str, Any] = {
    "blades": 6,
    "rotation": 10.0,
    "roundness": 0.5,
    "anamorphic": 2.0,
    "cat_eye": 0.25,
    "light": "display",
    "highlight_gain": 3.0,
    "highlight_threshold": 0.4,
    "near_strength": 0.5,
    "far_strength": 1.5,
    "contour_tolerance": 0.5,
}


def test_every_control_sets_its_own_setting():
    assert list(CONTROLS) == list(LENS_CONTROLS)
    assert lens_of_controls(**CONTROLS) == LensSettings(
        aperture=Aperture(blades=6, rotation_deg=10.0, roundness=0.5, anamorphic_ratio=2.0, cat_eye=0.25),
        gamma=1.0,
        highlight_gain=3.0,
        highlight_threshold=0.4,
        near_strength=0.5,
        far_strength=1.5,
        contour_reach_px=0.5,
    )


def test_controls_left_alone_are_the_default_lens():
    assert lens_of_controls() == lens_of_controls(**LENS_CONTROLS) == LensSettings()
    assert LENS_CONTROLS["light"] == "linear"
    assert LensSettings().gamma == 2.2


@pytest.mark.parametrize(("tolerance_px", "width_px", "reach_px"), [(4, 1920, 8), (0.5, 64, 1), (0, 4096, 0)])
def test_only_the_contour_reach_is_turned_over(tolerance_px: float, width_px: int, reach_px: int):
    # 4 px at 1024 are 7.5 at 1920.
    lens = LensSettings(gamma=1.0, contour_reach_px=tolerance_px)
    assert lens.at_width(width_px) == LensSettings(gamma=1.0, contour_reach_px=reach_px)


def test_settings_by_name_stand_in_place_of_those_of_the_lens():
    generator = torch.Generator().manual_seed(0)
    given = (
        torch.rand(1, 12, 16, 3, generator=generator),
        torch.rand(1, 12, 16, generator=generator),
        torch.tensor([0.5]),
        torch.tensor([6.0]),
    )
    lens = LensSettings(near_strength=0.0, gamma=1.0)
    whole = lens_blur(*given, LensSettings(near_strength=2.0, gamma=1.0))
    assert torch.equal(lens_blur(*given, lens, near_strength=2.0), whole)
    assert not torch.equal(lens_blur(*given, lens), whole)
    with pytest.raises(TypeError, match="gama"):
        lens_blur(*given, gama=1.0)
