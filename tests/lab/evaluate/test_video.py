"""Videos hold the frames that were given, in a form that browsers play."""

import av
import numpy as np
import pytest
import torch

from bokeh_lab.evaluate.video import FRAMES_PER_SECOND, above_difference, write_video


def decoded(path) -> np.ndarray:
    with av.open(str(path)) as container:
        return np.stack([frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)])


def test_colours_and_order_survive(tmp_path):
    colours = torch.tensor(
        [[0.9, 0.1, 0.1], [0.1, 0.8, 0.2], [0.2, 0.2, 0.9], [1.0, 1.0, 1.0], [0.0, 0.0, 0.0]]
    )
    path = tmp_path / "clip.mp4"
    write_video(colours[:, None, None].expand(-1, 48, 64, 3), path)
    found = decoded(path)
    assert found.shape == (5, 48, 64, 3)
    assert np.abs(found.mean((1, 2)) / 255 - colours.numpy()).max() < 0.02
    assert [file.name for file in tmp_path.iterdir()] == ["clip.mp4"]


def test_format_is_what_browsers_play(tmp_path):
    path = tmp_path / "clip.mp4"
    write_video(torch.rand(3, 32, 32, 3), path)
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        assert stream.codec_context.name == "h264"
        assert stream.codec_context.pix_fmt == "yuv420p"
        assert stream.codec_context.colorspace == 1  # BT.709
        assert stream.average_rate == FRAMES_PER_SECOND
        assert stream.frames == 3
    # The index stands before the pictures, so that playing starts at once.
    content = path.read_bytes()
    assert content.index(b"moov") < content.index(b"mdat")


def test_grey_maps_and_odd_sizes(tmp_path):
    ramp = torch.linspace(0, 1, 63).expand(2, 47, 63)
    write_video(ramp, tmp_path / "map.mp4")
    found = decoded(tmp_path / "map.mp4")
    assert found.shape == (2, 48, 64, 3)
    assert np.abs(found[0, :47, :63, 1] / 255 - ramp[0].numpy()).max() < 0.03


def test_the_difference_lies_below_and_is_eight_times_as_bright():
    truth = torch.full((1, 1, 4, 3), 0.5)
    frames = torch.tensor([0.5, 0.55, 0.4, 0.0])[None, None, :, None].expand(1, 1, 4, 3)
    found = above_difference(frames, truth)
    assert found.shape == (1, 2, 4, 3)
    assert torch.equal(found[:, :1], frames)
    assert found[0, 1, :, 2].tolist() == pytest.approx([0.0, 0.4, 0.8, 1.0], abs=1e-5)
