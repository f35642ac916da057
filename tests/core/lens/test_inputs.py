"""Sizes, lengths, and inputs that must be refused with a message that helps."""

from typing import Any

import pytest
import torch
from torch import Tensor

from bokeh_core.lens import Aperture, contour_reach_px, lens_blur

HEIGHT_PX, WIDTH_PX = 9, 12
NAN, INFINITE = float("nan"), float("inf")


def arguments(num_frames: int = 3, **changes: Any) -> dict[str, Any]:
    generator = torch.Generator().manual_seed(3)
    return {
        "frames": torch.rand(num_frames, HEIGHT_PX, WIDTH_PX, 3, generator=generator),
        "disparity": torch.rand(num_frames, HEIGHT_PX, WIDTH_PX, generator=generator),
        "focal_disparity": torch.linspace(0.2, 0.8, num_frames),
        "blur_strength_px": torch.linspace(4, 8, num_frames),
        **changes,
    }


@pytest.mark.parametrize("size", [(1, 1), (1, 7), (7, 1), (3, 2), (2, 2), (63, 41)])
@pytest.mark.parametrize("strength", [4.0, 50.0])
def test_every_size_works(size: tuple[int, int], strength: float):
    generator = torch.Generator().manual_seed(0)
    frames, disparity = (
        torch.rand(1, *size, 3, generator=generator),
        torch.rand(1, *size, generator=generator),
    )
    blurred = lens_blur(frames, disparity, torch.tensor([0.5]), torch.tensor([strength]))
    assert (blurred.shape, blurred.dtype) == (frames.shape, torch.float32)
    # Averages lie within the range of what is averaged; unmixing along edges may go a little beyond.
    assert (blurred >= frames.amin((1, 2)) - 0.02).all()
    assert (blurred <= frames.amax((1, 2)) + 0.02).all()


def test_a_single_pixel_has_nothing_to_mix_with():
    frame = torch.tensor([[[[0.2, 0.5, 0.9]]]])
    blurred = lens_blur(frame, torch.ones(1, 1, 1), torch.tensor([0.0]), torch.tensor([30.0]))
    torch.testing.assert_close(blurred, frame, rtol=0, atol=1e-6)


def test_one_entry_serves_the_whole_clip():
    given = arguments()
    first = {name: given[name][:1] for name in ("disparity", "focal_disparity", "blur_strength_px")}
    repeated = {name: value.repeat(3, *[1] * (value.ndim - 1)) for name, value in first.items()}
    assert torch.equal(lens_blur(**{**given, **first}), lens_blur(**{**given, **repeated}))


def test_one_disparity_map_serves_the_whole_clip_with_a_moving_focus():
    given = arguments()
    still = given["disparity"][:1]
    blurred = lens_blur(**{**given, "disparity": still})
    assert torch.equal(blurred, lens_blur(**{**given, "disparity": still.repeat(3, 1, 1)}))


def test_inputs_are_not_written_to():
    given = arguments(protect=torch.rand(3, HEIGHT_PX, WIDTH_PX).round(), highlight_gain=2.0)
    before = {name: value.clone() for name, value in given.items() if isinstance(value, Tensor)}
    blurred = lens_blur(**given)
    assert not torch.equal(blurred, before["frames"])
    assert [name for name, value in before.items() if not torch.equal(value, given[name])] == []


def test_the_result_does_not_share_memory_with_the_frames():
    given = arguments(blur_strength_px=torch.tensor([0.0]))
    before = given["frames"].clone()
    lens_blur(**given).fill_(7)
    assert torch.equal(given["frames"], before)


@pytest.mark.parametrize("dtype", [torch.float16, torch.float64])
def test_other_float_types_are_taken(dtype: torch.dtype):
    given = arguments()
    expected = lens_blur(**given)
    cast = {name: value.to(dtype) for name, value in given.items()}
    blurred = lens_blur(**cast)
    assert blurred.dtype == torch.float32
    assert (blurred - expected).abs().mean() < 0.01


@pytest.mark.parametrize("name", ["frames", "disparity", "focal_disparity", "blur_strength_px"])
@pytest.mark.parametrize("guise", ["spaced out", "with gradients", "of inference", "of another order"])
def test_the_same_values_in_another_guise_give_the_same_picture(name: str, guise: str):
    given = arguments()
    plain = given[name]
    if guise == "spaced out":
        odd = torch.stack((plain, torch.full_like(plain, NAN)), -1)[..., 0]
    elif guise == "with gradients":
        odd = plain.clone().requires_grad_()
    elif guise == "of inference":
        with torch.inference_mode():
            odd = plain.clone()
    else:
        odd = plain.movedim(0, -1).contiguous().movedim(-1, 0)
    assert torch.equal(lens_blur(**{**given, name: odd}), lens_blur(**given))


def test_bytes_are_pictures_of_255_steps():
    given = arguments()
    levels = (given["frames"] * 255).round()
    expected = lens_blur(**{**given, "frames": levels / 255})
    assert torch.equal(lens_blur(**{**given, "frames": levels.to(torch.uint8)}), expected)


def map_with(value: float) -> Tensor:
    disparity = torch.full((3, HEIGHT_PX, WIDTH_PX), 0.5)
    disparity[1, 2, 3] = value
    return disparity


def frames_with(value: float) -> Tensor:
    frames = torch.full((3, HEIGHT_PX, WIDTH_PX, 3), 0.5)
    frames[1, 2, 3, 2] = value
    return frames


