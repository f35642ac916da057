"""Gates by hand, against plain sums over the disk; no effect before it starts."""

from dataclasses import replace
from typing import Any

import pytest
import torch

from bokeh_core.models import RefinedVAE
from bokeh_core.models.small.blur_stack import COLOURS, DECODER_CHANNELS, SHARE_CHANNELS, BlurStack
from bokeh_core.models.small.blurred_layers import near_over_far
from bokeh_core.models.small.disks import NUM_DISKS, RADII_PX, Disks
from bokeh_core.models.small.options import SmallOptions
from bokeh_lab.train.config import AblationConfig, LossConfig, Stage
from bokeh_lab.train.network import BokehNetwork
from bokeh_lab.train.objective import Objective
from bokeh_lab.train.samples import Sample
from bokeh_lab.train.trainable import set_trainable

from .disks import mean_over_disk

ON = SmallOptions(blur_stack=True)
SIZE = 24


def started() -> BlurStack:
    stack = BlurStack()
    stack.start()
    return stack


def pictures(count: int = 1) -> torch.Tensor:
    return torch.rand(count, 3, SIZE, SIZE, generator=torch.Generator().manual_seed(0)) * 2 - 1


def all_of(radius_px: float) -> torch.Tensor:
    return torch.full((1, 1, SIZE, SIZE), radius_px)


def no_corrections() -> torch.Tensor:
    return torch.zeros(1, DECODER_CHANNELS, SIZE, SIZE)


def test_it_adds_nothing_before_it_starts():
    stack, decoded = BlurStack(), no_corrections()
    decoded[:, 0] = 0.25
    assert not stack.has_started()
    assert torch.equal(stack(decoded, pictures(), all_of(3.0)), decoded[:, :COLOURS])
    stack.start()
    assert stack.has_started()


def test_the_decoder_corrects_gates_pixel_by_pixel():
    frames, decoded = pictures(), no_corrections()
    decoded[:, 0] = 0.25
    # 2.7 px lies half way between 2.2 and 3.2. In the left half the decoder moves the weaker half to 4.5 px.
    decoded[:, COLOURS + RADII_PX.index(2.2), :, :12] = -0.5
    decoded[:, COLOURS + RADII_PX.index(4.5), :, :12] = 0.5
    for radius_px in (2.7, -2.7):
        found = started()(decoded, frames, all_of(radius_px))[0]
        for x, smaller_px, greater_px in ((4, 3.2, 4.5), (17, 2.2, 3.2)):
            means = mean_over_disk(frames[0], 5, x, smaller_px) + mean_over_disk(frames[0], 5, x, greater_px)
            assert torch.allclose(found[:, 5, x], means / 2 + torch.tensor([0.25, 0.0, 0.0]), atol=1e-5)


def test_pictures_in_layers_take_the_place_of_the_own_disk():
    frames, decoded = pictures(), no_corrections()
    radius_px = all_of(-1.4)
    radius_px[..., 8:16] = 4.5
    frames[..., 8:16] = 1.0
    # A quarter of the first picture in the upper half, all of the second in the lower.
    decoded[:, COLOURS + NUM_DISKS, :12] = 0.25
    decoded[:, COLOURS + NUM_DISKS + 1, 12:] = 1.0
    found = started()(decoded, frames, radius_px)[0]
    first, second = near_over_far(frames, radius_px, Disks(frames))
    # What is near spreads to here, 2 px beside it.
    own, spread = mean_over_disk(frames[0], 5, 17, 1.4), first[0, :, 5, 17]
    assert float((spread - own).min()) > 0.1
    assert torch.allclose(found[:, 5, 17], 0.75 * own + 0.25 * spread, atol=1e-5)
    assert torch.allclose(found[:, 12:], second[0, :, 12:], atol=1e-5)


def test_gates_see_the_signed_radius():
    stack, frames = started(), torch.full((1, 3, SIZE, SIZE), 0.5)
    with torch.no_grad():
        # Of near pixels of 0.7 px: a quarter of the sharp frame less.
        stack.gates.weight[0, 1] = -0.25 / 2
    for radius_px, gate in ((0.7, 0.75), (-0.7, 1.0), (1.05, 0.875)):
        found = stack(no_corrections(), frames, all_of(radius_px))
        assert torch.allclose(found, torch.full_like(found, 0.5 * gate), atol=1e-5), radius_px


