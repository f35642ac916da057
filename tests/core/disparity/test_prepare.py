"""Raw depth maps to disparity in [0, 1] by every source, polarity and normalisation."""

import math
from typing import Any

import pytest
import torch
from torch import Tensor

from bokeh_core.disparity.fit import resizing_report
from bokeh_core.disparity.grey import grey_maps
from bokeh_core.disparity.polarity import nearness_of_white
from bokeh_core.disparity.prepare import grey_view, prepare_disparity


def clip(*frames: list[float]) -> Tensor:
    """Frames of one row each: [T, 1, W]."""
    return torch.tensor(frames)[:, None, :]


def prepared(values: Tensor, **options: Any) -> list[list[float]]:
    options.setdefault("polarity", "near white")
    return prepare_disparity(values, **options).disparity[:, 0].tolist()


class TestNormalisation:
    def test_min_max_covers_the_whole_clip(self):
        assert prepared(clip([2.0, 3.0], [4.0, 6.0])) == [[0, 0.25], [0.5, 1]]

    def test_percentiles_clip_the_outliers(self):
        # 0 .. 100 and one far outlier: the 1st percentile is 1.01, the 99th 99.99 of 102 samples.
        values = torch.cat([torch.arange(101.0), torch.tensor([10_000.0])])[None, None]
        disparity = prepare_disparity(
            values, polarity="near white", normalisation="robust percentiles"
        ).disparity
        assert disparity[0, 0, 50].item() == pytest.approx((50 - 1.01) / (99.99 - 1.01), abs=1e-6)
        assert disparity[0, 0, [0, 101]].tolist() == [0, 1]

    def test_none_keeps_values(self):
        assert prepared(clip([0.25, 0.5]), normalisation="none") == [[0.25, 0.5]]

    def test_none_allows_a_plane_and_rounding(self):
        assert prepared(clip([0.5, 0.5]), normalisation="none") == [[0.5, 0.5]]
        assert prepared(clip([-1e-5, 1 + 1e-5]), normalisation="none") == [[0, 1]]

    def test_none_refuses_other_ranges(self):
        with pytest.raises(ValueError, match=r"must be in \[0, 1\], but it is 0 to 7; choose min-max"):
            prepared(clip([0.0, 7.0]), normalisation="none")

    @pytest.mark.parametrize("normalisation", ["min-max", "robust percentiles"])
    def test_constant_depth_is_an_error(self, normalisation: str):
        with pytest.raises(ValueError, match=r"constant \(3 everywhere\).*normalisation none"):
            prepared(torch.full((2, 3, 3), 3.0), normalisation=normalisation)

    def test_percentiles_of_an_almost_constant_clip_are_an_error(self):
        values = torch.zeros(1, 20, 20)
        values[0, 0, 0] = 1
        with pytest.raises(ValueError, match=r"98 % of the depth is the same value .* Choose min-max"):
            prepared(values, normalisation="robust percentiles")

    def test_the_exponent_undoes_a_square_root(self):
        # Square roots of 0, 1/16, 1/4, 1.
        assert prepared(clip([0.0, 0.25, 0.5, 1.0]), exponent=2.0) == [[0, 0.0625, 0.25, 1]]

    def test_the_exponent_comes_before_normalisation(self):
        # 1, 4, 9 normalise to 0, 3/8, 1.
        assert prepared(clip([1.0, 2.0, 3.0]), exponent=2.0) == [[0, 0.375, 1]]

    def test_the_exponent_needs_positive_values(self):
        with pytest.raises(ValueError, match="exponent 2 needs values of 0 or more, but the smallest is -1"):
            prepared(clip([-1.0, 1.0]), exponent=2.0)
        with pytest.raises(ValueError, match=r"exponent is 0; it must be 0\.01 to 100"):
            prepared(clip([0.0, 1.0]), exponent=0.0)
        with pytest.raises(ValueError, match=r"exponent is 1e\+06; it must be 0\.01 to 100"):
            prepared(clip([0.0, 1.0]), exponent=1e6)

    @pytest.mark.parametrize("kind", [torch.uint8, torch.int32, torch.bool, torch.float16, torch.float64])
    def test_maps_of_any_numbers(self, kind: torch.dtype):
        # 1 - (0, 1, 1) where near is black.
        values = clip([0.0, 1.0, 1.0]).to(kind)
        assert prepared(values, polarity="near black") == [[1, 0, 0]]

    def test_pictures_are_no_maps(self):
        with pytest.raises(ValueError, match=r"shape \(1, 2, 2, 3\); they must be \[T, H, W\]"):
            prepare_disparity(torch.rand(1, 2, 2, 3))

    def test_the_input_is_not_written_to(self):
        values = clip([2.0, 4.0])
        prepared(values)
        assert values.tolist() == [[[2.0, 4.0]]]


