"""The focus preview: what is tinted, in which colour, how much, and its outlines."""

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from bokeh_core.coc import Falloff
from bokeh_core.preview import captions_of, focus_colours, focus_preview

NEAR_RGB = torch.tensor([0.16, 0.42, 1.0])
FAR_RGB = torch.tensor([1.0, 0.22, 0.16])


def preview(
    frames: Tensor, disparity: Tensor, focal: float = 0.5, strength: float = 16.0, **options
) -> Tensor:
    options = {"show_radius": False, **options}
    return focus_preview(frames, disparity, torch.tensor([focal]), torch.tensor([strength]), **options)


def slope(height: int = 60, width: int = 1024) -> Tensor:
    """Disparity 0 at the left to 1 at the right."""
    return torch.linspace(0, 1, width).expand(1, height, width)


def test_in_focus_the_frame_is_untouched():
    frames = torch.rand(2, 4, 6, 3)
    assert torch.equal(preview(frames, torch.full((2, 4, 6), 0.5)), frames)


def test_blur_that_does_not_show_is_untinted():
    # K 16 x 0.03 = 0.48 px on a frame 1024 px wide.
    frames = torch.rand(1, 1, 1024, 3)
    assert torch.equal(preview(frames, torch.full((1, 1, 1024), 0.53)), frames)


def test_without_strength_nothing_is_tinted():
    frames = torch.rand(1, 4, 6, 3)
    assert torch.equal(preview(frames, torch.rand(1, 4, 6), strength=0.0), frames)


@pytest.mark.parametrize(("disparity", "colour"), [(0.875, NEAR_RGB), (0.125, FAR_RGB)])
def test_near_is_blue_and_far_is_red(disparity: float, colour: Tensor):
    # Radius 16 x 0.375 = 6 px: opacity 0.6 (1 - exp(-(6 - 0.5) / 5)). White shows the full colour.
    result = preview(torch.ones(1, 1, 1024, 3), torch.full((1, 1, 1024), disparity))
    opacity = 0.6 * (1 - math.exp(-1.1))
    assert torch.allclose(result[0, 0, 0], 1 - opacity * (1 - colour), atol=1e-6)


def test_the_tint_depends_on_the_radius_in_shares_of_the_width():
    wide = preview(torch.ones(1, 1, 1024, 3), torch.full((1, 1, 1024), 0.9), strength=16.0)
    half = preview(torch.ones(1, 1, 512, 3), torch.full((1, 1, 512), 0.9), strength=8.0)
    assert torch.allclose(wide[0, 0, 0], half[0, 0, 0], atol=1e-6)


def test_the_tint_follows_the_falloff():
    # In front half the radius, behind nothing: as K 8 shows it, and as no blur.
    frames, disparity = torch.ones(1, 1, 1024, 3), slope(1)
    found = preview(frames, disparity, falloff=Falloff(near_strength=0.5, far_strength=0.0))
    half = preview(frames, disparity, strength=8.0)
    near = disparity[0, 0] > 0.5
    assert torch.allclose(found[0, 0, near], half[0, 0, near], atol=1e-6)
    assert torch.equal(found[0, 0, ~near], frames[0, 0, ~near])


def test_the_tint_grows_smoothly_with_the_distance():
    result = preview(torch.ones(1, 1, 1024, 3), slope(1))[0, 0]
    amount = (1 - result).sum(-1)
    assert (amount[512:].diff() >= -1e-6).all()
    assert (amount[:512].diff() <= 1e-6).all()
    assert amount.diff().abs().max() < 0.01


def test_light_and_dark_stay_readable_under_the_tint():
    stripes = torch.tensor([0.1, 0.9]).repeat(512)[None, None, :, None].expand(1, 1, 1024, 3)
    result = preview(stripes, torch.zeros(1, 1, 1024), tint=1.0, strength=100.0)[0, 0].mean(-1)
    assert (result[1::2] > 2 * result[0::2]).all()


def test_a_tint_of_zero_changes_nothing():
    frames = torch.rand(1, 4, 6, 3)
    assert torch.allclose(preview(frames, torch.rand(1, 4, 6), tint=0.0), frames)


