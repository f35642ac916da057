"""Samples are decided by their number; shards hold the same clips; nobody gets a clip twice."""

import tarfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from bokeh_lab.ground_truth import GroundTruthClip
from bokeh_lab.train.config import DataConfig
from bokeh_lab.train.config_file import build
from bokeh_lab.train.disparity_noise import DisparityNoise
from bokeh_lab.train.faults_over_time import FaultsOverTime
from bokeh_lab.train.loader import batches
from bokeh_lab.train.samples import RenderedScenes, Sample, Samples, batch_indices, training_scene
from bokeh_lab.train.shards import DESCRIPTION, ShardedScenes, shard_name, write_shards


@pytest.fixture
def data(tiny_run: dict[str, Any]) -> DataConfig:
    return build(DataConfig, tiny_run["data"], "data")


class NumberedScenes:
    """Frame t of scene s is s + t / 10 at (0, 0), and grows to the right and downwards."""

    def clip(self, scene: int, start: int, stop: int) -> GroundTruthClip:
        count = stop - start
        grey = (scene + torch.arange(start, stop) / 10)[:, None, None]
        y, x = torch.meshgrid(torch.arange(64.0), torch.arange(128.0), indexing="ij")
        grey = grey + x * 1e-3 + y * 1e-6
        frames = grey[..., None].expand(-1, -1, -1, 3)
        mask = torch.zeros(count, 64, 128, dtype=torch.bool)
        return GroundTruthClip(
            frames, grey, torch.full((count,), 0.5), torch.ones(count), 1.0, frames + 100, mask, mask
        )


def equal(a: Sample, b: Sample) -> bool:
    return all(torch.equal(value, getattr(b, name)) for name, value in vars(a).items())


def test_a_sample_is_decided_by_its_number(data: DataConfig):
    noise = DisparityNoise(probability=1.0)
    first, again, other_seed = (Samples(RenderedScenes(data, seed), data, noise, seed) for seed in (0, 0, 1))
    later = first.sample(5, 2)
    first.sample(0, 2)
    assert equal(first.sample(5, 2), again.sample(5, 2))
    assert equal(first.sample(5, 2), later)
    assert not torch.equal(later.frames, first.sample(6, 2).frames)
    assert not torch.equal(later.frames, other_seed.sample(5, 2).frames)
    assert later.frames.shape == later.bokeh.shape == (2, 3, 64, 64)
    assert later.disparity.shape == (2, 64, 64)


def test_every_scene_once_a_round_and_every_round_in_another_order():
    data = DataConfig(scenes=20, scene_frames=4)
    samples = Samples(NumberedScenes(), data, None, 0)
    rounds = [[samples.scene_number(turn * 20 + place) for place in range(20)] for turn in range(3)]
    assert all(sorted(numbers) == list(range(20)) for numbers in rounds)
    assert rounds[0] != rounds[1] != rounds[2]
    endless = Samples(NumberedScenes(), replace(data, scenes=None), None, 0)
    assert [endless.scene_number(n) for n in (0, 7, 10**6)] == [0, 7, 10**6]


def test_crops_flips_and_frames_stay_together():
    data = DataConfig(size=(128, 64), crop=(64, 64), scene_frames=9, scenes=4)
    samples = Samples(NumberedScenes(), data, None, 0)
    flipped, starts = set(), set()
    for index in range(24):
        sample = samples.sample(index, 3)
        assert sample.frames.shape == (3, 3, 64, 64)
        assert torch.equal(sample.frames[:, 0], sample.disparity)
        assert torch.allclose(sample.bokeh, sample.frames + 100, atol=1e-4)
        # Consecutive frames: 0.1 apart.
        assert torch.allclose(sample.frames[1:] - sample.frames[:-1], torch.tensor(0.1), atol=1e-5)
        step = float(sample.frames[0, 0, 0, 1] - sample.frames[0, 0, 0, 0])
        assert abs(step) == pytest.approx(1e-3, rel=0.1)
        flipped.add(step < 0)
        starts.add(round(float(sample.frames[0].min()) % 1, 1))
    assert flipped == {True, False}
    assert len(starts) > 3


