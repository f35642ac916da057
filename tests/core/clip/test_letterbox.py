"""Black bars are found, and darkness that belongs to the scene is not taken for them."""

import pytest
import torch
from torch import Tensor

from bokeh_core.clip.letterbox import BarFinder, PictureArea, looked_at, picture_area

HEIGHT, WIDTH = 90, 160


def noise(*shape: int, seed: int = 0) -> Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed))


def framed(area: PictureArea, black: float = 0.0, picture: Tensor | None = None) -> Tensor:
    """Two frames whose picture between the bars is noise."""
    frames = torch.full((2, HEIGHT, WIDTH, 3), black)
    inner = area.of(frames, 1)
    inner.copy_(noise(*inner.shape) if picture is None else picture)
    return frames


@pytest.mark.parametrize(
    "area",
    [
        PictureArea(11, 79, 0, WIDTH),
        PictureArea(0, HEIGHT, 55, 105),
        PictureArea(10, 80, 20, 140),
        # Of an odd number of lines one is at one side.
        PictureArea(11, 78, 0, WIDTH),
    ],
)
@pytest.mark.parametrize("black", [0.0, 16 / 255])
def test_bars_above_and_below_and_at_the_sides(area: PictureArea, black: float):
    assert picture_area(framed(area, black)) == area


def test_grey_and_transparent_frames():
    area = PictureArea(11, 79, 0, WIDTH)
    frames = framed(area)
    assert picture_area(frames[..., :1]) == area
    assert picture_area(torch.cat((frames, torch.ones(2, HEIGHT, WIDTH, 1)), -1)) == area


def test_frames_without_bars():
    assert picture_area(noise(2, HEIGHT, WIDTH, 3)) is None
    # Black all over, as in a fade.
    assert picture_area(torch.zeros(2, HEIGHT, WIDTH, 3)) is None
    assert picture_area(torch.ones(1, 1, 1, 3)) is None


def test_a_black_frame_among_others_hides_nothing():
    area = PictureArea(11, 79, 0, WIDTH)
    frames = torch.cat((torch.zeros(3, HEIGHT, WIDTH, 3), framed(area)))
    assert picture_area(frames) == area


def test_what_is_bright_once_is_no_bar():
    frames = framed(PictureArea(11, 79, 0, WIDTH)).repeat(4, 1, 1, 1)
    frames[-1, 3, 70] = 1
    assert picture_area(frames) is None


def test_the_night_is_no_bar():
    rows, columns = torch.meshgrid(torch.arange(HEIGHT), torch.arange(WIDTH), indexing="ij")
    # A lamp in the dark: round, so that it touches its bounding rows in a few pixels.
    lamp = ((rows - 44.5) ** 2 + (columns - 79.5) ** 2 < 30**2).float()[None, ..., None].expand(2, -1, -1, 3)
    assert picture_area(lamp) is None
    # A dark sky above a lit street.
    street = torch.zeros(2, HEIGHT, WIDTH, 3)
    street[:, 30:] = noise(2, 60, WIDTH, 3)
    assert picture_area(street) is None


def test_one_line_is_no_bar():
    assert picture_area(framed(PictureArea(1, HEIGHT - 1, 0, WIDTH))) is None


def test_a_few_frames_all_over_the_clip_are_looked_at():
    assert looked_at(1) == [0]
    assert looked_at(5) == [0, 1, 2, 3, 4]
    assert looked_at(8001)[::7] == [0, 8000] and len(looked_at(8001)) == 8
    assert BarFinder().area() is None
