"""How blur radii are written for the BlurGenerator package, and what it makes of them."""

import numpy as np
import pytest
import torch

from bokeh_lab.peers import blurgenerator
from tests.lab.peers.cases import clip


def read_back(depth: np.ndarray, layers: int, max_blur: float) -> np.ndarray:
    """The radius at which each pixel is blurred, by the package's own arithmetic with min_blur 1."""
    step = (layers * (255 // layers)) // layers
    radius_px = np.zeros(depth.shape, int)
    for value in range(0, layers * step, step):
        here = (depth > value) & (depth <= value + step)
        radius_px[here] = int(1 + (value - 0) / (255 - 0) * (max_blur - 1))
    return radius_px


@pytest.mark.parametrize("greatest", [1, 2, 7, 14, 33, 100, 255])
def test_every_whole_radius_comes_back(greatest: int):
    radius_px = np.arange(1, greatest + 1, dtype=float)[None]
    depth, layers, max_blur = blurgenerator.depth_layers(radius_px)
    assert layers == greatest
    assert depth.min() > 0
    assert np.array_equal(read_back(depth, layers, max_blur), radius_px.astype(int))


def test_radii_are_rounded_to_whole_pixels():
    depth, layers, max_blur = blurgenerator.depth_layers(np.array([[0.2, 1.4, 1.5, 2.6]]))
    assert read_back(depth, layers, max_blur).tolist() == [[1, 1, 2, 3]]


def test_a_radius_too_large_for_eight_bits():
    with pytest.raises(ValueError, match="largest blur radius is 300 px and the package takes at most 255"):
        blurgenerator.depth_layers(np.array([[300.0]]))


def test_a_bright_square_keeps_its_energy_and_grows_by_the_radius():
    frames = torch.zeros(1, 61, 61, 3)
    frames[0, 26:35, 26:35] = 1
    picture = blurgenerator.render(clip(frames, 0.75, 24.0))[0, ..., 0].double()
    assert picture.sum().item() == pytest.approx(81, rel=0.1)
    # Variances add: (9^2 - 1) / 12 of the square and r^2 / 4 = 9 of the disk, here a sum of Gaussians.
    axis = torch.arange(61).double() - 30
    variance = (picture.sum(0) * axis.square()).sum() / picture.sum()
    assert variance.item() - 80 / 12 == pytest.approx(9, rel=0.25)


def test_pixels_in_focus_are_the_input_and_every_other_pixel_is_drawn():
    frames = torch.full((1, 20, 20, 3), 0.6)
    disparity = torch.full((1, 20, 20), 0.5)
    disparity[:, :, 10:] = torch.linspace(0.5, 1, 10)
    picture = blurgenerator.render(clip(frames, disparity, 12.0))
    assert torch.equal(picture[:, :, :10], frames[:, :, :10])
    assert (picture - 0.6).abs().max() <= 2 / 255


def test_without_the_package(monkeypatch):
    monkeypatch.setattr(blurgenerator, "PACKAGE", "a_package_that_is_not_there")
    assert "pip install BlurGenerator" in (blurgenerator.missing() or "")
    with pytest.raises(ValueError, match="BlurGenerator cannot run: the package is not installed"):
        blurgenerator.render(clip(torch.zeros(1, 8, 8, 3), 0.5, 4.0))
