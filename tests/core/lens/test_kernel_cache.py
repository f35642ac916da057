"""Kernels and border shares: bounded by bytes, made once, and exactly what full sampling gives."""

import math

import numpy as np
import pytest
import torch

from bokeh_core.lens import Aperture, field, lens_blur
from bokeh_core.lens.aperture import KERNELS, kernel_reach_px, lens_kernel
from bokeh_core.lens.border import BORDER_SHARES
from bokeh_core.lens.byte_cache import ByteCache
from bokeh_core.lens.slabs import slab_radii_px


def test_what_was_used_last_is_kept_up_to_the_bound():
    cache: ByteCache[bytes] = ByteCache(10, len)
    made: list[str] = []

    def get(key: str, size: int) -> int:
        def make() -> bytes:
            made.append(key)
            return bytes(size)

        return len(cache.get(key, make))

    assert [get("a", 4), get("b", 4), get("a", 4), get("c", 4)] == [4, 4, 4, 4]
    # b was used least recently, so it made room for c.
    assert (get("a", 4), get("c", 4)) == (4, 4)
    assert made == ["a", "b", "c"]
    assert get("large", 11) == 11
    counts = cache.counts()
    assert (counts.hits, counts.misses, counts.entries, counts.held_bytes) == (3, 4, 2, 8)
    cache.clear()
    assert cache.counts().held_bytes == 0


def test_a_clip_with_the_cat_eye_at_k_100_fits_into_the_cache(monkeypatch: pytest.MonkeyPatch):
    # 1024 x 576, K = 100, focus in the middle: every slab at every place, of which there are 19 x 11 at most.
    places = []

    def noted(_aperture: Aperture, _radius_px: float, place: tuple[float, float]) -> np.ndarray:
        places.append(place)
        return np.ones((1, 1), np.float32)

    monkeypatch.setattr(field, "lens_kernel", noted)
    aperture, size = Aperture(cat_eye=1.0), (576, 1024)
    planes, area = torch.empty(1, *size, device="meta"), (slice(0, size[0]), slice(0, size[1]))
    held, most = 0, 0
    for radius_px in slab_radii_px(-50.0, 50.0):
        places.clear()
        field.spread_over_field(planes, radius_px, area, aperture=aperture, frame_size=size)
        assert len(places) == len(set(places))
        most = max(most, len(places))
        held += len(places) * (2 * kernel_reach_px(aperture, radius_px) + 1) ** 2 * 4
    assert most == 19 * 11
    assert held < KERNELS.most_bytes / 2


def test_the_second_frame_of_a_clip_makes_nothing_anew():
    random = torch.Generator().manual_seed(1)
    frame, disparity = torch.rand(1, 24, 40, 3, generator=random), torch.rand(1, 24, 40, generator=random)
    misses = []
    for aperture in (Aperture(), Aperture(cat_eye=0.7)):
        KERNELS.clear()
        BORDER_SHARES.clear()
        for _ in range(2):
            lens_blur(
                frame,
                disparity,
                torch.tensor([0.4]),
                torch.tensor([9.0]),
                aperture=aperture,
                border="ignore",
                workers=1,
            )
            misses.append((KERNELS.counts().misses, BORDER_SHARES.counts().misses))
    assert misses[0] == misses[1]
    assert misses[2] == misses[3]
    assert misses[0][0] > 0
    assert misses[0][1] > 0


