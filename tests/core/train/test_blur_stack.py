"""Disk-blurred copies against a plain sum over the disk; gates by hand; no effect before it starts."""

from dataclasses import replace
from typing import Any

import pytest
import torch

from bokeh_core.models import RefinedVAE
from bokeh_core.models.blur_stack import (
    COLOURS,
    DECODER_CHANNELS,
    RADII_PX,
    RADIUS_CHANNELS,
    BlurStack,
    blurred_by_disks,
    shares_of_radii,
)
from bokeh_core.models.small_network import BokehNetwork
from bokeh_core.models.small_options import SmallOptions
from bokeh_core.train.config import AblationConfig, LossConfig, Stage
from bokeh_core.train.objective import Objective
from bokeh_core.train.samples import Sample
from bokeh_core.train.trainable import set_trainable

ON = SmallOptions(blur_stack=True)


def mean_over_disk(frame: torch.Tensor, y: int, x: int, radius_px: float) -> torch.Tensor:
    """Of [C, H, W], weighted by min(1, r + 1/2 - distance) where that is positive, inside of the frame."""
    total, weights = torch.zeros(frame.shape[0]), 0.0
    for row in range(frame.shape[1]):
        for column in range(frame.shape[2]):
            distance = ((row - y) ** 2 + (column - x) ** 2) ** 0.5
            weight = min(max(radius_px + 0.5 - distance, 0.0), 1.0)
            total, weights = total + weight * frame[:, row, column], weights + weight
    return total / weights


def test_each_copy_is_the_mean_over_a_disk_inside_the_frame():
    frames = torch.rand(2, 3, 20, 24, generator=torch.Generator().manual_seed(0)) * 2 - 1
    copies = list(blurred_by_disks(frames))
    assert len(copies) == len(RADII_PX) == 10
    assert torch.equal(copies[0], frames)
    for radius_px, copy in list(zip(RADII_PX, copies, strict=True))[1:]:
        for y, x in ((0, 0), (10, 12), (19, 3)):
            expected = mean_over_disk(frames[1], y, x, radius_px)
            assert torch.allclose(copy[1, :, y, x], expected, atol=1e-5), (radius_px, y, x)


def test_gates_mix_copies_pixel_by_pixel():
    stack = BlurStack()
    frames = torch.rand(1, 3, 16, 16, generator=torch.Generator().manual_seed(0))
    radius_px = torch.full((1, 1, 16, 16), -2.7)
    decoded = torch.zeros(1, DECODER_CHANNELS, 16, 16)
    decoded[:, 0] = 0.25
    assert not stack.has_started()
    assert torch.equal(stack(decoded, frames, radius_px), decoded[:, :3])
    stack.start()
    assert stack.has_started()
    # 2.7 px lies half way between 2.2 and 3.2. In the left half the decoder moves the weaker half to 4.5 px.
    decoded[:, COLOURS + RADII_PX.index(2.2), :, :8] = -0.5
    decoded[:, COLOURS + RADII_PX.index(4.5), :, :8] = 0.5
    found = stack(decoded, frames, radius_px)[0]
    for x, smaller_px, greater_px in ((4, 3.2, 4.5), (11, 2.2, 3.2)):
        means = mean_over_disk(frames[0], 5, x, smaller_px) + mean_over_disk(frames[0], 5, x, greater_px)
        assert torch.allclose(found[:, 5, x], means / 2 + torch.tensor([0.25, 0.0, 0.0]), atol=1e-5)


def test_a_radius_is_shared_by_the_two_that_enclose_it():
    radius_px = torch.tensor([0.0, 0.7, -1.05, 5.5, -40.0]).view(1, 1, 1, 5)
    near, far = shares_of_radii(radius_px)[0, :, 0].split(len(RADII_PX))
    expected = torch.zeros(2, len(RADII_PX), 5)
    # In focus counts as far; 1.05 is half way from 0.7 to 1.4, 5.5 from 4.5 to 6.5; 40 is more than the last.
    expected[1, 0, 0] = expected[0, 1, 1] = 1.0
    expected[1, 1, 2] = expected[1, 2, 2] = 0.5
    expected[0, 5, 3] = expected[0, 6, 3] = 0.5
    expected[1, 9, 4] = 1.0
    assert torch.allclose(torch.stack([near, far]), expected, atol=1e-6)


def test_gates_see_the_signed_radius():
    stack = BlurStack()
    stack.start()
    with torch.no_grad():
        # Of near pixels of 0.7 px: a quarter of the sharp frame less.
        stack.gates.weight[0, 1] = -0.25 / 2
    frames = torch.full((1, 3, 16, 16), 0.5)
    decoded = torch.zeros(1, DECODER_CHANNELS, 16, 16)
    for radius_px, gate in ((0.7, 0.75), (-0.7, 1.0), (1.05, 0.875)):
        found = stack(decoded, frames, torch.full((1, 1, 16, 16), radius_px))
        assert torch.allclose(found, torch.full_like(found, 0.5 * gate), atol=1e-6)


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
    found = network.render(frames, disparity, *lens)
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
    assert torch.allclose(network.render(frames, disparity, *lens)[..., :32], expected, atol=1e-5)


def test_the_decoder_must_have_channels_for_it(small_unet: Any, small_vae: Any):
    with pytest.raises(ValueError, match="out_channels 3; with blur_stack it must have 13"):
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
    assert gradient is not None and float(gradient[:, :RADIUS_CHANNELS].abs().sum()) > 0


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
