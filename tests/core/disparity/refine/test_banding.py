"""8-bit maps whose values without steps are known."""

import cv2
import numpy as np
import pytest
import torch

from bokeh_core.disparity.refine.banding import smoothed_steps


def slanted(steps_a_px: float = 1 / 3) -> torch.Tensor:
    """A slanted floor that rises by a part of an 8-bit step a px, and a block at 0.8 before it."""
    disparity = (0.1 + torch.arange(192.0) / 255 * steps_a_px).expand(96, -1).clone()
    disparity[32:64, 80:120] = 0.8
    return disparity


def levels(disparity: torch.Tensor) -> torch.Tensor:
    return (disparity * 255).round() / 255


def away(found: torch.Tensor) -> float:
    """Root mean square error inside of the frame, where the filter sees both sides."""
    inner = (found - slanted())[8:-8, 8:-8]
    return inner.square().mean().sqrt().item()


def test_steps_of_a_slant_are_halved_and_an_outline_stays():
    given = levels(slanted())
    found = smoothed_steps(given)
    assert away(found) < away(given) / 2
    assert bool(((found - slanted()).abs() < 0.003)[8:-8, 8:-8].all())


def test_blocks_and_ringing_of_jpeg_are_reduced():
    _, content = cv2.imencode(
        ".jpg", (slanted() * 255).round().byte().numpy(), [cv2.IMWRITE_JPEG_QUALITY, 75]
    )
    given = torch.from_numpy(cv2.imdecode(content, cv2.IMREAD_GRAYSCALE).astype(np.float32) / 255)
    assert away(smoothed_steps(given)) < 0.7 * away(given)


@pytest.mark.parametrize("interpolation", [cv2.INTER_NEAREST, cv2.INTER_LINEAR])
def test_levels_are_found_in_maps_resized_from_half_the_size(interpolation: int):
    slant = slanted(1 / 5)
    small = cv2.resize(slant.numpy(), (96, 48), interpolation=cv2.INTER_AREA)
    stored = (small * 255).round() / np.float32(255)
    given = torch.from_numpy(cv2.resize(stored, (192, 96), interpolation=interpolation))
    beside_the_block = [*range(8, 72), *range(128, 184)]
    before, after = ((one - slant)[:, beside_the_block] for one in (given, smoothed_steps(given)))
    assert after.square().mean() < 0.7**2 * before.square().mean()


def test_resized_maps_without_levels_are_handed_back():
    small = cv2.resize(slanted().numpy() + 1e-3 * np.linspace(0, 1, 96, dtype=np.float32)[:, None], (96, 48))
    given = torch.from_numpy(cv2.resize(small, (192, 96), interpolation=cv2.INTER_CUBIC))
    assert smoothed_steps(given) is given


def test_maps_without_8_bit_steps_are_handed_back():
    slant = slanted()
    assert len(slant.unique()) < 256
    fine = slant + torch.linspace(0, 1e-3, 96)[:, None]
    assert smoothed_steps(fine) is fine
    few = torch.full((30, 40), 0.2)
    few[10:20] = 0.8
    assert smoothed_steps(few) is few
    assert smoothed_steps(torch.rand(1, 1)).shape == (1, 1)


def test_floats_of_slanted_surfaces_are_no_levels():
    # Flat to the eye: 112 values that lie closer than those of any map of 8 bits.
    slant = (0.4 + torch.arange(112.0) * 3e-5).repeat_interleave(4).expand(64, -1).contiguous()
    assert len(slant.unique()) == 112
    assert smoothed_steps(slant) is slant
