"""Both ways of painting a slab: pixel by pixel on a CPU, one formula for all on an accelerator."""

import pytest
import torch
from torch import Tensor

from bokeh_core.lens.backend import ACCELERATOR, CPU
from bokeh_core.lens.canvas import Canvas

HEIGHT_PX, WIDTH_PX = 13, 17
# Near to far with small, large and very large gaps, across the focus.
RADII_PX = [9.0, 8.0, 4.0, 3.5, 3.0, 0.5, 0.0, -0.5, -3.0, -12.0]


def slab(seed: int, height: int, width: int, has_rim: bool) -> Tensor:
    """Random light below a random weight, which is 0 over a third of the pixels."""
    generator = torch.Generator().manual_seed(seed)
    weight = (1.5 * torch.rand(height, width, generator=generator) - 0.5).clamp(min=0)
    light = weight * torch.rand(3, height, width, generator=generator)
    rim = 0.2 * weight * torch.rand(height, width, generator=generator)
    return torch.cat([light, rim[None], weight[None]] if has_rim else [light, weight[None]])


@pytest.mark.parametrize("has_rim", [True, False])
def test_both_ways_paint_the_same(has_rim: bool):
    empty = torch.zeros(3, HEIGHT_PX, WIDTH_PX)
    by_pixel, everywhere = Canvas(empty, CPU), Canvas(empty, ACCELERATOR)
    for seed, radius_px in enumerate(RADII_PX):
        area = (slice(seed % 3, HEIGHT_PX - seed % 2), slice(seed % 4, WIDTH_PX - 1))
        height, width = HEIGHT_PX - seed % 2 - seed % 3, WIDTH_PX - 1 - seed % 4
        planes = slab(seed, height, width, has_rim)
        by_pixel.add([(planes.clone(), area)], radius_px)
        everywhere.add([(planes.clone(), area)], radius_px)
        torch.testing.assert_close(by_pixel.finish(), everywhere.finish(), rtol=1e-5, atol=1e-6)


def paint(slabs: list[tuple[float, float, float]]) -> float:
    """Light of one pixel after slabs of (radius in px, grey light, weight), nearest first."""
    canvas = Canvas(torch.zeros(1, 1, 1), CPU)
    for radius_px, light, weight in slabs:
        planes = torch.tensor([weight * light, weight]).view(2, 1, 1)
        canvas.add([(planes, (slice(0, 1), slice(0, 1)))], radius_px)
    return canvas.finish().item()


def test_neighbouring_slabs_add_up_until_the_pixel_is_covered():
    # 0.6 of the first, the remaining 0.4 of the second, nothing of the third.
    assert paint([(2.0, 1.0, 0.6), (1.5, 0.5, 0.8), (1.0, 0.0, 1.0)]) == pytest.approx(0.6 * 1 + 0.4 * 0.5)


def test_a_surface_far_behind_is_seen_through_what_is_left():
    # A rim of light near by makes the half-covered pixel an edge, not a gap: 0.5 is let through.
    assert paint([(9.0, 1.0, 0.5), (0.0, 0.2, 1.0)]) == pytest.approx(0.5 * 1 + 0.5 * 0.2)


def test_what_lies_alone_fills_the_pixel():
    assert paint([(3.0, 0.7, 0.25)]) == pytest.approx(0.7)


def test_negative_weight_of_a_transform_counts_as_none():
    assert paint([(3.0, 0.7, 0.5), (-9.0, 5.0, -1e-7)]) == pytest.approx(0.7)
