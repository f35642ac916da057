"""The sharp frame at several scales: means by hand, gates by hand, and no effect before it starts."""

from dataclasses import replace
from typing import Any

import pytest
import torch

from bokeh_core.models import RefinedVAE
from bokeh_core.models.input_pyramid import DECODER_CHANNELS, InputPyramid, at_scale
from bokeh_core.models.small_options import BokehNetwork, SmallOptions

ON = SmallOptions(input_pyramid=True)


def test_a_scale_is_the_mean_over_squares_interpolated():
    row = torch.tensor([0.0, 4.0, 8.0, 8.0]).expand(1, 1, 4, 4)
    # Pairs average to 2 and 8; between their centres a quarter and three quarters of the way.
    assert torch.allclose(at_scale(row, 2)[0, 0, 1], torch.tensor([2.0, 3.5, 6.5, 8.0]))
    assert at_scale(row, 1) is row


def test_squares_across_the_border_average_what_is_inside():
    frames = torch.zeros(1, 1, 8, 24)
    frames[..., 16:] = 6.0
    # Squares of 16: columns 0-15 are 0, columns 16-23 alone are the second square's mean.
    found = at_scale(frames, 16)
    assert found.shape == frames.shape
    # Column 23 is half a pixel short of the second centre, 24: (23.5 - 8) / 16 of the way.
    assert float(found[0, 0, 0, 23]) == pytest.approx(6 * 15.5 / 16)


def test_gates_mix_scales_pixel_by_pixel():
    pyramid = InputPyramid()
    frames = torch.rand(1, 3, 16, 16, generator=torch.Generator().manual_seed(0))
    decoded = torch.zeros(1, DECODER_CHANNELS, 16, 16)
    decoded[:, 0] = 0.25
    assert not pyramid.has_started()
    assert torch.equal(pyramid(decoded, frames), decoded[:, :3])
    pyramid.start()
    assert pyramid.has_started()
    # Left half: the mean of all pixels (one square of 16) in place of the frame; right half: the frame.
    decoded[:, 3, :, :8] = -1.0
    decoded[:, 7, :, :8] = 1.0
    found = pyramid(decoded, frames)
    means = frames.mean(dim=(2, 3))[0] + torch.tensor([0.25, 0.0, 0.0])
    assert torch.allclose(found[0, :, 3, 3], means, atol=1e-6)
    assert torch.allclose(found[0, 1:, :, 8:], frames[0, 1:, :, 8:], atol=1e-6)


def test_a_network_starts_at_the_sharp_frame(small_unet: Any, small_vae: Any):
    network = BokehNetwork(
        small_unet, RefinedVAE(replace(small_vae.config, out_channels=DECODER_CHANNELS)), ON
    ).eval()
    generator = torch.Generator().manual_seed(0)
    frames = torch.rand(3, 3, 64, 64, generator=generator)
    disparity = torch.rand(3, 64, 64, generator=generator)
    lens = torch.full((3,), 0.5), torch.full((3,), 8.0)
    assert float((network.render(frames, disparity, *lens) - frames).abs().mean()) > 0.05
    network.start_input_skip()
    assert torch.allclose(network.render(frames, disparity, *lens), frames, atol=1e-5)
    # What has learnt is left alone.
    pyramid = network.layers.input_pyramid
    assert pyramid is not None and pyramid.gates.bias is not None
    with torch.no_grad():
        pyramid.gates.bias[0] = 0.5
    network.start_input_skip()
    # Half of values that are -1 for black.
    assert torch.allclose(network.render(frames, disparity, *lens), frames / 2 + 0.25, atol=1e-5)


def test_the_decoder_must_have_channels_for_it(small_unet: Any, small_vae: Any):
    with pytest.raises(ValueError, match="out_channels 3; with input_pyramid it must have 8"):
        BokehNetwork(small_unet, small_vae, ON)
