"""Rectangles around what a slab reaches: nothing missed, nothing twice, never dearer than one."""

import math

import numpy as np
import pytest
import torch

from bokeh_core.lens.areas import (
    BLOCK_PX,
    Area,
    any_block,
    areas_of,
    common,
    cover,
    grown_area,
    grown_blocks,
    inside,
    occupied_blocks,
    occupied_blocks_by_slab,
    occupied_part,
)
from bokeh_core.lens.backend.cpu import CpuBackend
from tests.core.lens.reference import random_texture, render

# Sides that are no multiple of a block, and grids that are no power of two.
SIZES = [(1, 1), (8, 8), (70, 13), (129, 203)]


def random_blocks(height: int, width: int, share: float, num_slabs: int = 3) -> np.ndarray:
    shape = (num_slabs, -(-height // BLOCK_PX), -(-width // BLOCK_PX))
    return np.random.default_rng(height + width).random(shape) < share


def painted(areas: list[Area], height: int, width: int) -> np.ndarray:
    """How often each pixel lies in one of the areas."""
    count = np.zeros((height, width), int)
    for area in areas:
        count[area] += 1
    return count


def cost(areas: list[Area], margin_px: int, piece_px: float) -> float:
    """Whole blocks with their margin, and the price of each rectangle."""
    sides = [[BLOCK_PX * -(-(part.stop - part.start) // BLOCK_PX) for part in area] for area in areas]
    return sum(piece_px + (rows + 2 * margin_px) * (columns + 2 * margin_px) for rows, columns in sides)


@pytest.mark.parametrize(("height", "width"), SIZES)
@pytest.mark.parametrize("share", [0.02, 0.3, 1.0])
@pytest.mark.parametrize("piece_px", [0.0, 500.0, math.inf])
def test_every_occupied_block_lies_in_one_area(height: int, width: int, share: float, piece_px: float):
    blocks = random_blocks(height, width, share)
    margins_px = [0, 3, 20]
    for slab, covered in enumerate(cover(blocks, margins_px, (height, width), piece_px)):
        count = painted(covered.areas, height, width)
        pixels = np.kron(blocks[slab], np.ones((BLOCK_PX, BLOCK_PX), bool))[:height, :width]
        assert count.max(initial=0) <= 1
        assert (count[pixels] == 1).all()
        outline = painted([covered.outline], height, width)
        assert (outline[count > 0] == 1).all()
        if covered.areas:
            assert cost(covered.areas, margins_px[slab], piece_px) <= cost(
                [covered.outline], margins_px[slab], piece_px
            )


def test_infinite_cost_of_a_piece_leaves_one():
    blocks = random_blocks(129, 203, 0.1)
    assert [len(covered.areas) for covered in cover(blocks, [0, 3, 20], (129, 203), math.inf)] == [1, 1, 1]


def test_two_far_corners_are_two_areas():
    blocks = np.zeros((1, 16, 32), bool)
    blocks[0, 0, 0] = blocks[0, 15, 31] = True
    (covered,) = cover(blocks, [2], (128, 250), 100.0)
    assert sorted(covered.areas, key=str) == [(slice(0, 8), slice(0, 8)), (slice(120, 128), slice(248, 250))]
    assert covered.outline == (slice(0, 128), slice(0, 250))


def test_no_sample_no_area():
    (covered,) = cover(np.zeros((1, 3, 5), bool), [4], (20, 40), 10.0)
    assert covered.areas == []


def test_occupied_blocks_by_hand():
    mask = torch.zeros(9, 20, dtype=torch.bool)
    mask[8, 7] = mask[0, 16] = True
    assert occupied_blocks(mask).tolist() == [[False, False, True], [True, False, False]]

    slab = torch.zeros(9, 20, dtype=torch.int64)
    slab[0, 16] = 1
    by_slab = occupied_blocks_by_slab(slab, mask, 3)
    assert by_slab.nonzero().tolist() == [[0, 1, 0], [1, 0, 2]]


def test_blocks_grow_by_whole_blocks():
    blocks = np.zeros((5, 7), bool)
    blocks[2, 3] = True
    assert [int(grown_blocks(blocks, reach_px).sum()) for reach_px in (0, 1, 8, 9, 16)] == [1, 9, 9, 25, 25]


def test_areas_of_a_mask_hold_it():
    mask = torch.rand(60, 90, generator=torch.Generator().manual_seed(1)) > 0.995
    count = painted(areas_of(mask, 12, 500.0), 60, 90)
    assert count.max() == 1
    assert (count[mask.numpy()] == 1).all()
    assert areas_of(torch.zeros(60, 90, dtype=torch.bool), 12, 500.0) == []


def test_margins_and_offsets():
    area = (slice(10, 20), slice(0, 8))
    outer = grown_area(area, 5, (slice(8, 22), slice(0, 100)))
    assert outer == (slice(8, 22), slice(0, 13))
    assert inside(area, outer) == (slice(2, 12), slice(0, 8))


def test_blocks_that_an_area_touches():
    blocks = np.zeros((3, 4), bool)
    blocks[1, 2] = True  # rows 8 to 15, columns 16 to 23
    assert any_block(blocks, (slice(0, 9), slice(0, 17)))
    assert not any_block(blocks, (slice(0, 8), slice(0, 32)))
    assert not any_block(blocks, (slice(8, 16), slice(24, 32)))


def test_the_part_of_an_area_with_occupied_blocks():
    blocks = np.zeros((4, 5), bool)
    blocks[1, 2] = blocks[2, 3] = True  # rows 8 to 23, columns 16 to 31
    assert occupied_part(blocks, (slice(0, 30), slice(0, 37))) == (slice(8, 24), slice(16, 32))
    assert occupied_part(blocks, (slice(9, 14), slice(3, 20))) == (slice(9, 14), slice(16, 20))
    assert occupied_part(blocks, (slice(0, 8), slice(0, 37))) is None
    # Blocks in reach of the rows and of the columns, but not of both.
    assert occupied_part(blocks, (slice(16, 24), slice(16, 24))) is None


def test_what_two_areas_have_in_common():
    assert common((slice(2, 9), slice(0, 5)), (slice(4, 20), slice(1, 3))) == (slice(4, 9), slice(1, 3))


@pytest.mark.parametrize("piece_px", [0.0, 300.0])
def test_how_the_frame_is_cut_does_not_show(monkeypatch: pytest.MonkeyPatch, piece_px: float):
    frame = random_texture(70, 110, 5, 0.0, 1.0)
    # Patches at nine radii on either side of focus, up to 15 px: both kinds of kernels, halos that overlap.
    patches = torch.tensor([[12.0, -3.0, 15.0], [0.0, 7.0, -9.0], [2.0, -14.0, 1.5]])
    radius_px = patches.repeat_interleave(24, 0)[:70].repeat_interleave(37, 1)[:, :110]
    pictures = []
    for cost_px in (math.inf, piece_px):
        monkeypatch.setattr(CpuBackend, "piece_cost_px", cost_px)
        pictures.append(render(frame, radius_px, contour_reach_px=0))
    torch.testing.assert_close(pictures[1], pictures[0], rtol=0, atol=1e-4)
