"""The focal disparity of every frame from a value, a point, points or a mask."""

import math

import pytest
import torch
from torch import Tensor

from bokeh_core.focus import focus_at_point, focus_at_value, focus_on_mask
from bokeh_core.focus.smoothing import smooth_over_time


def halves(num_frames: int = 1, height: int = 9, width: int = 20) -> Tensor:
    """Left half at 0.2, right half at 0.8."""
    disparity = torch.full((num_frames, height, width), 0.2)
    disparity[..., width // 2 :] = 0.8
    return disparity


class TestValue:
    def test_a_value_is_repeated(self):
        assert focus_at_value(3, 0.25).tolist() == [0.25, 0.25, 0.25]

    def test_keyframes_replace_the_value(self):
        assert focus_at_value(5, 0.1, "0: 0.75\n4: 0.25").tolist() == [0.75, 0.625, 0.5, 0.375, 0.25]

    def test_blank_keyframes_do_not(self):
        assert focus_at_value(2, 0.25, " \n ").tolist() == [0.25, 0.25]

    def test_a_table_is_read(self):
        assert focus_at_value(2, keyframes="frame,focal_disparity\n0,0.5\n1,0.75").tolist() == [0.5, 0.75]

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            ((1, 1.5), "focal_disparity is 1.5; it must be 0 to 1 .0 = farthest, 1 = nearest."),
            ((1, math.nan), "focal_disparity is nan"),
            ((9, 0.5, "0: 0.5\n8: 2"), "focal_disparity is 2 at frame 8; it must be 0 to 1"),
            ((9, 0.5, "0.1, 0.2"), "2 values for 9 video frames"),
        ],
    )
    def test_bad_values_are_named(self, arguments: tuple, message: str):
        with pytest.raises(ValueError, match=message):
            focus_at_value(*arguments)


