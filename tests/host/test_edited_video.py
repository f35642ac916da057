"""Any-to-Bokeh Video on videos that were edited before, as newer hosts do it, and on videos in memory."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
import torch

from bokeh_core.video_io import VideoFile
from tests.core.render.clips import moving_pictures, read_video, times_of, write_video
from tests.host.harness import HostUnderTest, Node, file_in

COUNT, HEIGHT, WIDTH = 24, 48, 64
# Frames of 24 a second from 0.25 s on for 0.5 s.
TRIMMED = slice(6, 18)
CROPPED = (slice(8, 32), slice(16, 48))


@pytest.fixture(scope="module")
def name(host: HostUnderTest, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A second of video without loss in the host's input folder."""
    path = tmp_path_factory.mktemp("edited") / "film.mp4"
    pictures = moving_pictures(COUNT, HEIGHT, WIDTH)
    options = {"crf": "0"}
    return host.upload(write_video(path, pictures, codec="libx264", pixel_format="yuv420p", options=options))


def rendered(host: HostUnderTest, name: str, kind: str, **options: object) -> tuple[Path, str]:
    """The film through the node without blur, as one of the probe's kinds: file and report."""
    graph = host.graph()
    video = graph.add("ProbeEditedVideo", video=graph.add("LoadVideo", file=name), kind=kind)
    return run(host, graph, video, **options)


def run(host: HostUnderTest, graph: object, video: Node, **options: object) -> tuple[Path, str]:
    disparity = host.load(graph, np.zeros((1, 8, 8), np.float32))  # type: ignore[arg-type]
    given = {"strength": "0", "crf": 0, "focus_at": "0.5", "disparity": disparity, **options}
    node = graph.add("AnyToBokehVideo", video=video, disparity_path="", **given)  # type: ignore[attr-defined]
    report = host.save(graph, node[1])  # type: ignore[arg-type]
    result = host.run(graph)  # type: ignore[arg-type]
    text = result.probes[report.id]
    return file_in(text), text


@pytest.mark.parametrize(
    ("kind", "frames", "rows", "columns", "says"),
    [
        ("trimmed", TRIMMED, slice(None), slice(None), "the part from 0.250 s to 0.750 s"),
        ("trimmed in memory", TRIMMED, slice(None), slice(None), "the part from 0.250 s to 0.750 s"),
        ("in memory", slice(None), slice(None), slice(None), ""),
        ("cropped", slice(None), *CROPPED, "32 x 24 px, from a copy without loss"),
        ("trimmed and cropped", TRIMMED, *CROPPED, "32 x 24 px, from a copy without loss"),
        ("joined", [*range(6), *range(12, 24)], slice(None), slice(None), "64 x 48 px, from a copy"),
        ("cropped to an odd size", slice(None), slice(8, 32), slice(16, 47), "31 x 24 px, held in memory"),
        ("silently cropped", slice(None), *CROPPED, "32 x 24 px, held in memory"),
    ],
)
def test_what_was_edited_is_what_is_rendered(
    host: HostUnderTest,
    name: str,
    kind: str,
    frames: slice | list[int],
    rows: slice,
    columns: slice,
    says: str,
):
    shown, report = rendered(host, name, kind)
    expected = read_video(host.input_dir / name)[frames][:, rows, columns]
    found = read_video(shown)
    assert found.shape == expected.shape
    # Conversions to Y'CbCr with half the colour, of a soft pattern; neighbouring frames differ by 8 or more.
    assert np.abs(found.astype(int) - expected).mean() < 3
    assert times_of(shown) == [Fraction(t, 24) for t in range(len(expected))]
    assert says in report
    # What the node shows where browsers do not play the result is an MP4.
    kept = (host.process.base / "temp").rglob("any_to_bokeh/*")
    assert [path for path in kept if path.suffix != ".mp4"] == []


def test_an_edited_video_has_the_name_of_its_file(host: HostUnderTest, name: str):
    for kind in ("trimmed", "cropped"):
        assert rendered(host, name, kind, strength="0.0")[0].name.startswith(Path(name).stem)


