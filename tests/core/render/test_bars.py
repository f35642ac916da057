"""Films with black bars: left out of the range of depth and of the blur, streamed and resumed."""

from collections import deque
from collections.abc import Iterator
from fractions import Fraction
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
import torch

from bokeh_core.clip.letterbox import PictureArea
from bokeh_core.disparity.fit import MapFit
from bokeh_core.lens import DEFAULT_LENS, lens_blur
from bokeh_core.progress import no_progress
from bokeh_core.render import (
    FileClip,
    FileDepth,
    GivenDepth,
    GivenFocus,
    LensRenderer,
    RenderJob,
    Strength,
    TensorClip,
    run_job,
)
from bokeh_core.render.bars import BetweenBars, area_of
from bokeh_core.render.clip_stream import ClipStream
from bokeh_core.render.depth import DepthRequest
from bokeh_core.video_io import Encoding
from tests.core.render.clips import moving_pictures, read_video, sliding_disparity, write_video

COUNT, HEIGHT, WIDTH = 16, 48, 64
# Pillars, so that the width of the picture is not that of the frame.
AREA = PictureArea(0, HEIGHT, 12, 52)
FOCUS = GivenFocus(torch.tensor([0.2]))


def film() -> torch.Tensor:
    frames = torch.zeros(COUNT, HEIGHT, WIDTH, 3)
    AREA.of(frames, 1).copy_(torch.from_numpy(moving_pictures(COUNT, HEIGHT, AREA.width)) / 255)
    return frames


def job_of(
    folder: Path, name: str = "out.mkv", black_bars: str = "leave out", strength: str = "64"
) -> RenderJob:
    depth = GivenDepth(torch.from_numpy(sliding_disparity(COUNT, HEIGHT, WIDTH)))
    clip = TensorClip(film(), Fraction(24))
    encoding = Encoding("ffv1")
    renderer = LensRenderer()
    return RenderJob(
        clip, depth, FOCUS, Strength("64"), renderer, folder / name, encoding, 8, black_bars=black_bars
    )


def test_the_picture_is_rendered_alone(tmp_path: Path):
    job = job_of(tmp_path)
    report = run_job(job)
    assert "Black bars: the picture is 40 x 48 px of 64 x 48" in report.text
    found = torch.from_numpy(read_video(job.output)) / 255
    # K = 64 on a frame 1024 px wide is 4 px on this one, and in its picture.
    disparity = torch.from_numpy(sliding_disparity(COUNT, HEIGHT, WIDTH))
    lens = DEFAULT_LENS.at_width(WIDTH)
    expected = lens_blur(
        AREA.of(film(), 1), AREA.of(disparity, 1), torch.tensor([0.2]), torch.tensor([4.0]), lens
    )
    # 8-bit levels; contours are followed as far as the picture's own width says, a tenth of a pixel less.
    assert (AREA.of(found, 1) - expected).abs().max().item() < 3 / 255
    assert found[:, :, :12].max().item() < 2 / 255 and found[:, :, 52:].max().item() < 2 / 255


class Counted:
    """A clip that counts the frames that are read of it."""

    def __init__(self, clip: TensorClip) -> None:
        self._clip = clip
        self.read = 0

    def frames(self, start: int) -> Iterator[torch.Tensor]:
        for frame in self._clip.frames(start, []):
            self.read += 1
            yield frame


def test_a_frame_is_read_once_and_its_bars_wait_no_longer_than_needed():
    clip = Counted(TensorClip(film() + 0.01, Fraction(24)))
    disparity = torch.from_numpy(sliding_disparity(COUNT, HEIGHT, WIDTH))
    focus, strength = torch.zeros(COUNT), torch.ones(COUNT)
    size = (HEIGHT, WIDTH)
    stream = ClipStream(COUNT, size, clip.frames, lambda start: iter(disparity[start:]), focus, strength)
    between = BetweenBars(stream, AREA)
    assert between.picture.size == (48, 40)
    assert torch.equal(between.picture.blur_strength, torch.full((COUNT,), 64 / 40))
    expected = film() + 0.01
    AREA.of(expected, 1).mul_(0.5)
    # A renderer that looks two frames ahead.
    pictures = between.picture.frames(4)
    ahead = deque(islice(pictures, 2))
    waiting = []

    def rendered() -> Iterator[torch.Tensor]:
        while ahead:
            ahead.extend(islice(pictures, 1))
            yield ahead.popleft() * 0.5

    for t, frame in enumerate(between.framed(rendered(), 4), 4):
        torch.testing.assert_close(frame, expected[t])
        waiting.append(len(between._bars))
    assert t == COUNT - 1 and clip.read == COUNT - 4 and max(waiting) == 2


def test_bars_may_be_blurred_too(tmp_path: Path):
    report = run_job(job := job_of(tmp_path, black_bars="blur too"))
    assert "Black bars" not in report.text
    assert read_video(job.output)[:, :, 11].max() > 30
    assert job.key() != job_of(tmp_path).key()


def test_a_stopped_run_goes_on_to_the_same_result(tmp_path: Path):
    whole = job_of(tmp_path, "whole.mkv")
    run_job(whole)

    class Stopped(Exception):
        """Stands for a cancel."""

    def stop(stage: str, done: int, total: int) -> None:
        if stage == "rendering" and done == 12:
            raise Stopped

    parts = job_of(tmp_path, "parts.mkv")
    with pytest.raises(Stopped):
        run_job(parts, stop)
    report = run_job(parts)
    assert report.rendered_frames == 8 and "Black bars" in report.text
    assert np.array_equal(read_video(whole.output), read_video(parts.output))


def test_bars_of_a_file_are_found(tmp_path: Path):
    frames = (film() * 255).round().to(torch.uint8).numpy()
    clip = FileClip(
        write_video(
            tmp_path / "film.mp4", frames, codec="libx264", pixel_format="yuv420p", options={"crf": "23"}
        )
    )
    times = clip.timestamps(no_progress)
    found = area_of(clip, times)
    assert found is not None
    # Subsampled colour smears over the line.
    assert (found.top, found.bottom) == (0, HEIGHT)
    assert abs(found.left - 12) <= 1 and abs(found.right - 52) <= 1


def test_lines_beside_bars_are_mixed_with_them():
    assert PictureArea(20, 80, 0, 100).unsmeared((100, 100)) == (23, 77, 0, 100)
    assert PictureArea(0, 100, 12, 90).unsmeared((100, 100)) == (0, 100, 15, 87)
    assert PictureArea(48, 52, 0, 100).unsmeared((100, 100)) == (48, 52, 0, 100)


def test_depth_in_the_bars_does_not_count(tmp_path: Path):
    maps = sliding_disparity(COUNT, HEIGHT // 2, WIDTH // 2) * 0.5 + 0.25
    spoilt = maps.copy()
    spoilt[:, :, :6], spoilt[:, :, 26:] = 0, 1
    np.save(tmp_path / "clean.npy", maps[:, :, 6:26])
    np.save(tmp_path / "spoilt.npy", spoilt)
    size = (HEIGHT, WIDTH)
    depth = FileDepth(tmp_path / "spoilt.npy").prepare(DepthRequest(COUNT, size, area=AREA))
    clean = FileDepth(tmp_path / "clean.npy").prepare(DepthRequest(COUNT, (HEIGHT, AREA.width)))
    assert depth.saved["conversion"]["low"] == clean.saved["conversion"]["low"]
    assert depth.saved["conversion"]["high"] == clean.saved["conversion"]["high"]
    assert MapFit().in_map(AREA, (HEIGHT // 2, WIDTH // 2), size) == (slice(0, 24), slice(6, 26))