def test_grey_frames_become_rgb():
    result = preview(torch.full((1, 2, 3, 1), 0.25), torch.full((1, 2, 3), 0.5))
    assert result.tolist() == torch.full((1, 2, 3, 3), 0.25).tolist()


def test_transparent_parts_show_grey():
    frames = torch.tensor([[[[1.0, 0.0, 0.0, 1.0], [1.0, 0.0, 0.0, 0.0], [1.0, 0.0, 0.0, 0.5]]]])
    result = preview(frames, torch.full((1, 1, 3), 0.5))
    assert result[0, 0].tolist() == [[1, 0, 0], [0.5, 0.5, 0.5], [0.75, 0.25, 0.25]]


def test_focus_and_strength_may_change_over_time():
    frames = torch.ones(3, 1, 1024, 3)
    focal, strength = torch.tensor([0.5, 0.0, 0.0]), torch.tensor([16.0, 16.0, 0.0])
    result = focus_preview(frames, torch.full((1, 1, 1024), 0.5), focal, strength, show_radius=False)
    tinted = [not torch.equal(result[t], frames[t]) for t in range(3)]
    assert tinted == [False, True, False]


def test_progress_counts_frames():
    ticks: list[tuple[int, int]] = []
    preview(torch.rand(3, 2, 2, 3), torch.rand(3, 2, 2), progress=lambda *tick: ticks.append(tick))
    assert ticks == [(1, 3), (2, 3), (3, 3)]


class TestRadiusLines:
    def lines(self, strength: float = 16.0, height: int = 200, width: int = 320) -> np.ndarray:
        """Where lines and letters were drawn on a dark frame over a slope of disparity."""
        frames = torch.zeros(1, height, width, 3)
        disparity = slope(height, width)
        plain = preview(frames, disparity, strength=strength, tint=0.0)
        drawn = preview(frames, disparity, strength=strength, tint=0.0, show_radius=True)
        assert drawn.shape == plain.shape
        return (drawn - plain)[0].amax(-1).numpy()

    def test_lines_lie_where_the_radius_is_a_power_of_two(self):
        # On 320 px the radius is 1, 2, 4 px at distances of 20, 40, 80 px from the focus.
        row = self.lines()[-5]
        columns = np.flatnonzero(row > 0.5)
        expected = [159.5 + side * distance for side in (-1, 1) for distance in (20, 40, 80)]
        assert all(np.abs(columns - x).min() <= 2 for x in expected)
        assert all(min(abs(column - x) for x in expected) <= 3 for column in columns)

    def test_labels_and_caption_are_drawn(self):
        without = self.lines(strength=0.5)
        with_lines = self.lines(strength=16.0)
        # Below a radius of 1 px there is no line, only the caption at the top left.
        assert (without[50:] > 0.5).sum() == 0
        assert (without[:30, :150] > 0.5).sum() > 50
        assert (with_lines[50:] > 0.5).sum() > 6 * 150

    def test_lines_are_drawn_unless_switched_off(self):
        frames, disparity = torch.zeros(1, 200, 320, 3), slope(200, 320)
        focal, strength = torch.tensor([0.5]), torch.tensor([16.0])
        left_out = focus_preview(frames, disparity, focal, strength)
        switched_on = focus_preview(frames, disparity, focal, strength, show_radius=True)
        switched_off = focus_preview(frames, disparity, focal, strength, show_radius=False)
        assert torch.equal(left_out, switched_on)
        assert not torch.equal(left_out, switched_off)

    def test_each_frame_tells_its_number_focus_and_k(self):
        assert captions_of(7, 0.5, 16.0) == (
            "frame 7   focus 0.500   K 16 px at 1024 px wide",
            "frame 7   focus 0.500   K 16",
            "frame 7   focus 0.500",
            "frame 7",
        )

    def test_k_is_stated_as_the_widget_states_it_at_every_width(self, monkeypatch: pytest.MonkeyPatch):
        told: list[tuple[int, float, float]] = []

        def captions(frame: int, focal_disparity: float, strength: float) -> tuple[str, ...]:
            told.append((frame, focal_disparity, strength))
            return ("",)

        monkeypatch.setattr(focus_colours, "captions_of", captions)
        # K 12.5 and 50 px on a frame 512 px wide are 25 and 100 px on one of 1024 px.
        focal, strength_px = torch.tensor([0.25, 0.75]), torch.tensor([12.5, 50.0])
        focus_preview(torch.zeros(2, 4, 512, 3), torch.zeros(1, 4, 512), focal, strength_px)
        assert told == [(0, 0.25, 25.0), (1, 0.75, 100.0)]

    def test_the_caption_fits_a_frame_512_px_wide_whole(self):
        # Where only "K 16" fitted, nothing would be drawn right of 60 % of the width.
        caption = self.lines(strength=0.4, height=288, width=512)[:28]
        assert (caption[:, 307:] > 0.5).any()

    @pytest.mark.parametrize(("height", "width"), [(1, 1), (1, 7), (9, 3), (17, 31), (64, 48), (723, 401)])
    def test_any_size_works(self, height: int, width: int):
        result = preview(torch.rand(1, height, width, 3), torch.rand(1, height, width), show_radius=True)
        assert result.shape == (1, height, width, 3)
        assert result.min() >= 0
        assert result.max() <= 1


