"""Numbers over time as a picture."""

import pytest
import torch

from bokeh_core.preview.number_plot import number_plot

YELLOW, BLUE = (torch.tensor(colour) / 255 for colour in ((255, 210, 74), (111, 195, 255)))


def rows_of(picture: torch.Tensor, colour: torch.Tensor, column: int) -> list[int]:
    return (picture[0, :, column] - colour).abs().amax(-1).lt(0.02).nonzero()[:, 0].tolist()


def test_each_number_has_a_strip_on_its_own_scale():
    picture = number_plot(
        {"f_number": torch.tensor([2.0, 4.0, 8.0]), "K in px": torch.tensor([0.5, 0.5, 0.5])}
    )
    assert picture.shape == (1, 2 * 110 + 34, 960, 3)
    # From the floor of its strip, 110 - 10, to 34 below the top; 4 is a third of the way from 2 to 8.
    first, middle, last = (rows_of(picture, YELLOW, column) for column in (101, 515, 929))
    for rows, expected in ((first, 100), (middle, 78), (last, 34)):
        assert rows
        assert all(abs(row - expected) <= 2 for row in rows)
    # What stays is a line in the middle of its strip: 220 - 10 - 66 / 2.
    rows = rows_of(picture, BLUE, 515)
    assert rows
    assert all(abs(row - 177) <= 2 for row in rows)


def test_a_clip_of_one_frame_is_drawn_too():
    assert rows_of(number_plot({"f_number": torch.tensor([2.8])}), YELLOW, 500)


@pytest.mark.parametrize(
    ("numbers", "message"),
    [
        ({}, "no numbers to plot"),
        ({"a": torch.zeros(2), "b": torch.zeros(3)}, r"different lengths \(a 2, b 3\)"),
        ({"a": torch.tensor([float("nan")])}, "a is nan"),
    ],
)
def test_what_cannot_be_drawn_is_said(numbers: dict[str, torch.Tensor], message: str):
    with pytest.raises(ValueError, match=message):
        number_plot(numbers)
