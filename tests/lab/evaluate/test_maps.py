"""Maps that renderers are given: disturbed, refined, and measured once."""

from pathlib import Path

import pytest
import torch

from bokeh_lab.evaluate.__main__ import main, parse, plan_of
from bokeh_lab.evaluate.maps import ClipMaps, map_numbers
from bokeh_lab.evaluate.perturb import base_of, is_refined, perturb, with_refined
from bokeh_lab.ground_truth import GroundTruthClip
from bokeh_lab.metrics import Missing

from .conftest import tiny


def truth(count: int = 3) -> GroundTruthClip:
    """A square at 0.6 before a wall at 0.2, in a textured picture that stands still."""
    picture = torch.rand((24, 32, 3), generator=torch.Generator().manual_seed(0))
    disparity = torch.full((count, 24, 32), 0.2)
    disparity[:, 6:18, 8:24] = 0.6
    return GroundTruthClip(
        picture.expand(count, -1, -1, -1),
        disparity,
        torch.full((count,), 0.6),
        torch.full((count,), 4.0),
        1.0,
        picture.expand(count, -1, -1, -1),
        disparity == 0.6,
        torch.ones((count, 24, 32), dtype=torch.bool),
    )


def test_names():
    assert with_refined(("none", "flicker")) == ("none", "flicker", "none+refined", "flicker+refined")
    assert is_refined("none+refined") and not is_refined("none")
    assert base_of("flicker+refined") == base_of("flicker") == "flicker"


def test_clean_maps_are_the_truth_and_are_made_once():
    clip = truth()
    maps = ClipMaps(clip, 0)
    given = maps.under("none")
    assert given.disparity is clip.disparity and given.focal_disparity is clip.focal_disparity
    assert given.values == {"map_error": 0.0, "opw": pytest.approx(0, abs=1e-6)}
    assert maps.under("none") is given


def test_the_focus_follows_faults_over_time_and_no_others():
    clip = truth()
    flickering = ClipMaps(clip, 1).under("flicker")
    assert torch.equal(flickering.disparity, perturb(clip.disparity, "flicker", 1))
    torch.testing.assert_close(flickering.focal_disparity, flickering.disparity[:, 12, 16])
    eroded = ClipMaps(clip, 1).under("erode")
    assert eroded.focal_disparity is clip.focal_disparity


def test_refined_maps_come_from_the_disturbed_ones(monkeypatch: pytest.MonkeyPatch):
    clip = truth()
    asked = []

    def refine(frames: torch.Tensor, disparity: torch.Tensor) -> torch.Tensor:
        asked.append((frames, disparity))
        return disparity * 0.5

    monkeypatch.setattr("bokeh_core.disparity.refine.refine_disparity", refine)
    given = ClipMaps(clip, 1).under("flicker+refined")
    disturbed = perturb(clip.disparity, "flicker", 1)
    assert asked[0][0] is clip.frames and torch.equal(asked[0][1], disturbed)
    assert torch.equal(given.disparity, disturbed * 0.5)
    torch.testing.assert_close(given.focal_disparity, given.disparity[:, 12, 16])


def test_numbers_only():
    assert map_numbers({"a": 1.0, "b": Missing("why")}) == {"a": 1.0}


def test_the_command_line_measures_raw_and_refined(tmp_path: Path):
    argv = tiny(
        tmp_path, "--renderers", "identity", "--perturb", "flicker", "--refine", "--no-videos", "--no-plot"
    )
    plan = plan_of(parse(argv))
    assert plan.perturbations == ("none", "flicker", "none+refined", "flicker+refined")
    assert len({unit.key for unit in plan.units}) == 8
    assert main(argv) == 0
    table = (tmp_path / "table.md").read_text(encoding="utf-8")
    assert "| Identity, refined |" in table and "| flicker, refined |" in table
    assert "the focus is measured on the subject in the map at hand" in table
