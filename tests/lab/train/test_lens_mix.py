"""Gates over Lens Blur's picture: what a network starts at, what it is refused for, and that it learns."""

from dataclasses import replace
from typing import Any

import pytest
import torch

from bokeh_core.lens import DEFAULT_LENS, lens_blur
from bokeh_core.lens.settings import IGNORE
from bokeh_core.models import RefinedVAE
from bokeh_core.models.small.mix import GATES, WORKING_SIZE_PX
from bokeh_core.models.small.options import SmallOptions
from bokeh_lab.train.config import LossConfig
from bokeh_lab.train.network import BokehNetwork
from bokeh_lab.train.objective import Objective
from bokeh_lab.train.samples import Sample

ON = SmallOptions(lens_mix=True)


@pytest.fixture
def network(small_unet: Any, small_vae: Any) -> BokehNetwork:
    found = BokehNetwork(small_unet, RefinedVAE(replace(small_vae.config, out_channels=GATES)), ON).eval()
    found.start_gates()
    return found


def sample(frames: torch.Tensor, picture: torch.Tensor, truth: torch.Tensor, gamma: float) -> Sample:
    """A clip of two frames, all of which is at 0 but the focus at 0.5."""
    return Sample(
        frames=frames,
        disparity=torch.zeros(1, 2, *frames.shape[-2:]),
        focal_disparity=torch.full((1, 2), 0.5),
        blur_strength_px=torch.full((1, 2), 16.0),
        bokeh=truth,
        lens_picture=picture,
        gamma=torch.full((1,), gamma),
        index=torch.arange(1),
    )


def test_a_network_starts_at_lens_blur_and_works_at_its_own_size(network: BokehNetwork):
    generator = torch.Generator().manual_seed(0)
    frames = torch.rand(2, 3, 64, 128, generator=generator)
    disparity = torch.rand(2, 4, 8, generator=generator).repeat_interleave(16, 1).repeat_interleave(16, 2)
    lens = torch.full((2,), 0.5), torch.full((2,), 8.0)
    pipeline = network.pipeline()
    assert pipeline.vae.auto_size_px == WORKING_SIZE_PX
    pipeline.vae.beyond_frame = False
    found = pipeline(frames, disparity, *lens, mpi_mode="paper")
    like = replace(DEFAULT_LENS, gamma=1.0, border=IGNORE).at_width(128)
    expected = lens_blur(frames.permute(0, 2, 3, 1), disparity, *lens, like).permute(0, 3, 1, 2)
    torch.testing.assert_close(found, expected, rtol=0, atol=2e-6)


def test_a_decoder_without_channels_for_it_and_a_skip_beside_it_are_refused(small_unet: Any, small_vae: Any):
    with pytest.raises(ValueError, match="out_channels 3; with lens_mix it must have 10"):
        BokehNetwork(small_unet, small_vae, ON)
    with pytest.raises(ValueError, match="no picture, to which input_skip could be added"):
        BokehNetwork(small_unet, small_vae, replace(ON, input_skip=True))


@pytest.mark.parametrize("shrink", [1, 2])
def test_the_loss_is_that_of_the_lens_picture_and_its_gradient_reaches_the_gates(
    network: BokehNetwork, shrink: int
):
    generator = torch.Generator().manual_seed(0)
    frames, picture, truth = (
        torch.rand(1, 2, 3, 64 * shrink, 64 * shrink, generator=generator) for _ in range(3)
    )
    loss = LossConfig(texture_weight=0.0, change_weight=0.5)
    objective = Objective(network, "pixels", loss, "paper", (64, 64))
    for gamma in (1.0, 2.2):
        losses = objective(sample(frames, picture, truth, gamma))
        # Values are from -1 to 1 in the loss.
        expected = 2 * (picture - truth).abs().mean()
        torch.testing.assert_close(losses["pixel"], expected, rtol=0, atol=1e-4)
        change = 2 * ((picture - truth)[:, 1] - (picture - truth)[:, 0]).abs().mean()
        torch.testing.assert_close(losses["change"], change, rtol=0, atol=2e-4)
        torch.testing.assert_close(losses["loss"], losses["pixel"] + 0.5 * losses["change"])
    losses["loss"].backward()
    gradient = network.vae.decoder.conv_out.weight.grad
    assert gradient is not None and float(gradient.abs().sum()) > 0
