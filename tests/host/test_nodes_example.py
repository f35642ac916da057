"""Example Clip: the pack's own clip and depth, whole and in part."""

import cv2
import numpy as np

from devtools.demo import BUNDLED_CLIP
from tests.host.harness import HostUnderTest
from tests.host.test_workflow import CLIP, read_video


def outputs_of(host: HostUnderTest, **settings):
    graph = host.graph()
    example = graph.add("AnyToBokehExampleClip", clip="motorcycle", **settings)
    parts = graph.add("GetVideoComponents", video=example)
    return host.values_of(graph, parts, parts[2], example[1], example[2])


def stored_disparity() -> np.ndarray:
    """Return the disparity [T, H, W] of the pack's files, which say in assets/README.md what white is."""
    files = sorted((CLIP / "disparity").iterdir())
    return np.stack([cv2.imread(str(file), cv2.IMREAD_UNCHANGED) for file in files]) / 65408


def test_whole_clip(host: HostUnderTest):
    before = sorted(host.input_dir.rglob("*"))
    of_video, rate, disparity, frames = outputs_of(host, max_frames=0, size="full")
    shown = read_video(BUNDLED_CLIP)
    assert rate == 24
    assert frames.shape == (36, 480, 704, 3)
    # Readers differ in how they enlarge colour, at contours by much.
    assert np.abs(frames * 255 - shown).mean() < 2
    assert np.abs(of_video * 255 - shown).mean() < 2
    assert np.abs(disparity - stored_disparity()).max() < 1e-5
    assert sorted(host.input_dir.rglob("*")) == before


def test_a_part_at_half_size(host: HostUnderTest):
    of_video, rate, disparity, frames = outputs_of(host, max_frames=3, size="half")
    shown = read_video(BUNDLED_CLIP)[:3].astype(np.float64)
    means = shown.reshape(3, 240, 2, 352, 2, 3).mean((2, 4))
    assert rate == 24
    assert np.array_equal(of_video, frames)
    assert np.abs(frames * 255 - means).mean() < 2
    # As the whole clip: the range is not that of the part.
    assert np.abs(disparity - stored_disparity()[:3, ::2, ::2]).max() < 1e-5


def test_a_clip_that_is_not_there_is_named(host: HostUnderTest):
    graph = host.graph()
    host.save(graph, graph.add("AnyToBokehExampleClip", clip="no_such_clip", max_frames=0, size="full"))
    assert "The example clip no_such_clip is not in" in host.expect_error(graph).message
