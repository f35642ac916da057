"""Scenes of every preset: depth order, normalisation, borders, focus, strength, determinism."""

import random
from functools import cache

import numpy as np
import pytest
import torch

from bokeh_lab.scenes.library import BUNDLED_FOLDER, AssetLibrary
from bokeh_lab.scenes.presets import PRESETS, STRENGTHS, make_scene
from bokeh_lab.scenes.scene import TRANSPARENT, Scene

FRAMES, HEIGHT, WIDTH = 7, 48, 80
SEEDS = range(16)


@cache
def scene_of(preset, seed):
    return make_scene(preset, seed, FRAMES, HEIGHT, WIDTH)


@cache
def layers_of(preset, seed, frame):
    return scene_of(preset, seed).layers(frame)


def numpy_state():
    return [
        part.tolist() if isinstance(part, np.ndarray) else part for part in np.random.get_state(legacy=True)
    ]


def every_layered_frame(preset):
    for seed in SEEDS:
        for frame in (0, FRAMES // 2, FRAMES - 1):
            yield layers_of(preset, seed, frame)


def middles(scene: Scene, plane):
    """Frame px [T, 2] of the middle of a plane's texture."""
    item = scene.planes[plane]
    height, width = item.texture.shape[-2:]
    middle = torch.tensor([(width - 1) / 2, (height - 1) / 2], dtype=torch.float64)
    inverse = torch.linalg.inv(item.placement[:, :, :2])
    return (inverse @ (middle - item.placement[:, :, 2])[:, :, None])[:, :, 0]


def middle_disparity(scene: Scene, plane):
    """[T], where the middle is outside the frame at the nearest place inside."""
    at = middles(scene, plane).clamp(min=0)
    at = torch.minimum(at, torch.tensor([WIDTH - 1.0, HEIGHT - 1.0], dtype=torch.float64))
    d_0, d_x, d_y = scene.planes[plane].disparity.T
    return d_0 + d_x * at[:, 0] + d_y * at[:, 1]


def scales(scene: Scene, plane):
    """Frame px per texture px [T]."""
    return torch.linalg.det(scene.planes[plane].placement[:, :, :2]).abs().rsqrt()


@pytest.mark.parametrize("preset", PRESETS)
def test_planes_never_cross_where_both_are_visible(preset):
    overlaps = 0
    for layers in every_layered_frame(preset):
        disparity = layers.disparity_maps()
        for near in range(len(disparity)):
            for far in range(near + 1, len(disparity)):
                both = (layers.alpha[near] > TRANSPARENT) & (layers.alpha[far] > TRANSPARENT)
                overlaps += int(both.any()) * (far < len(disparity) - 1)
                assert bool((disparity[near] > disparity[far])[both].all())
    assert overlaps > 10


@pytest.mark.parametrize("preset", PRESETS)
def test_the_background_covers_every_frame(preset):
    for layers in every_layered_frame(preset):
        assert float(layers.alpha[-1].min()) > 0.9999


@pytest.mark.parametrize("preset", PRESETS)
def test_visible_disparity_fills_zero_to_one_over_the_clip(preset):
    for seed in range(8):
        low, high = 1.0, 0.0
        for frame in range(FRAMES):
            layers = layers_of(preset, seed, frame)
            visible = layers.disparity_maps()[layers.alpha > TRANSPARENT]
            low, high = min(low, float(visible.min())), max(high, float(visible.max()))
        # Corners of hulls lie between pixels: what pixels see may fall short by a little, never exceed.
        assert -1e-5 <= low < 0.01
        assert 0.97 < high <= 1 + 1e-5


@pytest.mark.parametrize("preset", ["paper", "hard"])
def test_size_follows_disparity(preset):
    """Scale is proportional to 1 / z, which is disparity + c with one c for the whole scene."""
    checked = 0
    for seed in SEEDS:
        scene = scene_of(preset, seed)
        offsets = []
        for plane in range(len(scene.planes) - 1):
            d_0, d_x, d_y = scene.planes[plane].disparity.T
            at = middles(scene, plane)
            disparity, scale = d_0 + d_x * at[:, 0] + d_y * at[:, 1], scales(scene, plane)
            ratio = scale[-1] / scale[0]
            offsets.append((disparity[-1] - ratio * disparity[0]) / (ratio - 1))
            expected = scale[0] * (disparity + offsets[0]) / (disparity[0] + offsets[0])
            assert torch.allclose(scale, expected, rtol=1e-6)
        # 1 / z of the background is 0.005 to 0.01, that of the nearest object 0.2 to 2.
        assert 0.0025 < offsets[0] < 0.06
        checked += len(offsets) > 1
    assert checked > 8


def test_textures_are_seen_at_about_their_own_size():
    for preset in ("paper", "hard"):
        for seed in SEEDS:
            scene = scene_of(preset, seed)
            for plane in range(len(scene.planes)):
                assert float(scales(scene, plane).max()) <= 1.031
                assert float(scales(scene, plane).min()) > 0.4


def test_cutouts_take_half_to_four_fifths_of_the_frame():
    for seed in SEEDS:
        scene = scene_of("authors", seed)
        for item in scene.planes[:-1]:
            height, width = item.texture.shape[-2:]
            assert 0.5 - 0.5 / HEIGHT <= max(height / HEIGHT, width / WIDTH) <= 0.8 + 0.5 / HEIGHT


def test_one_to_four_objects_in_paper_and_most_of_them_inside_the_frame():
    counts, inside = set(), []
    for seed in SEEDS:
        scene = scene_of("paper", seed)
        counts.add(len(scene.planes) - 1)
        for plane in range(len(scene.planes) - 1):
            x, y = middles(scene, plane).T
            inside.append((x > 0) & (x < WIDTH) & (y > 0) & (y < HEIGHT))
    assert counts == {1, 2, 3, 4}
    assert float(torch.cat(inside).double().mean()) > 0.95


def test_some_planes_of_paper_are_slanted_and_some_backgrounds_come_near():
    slanted, grounds = 0, []
    for seed in SEEDS:
        scene = scene_of("paper", seed)
        slanted += any(float(item.disparity[:, 1:].abs().max()) > 0 for item in scene.planes[:-1])
        nearest = float(layers_of("paper", seed, 0).disparity_maps()[-1].max())
        if nearest > 0.1:
            grounds.append(nearest)
    assert slanted > len(SEEDS) / 3
    assert 2 <= len(grounds) <= len(SEEDS) / 2
    assert all(nearest < 0.75 for nearest in grounds)


def test_hard_moves_faster_than_paper():
    def mean_step(preset):
        steps = [
            middles(scene_of(preset, seed), plane).diff(dim=0).norm(dim=1).mean()
            for seed in SEEDS
            for plane in range(len(scene_of(preset, seed).planes) - 1)
        ]
        return float(torch.stack(steps).mean())

    assert mean_step("hard") > 2 * mean_step("paper")


def test_authors_walk_with_depths_drawn_anew_and_no_slant():
    for seed in SEEDS:
        scene = scene_of("authors", seed)
        for plane, item in enumerate(scene.planes):
            assert float(item.disparity[:, 1:].abs().max()) == 0
            assert len(set(item.disparity[:, 0].tolist())) == FRAMES
            assert float(scales(scene, plane).std()) < 1e-9
        for plane in range(len(scene.planes) - 1):
            step = middles(scene, plane).diff(dim=0).abs().max()
            assert float(step) <= 40 * WIDTH / 1024 + 1e-9


def test_focus_follows_a_plane_or_racks_linearly_between_two():
    racks = subjects_behind = 0
    for preset in PRESETS:
        for seed in SEEDS:
            scene = scene_of(preset, seed)
            focal = scene.focal_disparity.double()
            candidates = [middle_disparity(scene, plane) for plane in range(len(scene.planes))]
            followed = [p for p, d in enumerate(candidates) if torch.allclose(d, focal, atol=1e-6)]
            if followed:
                assert scene.subject in followed
                subjects_behind += scene.subject == len(scene.planes) - 1
                continue
            racks += 1
            assert float(focal.diff().diff().abs().max()) < 1e-6
            assert min(abs(float(d[0] - focal[0])) for d in candidates) < 1e-6
            assert min(abs(float(d[-1] - focal[-1])) for d in candidates) < 1e-6
            distance = (torch.stack(candidates) - focal).abs()
            wins = distance.argmin(0).bincount(minlength=len(candidates))
            assert int(wins[scene.subject]) == int(wins.max())
    total = len(PRESETS) * len(SEEDS)
    assert 0.2 * total < racks < 0.5 * total
    assert 0 < subjects_behind < 0.3 * total


def test_strength_is_stated_at_1024_px_and_scaled_to_the_frame():
    drawn = {float(scene_of("paper", seed).blur_strength_px[0]) * 1024 / WIDTH for seed in SEEDS}
    assert drawn == set(STRENGTHS) == {4, 8, 16, 32}
    for width in (64, 128):
        scene = make_scene("paper", 0, 2, 48, width, strengths=[24.0])
        assert scene.blur_strength_px.tolist() == [24 * width / 1024] * 2


def test_the_same_seed_gives_the_same_scene_and_leaves_global_randomness_alone():
    for preset in PRESETS:
        random.seed(1)
        np.random.seed(1)
        torch.manual_seed(1)
        states = random.getstate(), numpy_state(), torch.get_rng_state()
        first = make_scene(preset, 5, FRAMES, HEIGHT, WIDTH)
        assert random.getstate() == states[0]
        assert numpy_state() == states[1]
        assert torch.equal(torch.get_rng_state(), states[2])
        torch.manual_seed(2)
        again, other = (make_scene(preset, seed, FRAMES, HEIGHT, WIDTH) for seed in (5, 6))
        assert first.subject == again.subject
        assert torch.equal(first.focal_disparity, again.focal_disparity)
        assert torch.equal(first.blur_strength_px, again.blur_strength_px)
        for one, two in zip(first.planes, again.planes, strict=True):
            assert torch.equal(one.texture, two.texture)
            assert torch.equal(one.placement, two.placement)
            assert torch.equal(one.disparity, two.disparity)
        assert first.planes[0].texture.shape != other.planes[0].texture.shape or not torch.equal(
            first.planes[0].texture, other.planes[0].texture
        )


def test_presets_with_the_same_seed_are_different_scenes():
    shapes = {tuple(scene_of(preset, 0).planes[0].texture.shape) for preset in PRESETS}
    assert len(shapes) == len(PRESETS)


def test_layout_and_motion_do_not_depend_on_the_size():
    small, large = make_scene("paper", 9, FRAMES, 48, 80), make_scene("paper", 9, FRAMES, 96, 160)
    assert len(small.planes) == len(large.planes)
    for plane in range(len(small.planes) - 1):
        # Fractions of the frame, up to the half pixel between the centre of a pixel and its border.
        assert torch.allclose(middles(small, plane) * 2 + 0.5, middles(large, plane), atol=1e-6)


def test_the_library_given_is_the_one_used(monkeypatch):
    held_out = AssetLibrary.load(BUNDLED_FOLDER, split="held-out")
    used = []
    decode = held_out.picture

    def recorded(file):
        used.append(file)
        return decode(file)

    monkeypatch.setattr(held_out, "picture", recorded)
    make_scene("authors", 1, 2, HEIGHT, WIDTH, held_out)
    assert used
    assert {held_out.asset(file).split for file in used} == {"held-out"}


def test_a_library_without_pictures_is_refused():
    empty = AssetLibrary(BUNDLED_FOLDER, [])
    with pytest.raises(ValueError, match="holds no cutout"):
        make_scene("authors", 0, 2, HEIGHT, WIDTH, empty)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("plain", 0, 2, 48, 80), "preset is 'plain'; choose one of paper, authors, hard"),
        (("paper", 0, 0, 48, 80), "0 frames of 80 x 48"),
        (("paper", 0, 2, 8, 80), "80 x 8 px"),
    ],
)
def test_impossible_clips_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        make_scene(*arguments)


@pytest.mark.parametrize("strengths", [[], [-1.0], [float("nan")]])
def test_impossible_strengths_are_refused(strengths):
    with pytest.raises(ValueError, match="strengths is"):
        make_scene("paper", 0, 2, HEIGHT, WIDTH, strengths=strengths)
