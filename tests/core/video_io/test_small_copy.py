"""Small videos to look at."""

from fractions import Fraction
from pathlib import Path

import av
import pytest
import torch

from bokeh_core.video_io.small_copy import LONGEST_SIDE_PX, write_small_copy


def decoded(path: Path) -> tuple[list[torch.Tensor], av.VideoStream]:
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        frames = [
            torch.from_numpy(frame.to_ndarray(format="rgb24")).float() / 255
            for frame in container.decode(stream)
        ]
    return frames, stream


def test_every_frame_is_there_in_its_colours_at_its_rate(tmp_path: Path):
    colours = torch.tensor([[0.8, 0.3, 0.1], [0.1, 0.6, 0.9], [0.5, 0.5, 0.5]])
    frames = colours[:, None, None].expand(-1, 40, 60, -1)
    path = tmp_path / "a b.mp4"
    write_small_copy(path, frames, Fraction(24))
    shown, stream = decoded(path)
    assert (len(shown), stream.average_rate) == (3, 24)
    assert (stream.codec_context.name, stream.codec_context.pix_fmt) == ("h264", "yuv420p")
    for frame, colour in zip(shown, colours, strict=True):
        # 8 bits of limited range, coded.
        assert torch.allclose(frame.mean((0, 1)), colour, atol=0.03)


@pytest.mark.parametrize(
    ("size", "stored"), [((1, 1), (2, 2)), ((33, 47), (34, 48)), ((1080, 1920), (432, LONGEST_SIDE_PX))]
)
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_any_size_and_any_channels(
    tmp_path: Path, size: tuple[int, int], stored: tuple[int, int], channels: int
):
    path = tmp_path / "out.mp4"
    write_small_copy(path, [torch.full((*size, channels), 0.5)], Fraction(24))
    (frame,), _ = decoded(path)
    assert tuple(frame.shape) == (*stored, 3)
    assert abs(frame.mean().item() - 0.5) < 0.03


def test_a_stop_leaves_nothing(tmp_path: Path):
    class Stop(BaseException):
        """What a cancelled host raises."""

    frames = [torch.zeros(8, 8, 3)] * 2
    asked = iter([False, True])

    def stop_at_the_second() -> None:
        if next(asked):
            raise Stop

    with pytest.raises(Stop):
        write_small_copy(tmp_path / "out.mp4", frames, Fraction(24), stop_at_the_second)
    assert list(tmp_path.iterdir()) == []


def test_no_frames_are_refused(tmp_path: Path):
    with pytest.raises(ValueError, match="without frames"):
        write_small_copy(tmp_path / "out.mp4", [], Fraction(24))
    assert list(tmp_path.iterdir()) == []
