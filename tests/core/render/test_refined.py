"""Depth that is refined as a clip of any length is read."""

import json
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from bokeh_core.clip.letterbox import PictureArea
from bokeh_core.disparity.refine import RefineSettings, refine_clip, refine_disparity
from bokeh_core.disparity.refine.flicker import COURSE_FRAMES
from bokeh_core.disparity.refine.window import DisparityRefiner
from bokeh_core.pipeline.mending import MENDING, WITHOUT_SCALE
from bokeh_core.render import (
    GivenDepth,
    GivenFocus,
    LensRenderer,
    RenderJob,
    Strength,
    TensorClip,
    analysis,
    parse_focus,
    run_job,
)
from bokeh_core.render.depth import PreparedDepth
from bokeh_core.render.refined import refined_depth
from bokeh_core.render.stored_maps import REFINED, StoredMaps
from bokeh_core.video_io import Encoding
from tests.core.disparity.refine.scenes import moving_square
from tests.core.render.clips import read_video

COUNT = COURSE_FRAMES + 6


def spoilt() -> tuple[torch.Tensor, torch.Tensor]:
    """Frames and maps that flicker, and miss a band in one frame."""
    frames, disparity = moving_square(COUNT)
    disparity = disparity + 0.05 * torch.rand(COUNT, 1, 1, generator=torch.Generator().manual_seed(0))
    disparity[9, 40:56][disparity[9, 40:56] > 0.5] = 0.2
    return frames, disparity


def prepared(maps: torch.Tensor) -> PreparedDepth:
    return PreparedDepth(lambda start: iter(maps[start:]), {"kept": 1}, "Read.")


def test_maps_are_those_of_the_whole_clip_from_wherever_reading_begins():
    frames, disparity = spoilt()
    found = refined_depth(prepared(disparity), lambda start: iter(frames[start:]), RefineSettings())
    expected = refine_disparity(frames, disparity)
    assert not torch.equal(expected, disparity)
    for start in (0, 3, COURSE_FRAMES + 1, COUNT - 1):
        assert torch.equal(torch.stack(list(found.read(start))), expected[start:])
    assert found.report == (
        "Read.\nDisparity refined by outlines, steady, limbs, banding, trained. What each part changes is "
        "not counted: for want of room on the disk the maps are made while they are read."
    )


def test_what_a_first_pass_measured_spares_it_next_time():
    frames, disparity = spoilt()
    passes: list[int] = []

    def pictures(start: int) -> Iterator[torch.Tensor]:
        passes.append(start)
        return iter(frames[start:])

    ticks: list[None] = []
    first = refined_depth(prepared(disparity), pictures, RefineSettings(), tick=lambda: ticks.append(None))
    assert passes == [0] and len(ticks) == COUNT
    kept = json.loads(json.dumps(first.saved))
    assert kept["kept"] == 1 and len(kept["spans"]) == 1
    again = refined_depth(prepared(disparity), pictures, RefineSettings(), saved=kept)
    assert passes == [0]
    assert torch.equal(torch.stack(list(again.read(0))), torch.stack(list(first.read(0))))
    # Nothing is steadied, so nothing has to be measured.
    passes.clear()
    refined_depth(prepared(disparity), pictures, RefineSettings(steady=False))
    assert not passes


def test_stored_maps_are_made_once(tmp_path: Path):
    frames, disparity = spoilt()
    passes: list[int] = []

    def pictures(start: int) -> Iterator[torch.Tensor]:
        passes.append(start)
        return iter(frames[start:])

    store = StoredMaps.of_size(tmp_path, COUNT, REFINED, (2**11, 2**10))
    assert store.chunk_frames == 4
    found = refined_depth(prepared(disparity), pictures, RefineSettings(), store=store)
    whole = refine_clip(frames, disparity)
    assert found.report == (
        f"Read.\nDisparity refined by outlines, steady, limbs, banding, trained. {whole.report}"
    )
    expected = whole.disparity
    for start in (0, 3, COUNT - 1):
        read = torch.stack(list(found.read(start)))
        # A level of 65536, of maps that reach a little beyond 0 and 1.
        assert (read - expected[start:]).abs().max().item() < 1.2 / 65535
    assert passes == [0]
    kept = json.loads(json.dumps(found.saved))
    known = refined_depth(prepared(disparity), pictures, RefineSettings(), saved=kept, store=store)
    assert passes == [0] and known.report == found.report
    store.path(4).unlink()
    again = refined_depth(prepared(disparity), pictures, RefineSettings(), saved=kept, store=store)
    assert passes == [0, 0]
    assert torch.equal(torch.stack(list(again.read(0))), torch.stack(list(found.read(0))))


