"""A step of the optimiser on a pretend accelerator: the CPU's losses, gradients and weights."""

from collections.abc import Callable
from typing import Any

import pytest
import torch

from bokeh_core.models import BokehUNet, RefinedVAE, UNetConfig, VAEConfig
from bokeh_lab.train.config import AblationConfig, LossConfig, OptimiserConfig, Stage
from bokeh_lab.train.loop import make_optimiser
from bokeh_lab.train.network import BokehNetwork
from bokeh_lab.train.objective import Objective
from bokeh_lab.train.samples import Sample
from bokeh_lab.train.trainable import set_trainable
from tests.device.pretend import PretendDevice, on_device
from tests.lab.train.conftest import SHALLOW_SIZES, VAE_SIZES

# Of the greatest gradient of a network; rounding of float32 grows on the way back.
ROUNDING = 1e-3
# With so large an epsilon Adam's first step does not turn rounding around 0 into a whole step.
OPTIMISER = OptimiserConfig(lr=1e-2, eps=1e-2)


def sample() -> Sample:
    generator = torch.Generator().manual_seed(0)
    shape = (1, 2, 64, 64)
    return Sample(
        frames=torch.rand(1, 2, 3, 64, 64, generator=generator),
        disparity=torch.rand(shape, generator=generator),
        focal_disparity=torch.full((1, 2), 0.5),
        blur_strength_px=torch.full((1, 2), 20.0),
        bokeh=torch.rand(1, 2, 3, 64, 64, generator=generator),
        lens_picture=torch.zeros(1, 2, 3, 0, 0),
        gamma=torch.ones(1),
        index=torch.arange(1),
    )


def a_step(
    network: BokehNetwork, stage: Stage, device: torch.device
) -> tuple[dict[str, float], dict[str, torch.Tensor], dict[str, torch.Tensor]]:
    """Losses, gradients and weights after it, in main memory."""
    names = set_trainable(network, stage, AblationConfig())
    trained = {name: value for name, value in network.named_parameters() if name in set(names)}
    optimiser = make_optimiser(list(trained.values()), OPTIMISER, device)
    losses = Objective(network, stage, LossConfig(), "paper")(sample().to(device))
    losses["loss"].backward()
    gradients = {name: value.grad.cpu() for name, value in trained.items() if value.grad is not None}
    optimiser.step()
    after = {name: value.detach().cpu() for name, value in trained.items()}
    return {name: float(value) for name, value in losses.items()}, gradients, after


@pytest.mark.parametrize("stage", ["stage1", "pixels"])
def test_a_step_of_the_optimiser(pretend: PretendDevice, randomised: Callable[[Any, int], Any], stage: Stage):
    unet, vae = BokehUNet(UNetConfig(**SHALLOW_SIZES, keep_ff_k=False)), RefinedVAE(VAEConfig(**VAE_SIZES))
    network = randomised(BokehNetwork(unet, vae), 0)
    there = on_device(network, pretend.device)
    before = {name: value.clone() for name, value in network.named_parameters()}
    losses, gradients, after = a_step(network, stage, torch.device("cpu"))
    found_losses, found_gradients, found_after = a_step(there, stage, pretend.device)
    assert found_losses == pytest.approx(losses, rel=1e-4)
    most = max(gradient.abs().max() for gradient in gradients.values())
    assert most > 0
    assert found_gradients.keys() == gradients.keys()
    for name, gradient in gradients.items():
        assert (found_gradients[name] - gradient).abs().max() < ROUNDING * most, name
    moved = max((after[name] - before[name]).abs().max() for name in after)
    for name, value in after.items():
        assert (found_after[name] - value).abs().max() < 10 * ROUNDING * moved, name
