"""What some backends lack: float64 and complex numbers of half precision, as on Apple's GPUs."""

from collections.abc import Sequence
from typing import Any

import pytest
import torch
from torch import Tensor

from bokeh_core.checkpoint.bundle import INCLUDED_MODEL
from bokeh_core.checkpoint.load import load_unet, load_vae
from bokeh_core.lens import Aperture, lens_blur
from bokeh_core.models import BokehUNet, RefinedVAE
from bokeh_core.pipeline.streaming import BokehPipeline
from bokeh_core.semantics import no_image_encoder
from tests.device import test_lens, test_model
from tests.device.pretend import PretendDevice, on_device

LACKING = {torch.float64, torch.complex128, torch.complex32}


@pytest.fixture
def limited(pretend: PretendDevice) -> PretendDevice:
    """A device without float64, as MPS is."""

    def refuse(name: str, tensors: Sequence[Tensor]) -> None:
        for tensor in tensors:
            if tensor.device.type == pretend.device.type and tensor.dtype in LACKING:
                raise TypeError(f"{name}: this device has no {tensor.dtype}.")

    pretend.refuses = refuse
    return pretend


def test_the_refusal_is_noticed(limited: PretendDevice):
    # Proves that the tests below can fail.
    exact = torch.ones(2, device=limited.device).double()
    with pytest.raises(TypeError, match=r"add_: this device has no torch\.float64"):
        exact.add_(1)


@pytest.mark.parametrize(
    "settings",
    [{"aperture": Aperture(6, 15, 0.3, 1.5)}, {"highlight_gain": 2.0, "fringe": 0.05}],
    ids=["blades", "highlights_and_fringe"],
)
def test_lens_blur(limited: PretendDevice, settings: dict[str, Any]):
    values = test_lens.clip(2)
    expected = lens_blur(*values, workers=1, **settings)
    frames, disparity, focus, strength = (value.to(limited.device) for value in values)
    found = lens_blur(frames, disparity, focus, strength, device=limited.device, **settings)
    assert (found.cpu() - expected).abs().max() < test_lens.ROUNDING


@pytest.mark.parametrize("mpi_mode", ["released", "paper"])
def test_the_pipeline(
    limited: PretendDevice,
    small_unet: BokehUNet,
    small_vae: RefinedVAE,
    mpi_mode: Any,
):
    unet, vae = on_device(small_unet, limited.device), on_device(small_vae, limited.device)
    encoder = no_image_encoder(small_unet.embedding_width)
    clip = test_model.clip(1)
    with torch.no_grad():
        here = BokehPipeline(small_unet, small_vae, encoder)(*clip, mpi_mode=mpi_mode)
        there = BokehPipeline(unet, vae, encoder)(*clip, mpi_mode=mpi_mode)
    # The network's small weights amplify rounding.
    assert (there - here).abs().max() < 1e-3


def test_the_included_model(limited: PretendDevice):
    unet, vae = load_unet(INCLUDED_MODEL).eval(), load_vae(INCLUDED_MODEL).eval()
    encoder = no_image_encoder(unet.embedding_width)
    with torch.no_grad():
        here = BokehPipeline(unet, vae, encoder)(*test_model.clip(1), mpi_mode="paper")
        there = BokehPipeline(on_device(unet, limited.device), on_device(vae, limited.device), encoder)(
            *test_model.clip(1), mpi_mode="paper"
        )
    assert (there - here).abs().max() < test_model.ROUNDING