@pytest.mark.parametrize("kind", ["cropped", "in memory"])
def test_the_same_copy_is_the_same_job(host: HostUnderTest, name: str, kind: str):
    first = rendered(host, name, kind, strength="0: 0")
    # Another graph, so that the host does not answer from its cache.
    graph = host.graph()
    graph.add("LoadVideo", file=name)
    video = graph.add("ProbeEditedVideo", video=graph.add("LoadVideo", file=name), kind=kind)
    again, report = run(host, graph, video, strength="0: 0")
    assert again == first[0]
    assert "Nothing has changed" in report


def test_a_depth_video_is_read_as_edited(host: HostUnderTest, name: str, tmp_path: Path):
    levels = np.repeat(np.arange(COUNT, dtype=np.uint8)[:, None, None, None], 3, 3) * 8 + 16
    pictures = np.broadcast_to(levels, (COUNT, HEIGHT, WIDTH, 3)).copy()
    pictures[:, :, WIDTH // 2 :] = 16
    depth = host.upload(write_video(tmp_path / "depth.mkv", pictures, pixel_format="gray"))
    graph = host.graph()
    loaded = graph.add("LoadVideo", file=depth)
    maps = graph.add("ProbeEditedVideo", video=loaded, kind="trimmed and cropped")
    video = graph.add("ProbeEditedVideo", video=graph.add("LoadVideo", file=name), kind="trimmed")
    _, report = run(host, graph, video, disparity=None, depth_video=maps, polarity="near white")
    assert "Read 12 frames of 32 x 24 px" in report


@pytest.mark.parametrize("codec", ["ffv1", "prores"])
def test_alpha_in_memory_is_kept(host: HostUnderTest, codec: str):
    frames = moving_pictures(3, HEIGHT, WIDTH).astype(np.float32) / 255
    ramp = np.linspace(0, 1, WIDTH, dtype=np.float32)
    alpha = np.broadcast_to(ramp[:, None], (3, HEIGHT, WIDTH, 1)).copy()
    graph = host.graph()
    video = graph.add("ProbeVideoWithAlpha", images=host.load(graph, frames), alpha=host.load(graph, alpha))
    shown, _ = run(host, graph, video, codec=codec)
    found = torch.stack(list(VideoFile(shown).frames())).numpy()
    assert found.shape == (3, HEIGHT, WIDTH, 4)
    # Half a 10-bit level, and what ProRes loses.
    assert np.abs(found[..., 3] - alpha[..., 0]).max() < (0.001 if codec == "ffv1" else 0.02)


def test_alpha_that_a_codec_cannot_hold_is_said(host: HostUnderTest):
    frames = moving_pictures(2, HEIGHT, WIDTH).astype(np.float32) / 255
    graph = host.graph()
    alpha = host.load(graph, np.ones((2, HEIGHT, WIDTH), np.float32))
    video = graph.add("ProbeVideoWithAlpha", images=host.load(graph, frames), alpha=alpha)
    shown, report = run(host, graph, video, codec="h264")
    assert report.count("alpha is left out") == 1
    with av.open(str(shown)) as container:
        assert container.streams.video[0].pix_fmt == "yuv420p"


def test_a_name_as_long_as_a_disk_takes(host: HostUnderTest, name: str):
    long = host.upload(host.input_dir / name, "n" * 200 + ".mp4")
    shown, _ = rendered(host, long, "trimmed")
    assert shown.name.startswith("n" * 96 + "_")


@pytest.mark.parametrize(("kind", "says"), [("gone", "is gone; choose it again"), ("no video", "got str")])
def test_what_is_no_video_is_said(host: HostUnderTest, name: str, kind: str, says: str):
    graph = host.graph()
    video = graph.add("ProbeEditedVideo", video=graph.add("LoadVideo", file=name), kind=kind)
    disparity = host.load(graph, np.zeros((1, 8, 8), np.float32))
    graph.add("AnyToBokehVideo", video=video, disparity_path="", disparity=disparity)
    assert says in host.expect_error(graph).message


def test_a_loader_without_a_video_is_said(host: HostUnderTest):
    graph = host.graph()
    disparity = host.load(graph, np.zeros((1, 8, 8), np.float32))
    video = graph.add("LoadVideo", file="")
    graph.add("AnyToBokehVideo", video=video, disparity_path="", disparity=disparity)
    message = host.expect_error(graph).message
    assert "There is no video yet; choose or upload one in Load Video." in message