def test_frames_one_by_one_are_as_frames_together():
    generator = torch.Generator().manual_seed(1)
    radius_px = 12 * torch.rand(3, 1, SIZE, SIZE, generator=generator) - 6
    decoded = torch.randn(3, DECODER_CHANNELS, SIZE, SIZE, generator=generator) / 8
    stack = started()
    together = stack(decoded, pictures(3), radius_px)
    with torch.no_grad():
        apart = stack(decoded, pictures(3), radius_px)
    assert together.requires_grad and not apart.requires_grad
    torch.testing.assert_close(apart, together.detach(), rtol=0, atol=1e-5)


def test_a_network_starts_at_each_pixel_s_own_disk(small_unet: Any, small_vae: Any):
    network = BokehNetwork(
        small_unet, RefinedVAE(replace(small_vae.config, out_channels=DECODER_CHANNELS)), ON
    ).eval()
    frames = torch.rand(3, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    # In focus on the left, 3.2 px on the right.
    disparity = torch.full((3, 64, 64), 0.5)
    disparity[..., 32:] = 0.9
    lens = torch.full((3,), 0.5), torch.full((3,), 8.0)
    network.start_input_skip()
    render = network.pipeline()
    found = render(frames, disparity, *lens, mpi_mode="paper")
    assert torch.allclose(found[..., :32], frames[..., :32], atol=1e-5)
    assert torch.allclose(found[1, :, 20, 50], mean_over_disk(frames[1], 20, 50, 3.2), atol=1e-5)
    # What has learnt is left alone.
    stack = network.layers.blur_stack
    assert stack is not None
    with torch.no_grad():
        stack.gates.weight.mul_(0.5)
    network.start_input_skip()
    # Half of values that are -1 for black.
    expected = frames[..., :32] / 2 + 0.25
    halved = render(frames, disparity, *lens, mpi_mode="paper")
    assert torch.allclose(halved[..., :32], expected, atol=1e-5)


def test_the_decoder_must_have_channels_for_it(small_unet: Any, small_vae: Any):
    with pytest.raises(ValueError, match="out_channels 3; with blur_stack it must have 15"):
        BokehNetwork(small_unet, small_vae, ON)


def test_its_gates_learn_with_the_decoder_and_in_pixels(small_unet: Any, small_vae: Any):
    vae = RefinedVAE(replace(small_vae.config, out_channels=DECODER_CHANNELS))
    network = BokehNetwork(small_unet, vae, ON)
    network.start_input_skip()
    frames = torch.rand(1, 2, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    lens = torch.full((1, 2), 0.5), torch.full((1, 2), 16.0)
    sample = Sample(frames, frames[:, :, 0], *lens, frames.flip(-1), torch.arange(1))
    stack = network.layers.blur_stack
    assert stack is not None
    gates = {f"layers.blur_stack.{name}" for name, _ in stack.named_parameters()}
    stages: tuple[Stage, ...] = ("stage1", "stage3", "pixels")
    for stage in stages:
        learning = {name for name in set_trainable(network, stage, AblationConfig()) if "blur_stack" in name}
        assert learning == (set() if stage == "stage1" else gates)
    network.zero_grad()
    Objective(network, "pixels", LossConfig(), "paper")(sample)["loss"].backward()
    gradient = stack.gates.weight.grad
    assert gradient is not None and float(gradient[:, :SHARE_CHANNELS].abs().sum()) > 0


def test_of_both_skips_the_stack_begins_and_only_once(small_unet: Any, small_vae: Any):
    vae = RefinedVAE(replace(small_vae.config, out_channels=DECODER_CHANNELS))
    network = BokehNetwork(small_unet, vae, SmallOptions(input_skip=True, blur_stack=True))
    network.start_input_skip()
    stack, skip = network.layers.blur_stack, network.layers.image_skip
    assert stack is not None and skip is not None
    assert stack.has_started() and not bool(skip.weight.any())
    # A decoder that has learnt since is left alone, though the other skip is still at zero.
    torch.nn.init.ones_(vae.decoder.conv_out.weight)
    network.start_input_skip()
    assert bool((vae.decoder.conv_out.weight == 1).all())