def test_the_picture_between_black_bars_is_refined_alone(tmp_path: Path):
    frames, disparity = spoilt()
    area = PictureArea(10, 90, 0, 144)
    inside = refine_disparity(frames[:, 10:90], disparity[:, 10:90])
    for store in (None, StoredMaps(tmp_path, COUNT, REFINED)):
        found = refined_depth(
            prepared(disparity), lambda start: iter(frames[start:]), RefineSettings(), area, store=store
        )
        maps = torch.stack(list(found.read(0)))
        assert (maps[:, 10:90] - inside).abs().max().item() < (1.2 / 65535 if store else 1e-9)
        assert torch.equal(maps[:, :10], disparity[:, :10])


def test_only_the_frames_before_that_count_are_read():
    frames, disparity = spoilt()
    asked: list[int] = []

    def pictures(start: int) -> Iterator[torch.Tensor]:
        asked.append(start)
        return iter(frames[start:])

    found = refined_depth(prepared(disparity), pictures, RefineSettings())
    asked.clear()
    next(found.read(12))
    outlines_alone = refined_depth(prepared(disparity), pictures, RefineSettings(steady=False, limbs=False))
    next(outlines_alone.read(12))
    assert asked == [12 - COURSE_FRAMES, 12]


def test_a_job_renders_by_refined_maps(tmp_path: Path):
    frames, disparity = spoilt()
    refined = refine_disparity(frames, disparity)

    def rendered(name: str, maps: torch.Tensor, refine: RefineSettings | None) -> tuple[RenderJob, str]:
        job = RenderJob(
            TensorClip(frames, Fraction(24)),
            GivenDepth(maps),
            GivenFocus(torch.tensor([0.2])),
            Strength("64"),
            LensRenderer(),
            tmp_path / name,
            Encoding("ffv1"),
            8,
            refine=refine,
        )
        return job, run_job(job).text

    job, told = rendered("refined.mkv", disparity, RefineSettings())
    by_hand, silent = rendered("by_hand.mkv", refined, None)
    raw, _ = rendered("raw.mkv", disparity, None)
    difference = read_video(job.output).astype(int) - read_video(by_hand.output).astype(int)
    # Refined maps wait in 65536 levels.
    assert np.abs(difference).max() <= 1
    assert not np.array_equal(read_video(job.output), read_video(raw.output))
    assert "trained. Of 14 frames: " in told and "Disparity refined" not in silent
    assert job.key() != raw.key()


class Mending(LensRenderer):
    """A renderer that asks for mended maps."""

    mends_maps = True


def test_a_renderer_that_mends_maps_has_them_refined_unless_they_are(tmp_path: Path):
    frames, disparity = spoilt()
    moving = torch.linspace(0.2, 0.3, COUNT)

    def job(name: str, **changes: Any) -> RenderJob:
        job = RenderJob(
            TensorClip(frames, Fraction(24)),
            GivenDepth(disparity),
            parse_focus("point"),
            Strength("64"),
            Mending(),
            tmp_path / name,
            Encoding("ffv1"),
        )
        return replace(job, **changes)

    measured = job("measured.mkv")
    assert measured.refining == MENDING == job("", focus=GivenFocus(torch.tensor([0.2]))).refining
    assert job("", focus=GivenFocus(moving)).refining == replace(MENDING, steady=False)
    assert job("", depth=GivenDepth(disparity, refined=True)).refining is None
    assert job("", renderer=LensRenderer()).refining is None
    outlines = RefineSettings(steady=False, limbs=False, banding=False)
    assert job("", refine=outlines).refining == outlines
    by_hand = job("by_hand.mkv", renderer=LensRenderer(), refine=MENDING)
    assert measured.key() == by_hand.key() != job("", renderer=LensRenderer()).key()
    told = [run_job(one).text for one in (measured, job("moving.mkv", focus=GivenFocus(moving)))]
    assert "refined by outlines, steady, limbs, banding, trained" in told[0] and WITHOUT_SCALE not in told[0]
    assert "refined by outlines, limbs, banding, trained" in told[1] and WITHOUT_SCALE in told[1]


def test_a_job_that_measures_its_focus_refines_once_where_the_disk_has_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    frames, disparity = spoilt()
    taken = 0
    add = DisparityRefiner.add

    def counted(*given: Any) -> list[torch.Tensor]:
        nonlocal taken
        taken += 1
        return add(*given)

    monkeypatch.setattr(DisparityRefiner, "add", counted)
    results = []
    for name, share in (("room.mkv", 0.25), ("no_room.mkv", 0.0)):
        monkeypatch.setattr(analysis, "_SHARE_OF_DISK", share)
        job = RenderJob(
            TensorClip(frames, Fraction(24)),
            GivenDepth(disparity),
            parse_focus("point"),
            Strength("64"),
            LensRenderer(),
            tmp_path / name,
            Encoding("ffv1"),
            8 * COUNT,
            refine=RefineSettings(),
        )
        taken = 0
        run_job(job)
        results.append((read_video(job.output).astype(int), taken))
    (stored, once), (streamed, twice) = results
    assert (once, twice) == (COUNT, 2 * COUNT)
    assert np.abs(stored - streamed).max() <= 1
