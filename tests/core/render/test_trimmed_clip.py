"""A part of a video: which frames, at which times, with which sound."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
import torch

from bokeh_core.progress import no_progress
from bokeh_core.render import (
    GivenDepth,
    GivenFocus,
    GivenStrength,
    LensRenderer,
    RenderJob,
    TrimmedClip,
    run_job,
)
from bokeh_core.video_io import Encoding
from tests.core.render.clips import moving_pictures, read_video, sound_packets, times_of, write_video

COUNT = 48


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two seconds of 24 frames, with sound; a key frame every 12."""
    path = tmp_path_factory.mktemp("trim") / "film.mp4"
    pictures = moving_pictures(COUNT, 48, 64)
    options = {"crf": "0", "g": "12"}
    return write_video(path, pictures, sound=True, codec="libx264", pixel_format="yuv444p", options=options)


# At 24 frames a second frame 12 is shown at 0.5 s, frame 36 at 1.5 s.
@pytest.mark.parametrize(
    ("start_s", "duration_s", "first", "stop"),
    [(0.5, 1.0, 12, 36), (0.51, 0.0, 13, 48), (0.0, 0.25, 0, 6), (0.49, 0.03, 12, 13), (1.9, 10.0, 46, 48)],
)
def test_frames_between_two_times(film: Path, start_s: float, duration_s: float, first: int, stop: int):
    clip = TrimmedClip(film, False, start_s, duration_s)
    times = clip.timestamps(no_progress)
    base = clip.format.time_base
    assert [time * base for time in times] == [Fraction(t, 24) for t in range(stop - first)]
    expected = read_video(film)[first:stop]
    for begin in {0, (stop - first) // 2}:
        # A run that goes on has not counted the frames itself.
        found = list(TrimmedClip(film, False, start_s, duration_s).frames(begin, times))
        assert len(found) == stop - first - begin
        for frame, picture in zip(found, expected[begin:], strict=True):
            assert np.abs(frame.numpy() * 255 - picture).max() < 3


def test_a_video_without_a_duration(tmp_path: Path):
    path = tmp_path / "live.mkv"
    # A file that is written to something without an end has no duration in it.
    with path.open("wb") as file, av.open(_Pipe(file), "w", format="matroska") as container:
        stream = container.add_stream("ffv1", rate=24)
        stream.width, stream.height, stream.pix_fmt = 32, 16, "yuv444p"
        for t in range(12):
            picture = np.full((16, 32, 3), 20 * t, np.uint8)
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24").reformat(format="yuv444p")
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    with av.open(str(path)) as container:
        assert container.duration is None
    clip = TrimmedClip(path, False, 0.25, 0.125)
    times = clip.timestamps(no_progress)
    levels = [round(255 * frame.mean().item()) for frame in clip.frames(0, times)]
    # Its times are rounded to milliseconds: frames 6, 7, 8 are shown at 0.250, 0.292, 0.333 s.
    assert [round(level / 20) for level in levels] == [6, 7, 8]


class _Pipe:
    """A file that cannot be gone back in."""

    def __init__(self, file: object) -> None:
        self.write = file.write  # type: ignore[attr-defined]


def test_nothing_is_shown_then(film: Path):
    with pytest.raises(ValueError, match=r"shows no frame from 5\.000 s to 6\.000 s; its last frame"):
        TrimmedClip(film, False, 5.0, 1.0).timestamps(no_progress)


def test_another_part_is_another_clip(film: Path):
    parts = [(0.0, 1.0), (0.5, 1.0), (0.5, 0.0)]
    assert len({TrimmedClip(film, False, *part).fingerprint() for part in parts}) == 3


def test_sound_is_cut_at_the_same_times(film: Path, tmp_path: Path):
    clip = TrimmedClip(film, False, 0.5, 1.0)
    job = RenderJob(
        clip,
        GivenDepth(torch.rand(1, 48, 64)),
        GivenFocus(torch.tensor([0.5])),
        GivenStrength(torch.tensor([0.0])),
        LensRenderer(),
        tmp_path / "part.mkv",
        Encoding("ffv1"),
    )
    run_job(job)
    # Matroska rounds to milliseconds.
    millisecond = Fraction(1, 1000)
    shown = times_of(job.output)
    assert len(shown) == 24
    assert all(abs(time - Fraction(t, 24)) <= millisecond for t, time in enumerate(shown))
    expected = [(data, time - Fraction(1, 2)) for data, time in sound_packets(film) if 0.5 <= time < 1.5]
    heard = sound_packets(job.output)
    assert [data for data, _ in heard] == [data for data, _ in expected]
    assert all(
        abs(time - wanted) <= millisecond for (_, time), (_, wanted) in zip(heard, expected, strict=True)
    )
    assert list(tmp_path.iterdir()) == [job.output]