@pytest.mark.parametrize(
    ("frames", "disparity", "options", "message"),
    [
        ((10, 4, 6, 3), (3, 4, 6), {}, "3 disparity frames for 10 video frames"),
        (
            (1, 4, 6, 3),
            (1, 4, 8),
            {},
            "disparity is 8 x 4 px but the frames are 6 x 4 px; connect the frames",
        ),
        ((1, 4, 6, 2), (1, 4, 6), {}, "frames have shape .1, 4, 6, 2.; expected .* with C = 1, 3 or 4"),
        ((1, 4, 6, 3), (1, 4, 6), {"tint": 1.5}, "tint is 1.5; it must be 0 to 1 .0 = none"),
        (
            (1, 4, 6, 3),
            (1, 4, 6),
            {"strength": -1.0},
            "blur_strength_px is -1 px at frame 0; it must be",
        ),
    ],
)
def test_bad_input_is_named(frames: tuple, disparity: tuple, options: dict, message: str):
    with pytest.raises(ValueError, match=message):
        preview(torch.rand(frames), torch.rand(disparity), **options)


def test_another_number_of_focus_values_is_an_error():
    with pytest.raises(ValueError, match="2 focus frames for 3 video frames"):
        focus_preview(torch.rand(3, 2, 2, 3), torch.rand(3, 2, 2), torch.rand(2), torch.tensor([1.0]))


def marked(points: list[list[float]], num_frames: int = 2, **options) -> Tensor:
    """How much each pixel of black frames in focus differs from those without a point: [T, 60, 80]."""
    frames, disparity = torch.zeros(num_frames, 60, 80, 3), torch.full((1, 60, 80), 0.5)
    options = {"show_radius": True, **options}
    plain = preview(frames, disparity, **options)
    return (preview(frames, disparity, points_px=torch.tensor(points), **options) - plain).abs().sum(-1)


def test_the_focus_point_is_marked_in_every_frame():
    change = marked([[60.0, 40.0], [20.0, 46.0]])
    for t, (x, y) in enumerate([(60, 40), (20, 46)]):
        rows, columns = change[t].numpy().nonzero()
        # A ring around a dot, as wide as high.
        assert change[t, y, x] > 1
        assert (rows.min() + rows.max(), columns.min() + columns.max()) == (2 * y, 2 * x)
        assert columns.max() - columns.min() == rows.max() - rows.min() >= 6
        assert change[t, y, x + 3] == 0


def test_a_point_outside_is_not_marked_and_one_serves_the_clip():
    assert marked([[80.0, 40.0]]).max() == 0
    change = marked([[60.0, 40.0]], num_frames=3)
    assert change[0].max() > 1
    assert torch.equal(change[0], change[2])


def test_without_lines_no_point_is_marked():
    assert marked([[60.0, 40.0]], show_radius=False).max() == 0


def test_points_of_another_shape_or_length_are_refused():
    with pytest.raises(ValueError, match=r"\[T, 2\]"):
        marked([[1.0, 2.0, 3.0]])
    with pytest.raises(ValueError, match="focus points"):
        marked([[1.0, 2.0]] * 3)
