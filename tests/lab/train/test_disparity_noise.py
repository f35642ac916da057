"""Faults of the disparity: where they act, how far, and that they repeat."""

import cv2
import numpy as np
import pytest
import torch

from bokeh_lab.train.disparity_noise import DisparityNoise, disturb_disparity, perlin_noise

FOCUS = torch.tensor([0.8])


def square(side: int = 40, inner: int = 12) -> torch.Tensor:
    """A subject at 0.8 in the middle of a background at 0.2: [1, side, side]."""
    disparity = torch.full((1, side, side), 0.2)
    begin = (side - inner) // 2
    disparity[:, begin : begin + inner, begin : begin + inner] = 0.8
    return disparity


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("kernel", [3, 5, 7])
def test_outline_moves_by_half_the_kernel_exactly(kernel: int):
    noise = DisparityNoise(probability=1.0, elastic_alpha=0.0, kernels_px=(kernel,))
    widths = set()
    for seed in range(8):
        moved = disturb_disparity(square(), FOCUS, noise, seeded(seed))[0]
        subject = moved > 0.5
        rows = int(subject.any(1).sum())
        assert torch.equal(subject, (square(inner=rows) > 0.5)[0])
        assert torch.allclose(moved, torch.where(subject, 0.8, 0.2), atol=1e-5)
        widths.add(rows)
    # Dilation and erosion are both drawn.
    assert widths == {12 - 2 * (kernel // 2), 12 + 2 * (kernel // 2)}


def test_acts_only_within_reach_of_the_outline():
    noise = DisparityNoise(probability=1.0, reach_px=6, kernels_px=(5,))
    disparity = square(80, 40)
    changed = (disturb_disparity(disparity, FOCUS, noise, seeded())[0] - disparity[0]).abs() > 1e-5
    # Pixels on both sides of the outline, then 6 px of distortion and 2 px of the kernel.
    subject = (disparity[0] > 0.5).numpy().astype(np.uint8)
    outline = cv2.dilate(subject, np.ones((3, 3))) != cv2.erode(subject, np.ones((3, 3)))
    allowed = cv2.dilate(outline.astype(np.uint8), np.ones((17, 17))) > 0
    assert bool(changed.any())
    assert not bool((changed & ~torch.from_numpy(allowed)).any())


def test_probability_0_and_1():
    disparity = square()
    for seed in range(10):
        assert disturb_disparity(disparity, FOCUS, DisparityNoise(probability=0.0), seeded(seed)) is disparity
        noisy = disturb_disparity(disparity, FOCUS, DisparityNoise(probability=1.0), seeded(seed))
        assert not torch.equal(noisy, disparity)


def test_same_generator_same_noise_and_values_stay_in_range():
    noise = DisparityNoise(probability=1.0)
    disparity = torch.cat([square(), square()])
    disparity[disparity > 0.5] = 0.99
    focus = torch.tensor([0.99, 0.99])
    first, again = (disturb_disparity(disparity, focus, noise, seeded(3)) for _ in range(2))
    assert torch.equal(first, again)
    assert float(first.min()) >= 0 and float(first.max()) <= 1
    # Faults of a depth network flicker.
    assert not torch.equal(first[0], first[1])


def test_noise_changes_the_moved_part_by_at_most_a_tenth_of_the_focus():
    with_noise = DisparityNoise(probability=1.0, kernels_px=(1,))
    without = DisparityNoise(probability=1.0, kernels_px=(1,), perlin_share=0.0)
    difference = disturb_disparity(square(), FOCUS, with_noise, seeded()) - disturb_disparity(
        square(), FOCUS, without, seeded()
    )
    assert 0 < float(difference.abs().max()) <= 0.1 * 0.8


def test_perlin_noise_is_zero_at_lattice_points_and_bounded():
    octave = perlin_noise((65, 97), (16,), (1.0,), seeded())
    assert torch.allclose(octave[::16, ::16], torch.zeros(5, 7), atol=1e-6)
    assert 0.2 < float(octave.abs().max()) <= 1
    octaves = perlin_noise((65, 97), (16, 8, 4), (0.5, 0.3, 0.2), seeded())
    assert float(octaves.abs().max()) <= 1
    # Lattices of 8 and 4 px hold the points of that of 16 px.
    assert torch.allclose(octaves[::16, ::16], torch.zeros(5, 7), atol=1e-6)


def test_softened_edges_are_gaussians_of_up_to_the_given_width():
    step = torch.cat([torch.full((2, 8, 32), 0.25), torch.full((2, 8, 32), 0.75)], dim=2)
    nothing_in_focus = torch.zeros(2)
    noise = DisparityNoise(probability=1.0, soften_px=2.0)
    place = torch.arange(63) - 31.0
    widths = []
    for seed in range(40):
        soft = disturb_disparity(step, nothing_in_focus, noise, seeded(seed))
        # The slope of a softened step is the Gaussian itself: its standard deviation is that of the slope.
        slope = soft.diff(dim=2) / 0.5
        assert torch.allclose(slope.sum(2), torch.ones(2, 8), atol=1e-5)
        width = (slope * place**2).sum(2).sqrt()
        assert torch.allclose(width, width[0, 0].expand(2, 8), atol=1e-3)
        widths.append(float(width[0, 0]))
    # Narrower than a third of a pixel a Gaussian is one sample; cut at three sigma it is a little narrower.
    assert min(widths) < 0.5 and 1.5 < max(widths) <= 2.0


def test_edges_stay_as_they_are_without_softening():
    step = torch.cat([torch.full((1, 8, 8), 0.25), torch.full((1, 8, 8), 0.75)], dim=2)
    noise = DisparityNoise(probability=1.0)
    assert torch.equal(disturb_disparity(step, torch.zeros(1), noise, seeded()), step)
