"""Large frames go through the large steps in portions: the same picture, in little memory."""

from typing import Any

import pytest
import torch
from torch import Tensor

from bokeh_core.lens import Aperture, lens_blur
from bokeh_core.lens.areas import Area
from bokeh_core.lens.backend import ACCELERATOR, BACKENDS, CPU
from bokeh_core.lens.bars import blur_between_bars
from bokeh_core.lens.portions import by_planes, in_bands
from tests.device.pretend import PretendDevice

HEIGHT, WIDTH = 32, 48
ROUNDING = 1e-6
# Of a frame of 3840 x 2160 in 2 GiB.
BYTES_A_PIXEL = 2 * 2**30 / (3840 * 2160)
EVERYTHING: dict[str, Any] = {
    "aperture": Aperture(6, 15, 0.3, 1.5, cat_eye=0.5, swirl=0.5),
    "fringe": 0.05,
    "highlight_gain": 2.0,
    "highlight_threshold": 0.5,
    "near_strength": 0.8,
}


def clip(
    height: int = HEIGHT, width: int = WIDTH, channels: int = 3
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """A lamp, a slope and a bar, which moves, in frames of noise."""
    generator = torch.Generator().manual_seed(5)
    frames = torch.rand(2, height, width, channels, generator=generator)
    frames[0, : height // 8, : width // 8, :3] = 80.0
    disparity = torch.linspace(0.1, 0.5, width).expand(2, height, width).clone()
    for t in range(2):
        disparity[t, height // 4 :, width // 2 + t : 5 * width // 8 + t] = 0.95
    return frames, disparity, torch.tensor([0.4]), torch.tensor([5.0])


@pytest.mark.parametrize("backend", [CPU, ACCELERATOR], ids=["cpu", "accelerator"])
@pytest.mark.parametrize(
    ("channels", "settings"),
    [(3, {}), (3, {"border": "ignore"}), (4, EVERYTHING)],
    ids=["plain", "no_surroundings", "everything"],
)
def test_portions_make_the_picture_of_the_whole(
    monkeypatch: pytest.MonkeyPatch, backend: Any, channels: int, settings: dict[str, Any]
):
    monkeypatch.setitem(BACKENDS, "cpu", backend)
    protect = torch.linspace(-1, 1, WIDTH).clamp(0, 1).expand(1, HEIGHT, WIDTH)

    def render() -> Tensor:
        values = clip(channels=channels)
        return lens_blur(*values, protect=protect, workers=1, transfer="linear", frames_a_pass=2, **settings)

    whole = render()
    # Five rows of one frame, and less than a plane.
    monkeypatch.setattr(type(backend), "band_pixels", 5 * WIDTH)
    monkeypatch.setattr(type(backend), "matte_pixels", 60)
    assert ((render() - whole).abs() / whole.abs().amax(dim=(1, 2, 3), keepdim=True)).max() < ROUNDING


def test_portions_of_a_picture_between_bars(monkeypatch: pytest.MonkeyPatch):
    frames, *values = clip(channels=3)
    frames = frames.clamp(max=1)
    frames[:, :6] = frames[:, -6:] = 0
    monkeypatch.setitem(BACKENDS, "cpu", ACCELERATOR)
    whole = blur_between_bars(frames, *values)
    assert torch.equal(whole[:, :6], frames[:, :6])
    monkeypatch.setattr(type(ACCELERATOR), "band_pixels", 5 * WIDTH)
    assert (blur_between_bars(frames, *values) - whole).abs().max() < ROUNDING


def test_memory_of_a_frame_on_a_device(pretend: PretendDevice, monkeypatch: pytest.MonkeyPatch):
    # As large a part of this frame as of one of 3840 x 2160 px.
    height, width = 108, 192
    share = height * width / (3840 * 2160)
    monkeypatch.setattr(type(ACCELERATOR), "band_pixels", round(share * ACCELERATOR.band_pixels))
    monkeypatch.setattr(type(ACCELERATOR), "matte_pixels", round(share * ACCELERATOR.matte_pixels))
    frames, disparity, focus, _ = clip(height, width)
    frames = frames[1:].clone()
    lens_blur(frames, disparity[1:], focus, torch.tensor([4.0]), device=pretend.device)
    assert 0 < pretend.storages.peak / (height * width) < BYTES_A_PIXEL
    assert pretend.storages.live == 0


@pytest.mark.parametrize(
    ("most_pixels", "heights"), [(1, [1, 1, 1, 1, 1]), (12, [2, 2, 1]), (30, [5]), (10**9, [5])]
)
def test_bands_cover_an_area_from_the_top(most_pixels: int, heights: list[int]):
    area: Area = (slice(3, 8), slice(10, 16))
    bands = in_bands(area, most_pixels)
    assert [rows.stop - rows.start for rows, _ in bands] == heights
    assert [row for rows, _ in bands for row in range(rows.start, rows.stop)] == [3, 4, 5, 6, 7]
    assert all(columns == area[1] for _, columns in bands)


def test_planes_are_filtered_as_many_at_a_time_as_are_asked_for():
    planes = torch.arange(7 * 2 * 4 * 5.0).view(7, 2, 4, 5)
    counts: list[int] = []

    def halved(some: Tensor) -> Tensor:
        counts.append(len(some))
        return some[..., ::2, :] / 2

    # Six planes of so many pixels: three of 20 px.
    assert torch.equal(by_planes(halved, planes, 10), planes[..., ::2, :] / 2)
    assert counts == [3, 3, 3, 3, 2]