def fully_sampled(aperture: Aperture, radius_px: float, field: tuple[float, float]) -> np.ndarray:
    """Share of 4 x 4 points of each pixel inside the opening and the barrel, by one formula for all."""
    stretch = math.sqrt(aperture.anamorphic_ratio)
    reach_x, reach_y = abs(radius_px) / stretch, abs(radius_px) * stretch
    ratio = 1 + 2 * aperture.swirl * (field[0] ** 2 + field[1] ** 2)
    half = math.ceil(max(reach_x, reach_y) * math.sqrt(ratio) - 0.5)
    axis = (np.arange((2 * half + 1) * 4) + 0.5) / 4 - (2 * half + 1) / 2
    x, y = np.meshgrid(axis / reach_x, axis / reach_y)
    # Along the radius of the field it is shrunk by the root of the ratio, along the tangent lengthened.
    distance = math.hypot(*field)
    if distance > 0 and aperture.swirl > 0:
        away_x, away_y = field[0] / distance, field[1] / distance
        root = math.sqrt(ratio)
        along, across = root * (x * away_x + y * away_y), (y * away_x - x * away_y) / root
        x, y = along * away_x - across * away_y, along * away_y + across * away_x
    light = 1 - math.copysign(aperture.ring, radius_px * aperture.ring) * (2 * (x**2 + y**2) - 1)
    sign = math.copysign(1, radius_px)
    x, y = sign * x, sign * y
    barrel = np.hypot(x - aperture.cat_eye * field[0], y - aperture.cat_eye * field[1]) <= 1
    y = -y
    edge = np.ones_like(x)
    if aperture.blades:
        sector = 2 * math.pi / aperture.blades
        angle = np.arctan2(y, x) - math.radians(aperture.rotation_deg) - math.pi / 2
        straight = math.cos(sector / 2) / np.cos(np.mod(angle, sector) - sector / 2)
        edge = straight + aperture.roundness * (1 - straight)
    inside = (np.hypot(x, y) <= edge) & (barrel if aperture.cat_eye else True)
    shares = (inside * light).reshape(2 * half + 1, 4, 2 * half + 1, 4).mean(axis=(1, 3))
    return np.asarray(shares / shares.sum(), np.float32)


@pytest.mark.parametrize("radius_px", [16.3, -33.0, 71.8])
@pytest.mark.parametrize("field", [(0.0, 0.0), (0.6, -0.7), (-0.9, 0.1)])
@pytest.mark.parametrize(
    "aperture",
    [
        Aperture(),
        Aperture(3, 7.0),
        Aperture(3, 40.0, 0.2, 1.7),
        Aperture(5, -11.0, 0.5, 4.0, 0.7),
        Aperture(16, 3.0, 0.9, 0.25),
        Aperture(cat_eye=1.0),
        Aperture(8, cat_eye=0.4),
        Aperture(3, 20.0, 0.1, 1.5, cat_eye=0.6, swirl=1.0),
        Aperture(cat_eye=0.9, swirl=0.4),
    ],
    ids=str,
)
def test_only_pixels_on_the_outline_differ_from_none_and_all(
    aperture: Aperture, radius_px: float, field: tuple[float, float]
):
    kernel = lens_kernel(aperture, radius_px, field)
    expected = fully_sampled(aperture, radius_px, field)
    assert kernel.shape == expected.shape
    # A point exactly on the outline may fall to either side.
    assert np.count_nonzero(np.abs(kernel - expected) > 1e-9) <= 8
    assert np.abs(kernel - expected).max() <= 1.01 / 16 * expected.max()
    assert kernel_reach_px(aperture, radius_px) >= kernel.shape[0] // 2
    if aperture.swirl == 0 or math.hypot(*field) == 1:
        assert kernel_reach_px(aperture, radius_px) == kernel.shape[0] // 2


@pytest.mark.parametrize("radius_px", [16.3, -33.0])
@pytest.mark.parametrize("ring", [0.6, -1.0])
def test_light_of_the_ring_is_that_of_full_sampling(radius_px: float, ring: float):
    aperture, field = Aperture(5, 10.0, 0.5, 1.4, cat_eye=0.5, swirl=0.7, ring=ring), (0.6, -0.7)
    kernel, expected = lens_kernel(aperture, radius_px, field), fully_sampled(aperture, radius_px, field)
    # Whole pixels are summed exactly, and sampled there; 4 x 4 samples of q^2 are off by a 16th of a pixel.
    assert np.abs(kernel - expected).max() <= 0.02 * expected.max()