def test_batches_share_out_the_samples():
    seen = [
        index
        for number in range(3)
        for rank in range(2)
        for index in batch_indices(number, rank, num_ranks=2, batch=4)
    ]
    assert seen == list(range(24))
    # One device with two batches of 4 a step takes what one batch of 8 would be.
    assert batch_indices(2, 0, 1, 4) + batch_indices(3, 0, 1, 4) == batch_indices(1, 0, 1, 8)


@pytest.mark.parametrize("start", [0, 2])
def test_loader_begins_where_it_is_told(start: int):
    data = DataConfig(size=(128, 64), scene_frames=9, scenes=4, frames=(2, 5))
    samples = Samples(NumberedScenes(), data, None, 0)
    with batches(samples, batch=2, start=start, stop=5) as incoming:
        found = list(incoming)
    expected = [samples.batch(number, [2 * number, 2 * number + 1]) for number in range(start, 5)]
    assert len(found) == 5 - start
    assert all(equal(a, b) for a, b in zip(found, expected, strict=True))
    lengths = {samples.frames_in_batch(number) for number in range(60)}
    assert lengths == {2, 3, 4, 5}


def test_loader_raises_what_its_thread_met_and_can_be_left_early():
    class Broken:
        def clip(self, scene: int, start: int, stop: int) -> GroundTruthClip:
            raise ValueError("no such picture")

    data = DataConfig(scenes=4)
    with (
        batches(Samples(Broken(), data, None, 0), batch=1, start=0, stop=9) as incoming,
        pytest.raises(ValueError, match="no such picture"),
    ):
        next(incoming)
    samples = Samples(NumberedScenes(), DataConfig(size=(128, 64), scenes=4), None, 0)
    with batches(samples, batch=1, start=0, stop=9) as incoming:
        next(incoming)


def test_strengths_are_those_of_training(data: DataConfig):
    constant = replace(data, ramp_probability=0.0, strengths=(16.0, 32.0))
    # K is stated for 1024 px; these frames are 64 px wide.
    found = {tuple(training_scene(constant, 0, n).blur_strength_px.tolist()) for n in range(8)}
    assert found == {(1.0,) * 3, (2.0,) * 3}
    ramp = training_scene(replace(data, ramp_probability=1.0, ramp_range=(1.0, 31.0)), 0, 0).blur_strength_px
    assert len(set(ramp.tolist())) == 3
    assert float(ramp[1] - ramp[0]) == pytest.approx(float(ramp[2] - ramp[1]), abs=1e-6)
    assert float(ramp.min()) >= 1 / 16 and float(ramp.max()) <= 31 / 16


def test_shards_hold_the_rendered_clips(data: DataConfig, tmp_path: Path):
    data = replace(data, shards=str(tmp_path / "shards"))
    progress: list[tuple[int, int]] = []
    assert write_shards(data, 0, progress=lambda done, total: progress.append((done, total))) == 2
    assert progress == [(0, 2), (1, 2), (2, 2)]
    rendered, read = RenderedScenes(data, 0), ShardedScenes(data, 0)
    for scene in (0, 3):
        truth, found = rendered.clip(scene, 1, 3), read.clip(scene, 1, 3)
        assert float((truth.frames - found.frames).abs().max()) <= 0.5 / 255 + 1e-6
        assert float((truth.bokeh - found.bokeh).abs().max()) <= 0.5 / 255 + 1e-6
        assert float((truth.disparity - found.disparity).abs().max()) <= 0.5 / 65535 + 1e-6
        assert torch.equal(truth.focal_disparity, found.focal_disparity)
        assert torch.equal(truth.blur_strength_px, found.blur_strength_px)
    with tarfile.open(tmp_path / "shards" / shard_name(1)) as tar:
        # 4 scenes, 3 in a shard: the last one alone, its lens first, then 3 pictures a frame.
        names = tar.getnames()
    assert names[:4] == [
        "000003.json",
        "000003.000.frame.png",
        "000003.000.bokeh.png",
        "000003.000.disparity.png",
    ]
    assert len(names) == 1 + 3 * 3


