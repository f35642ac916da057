"""The noise of the footage comes back where the blur took it: on noise of known spectrum."""

import math

import pytest
import torch
from torch import Tensor

from bokeh_core.lens import LensSettings, lens_blur
from bokeh_core.lens.backend import ACCELERATOR, BACKENDS
from bokeh_core.lens.noise import measured_noise
from bokeh_core.transfer import LINEAR

SIDE_PX, DEVIATION = 192, 0.03
# Rings of frequency, in periods a px, each of which has hundreds of frequencies in two frames.
RINGS = [(0.06, 0.12), (0.12, 0.2), (0.2, 0.3), (0.3, 0.4), (0.4, 0.5)]


def noise_of(taps: list[float], shared: bool = False, num_frames: int = 2, side: int = SIDE_PX) -> Tensor:
    """Noise [T, H, W, 3] of deviation 1, white noise through taps along rows and columns."""
    generator = torch.Generator().manual_seed(11)
    white = torch.randn(num_frames, side, side, 1 if shared else 3, generator=generator)
    energy = math.sqrt(sum(tap * tap for tap in taps))
    for dim in (1, 2):
        white = sum(tap / energy * white.roll(at, dim) for at, tap in enumerate(taps))  # type: ignore[assignment]
    return white.expand(-1, -1, -1, 3)


def ring_power(pictures: Tensor) -> list[float]:
    """Power in dB in each of `RINGS`, of the green of [T, H, W, 3]."""
    window = torch.hann_window(pictures.shape[1])
    green = pictures[..., 1] - pictures[..., 1].mean((1, 2), keepdim=True)
    power = torch.fft.fft2(green * window[:, None] * window).abs().square().mean(0)
    frequency = torch.fft.fftfreq(pictures.shape[1])
    radius = torch.hypot(frequency[:, None], frequency)
    rings = [power[(radius >= low) & (radius < high)].mean() for low, high in RINGS]
    return [10 * math.log10(ring.item()) for ring in rings]


def blurred(frames: Tensor, radius_px: float, grain: float = 1.0, **more: object) -> Tensor:
    """Frames behind the focus by one radius."""
    disparity = torch.zeros(1, *frames.shape[1:3])
    lens = LensSettings(grain=grain)
    given = (torch.tensor([1.0]), torch.tensor([radius_px]), lens)
    return lens_blur(frames, disparity, *given, workers=1, **more)  # type: ignore[arg-type]


def test_lamps_on_black_are_no_noise():
    frame = torch.zeros(1, 192, 192, 3)
    frame[:, 10::24, 10::24] = 40.0
    assert measured_noise(frame[0].movedim(-1, 0)) is None
    assert torch.equal(blurred(frame, 5.0), blurred(frame, 5.0, grain=0.0))


@pytest.mark.parametrize("radius_px", [1.2, 5.0])
@pytest.mark.parametrize(
    ("taps", "shared"), [([1.0], False), ([1.0], True), ([1.0, 1.0], True), ([1.0, 2.0, 1.0], False)]
)
def test_the_spectrum_is_that_of_the_sharp_frame_within_a_decibel(
    taps: list[float], shared: bool, radius_px: float
):
    frames = 0.5 + DEVIATION * noise_of(taps, shared)
    sharp = ring_power(frames)
    # Noise more than 20 dB below its strongest is not heard of.
    heard = [ring > max(sharp) - 20 for ring in sharp]
    clean, grainy = (ring_power(blurred(frames, radius_px, grain)) for grain in (0.0, 1.0))
    for ring, before, after in zip(heard, sharp, grainy, strict=True):
        if ring:
            assert after == pytest.approx(before, abs=1)
    assert sharp[2] - clean[2] > 3


def test_colours_and_brightness_have_their_own_noise():
    # Red twice as noisy as green, blue as green; bright areas half as noisy as dark ones.
    colours = torch.tensor([0.04, 0.02, 0.02])
    ramp = torch.cat([torch.full((96,), 0.3), torch.full((96,), 0.7)])[None, :, None, None]
    frames = ramp + noise_of([1.0]) * colours * torch.where(ramp < 0.5, 1.0, 0.5)
    found = blurred(frames, 6.0)
    for rows, factor in ((slice(12, 84), 1.0), (slice(108, 180), 0.5)):
        deviation = found[:, rows].flatten(0, 2).std(0)
        torch.testing.assert_close(deviation, factor * colours, rtol=0.12, atol=0)


def test_colours_that_share_their_noise_still_do():
    found = blurred(0.5 + DEVIATION * noise_of([1.0], shared=True), 6.0)
    grain = found - blurred(0.5 + DEVIATION * noise_of([1.0], shared=True), 6.0, 0.0)
    torch.testing.assert_close(grain[..., 0], grain[..., 2], atol=3e-3, rtol=0)


def test_half_the_grain_has_a_quarter_of_the_power():
    frames = 0.5 + DEVIATION * noise_of([1.0], num_frames=1)
    none, half, whole = (blurred(frames, 6.0, grain) for grain in (0.0, 0.5, 1.0))
    torch.testing.assert_close(half - none, (whole - none) / 2, atol=1e-5, rtol=0)


