"""Renderers keep their precision where the caller's code casts automatically."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

from bokeh_core.disparity.refine import refine_clip
from bokeh_core.inference import inference, stated_precision
from bokeh_core.lens import lens_blur
from bokeh_core.lens.backend import ACCELERATOR, BACKENDS
from bokeh_core.models import BokehUNet, RefinedVAE
from bokeh_core.pipeline.streaming import BokehPipeline
from bokeh_core.semantics import no_image_encoder

CPU = torch.device("cpu")


@pytest.fixture
def run(
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
    small_unet: BokehUNet,
    small_vae: RefinedVAE,
) -> Callable[[], Tensor]:
    """A renderer over one or two frames."""
    # Its convolutions are those that casts concern.
    monkeypatch.setitem(BACKENDS, "cpu", ACCELERATOR)
    generator = torch.Generator().manual_seed(0)
    frames, disparity = torch.rand(2, 64, 64, 3, generator=generator), torch.rand(2, 64, 64)
    focus, strength = torch.full((2,), 0.5), torch.full((2,), 4.0)

    def model() -> Tensor:
        pipeline = BokehPipeline(small_unet, small_vae, no_image_encoder(small_unet.embedding_width))
        clip = (frames.movedim(-1, 1), disparity, focus, strength)
        return pipeline(*(values[:1] for values in clip))

    renderers: dict[str, Callable[[], Tensor]] = {
        "lens": lambda: lens_blur(frames, disparity, focus, strength, workers=1),
        "model": model,
        "refine": lambda: refine_clip(frames, disparity).disparity,
    }
    return renderers[request.param]


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
@pytest.mark.parametrize("run", ["lens", "model", "refine"], indirect=True)
def test_casts_of_the_caller_change_nothing(run: Callable[[], Tensor], dtype: torch.dtype):
    expected = run()
    with torch.autocast("cpu", dtype):
        found = run()
        assert torch.is_autocast_enabled("cpu")
    assert found.dtype == torch.float32
    assert torch.equal(found, expected)


def test_a_block_computes_as_it_says():
    values: Any = torch.ones(2, 2, requires_grad=True)
    with torch.autocast("cpu", torch.bfloat16):
        assert (values @ values).dtype == torch.bfloat16
        with stated_precision(CPU):
            assert (values @ values).dtype == torch.float32
            assert (values @ values).requires_grad
        with inference(CPU):
            assert (values @ values).dtype == torch.float32
            assert not (values @ values).requires_grad
        assert (values @ values).dtype == torch.bfloat16
    with stated_precision(torch.device("meta")):
        assert not torch.is_autocast_enabled("cpu")