class TestPolarityAndSource:
    def test_near_black_is_flipped(self):
        assert prepared(clip([0.0, 0.25, 1.0]), polarity="near black") == [[1, 0.75, 0]]

    def test_near_black_in_unit_range_is_one_minus_the_value(self):
        options = {"polarity": "near black", "normalisation": "none"}
        assert prepared(clip([0.25, 0.5]), **options) == [[0.75, 0.5]]

    def test_near_black_of_any_range_is_flipped_at_its_maximum(self):
        # max - v is 6, 4, 0; squared 36, 16, 0.
        assert prepared(clip([2.0, 4.0, 8.0]), polarity="near black", exponent=2.0) == [
            [1, pytest.approx(4 / 9), 0]
        ]

    @pytest.mark.parametrize("polarity", ["auto", "near black"])
    def test_metric_depth_is_inverted(self, polarity: str):
        # 1, 2, 4 metres are 1, 1/2, 1/4 disparity.
        assert prepared(clip([1.0, 2.0, 4.0]), source="metric depth", polarity=polarity) == [
            [1, pytest.approx(1 / 3), 0]
        ]

    def test_metric_depth_stored_inverted_is_unfolded(self):
        # v = 0, 0.5, 0.75 stands for depth 1, 0.5, 0.25.
        assert prepared(clip([0.0, 0.5, 0.75]), source="metric depth", polarity="near white") == [
            [0, pytest.approx(1 / 3), 1]
        ]

    def test_metres_cannot_be_near_white(self):
        with pytest.raises(ValueError, match="Metric depth from 1 to 4 cannot be near white"):
            prepared(clip([1.0, 4.0]), source="metric depth")

    def test_depth_of_zero_is_an_error(self):
        values = clip([1.0, 2.0], [0.0, 0.0])
        with pytest.raises(
            ValueError,
            match=r"2 metric depth values are 0 or less, first in frame 1 at column 0, row 0; .*near black",
        ):
            prepared(values, source="metric depth", polarity="auto")

    @pytest.mark.parametrize("option", ["source", "polarity", "normalisation"])
    def test_unknown_options_name_the_choices(self, option: str):
        with pytest.raises(ValueError, match=f"{option} is 'x'; choose one of "):
            prepared(clip([0.0, 1.0]), **{option: "x"})


