"""Settings of the lens: as controls say them, at a frame's width, and by name in a call."""

import math
from typing import Any

import pytest
import torch

from bokeh_core.coc import Falloff
from bokeh_core.lens import (
    LENS_CONTROLS,
    PRESETS,
    Aperture,
    LensSettings,
    falloff_alone,
    lens_blur,
    lens_of_controls,
    lens_report,
    with_preset,
)
from bokeh_core.lens.controls import FALLOFF_CONTROLS, controls_of
from bokeh_core.lens.presets import CHARACTER

CONTROLS: dict[str, Any] = {
    "blades": 6,
    "rotation": 10.0,
    "roundness": 0.5,
    "anamorphic": 2.0,
    "cat_eye": 0.25,
    "swirl": 0.75,
    "ring": -0.5,
    "fringe": 0.0625,
    "light": "display",
    "highlight_gain": 3.0,
    "highlight_threshold": 0.4,
    "near_strength": 0.5,
    "far_strength": 1.5,
    "contour_tolerance": 0.5,
    "focus_range": 0.125,
    "largest_radius": 40.0,
    "grain": 0.75,
}


def test_every_control_sets_its_own_setting():
    assert list(CONTROLS) == list(LENS_CONTROLS)
    assert lens_of_controls(**CONTROLS) == LensSettings(
        aperture=Aperture(6, 10.0, 0.5, 2.0, cat_eye=0.25, swirl=0.75, ring=-0.5),
        fringe=0.0625,
        gamma=1.0,
        highlight_gain=3.0,
        highlight_threshold=0.4,
        near_strength=0.5,
        far_strength=1.5,
        contour_reach_px=0.5,
        focus_range=0.125,
        largest_radius_px=40.0,
        grain=0.75,
    )
    assert controls_of(lens_of_controls(**CONTROLS)) == CONTROLS


def test_controls_left_alone_are_the_default_lens():
    assert lens_of_controls() == lens_of_controls(**LENS_CONTROLS) == LensSettings()
    assert LENS_CONTROLS["light"] == "linear"
    assert LensSettings().gamma == 2.2
    assert controls_of(LensSettings()) == LENS_CONTROLS
    assert LensSettings().largest_radius_px == math.inf


@pytest.mark.parametrize(("tolerance_px", "width_px", "reach_px"), [(4, 1920, 8), (0.5, 64, 1), (0, 4096, 0)])
def test_only_lengths_in_pixels_are_turned_over(tolerance_px: float, width_px: int, reach_px: int):
    # 4 px at 1024 are 7.5 at 1920.
    lens = LensSettings(gamma=1.0, contour_reach_px=tolerance_px, focus_range=0.25, largest_radius_px=16)
    largest = {1920: 30.0, 64: 1.0, 4096: 64.0}[width_px]
    assert lens.at_width(width_px) == LensSettings(
        gamma=1.0, contour_reach_px=reach_px, focus_range=0.25, largest_radius_px=largest
    )


def test_a_largest_radius_lets_any_strength_through():
    strength = torch.tensor([150.0])
    with pytest.raises(ValueError, match="near_strength 2 times K of 150 px is 300 px"):
        LensSettings(near_strength=2.0).require_strength(strength, 1024)
    LensSettings(near_strength=2.0, largest_radius_px=200.0).require_strength(strength, 1024)
    with pytest.raises(ValueError, match="near_strength 2 times K of 150 px is 300 px"):
        LensSettings(near_strength=2.0, largest_radius_px=201.0).require_strength(strength, 1024)


class TestPresets:
    @pytest.mark.parametrize("preset", PRESETS)
    def test_a_preset_decides_on_the_character_alone(self, preset: str):
        filled = with_preset(preset, CONTROLS)
        assert set(PRESETS[preset]) <= set(CHARACTER)
        assert {name: filled[name] for name in CONTROLS if name not in CHARACTER} == {
            name: value for name, value in CONTROLS.items() if name not in CHARACTER
        }
        character = {**LENS_CONTROLS, **PRESETS[preset]}
        assert {name: filled[name] for name in CHARACTER} == {name: character[name] for name in CHARACTER}

    def test_no_two_are_alike(self):
        lenses = {name: lens_of_controls(**with_preset(name, {})) for name in PRESETS}
        assert len(set(lenses.values()) | {LensSettings()}) == len(PRESETS) + 1

    def test_another_name_is_refused(self):
        with pytest.raises(ValueError, match="There is no preset 'helios'; choose one of clean modern, soap"):
            with_preset("helios", {})


class TestWhatTheModelHonours:
    def test_the_falloff(self):
        lens = lens_of_controls(near_strength=0.5, far_strength=2.0, focus_range=0.1, largest_radius=30.0)
        assert falloff_alone(lens) == Falloff(0.1, 0.5, 2.0, 30.0)

    @pytest.mark.parametrize("name", [name for name in CONTROLS if name not in FALLOFF_CONTROLS])
    def test_all_else_is_refused_by_name(self, name: str):
        lens = lens_of_controls(**{name: CONTROLS[name], "near_strength": 0.5})
        with pytest.raises(ValueError, match=f"cannot honour {name} [^,]*\\. It honours near_strength, far"):
            falloff_alone(lens)


def test_the_report_names_what_was_changed():
    assert lens_report(LensSettings()) == "all at its default."
    lens = lens_of_controls(blades=6, light="display", cat_eye=0.25)
    assert lens_report(lens) == "blades 6, cat_eye 0.25, light display; all else at its default."


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