class TestPoint:
    def test_the_disparity_at_the_point_is_taken(self):
        disparity = torch.arange(12.0).reshape(1, 3, 4) / 12
        assert focus_at_point(disparity, x_px=3, y_px=1, radius_px=0).item() == pytest.approx(7 / 12)

    def test_the_median_ignores_a_speck(self):
        disparity = torch.full((1, 9, 9), 0.5)
        disparity[0, 4, 4] = 1.0
        assert focus_at_point(disparity, 4, 4, radius_px=1).item() == 0.5

    def test_the_disk_is_round(self):
        # Radius 1: the pixel and its four neighbours, all 0.5; the four corners would outvote one of them.
        disparity = torch.full((1, 3, 3), 0.5)
        disparity[0, [0, 0, 2, 2], [0, 2, 0, 2]] = 0.9
        disparity[0, 0, 1] = disparity[0, 1, 0] = 0.9
        assert focus_at_point(disparity, 1, 1, radius_px=1).item() == 0.5

    def test_across_an_edge_one_surface_is_chosen(self):
        disparity = torch.tensor([[[0.2, 0.8]]])
        assert focus_at_point(disparity, 0, 0, radius_px=1).item() == pytest.approx(0.2)

    def test_the_disk_is_cut_at_the_border(self):
        disparity = halves()
        assert focus_at_point(disparity, 0, 0, radius_px=5).item() == pytest.approx(0.2)
        assert focus_at_point(disparity, 19, 8, radius_px=5).item() == pytest.approx(0.8)

    def test_the_default_is_the_centre(self):
        disparity = torch.zeros(1, 5, 7)
        disparity[0, 2, 3] = 0.75
        assert focus_at_point(disparity, radius_px=0).item() == 0.75

    def test_every_frame_is_measured(self):
        disparity = torch.tensor([0.1, 0.5, 0.9])[:, None, None].expand(3, 4, 4)
        focal = focus_at_point(disparity, 1, 1, smoothing_frames=0)
        assert focal.tolist() == pytest.approx([0.1, 0.5, 0.9])

    def test_the_point_follows_its_keyframes(self):
        focal = focus_at_point(
            halves(5), 0, 0, 0, 0, "0: 6, 4\n4: 14, 4", between_keyframes="follow the point"
        )
        # x is 6, 8, 10, 12, 14; the near half begins at 10.
        assert focal.tolist() == pytest.approx([0.2, 0.2, 0.8, 0.8, 0.8])

    def test_a_rack_moves_the_focus_and_not_the_point(self):
        focal = focus_at_point(
            halves(5),
            radius_px=0,
            smoothing_frames=0,
            keyframes="0: 6, 4\n4: 14, 4",
        )
        assert focal.tolist() == pytest.approx([0.2, 0.35, 0.5, 0.65, 0.8])

    def test_a_rack_measures_both_subjects_in_every_frame(self):
        disparity = halves(5)
        disparity[:, :, 10:] = torch.tensor([0.8, 0.8, 0.6, 0.6, 0.6])[:, None, None]
        focal = focus_at_point(
            disparity,
            radius_px=0,
            smoothing_frames=0,
            keyframes="0: 6, 4\n4: 14, 4",
            between_keyframes="rack focus",
        )
        assert focal.tolist() == pytest.approx([0.2, 0.35, 0.4, 0.5, 0.6])

    def test_a_held_rack_jumps(self):
        focal = focus_at_point(
            halves(4),
            radius_px=0,
            smoothing_frames=0,
            keyframes="0: 6, 4\n2: 14, 4",
            between_keyframes="rack focus",
            easing="hold",
        )
        assert focal.tolist() == pytest.approx([0.2, 0.2, 0.8, 0.8])

    def test_one_pixel_is_enough(self):
        assert focus_at_point(torch.tensor([[[0.3]]])).item() == pytest.approx(0.3)

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            (
                {"x_px": 20, "y_px": 0},
                r"point \(20, 0\) is outside the frame of 20 x 9 px; x must be 0 to 19",
            ),
            ({"x_px": 0, "y_px": 9}, r"point \(0, 9\) is outside .* y 0 to 8"),
            ({"x_px": -2, "y_px": 0}, r"point \(-2, 0\) is outside"),
            ({"keyframes": "0: 5, 5\n9: 40, 5"}, r"point \(40, 5\) is outside the frame of 20 x 9"),
            ({"keyframes": "0: 5"}, "keyframe 0 has 1 values .* write 'frame: x, y'"),
            ({"radius_px": -1}, "radius is -1 px; it must be 0"),
            ({"smoothing_frames": -1.0}, "smoothing is -1 frames; it must be 0"),
            (
                {"between_keyframes": "jump"},
                "between_keyframes is 'jump'; choose one of follow the point, rack focus",
            ),
        ],
    )
    def test_bad_points_are_named(self, arguments: dict, message: str):
        with pytest.raises(ValueError, match=message):
            focus_at_point(halves(), **arguments)


