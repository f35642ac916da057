"""A model whose file asks for it has its maps mended by the frames, once, before anything reads them."""

import copy
from dataclasses import replace
from typing import Any

import pytest
import torch

from bokeh_core.disparity.refine import refine_clip
from bokeh_core.pipeline.mending import MENDING, WITHOUT_SCALE, mended_maps, mending_for
from bokeh_core.pipeline.streaming import BokehPipeline
from bokeh_core.semantics import no_image_encoder
from tests.core.disparity.refine.scenes import moving_square

FRAMES = 9
CONSTANT = torch.full((FRAMES,), 0.2)
MOVING = torch.linspace(0.2, 0.3, FRAMES)


def spoilt() -> tuple[torch.Tensor, torch.Tensor]:
    """Frames [9, 3, H, W] and maps that flicker, and miss a band in one frame."""
    frames, disparity = moving_square(FRAMES, 1)
    disparity = disparity + 0.05 * torch.rand(FRAMES, 1, 1, generator=torch.Generator().manual_seed(0))
    disparity[4, 40:56][disparity[4, 40:56] > 0.5] = 0.2
    return frames.movedim(-1, 1), disparity


def test_a_focus_that_moves_keeps_the_scale_that_it_was_measured_in():
    assert mending_for(None) == mending_for(torch.tensor([0.4])) == mending_for(CONSTANT) == MENDING
    assert MENDING.steady and not mending_for(MOVING).steady and mending_for(MOVING).limbs
    frames, disparity = spoilt()
    found = mended_maps(frames, disparity, MOVING)
    as_rows = frames.movedim(1, -1)
    as_it_came = refine_clip(as_rows, disparity, replace(MENDING, steady=False))
    assert torch.equal(found.disparity, as_it_came.disparity)
    assert found.report.startswith("Depth mended by the frames. Of 9 frames: ")
    assert found.report.endswith(WITHOUT_SCALE)
    steadied = mended_maps(frames, disparity, CONSTANT)
    assert torch.equal(steadied.disparity, refine_clip(as_rows, disparity, MENDING).disparity)
    assert WITHOUT_SCALE not in steadied.report
    # The background holds still in these alone.
    background = [maps[:, 0, 0].std().item() for maps in (disparity, found.disparity, steadied.disparity)]
    assert background[1] == pytest.approx(background[0], abs=1e-6) and background[2] < background[0] / 4


def test_the_pipeline_mends_what_it_is_given(small_unet: Any, small_vae: Any):
    frames, disparity = spoilt()
    vae = copy.copy(small_vae)
    vae.mends_maps = True
    mending, plain = (
        BokehPipeline(small_unet, coder, no_image_encoder(small_unet.embedding_width))
        for coder in (vae, small_vae)
    )
    few = slice(3, 6)
    shown = frames[few], disparity[few]
    lens = torch.tensor([0.2]), torch.tensor([8.0])
    mended = refine_clip(shown[0].movedim(1, -1), shown[1], MENDING).disparity
    expected = plain(shown[0], mended, *lens)
    assert torch.equal(mending(*shown, *lens), expected)
    assert torch.equal(mending(shown[0], mended, *lens, mend=False), expected)
    raw = plain(*shown, *lens)
    assert torch.equal(mending(*shown, *lens, mend=False), raw) and not torch.equal(raw, expected)