REFUSED: list[tuple[dict[str, Any], str]] = [
    (
        {"frames": torch.rand(3, HEIGHT_PX, WIDTH_PX)},
        r"frames have shape \(3, 9, 12\); expected \[T, H, W, C\]",
    ),
    ({"frames": torch.rand(3, HEIGHT_PX, WIDTH_PX, 2)}, r"\(3, 9, 12, 2\).*C = 1, 3 or 4"),
    ({"frames": torch.rand(0, HEIGHT_PX, WIDTH_PX, 3)}, r"frames have shape \(0, 9, 12, 3\)"),
    ({"disparity": map_with(NAN)}, "disparity holds NaN at frame 1, row 2, column 3; every value"),
    ({"disparity": map_with(INFINITE)}, "disparity holds an infinite value at frame 1, row 2, column 3"),
    (
        {"disparity": torch.rand(3, 8, WIDTH_PX)},
        "disparity is 12 x 8 px but the frames are 12 x 9 px",
    ),
    ({"disparity": torch.rand(HEIGHT_PX, WIDTH_PX)}, r"disparity has shape \(9, 12\).*must be \[T, 9, 12\]"),
    (
        {"disparity": torch.rand(2, HEIGHT_PX, WIDTH_PX)},
        "2 disparity frames for 3 video frames; give 3, or 1",
    ),
    (
        {"focal_disparity": torch.rand(4)},
        "4 focus frames for 3 video frames; give 3, or 1 for the whole clip",
    ),
    ({"blur_strength_px": torch.ones(2)}, "2 blur strength frames for 3 video frames; give 3, or 1"),
    (
        {"blur_strength_px": torch.tensor([4.0, -2.0, 1.0])},
        "blur_strength_px is -2 px at frame 1; it must be 0 to",
    ),
    ({"blur_strength_px": torch.tensor([4.0, NAN, 1.0])}, "strength"),
    ({"blur_strength_px": torch.tensor([INFINITE])}, "strength"),
    ({"focal_disparity": torch.tensor([0.5, NAN, 0.5])}, "foc"),
    ({"gamma": 0.0}, "gamma is 0; it must be 0.2 to 5 .2.2 = linear light, 1 = display values."),
    ({"gamma": -1.0}, "gamma is -1; it must be 0.2"),
    ({"gamma": NAN}, "gamma is nan"),
    ({"highlight_gain": -0.5}, "highlight_gain is -0.5; it must be 0 to 1000"),
    ({"highlight_threshold": 1.0}, "highlight_threshold is 1; it must be 0 to 0.999"),
    ({"highlight_threshold": -0.1}, "highlight_threshold is -0.1; it must be 0 to 0.999"),
    ({"near_strength": -1.0}, "near_strength is -1; it must be 0 to 100"),
    ({"far_strength": INFINITE}, "far_strength is inf"),
    ({"frames": frames_with(NAN)}, "frames hold NaN at frame 1, row 2, column 3"),
    ({"frames": 255 * torch.rand(3, HEIGHT_PX, WIDTH_PX, 3)}, "frames reach .* divide them by 255"),
    ({"disparity": map_with(1e30)}, "disparity is 0.5 to 1e[+]30 at frame 1; it must be 0 to 1"),
    ({"focal_disparity": torch.tensor([4.0])}, "focal_disparity is 4 at frame 0; it must be 0 to 1"),
    (
        {"blur_strength_px": torch.tensor([3000.0])},
        "blur_strength_px is 3000 px at frame 0; it must be 0 to 200 px",
    ),
    (
        {"blur_strength_px": torch.tensor([150.0]), "far_strength": 2.0},
        "far_strength 2 times K of 150 px is 300 px; .* up to 200 px, so far_strength may be 1.33",
    ),
    ({"contour_reach_px": -1}, "contour_reach_px is -1; it must be 0 to 64"),
    (
        {"protect": torch.ones(3, HEIGHT_PX, 11)},
        "protect mask is 11 x 9 px but the frames are 12 x 9",
    ),
    ({"protect": torch.ones(2, HEIGHT_PX, WIDTH_PX)}, "2 protect mask frames for 3 video frames"),
    ({"protect": map_with(NAN)}, "protect mask holds NaN"),
]


@pytest.mark.parametrize(("change", "message"), REFUSED, ids=[next(iter(change)) for change, _ in REFUSED])
def test_bad_input_is_named(change: dict[str, Any], message: str):
    with pytest.raises(ValueError, match=message):
        lens_blur(**arguments(**change))


@pytest.mark.parametrize("tolerance", [NAN, INFINITE, -1.0, 65.0])
def test_a_contour_tolerance_out_of_range_is_refused(tolerance: float):
    with pytest.raises(ValueError, match=r"contour_tolerance is .* px; it must be 0 to 64 px"):
        contour_reach_px(tolerance, 1024)


def test_wide_frames_take_a_strength_in_proportion():
    # K = 200 on a frame 1024 px wide is 400 px on one of 2048.
    wide: dict[str, Any] = {
        "frames": torch.zeros(1, 1, 2048, 3),
        "disparity": torch.full((1, 1, 2048), 0.5),
        "focal_disparity": torch.tensor([0.5]),
    }
    assert lens_blur(**wide, blur_strength_px=torch.tensor([400.0])).max() == 0
    with pytest.raises(ValueError, match="blur_strength_px is 401 px at frame 0; it must be 0 to 400 px"):
        lens_blur(**wide, blur_strength_px=torch.tensor([401.0]))


def test_cancel_is_asked_before_the_slabs_and_at_each_place_of_the_cat_eye():
    asked = []
    given = arguments(1)
    for cat_eye in (0.0, 1.0):
        count = 0

        def check() -> None:
            nonlocal count
            count += 1

        lens_blur(**given, aperture=Aperture(cat_eye=cat_eye), check=check, workers=1)
        asked.append(count)
    assert asked[0] >= 8
    assert asked[1] > 4 * asked[0]
