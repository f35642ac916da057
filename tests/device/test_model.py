"""The network and its pipeline on a pretend accelerator: the CPU's numbers, and few waits for an answer."""

import copy
from typing import Literal

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from bokeh_core.checkpoint.bundle import INCLUDED_MODEL
from bokeh_core.checkpoint.load import load_unet, load_vae
from bokeh_core.models import BokehUNet, RefinedVAE
from bokeh_core.pipeline.streaming import BokehPipeline
from bokeh_core.semantics import no_image_encoder
from tests.device.pretend import PretendDevice, on_device

ROUNDING = 1e-5


def clip(num_frames: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Soft frames [T, 3, 64, 64] and disparity, focus and strength of each."""
    generator = torch.Generator().manual_seed(3)
    smooth = F.interpolate(torch.rand(num_frames, 4, 8, 8, generator=generator), (64, 64), mode="bilinear")
    return smooth[:, :3], smooth[:, 3], torch.full((num_frames,), 0.5), torch.full((num_frames,), 8.0)


@pytest.mark.parametrize(("num_frames", "mpi_mode"), [(9, "released"), (3, "paper")])
def test_the_pipeline(
    pretend: PretendDevice,
    exact_unet: BokehUNet,
    exact_vae: RefinedVAE,
    small_image_encoder,
    num_frames: int,
    mpi_mode: Literal["released", "paper"],
):
    encoder = copy.copy(small_image_encoder)
    encoder.weights = {name: value.to(pretend.device) for name, value in encoder.weights.items()}
    unet, vae = on_device(exact_unet, pretend.device), on_device(exact_vae, pretend.device)
    frames, disparity, focus, strength = clip(num_frames)
    pretend.counts.uploads.clear()
    with torch.no_grad():
        there = BokehPipeline(unet, vae, encoder)(frames, disparity, focus, strength, mpi_mode=mpi_mode)
        here = BokehPipeline(exact_unet, exact_vae, small_image_encoder)(
            frames, disparity, focus, strength, mpi_mode=mpi_mode
        )
    assert there.device.type == "cpu"
    assert here.std() > 0.05
    assert (there - here).abs().max() < ROUNDING
    # The picture of each call of the decoder; two a frame and six a window, of eight of which four are new.
    assert sum(pretend.counts.questions.values()) <= 3
    assert sum(pretend.counts.uploads.values()) <= 4 * num_frames + 40


def test_the_included_model(pretend: PretendDevice):
    unet, vae = load_unet(INCLUDED_MODEL).eval(), load_vae(INCLUDED_MODEL).eval()
    encoder = no_image_encoder(unet.embedding_width)
    frames, disparity, focus, strength = clip(2)
    with torch.no_grad():
        here = BokehPipeline(unet, vae, encoder)(frames, disparity, focus, strength, mpi_mode="paper")
        there_unet, there_vae = on_device(unet, pretend.device), on_device(vae, pretend.device)
        pretend.counts.uploads.clear()
        pretend.counts.kernels.clear()
        there = BokehPipeline(there_unet, there_vae, encoder)(
            frames, disparity, focus, strength, mpi_mode="paper"
        )
    assert (there - here).abs().max() < ROUNDING
    assert sum(pretend.counts.questions.values()) <= 30
    # Below 800 a frame for 8 of them: they take three encodings more, of 107, and all else is as often.
    assert sum(pretend.counts.kernels.values()) <= 8 * 800 - 3 * 107


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision(
    pretend: PretendDevice, small_unet: BokehUNet, small_vae: RefinedVAE, dtype: torch.dtype
):
    # As the nodes load it: the encoder keeps float32.
    unet, vae = copy.deepcopy(small_unet).to(dtype), copy.deepcopy(small_vae)
    vae.decoder.to(dtype)
    encoder = no_image_encoder(unet.embedding_width)
    there_unet, there_vae = on_device(unet, pretend.device), on_device(vae, pretend.device)
    exact, here, there = (
        BokehPipeline(*networks, encoder)(*clip(1))
        for networks in ((small_unet, small_vae), (unet, vae), (there_unet, there_vae))
    )
    # Random weights amplify rounding: a device loses as little as a CPU, in other places.
    lost = (here - exact).abs().mean()
    assert 0 < lost < 0.02
    assert (there - exact).abs().mean() < 4 * lost
