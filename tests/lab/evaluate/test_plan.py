"""What is measured, and keys that differ when anything does that decides a result."""

from dataclasses import replace

import pytest

from bokeh_lab.evaluate.clip_plan import ClipPlan, plan_clips
from bokeh_lab.evaluate.plan import Bench, Unit, make_plan
from bokeh_lab.evaluate.selection import find_renderers
from bokeh_lab.peers import RENDERERS

CLIP = ClipPlan("paper", 3, 2, 48, 64, split="all")


def one(
    clip: ClipPlan = CLIP, spec: str = "gather", perturbation: str = "none", bench: Bench | None = None
) -> Unit:
    """The last unit of a plan with one clip and one renderer."""
    return make_plan([clip], [spec], tuple(dict.fromkeys(("none", perturbation))), bench or Bench()).units[-1]


def test_clips_take_seeds_and_strengths_in_turn():
    clips = plan_clips("hard", 5, "640x360", 25, seed_from=100, strengths=(4, 8), gamma=2.2)
    assert [clip.seed for clip in clips] == [100, 101, 102, 103, 104]
    assert [clip.strength for clip in clips] == [4, 8, 4, 8, 4]
    assert {(clip.width, clip.height, clip.num_frames, clip.gamma, clip.preset) for clip in clips} == {
        (640, 360, 25, 2.2, "hard")
    }
    assert [clip.strength for clip in plan_clips("paper", 2, "640x360", 1)] == [None, None]


@pytest.mark.parametrize(
    ("arguments", "more", "message"),
    [
        (("paper", 1, "640", 1), {}, "The size is '640'; write width x height"),
        (("paper", 1, "640x8", 1), {}, "each side must be 16 px or more"),
        (("paper", 0, "640x360", 1), {}, "0 clips of 1 frames"),
        (("paper", 1, "640x360", 0), {}, "1 clips of 0 frames"),
        (("paper", 1, "640x360", 1), {"seed_from": -1}, "The first seed is -1"),
        (("paper", 1, "640x360", 1), {"strengths": (4, -8)}, "A strength is -8; each must be 0 to 200 px"),
        (("paper", 1, "640x360", 1), {"gamma": float("nan")}, "The gamma is nan; it must be above 0"),
        (("paper", 1, "640x360", 1), {"gamma": 0.0}, "The gamma is 0; it must be above 0"),
        (("paper", 1, "640x360", 1), {"rays_across": 0}, "--rays-across is 0; it must be 1 to 1001"),
        (("paper", 1, "99999x99999", 1), {}, "each side must be 16384 px or less"),
        (("paper", 1, "9" * 5000 + "x1", 1), {}, "write width x height"),
        (("paper", 10**12, "640x360", 1), {}, "there must be 1 to 100000 of each"),
        (("paper", 1, "640x360", 1), {"strengths": (float("nan"),)}, "A strength is nan"),
    ],
)
def test_arguments_out_of_range(arguments, more, message):
    with pytest.raises(ValueError, match=message):
        plan_clips(*arguments, **more)


def test_units_pair_clips_renderers_and_perturbations():
    clips = [CLIP, replace(CLIP, seed=4)]
    plan = make_plan(clips, ["true_layers", "gather", "deeplens"], ("none", "blur"), Bench())
    assert [(unit.clip.seed, unit.renderer, unit.perturbation) for unit in plan.units] == [
        (3, "true_layers", "none"),
        (3, "gather", "none"),
        (3, "gather", "blur"),
        (4, "true_layers", "none"),
        (4, "gather", "none"),
        (4, "gather", "blur"),
    ]
    assert list(plan.renderers) == ["true_layers", "gather", "deeplens"]
    assert plan.missing.keys() == {"deeplens"}
    assert plan.missing["deeplens"].startswith("no weights")
    assert len({unit.key for unit in plan.units}) == len(plan.units)


def test_keys_are_the_same_again():
    assert one() == one()


@pytest.mark.parametrize(
    "change",
    [
        {"preset": "hard"},
        {"seed": 4},
        {"num_frames": 3},
        {"height": 50},
        {"width": 66},
        {"gamma": 2.2},
        {"strength": 8.0},
        {"rays_across": 31},
        {"split": "held-out"},
    ],
)
def test_every_setting_of_a_clip_changes_both_keys(change):
    changed = one(replace(CLIP, **change))
    assert changed.clip_key != one().clip_key
    assert changed.key != one().key


def test_what_is_no_setting_of_the_clip_changes_the_result_alone(tmp_path):
    others = [
        one(spec="identity"),
        one(perturbation="blur"),
        one(perturbation="erode"),
        one(bench=Bench(device="cuda")),
        one(bench=Bench(allow_download=True)),
        one(bench=Bench(weights=tmp_path)),
    ]
    assert {unit.clip_key for unit in others} == {one().clip_key}
    assert len({unit.key for unit in [one(), *others]}) == 7


def test_weights_that_arrive_change_the_key(tmp_path):
    before = one(bench=Bench(weights=tmp_path))
    (tmp_path / "network.pth").write_bytes(b"weights")
    assert one(bench=Bench(weights=tmp_path)).key != before.key


def test_own_renderer_changes_the_key_with_its_text(tmp_path):
    keys = set()
    for name, factor in (("a", 0.9), ("b", 0.8)):
        folder = tmp_path / name
        folder.mkdir()
        (folder / "own.py").write_text(f"def darker(task):\n    return task.frames * {factor}\n")
        unit = one(spec=f"{folder / 'own.py'}:darker")
        assert unit.renderer == "own_darker"
        keys.add(unit.key)
    assert len(keys) == 2


def test_all_means_the_sanity_rows_and_every_peer():
    assert list(find_renderers(["all"])) == ["ground_truth", "another_grid", *(r.name for r in RENDERERS)]
    assert list(find_renderers(["gather", "identity", "gather"])) == ["gather", "identity"]


def test_names_that_do_not_exist_or_twice(tmp_path):
    with pytest.raises(ValueError, match="no renderer 'magic'"):
        find_renderers(["magic"])
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "own.py").write_text("def render(task):\n    return task.frames\n")
    with pytest.raises(ValueError, match=r"is named 'own_render', as .* is; rename it"):
        find_renderers([f"{tmp_path / folder / 'own.py'}:render" for folder in ("a", "b")])


def test_a_missing_library_is_named(tmp_path):
    with pytest.raises(ValueError, match=str(tmp_path / "none")):
        one(replace(CLIP, library=tmp_path / "none"))
