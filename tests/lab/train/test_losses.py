"""Losses against values by hand."""

import pytest
import torch

from bokeh_lab.train.losses import (
    change_loss,
    latent_loss,
    pixel_loss,
    sobel_gradients,
    texture_loss,
    texture_loss_released,
)


def ramp(slope_x: float = 0.0, slope_y: float = 0.0) -> torch.Tensor:
    """[1, 3, 6, 7], slope per px."""
    y, x = torch.meshgrid(torch.arange(6.0), torch.arange(7.0), indexing="ij")
    return (slope_x * x + slope_y * y).expand(1, 3, 6, 7)


def test_sobel_of_a_ramp():
    # (x+1) - (x-1) = 2 in each of the rows, which weigh 1 + 2 + 1.
    gradients = sobel_gradients(ramp(slope_x=1.0))
    assert gradients.shape == (1, 6, 4, 5)
    assert torch.equal(gradients[:, 0::2], torch.full((1, 3, 4, 5), 8.0))
    assert torch.equal(gradients[:, 1::2], torch.zeros(1, 3, 4, 5))
    assert torch.equal(sobel_gradients(ramp(slope_y=-0.5))[:, 1::2], torch.full((1, 3, 4, 5), -4.0))


def test_texture_loss_of_a_ramp_against_flat():
    # Half of the values are 8, half 0: mean square 32, mean size 4.
    assert texture_loss(ramp(1.0), ramp()).item() == 32.0
    assert texture_loss_released(ramp(1.0), ramp()).item() == 4.0


def test_texture_loss_ignores_brightness():
    assert texture_loss(ramp(1.0) + 0.25, ramp(1.0)).item() == 0.0


def test_pixel_loss_adds_both_parts():
    # L1 of a ramp 0..6 against 0 is 3.
    assert pixel_loss(ramp(1.0), ramp(), texture_weight=0.0).item() == 3.0
    assert pixel_loss(ramp(1.0), ramp(), texture_weight=0.5).item() == 3.0 + 0.5 * 32
    assert pixel_loss(ramp(1.0), ramp(), texture_weight=0.5, texture="released").item() == 3.0 + 0.5 * 4


def test_change_loss_is_that_of_the_differences_over_time_alone():
    still = torch.zeros(2, 3, 3, 4, 4)
    # Brighter in all frames alike: nothing changes. A step of 0.5 in one of two changes: 0.25 in the mean.
    assert change_loss(still + 0.25, still).item() == 0.0
    stepped = still.clone()
    stepped[:, 2] = 0.5
    assert change_loss(stepped, still).item() == 0.25
    assert change_loss(stepped, stepped).item() == 0.0
    assert change_loss(stepped[:, :1], still[:, :1]).item() == 0.0


def test_latent_loss_is_the_mean_square_in_float32():
    predicted = torch.tensor([1.0, 3.0], dtype=torch.float16)
    loss = latent_loss(predicted, torch.zeros(2, dtype=torch.float16))
    assert loss.dtype == torch.float32
    assert loss.item() == pytest.approx(5.0)