def test_shards_repeat_and_only_missing_ones_are_made(data: DataConfig, tmp_path: Path):
    data = replace(data, shards=str(tmp_path / "shards"))
    write_shards(data, 0)
    first, second = (tmp_path / "shards" / shard_name(n) for n in (0, 1))
    content, kept = second.read_bytes(), first.stat().st_mtime_ns
    second.unlink()
    with pytest.raises(ValueError, match=r"lacks 1 of 2 shards, such as clips-00001\.tar"):
        ShardedScenes(data, 0)
    write_shards(data, 0)
    assert second.read_bytes() == content
    assert first.stat().st_mtime_ns == kept
    assert sorted(path.name for path in (tmp_path / "shards").iterdir()) == [
        first.name,
        second.name,
        DESCRIPTION,
    ]


def test_shards_made_otherwise_are_refused(data: DataConfig, tmp_path: Path):
    data = replace(data, shards=str(tmp_path / "shards"), scenes=1)
    with pytest.raises(ValueError, match="holds no shards"):
        ShardedScenes(data, 0)
    write_shards(data, 0)
    with pytest.raises(ValueError, match=r"other values of rays_across \(3, not 5\)"):
        ShardedScenes(replace(data, rays_across=5), 0)
    with pytest.raises(ValueError, match="other values of seed"):
        write_shards(data, 1)


def test_turned_crops_stay_together():
    data = DataConfig(size=(128, 64), crop=(64, 64), scene_frames=9, scenes=4, turn=True)
    samples = Samples(NumberedScenes(), data, None, 0)
    seen = set()
    for index in range(24):
        sample = samples.sample(index, 2)
        assert torch.equal(sample.frames[:, 0], sample.disparity)
        assert torch.allclose(sample.bokeh, sample.frames + 100, atol=1e-4)
        right, down = (
            float(sample.frames[0, 0, y, x] - sample.frames[0, 0, 0, 0]) for y, x in ((0, 63), (63, 0))
        )
        seen.add((abs(right) > abs(down), right > 0, down > 0))
    # Two ways to lie, each mirrored in both directions.
    assert len(seen) == 8


class StillScene:
    """One picture whose subject, a square in focus, is nearer than all around; nothing moves."""

    def clip(self, scene: int, start: int, stop: int) -> GroundTruthClip:
        count = stop - start
        generator = torch.Generator().manual_seed(scene)
        picture = 0.4 + 0.2 * torch.rand(64, 128, 3, generator=generator)
        maps, mask = torch.full((64, 128), 0.3), torch.zeros(64, 128, dtype=torch.bool)
        mask[16:48, 32:80] = True
        picture[mask], maps[mask] = 0.9, 0.8
        frames, disparity, masks = (part.expand(count, *part.shape) for part in (picture, maps, mask))
        focal = torch.full((count,), 0.8)
        return GroundTruthClip(frames, disparity, focal, torch.ones(count), 1.0, frames, masks, masks)


def test_maps_are_mended_by_the_frames_and_the_focus_is_measured_on_them():
    data = DataConfig(size=(128, 64), scene_frames=6, scenes=1, flip=False)
    faults = FaultsOverTime(probability=1.0, kinds=("flicker",), amounts=(1.0, 1.0))
    spoilt, mended = (
        Samples(StillScene(), replace(data, mend=mend), None, 3, faults).sample(0, 6)
        for mend in (False, True)
    )
    subject = StillScene().clip(0, 0, 6).in_focus
    unsteady, steadied = (found.disparity.std(dim=0).mean() for found in (spoilt, mended))
    assert unsteady > 0.01 and steadied < 0.5 * unsteady
    for t in range(6):
        torch.testing.assert_close(
            mended.focal_disparity[t], mended.disparity[t][subject[t]].median(), rtol=0, atol=1e-6
        )