def street(height: int = 12, width: int = 16) -> Tensor:
    """Ground that comes nearer towards the bottom, a subject in the middle: near white."""
    scene = torch.linspace(0, 0.6, height)[:, None].repeat(1, width)
    scene[height // 3 :, width // 3 : 2 * width // 3] = 1.0
    return scene[None]


def upside_down() -> Tensor:
    """Leaves that hang in from above before a far street: near white all the same."""
    return street().flip(1)


class TestPolarityByItself:
    def test_white_looks_near_in_a_street_and_far_in_its_negative(self):
        assert nearness_of_white(street()[0])[0] > 0.2
        assert nearness_of_white(1 - street()[0])[0] < -0.2

    def test_the_cues_are_worth_what_is_documented(self):
        # Bottom third 1, top third 0, nothing in between: vertical +1. Middle 0.5 against borders.
        ramp = torch.tensor([0.0, 0.0, 0.5, 0.5, 1.0, 1.0])[:, None].repeat(1, 6)
        border = (0.0 * 6 + 2 * 3.0) / 18
        nearness, reason = nearness_of_white(ramp)
        assert nearness == pytest.approx(0.6 * 1 + 0.4 * (0.5 - border))
        assert "bottom minus top +1.00, middle minus borders +0.17" in reason

    @pytest.mark.parametrize("maps", [street(), upside_down()], ids=["street", "leaves above"])
    def test_auto_is_near_white_however_the_picture_is_composed(self, maps: Tensor):
        result = prepare_disparity(maps)
        assert torch.equal(result.disparity, maps)
        assert "Polarity: near white (auto, as depth estimators give it)." in result.report

    def test_a_picture_that_looks_otherwise_warns(self):
        assert "Warning" not in prepare_disparity(street()).report
        report = prepare_disparity(1 - street()).report
        assert "Warning: white looks far in this picture (bottom minus top" in report
        assert "set polarity to near black" in report

    def test_a_chosen_polarity_is_reported_as_chosen(self):
        assert "Polarity: near black (chosen)." in prepare_disparity(street(), polarity="near black").report


class TestBadValues:
    def test_nan_and_infinity_are_counted(self):
        values = torch.ones(5, 2, 2)
        values[3, 0, 0] = math.nan
        values[4, 0] = math.inf
        with pytest.raises(
            ValueError, match="1 NaN and 2 infinite values in 2 frames, first in frame 3 at column 0, row 0"
        ):
            prepare_disparity(values)

    def test_the_first_hole_is_named_by_its_place(self):
        values = torch.ones(3, 4, 5)
        values[1, 2, 3] = math.nan
        values[1, 3, 0] = math.inf
        with pytest.raises(ValueError, match="first in frame 1 at column 3, row 2;"):
            prepare_disparity(values)

    @pytest.mark.parametrize("tiny", [1e-40, 1e-45, 1.1e-38])
    def test_a_distance_too_small_to_be_inverted_is_refused(self, tiny: float):
        values = torch.ones(1, 3, 4)
        values[0, 1, 2] = tiny
        with pytest.raises(
            ValueError,
            match=r"are 0 or less, first in frame 0 at column 2, row 1; .* above 1e-38, to be inverted",
        ):
            prepare_disparity(values, "metric depth")

    def test_distances_down_to_the_least_are_inverted(self):
        # 1 / 1.2e-38 is 8.3e37: the rest is far.
        disparity = prepared(clip([1.2e-38, 1.0, 2.0]), source="metric depth", polarity="auto")
        assert disparity == [[1, pytest.approx(0, abs=1e-30), 0]]

    @pytest.mark.parametrize(
        "options", [{}, {"polarity": "near black"}, {"normalisation": "robust percentiles"}]
    )
    def test_a_range_beyond_floats_is_refused(self, options: dict[str, str]):
        with pytest.raises(ValueError, match=r"runs from -3e\+38 to 3e\+38, too far to be normalised"):
            prepared(clip([-3e38, 0.0, 3e38]), **options)

    def test_a_power_beyond_floats_is_refused(self):
        with pytest.raises(ValueError, match="runs from 1 to inf, too far to be normalised"):
            prepared(clip([1.0, 1e30]), exponent=2.0)
        for exponent in (math.inf, math.nan):
            with pytest.raises(ValueError, match=r"it must be 0\.01 to 100"):
                prepared(clip([0.0, 1.0]), exponent=exponent)

    def test_a_range_too_small_for_floats_is_constant(self):
        with pytest.raises(ValueError, match="The depth is constant"):
            prepared(clip([0.0, 1e-40]))

    def test_nothing_is_an_error(self):
        with pytest.raises(ValueError, match=r"empty \(shape \(0, 4, 4\)\)"):
            prepare_disparity(torch.zeros(0, 4, 4))


class TestFrameByFrame:
    def test_equal_extremes_in_every_frame_are_reported(self):
        report = prepare_disparity(clip([0.0, 0.3, 1.0], [0.0, 0.6, 1.0])).report
        assert "Warning: every frame spans the same 0 to 1" in report
        assert "set its smoothing to 0" in report
        assert "flicker" in report

    def test_one_in_twenty_may_differ(self):
        frames = [[0.0, 0.2 + 0.6 * (t % 2), 1.0] for t in range(19)] + [[0.3, 0.5, 0.6]]
        assert "every frame spans" in prepare_disparity(clip(*frames)).report

    def test_one_in_five_may_not(self):
        frames = [[0.0, 0.2 + 0.6 * (t % 2), 1.0] for t in range(4)] + [[0.3, 0.5, 0.6]]
        assert "every frame spans" not in prepare_disparity(clip(*frames)).report

    def test_a_clip_that_moves_is_not_reported(self):
        assert "every frame spans" not in prepare_disparity(clip([0.0, 0.8], [0.1, 1.0])).report

    def test_a_repeated_still_is_not_reported(self):
        assert "every frame spans" not in prepare_disparity(clip(*[[0.0, 0.3, 1.0]] * 8)).report

    def test_somebody_who_walks_before_a_still_scene_is_not_reported(self):
        maps = torch.linspace(0, 1, 40).repeat(12, 20, 1)
        for t in range(12):
            maps[t, 6:16, 10 + t : 15 + t] = 0.7
        assert "every frame spans" not in prepare_disparity(maps).report

    def test_a_still_is_not_reported(self):
        assert "every frame spans" not in prepare_disparity(clip([0.0, 1.0])).report


class TestFit:
    def test_one_map_serves_the_frames(self):
        result = prepare_disparity(clip([0.0, 1.0]), num_frames=4)
        assert result.disparity.tolist() == [[[0, 1]]] * 4
        assert "One map serves all 4 video frames" in result.report

    def test_a_map_beyond_the_last_frame_is_left_out(self):
        maps = clip(*([0.0, t / 10] for t in range(11)))
        frames = torch.rand(10, 1, 2, 3, generator=torch.Generator().manual_seed(0))
        result = prepare_disparity(maps, frames=frames, normalisation="none", polarity="near white")
        assert result.disparity[:, 0, 1].tolist() == pytest.approx([t / 10 for t in range(10)])
        assert "11 maps for 10 video frames: those after the first 10 are left out." in result.report

    def test_another_length_is_an_error(self):
        with pytest.raises(ValueError, match="3 disparity frames for 10 video frames"):
            prepare_disparity(torch.rand(3, 2, 2), num_frames=10)

    def test_maps_are_resized_to_the_frames(self):
        # Bilinear, pixel centres: a two-pixel step doubled gives 0, 1/4, 3/4, 1.
        result = prepare_disparity(clip([0.0, 1.0]), polarity="near white", height=2, width=4)
        assert result.disparity.tolist() == [[[0, 0.25, 0.75, 1]] * 2]
        assert "Resized from 2 x 1 to 4 x 2 px." in result.report
        assert "stretched" not in result.report

    def test_another_shape_is_reported(self):
        report = prepare_disparity(torch.rand(1, 4, 4), height=4, width=6).report
        assert "stretched by 1.500 horizontally" in report

    @pytest.mark.parametrize(
        ("maps", "frames"), [((180, 320), (320, 180)), ((640, 360), (720, 1280)), ((120, 160), (160, 120))]
    )
    def test_maps_that_lie_where_the_frames_stand_are_refused(
        self, maps: tuple[int, int], frames: tuple[int, int]
    ):
        with pytest.raises(
            ValueError, match=rf"maps are {maps[1]} x {maps[0]} px .* fit when turned by a quarter"
        ):
            prepare_disparity(torch.rand(1, *maps), height=frames[0], width=frames[1])

    def test_maps_of_quite_another_shape_are_refused(self):
        with pytest.raises(ValueError, match=r"stretched by 2\.400 horizontally; at most 2 is allowed"):
            prepare_disparity(torch.rand(1, 10, 10), height=10, width=24)

    @pytest.mark.parametrize(
        ("maps", "frames"),
        [
            ((518, 518), (1080, 1920)),
            ((448, 832), (480, 832)),
            ((490, 500), (500, 480)),
            ((576, 720), (576, 1024)),
        ],
    )
    def test_square_and_cropped_maps_are_stretched_with_a_warning(
        self, maps: tuple[int, int], frames: tuple[int, int]
    ):
        (line, *_) = [line for line in resizing_report(maps, frames) if line.startswith("Warning")]
        assert f"stretched by {frames[1] / frames[0] * maps[0] / maps[1]:.3f} horizontally" in line

    def test_shrinking_averages(self):
        values = torch.tensor([[[0.0, 1.0] * 8] * 16])
        disparity = prepare_disparity(values, polarity="near white", height=2, width=2).disparity
        assert disparity.flatten().tolist() == pytest.approx([0.5] * 4, abs=0.05)

    def test_a_part_is_normalised_like_the_whole(self):
        values = clip([0.0, 1.0], [2.0, 3.0], [4.0, 5.0], [6.0, 8.0])
        assert prepared(values, start_frame=1, max_frames=2) == [[0.25, 0.375], [0.5, 0.625]]
        assert prepared(values, start_frame=3) == [[0.75, 1]]
        assert prepared(values, start_frame=3, max_frames=9) == [[0.75, 1]]

    def test_a_still_serves_any_part(self):
        assert prepared(clip([0.0, 1.0]), start_frame=7, max_frames=3, num_frames=3) == [[0, 1]] * 3

    def test_a_part_outside_is_an_error(self):
        with pytest.raises(ValueError, match="start_frame is 4, but the last disparity frame is 3"):
            prepare_disparity(torch.rand(4, 2, 2), start_frame=4)
        with pytest.raises(ValueError, match="start_frame is -1 and max_frames 0; both must be 0 or more"):
            prepare_disparity(torch.rand(4, 2, 2), start_frame=-1)

    def test_one_pixel_works_without_normalisation(self):
        result = prepare_disparity(
            torch.tensor([[[0.4]]]), normalisation="none", num_frames=2, height=3, width=5
        )
        assert result.disparity.shape == (2, 3, 5)
        assert result.disparity.unique().item() == pytest.approx(0.4)

    def test_the_result_is_float32_whatever_came(self):
        disparity = prepare_disparity(torch.rand(2, 5, 3, dtype=torch.float32)).disparity
        assert disparity.dtype == torch.float32
        assert (disparity.min().item(), disparity.max().item()) == (0.0, 1.0)


class TestGrey:
    def test_one_channel_is_taken(self):
        assert grey_maps(torch.tensor([[[[0.25], [0.5]]]])).tolist() == [[[0.25, 0.5]]]

    def test_equal_channels_are_taken_exactly(self):
        values = torch.rand(2, 3, 4, 1)
        assert torch.equal(grey_maps(values.expand(-1, -1, -1, 3)), values[..., 0])

    def test_alpha_is_ignored(self):
        image = torch.tensor([[[[0.5, 0.5, 0.5, 0.1]]]])
        assert grey_maps(image).tolist() == [[[0.5]]]

    def test_distances_may_be_rounded_by_their_own_measure(self):
        # Channels 0.1 apart of 10 are 1 %, below 2 %; 1 apart of 10 is a colour.
        assert grey_maps(torch.tensor([[[[10.0, 10.05, 9.95]]]])).tolist() == [[[pytest.approx(10)]]]
        with pytest.raises(ValueError, match=r"differ by 1\.00 on average; grey is at most 0\.2\)"):
            grey_maps(torch.tensor([[[[10.0, 10.5, 9.5]]]]))

    def test_channels_that_nearly_agree_are_averaged(self):
        image = torch.tensor([[[[0.5, 0.51, 0.52]]]])
        assert grey_maps(image).item() == pytest.approx(0.51)

    def test_colour_maps_are_refused(self):
        image = torch.tensor([[[[1.0, 0.0, 0.0], [0.0, 0.0, 1.0]]]])
        with pytest.raises(
            ValueError, match=r"The depth map is coloured .* differ by 1.00 .* Use a grey depth map"
        ):
            grey_maps(image)

    def test_eight_bit_integers_are_levels(self):
        levels = grey_maps(torch.tensor([[[[0], [51], [255]]]], dtype=torch.uint8))
        assert levels.tolist() == [[[0, pytest.approx(0.2), 1]]]

    @pytest.mark.parametrize("shape", [(4, 5), (0, 4, 5, 3), (1, 2, 4, 5, 3)])
    def test_what_is_no_picture_is_refused(self, shape: tuple[int, ...]):
        with pytest.raises(ValueError, match=r"has shape .* it must be pictures \[T, H, W, C\]"):
            grey_maps(torch.zeros(shape))

    def test_other_channel_counts_are_refused(self):
        with pytest.raises(ValueError, match="has 2 channels; a grey picture has 1, 3 or 4"):
            grey_maps(torch.zeros(1, 1, 1, 2))


def test_the_view_is_grey():
    disparity = torch.tensor([[[0.0, 0.5]]])
    assert grey_view(disparity).tolist() == [[[[0, 0, 0], [0.5, 0.5, 0.5]]]]