class TestMask:
    def test_the_disparity_inside_is_taken(self):
        mask = torch.zeros(1, 9, 20)
        mask[..., 12:] = 1
        assert focus_on_mask(halves(), mask).item() == pytest.approx(0.8)

    def test_a_fifth_at_each_end_is_left_out(self):
        disparity = torch.tensor([[[0.0, 0.3, 0.4, 0.5, 1.0]]])
        assert focus_on_mask(disparity, torch.ones(1, 1, 5)).item() == pytest.approx(0.4)

    def test_a_partly_trimmed_pixel_counts_in_part(self):
        # Two pixels of weight 1: of each 0.6 lies between 0.4 and 1.6.
        disparity = torch.tensor([[[0.2, 0.8]]])
        assert focus_on_mask(disparity, torch.ones(1, 1, 2)).item() == pytest.approx(0.5)

    def test_the_mask_is_a_weight(self):
        # Weights 1 and 0.5, kept between 0.3 and 1.2: 0.7 at 0.2 and 0.2 at 0.8.
        disparity = torch.tensor([[[0.2, 0.8]]])
        expected = (0.7 * 0.2 + 0.2 * 0.8) / 0.9
        assert focus_on_mask(disparity, torch.tensor([[[1.0, 0.5]]])).item() == pytest.approx(expected)

    def test_soft_fringes_do_not_count(self):
        disparity = torch.tensor([[[0.2, 0.8, 0.8, 0.8]]])
        assert focus_on_mask(disparity, torch.tensor([[[1.0, 0.4, 0.4, 0.4]]])).item() == pytest.approx(0.2)

    def test_a_large_mask_has_the_same_mean(self):
        # A plane from 0 to 1: without a fifth at each end its mean is still 0.5.
        disparity = torch.linspace(0, 1, 400 * 500).reshape(1, 400, 500)
        assert focus_on_mask(disparity, torch.ones(1, 400, 500)).item() == pytest.approx(0.5, abs=1e-4)

    def test_empty_frames_keep_the_frame_before_and_leading_ones_the_first(self):
        disparity = torch.tensor([0.1, 0.2, 0.3, 0.4, 0.5, 0.6])[:, None, None].expand(6, 2, 2)
        mask = torch.zeros(6, 2, 2)
        mask[[1, 4]] = 1
        focal = focus_on_mask(disparity, mask, smoothing_frames=0)
        assert focal.tolist() == pytest.approx([0.2, 0.2, 0.2, 0.2, 0.5, 0.5])

    def test_one_mask_serves_the_clip(self):
        disparity = torch.tensor([0.1, 0.7])[:, None, None].expand(2, 2, 2)
        assert focus_on_mask(disparity, torch.ones(1, 2, 2), smoothing_frames=0).tolist() == pytest.approx(
            [0.1, 0.7]
        )

    def test_a_mask_without_a_batch_axis_serves_the_clip(self):
        assert focus_on_mask(torch.full((2, 2, 2), 0.5), torch.ones(2, 2)).tolist() == [0.5, 0.5]

    def test_a_mask_of_another_size_is_resized(self):
        mask = torch.zeros(1, 18, 40)
        mask[..., 24:] = 1
        assert focus_on_mask(halves(), mask).item() == pytest.approx(0.8)

    def test_all_empty_is_an_error(self):
        with pytest.raises(
            ValueError, match=r"empty in all 3 frames \(its largest value is 0\.4, 0\.5 is needed"
        ):
            focus_on_mask(torch.rand(3, 4, 4), torch.full((3, 4, 4), 0.4))

    def test_another_number_of_masks_is_an_error(self):
        with pytest.raises(ValueError, match="2 mask frames for 5 video frames"):
            focus_on_mask(torch.rand(5, 4, 4), torch.ones(2, 4, 4))


class TestSmoothing:
    def test_none_changes_nothing(self):
        values = torch.tensor([0.0, 1.0, 0.0])
        assert smooth_over_time(values, 0) is values

    def test_a_step_becomes_the_gaussians_sum(self):
        # Weights exp(-k^2/2) for sigma 1, k = -3 .. 3; at the first 1 after the step, k <= 0 sees ones.
        weights = [math.exp(-(k**2) / 2) for k in range(-3, 4)]
        expected = sum(weights[3:]) / sum(weights)
        smoothed = smooth_over_time(torch.tensor([0.0] * 5 + [1.0] * 5), 1.0)
        assert smoothed[5].item() == pytest.approx(expected, abs=1e-6)
        assert smoothed[4].item() == pytest.approx(1 - expected, abs=1e-6)

    def test_a_constant_stays_and_a_clip_may_be_shorter_than_the_kernel(self):
        assert smooth_over_time(torch.full((2,), 0.7), 50.0).tolist() == pytest.approx([0.7, 0.7])
        assert smooth_over_time(torch.tensor([0.7]), 50.0).tolist() == pytest.approx([0.7])


def test_the_mask_of_a_picture_without_alpha_is_recognised():
    with pytest.raises(
        ValueError, match="64 x 64 zeros are what Load Image gives for a picture without alpha"
    ):
        focus_on_mask(torch.rand(2, 90, 160), torch.zeros(1, 64, 64))


def test_masks_that_lie_where_the_frames_stand_are_refused():
    mask = torch.zeros(1, 90, 160)
    mask[:, 20:40, 20:40] = 1
    with pytest.raises(
        ValueError, match="masks are 160 x 90 px and the frames 90 x 160 px: they fit when turned"
    ):
        focus_on_mask(torch.rand(2, 160, 90), mask)
    # A mask of one value shows no picture.
    assert focus_on_mask(torch.full((2, 160, 90), 0.25), torch.ones(1, 90, 160)).tolist() == [0.25, 0.25]