def test_what_is_in_focus_keeps_its_own_noise_bit_for_bit():
    frames = 0.5 + DEVIATION * noise_of([1.0], num_frames=1)
    disparity = torch.zeros(1, SIDE_PX, SIDE_PX)
    disparity[:, :, :64] = 1.0
    lens = LensSettings(grain=1.0, contour_reach_px=0.0)
    given = (disparity, torch.tensor([1.0]), torch.tensor([6.0]))
    found = lens_blur(frames, *given, lens, workers=1)
    without = lens_blur(frames, *given, lens, workers=1, grain=0.0)
    assert torch.equal(found[:, :, :60], without[:, :, :60])
    assert (found - without)[:, :, 70:].std() > 0.9 * DEVIATION


def test_in_front_of_the_focus_grain_reaches_as_far_as_the_blur():
    frames = 0.5 + DEVIATION * noise_of([1.0], num_frames=1)
    disparity = torch.zeros(1, SIDE_PX, SIDE_PX)
    disparity[:, :, :96] = 1.0
    lens = LensSettings(grain=1.0, contour_reach_px=0.0)
    found = lens_blur(frames, disparity, torch.tensor([0.0]), torch.tensor([12.0]), lens, workers=1)
    fine = found[0, :, :, 1] - torch.nn.functional.avg_pool2d(found[..., 1], 5, 1, 2)[0]
    sharp = frames[0, :, :, 1] - torch.nn.functional.avg_pool2d(frames[..., 1], 5, 1, 2)[0]
    for columns in (slice(20, 70), slice(86, 94), slice(98, 106), slice(120, 180)):
        change_db = 20 * torch.log10(fine[10:-10, columns].std() / sharp[10:-10, columns].std()).item()
        assert abs(change_db) < 1.5


def test_the_same_frame_of_a_clip_has_the_same_noise_wherever_a_part_begins(monkeypatch: pytest.MonkeyPatch):
    frames = 0.5 + DEVIATION * noise_of([1.0], num_frames=3, side=96)
    whole = blurred(frames, 4.0)
    parts = [blurred(frames[t : t + 1], 4.0, first_frame=t) for t in range(3)]
    assert torch.equal(torch.cat(parts), whole)
    grain = whole - blurred(frames, 4.0, 0.0)
    alike = torch.corrcoef(grain.flatten(1))[0, 1].item()
    assert abs(alike) < 0.05
    monkeypatch.setitem(BACKENDS, "cpu", ACCELERATOR)
    torch.testing.assert_close(blurred(frames, 4.0, frames_a_pass=3), whole, atol=2e-4, rtol=0)


def test_light_beyond_white_and_linear_numbers():
    frames = (0.5 + DEVIATION * noise_of([1.0], num_frames=1)).clamp(min=0) ** 2.2
    frames[:, 90:100, 90:100] = 30.0
    found, clean = (blurred(frames, 5.0, grain, transfer=LINEAR) for grain in (1.0, 0.0))
    area = (slice(None), slice(0, 60), slice(0, 60))
    seen, sharp = (picture[area].clamp(min=0) ** (1 / 2.2) for picture in (found, frames))
    assert seen.std().item() == pytest.approx(sharp.std().item(), rel=0.1)
    assert found.max() <= 30
    assert found[0, 95, 95, 1] > 1
    assert torch.allclose(found[0, 95, 95], clean[0, 95, 95], rtol=0.2)


@pytest.mark.parametrize("channels", [1, 4])
def test_grey_frames_and_alpha(channels: int):
    frames = (0.5 + DEVIATION * noise_of([1.0], num_frames=1, side=96))[..., :1].expand(1, 96, 96, 4).clone()
    frames[..., 3] = 0.75
    found = blurred(frames[..., :channels].contiguous(), 5.0)
    assert found[..., 0].std().item() == pytest.approx(DEVIATION, rel=0.1)
    assert channels == 1 or torch.allclose(found[..., 3], torch.tensor(0.75), atol=1e-5)


class TestMeasuring:
    def test_a_clean_frame_has_none_and_gains_none(self):
        frames = torch.linspace(0, 1, 96)[None, None, :, None].expand(1, 96, 96, 3).contiguous()
        assert measured_noise(frames[0].movedim(-1, 0)) is None
        assert torch.equal(blurred(frames, 4.0), blurred(frames, 4.0, 0.0))

    def test_a_frame_too_small_to_measure_has_none(self):
        assert measured_noise(torch.rand(3, 63, 200)) is None

    def test_texture_beside_noise_is_not_taken_for_noise(self):
        side = 320
        noise = DEVIATION * noise_of([1.0], num_frames=1, side=side)[0]
        y, x = torch.meshgrid(torch.arange(side), torch.arange(side), indexing="ij")
        texture = 0.25 * torch.sign(torch.sin(x / 5) * torch.sin(y / 7)) * (x > side / 2)
        frame = 0.5 + noise + texture[..., None]
        found = measured_noise(frame.movedim(-1, 0))
        assert found is not None
        luma = torch.full((1, 1), 0.5)
        deviation = found.deviation_at(luma).square().sum().div(3).sqrt().item()
        assert deviation == pytest.approx(DEVIATION, rel=0.15)

    def test_the_power_of_white_noise_is_even(self):
        found = measured_noise((0.5 + DEVIATION * noise_of([1.0], num_frames=1)[0]).movedim(-1, 0))
        assert found is not None
        assert found.power.mean((1, 2)).tolist() == pytest.approx([1, 1, 1])
        assert found.power.std() < 0.25
