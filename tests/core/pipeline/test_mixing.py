"""Gates of zero give Lens Blur's picture, whatever the size, the light and what lies beyond white."""

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from bokeh_core.coc import Falloff
from bokeh_core.lens import DEFAULT_LENS, lens_blur
from bokeh_core.lens.settings import IGNORE, REPEAT
from bokeh_core.models.small.mix import GATES, WORKING_SIZE_PX
from bokeh_core.pipeline.inputs import BokehInputs, bokeh_inputs
from bokeh_core.pipeline.mixing import mixed_frames
from bokeh_core.transfer import DISPLAY, LINEAR, PQ

FRAMES = 3


def clip(size: tuple[int, int], **more: Any) -> BokehInputs:
    """Frames [3, 3, H, W] with two surfaces, the last one with K = 0."""
    generator = torch.Generator().manual_seed(0)
    frames = F.interpolate(torch.rand(FRAMES, 3, 12, 16, generator=generator), size, mode="bilinear")
    disparity = torch.zeros(FRAMES, *size)
    disparity[:, size[0] // 3 :, size[1] // 4 : size[1] // 2] = 0.8
    return bokeh_inputs(
        frames,
        disparity,
        torch.tensor([0.2]),
        torch.tensor([6.0, 9.0, 0.0]),
        **{"auto_size_px": WORKING_SIZE_PX, **more},
    )


def vae(gamma: float = 2.2, beyond_frame: bool = True) -> Any:
    return SimpleNamespace(gamma=gamma, beyond_frame=beyond_frame)


def whole_of(*of: Any) -> Tensor:
    return torch.cat([*mixed_frames(*of)])


def gates(inputs: BokehInputs) -> Tensor:
    return torch.zeros(FRAMES, GATES, *inputs.geometry.padded)


def blurred(inputs: BokehInputs, scale: float, transfer: str = DISPLAY, **lens: Any) -> Tensor:
    found = lens_blur(
        inputs.frames.permute(0, 2, 3, 1),
        inputs.disparity,
        inputs.focal_disparity,
        inputs.blur_strength_px * scale,
        replace(DEFAULT_LENS, **lens).at_width(inputs.frames.shape[-1]),
        transfer=transfer,
    )
    return found.permute(0, 3, 1, 2)


@pytest.mark.parametrize(
    ("size", "inner_width"), [((256, 448), 448), ((300, 530), 448), ((90, 65), 65), ((64, 700), 700)]
)
def test_without_gates_it_is_lens_blur_at_the_size_of_the_frames(size: tuple[int, int], inner_width: int):
    inputs = clip(size)
    assert inputs.geometry.inner[1] == inner_width
    found = whole_of(vae(), gates(inputs), inputs, 0, FRAMES)
    expected = blurred(inputs, size[1] / inner_width, border=REPEAT)
    torch.testing.assert_close(found, expected, rtol=0, atol=2e-6)
    assert torch.equal(found[2], inputs.frames[2])
    assert float((found[1] - inputs.frames[1]).abs().max()) > 0.05


def test_light_and_border_are_those_of_the_vae():
    inputs = clip((64, 96))
    found = whole_of(vae(1.0, False), gates(inputs), inputs, 1, 2)
    expected = blurred(inputs, 1.0, gamma=1.0, border=IGNORE)[1:2]
    torch.testing.assert_close(found, expected, rtol=0, atol=2e-6)
    assert float((found - blurred(inputs, 1.0)[1:2]).abs().max()) > 0.01


@pytest.mark.parametrize("transfer", [DISPLAY, LINEAR, PQ])
def test_light_above_white_passes(transfer: str):
    inputs = clip((64, 96))
    frames = inputs.frames.clone()
    if transfer != PQ:
        frames[:, :, 20:23, 60:63] = 30.0
    inputs = replace(inputs, frames=frames, transfer=transfer)
    made = gates(inputs)
    found = whole_of(vae(), made, inputs, 0, FRAMES)
    expected = blurred(inputs, 1.0, transfer)
    torch.testing.assert_close(found, expected, rtol=5e-5, atol=5e-5)
    # A gate for the sharp copy alone: the frames come back, lamps and all.
    made[:, 0] = 1.0
    back = whole_of(vae(), made, inputs, 0, FRAMES)
    torch.testing.assert_close(back, frames, rtol=1e-4, atol=2e-4)


def test_a_frame_does_not_depend_on_those_beside_it():
    inputs = clip((64, 96))
    made = torch.randn(gates(inputs).shape, generator=torch.Generator().manual_seed(1)) / 4
    pieces = [*mixed_frames(vae(), made, inputs, 0, FRAMES)]
    # On a CPU one at a time, as large frames are many bytes.
    assert [len(piece) for piece in pieces] == [1] * FRAMES
    whole = torch.cat(pieces)
    alone = whole_of(vae(), made[1:2], inputs, 1, 2)
    assert torch.equal(whole[1:2], alone)
    assert float(whole.min()) >= 0 and float(whole.max()) <= 1


def test_the_falloff_is_that_of_the_clip():
    inputs = clip((64, 96)).with_falloff(Falloff(near_strength=0.5, far_strength=0.0))
    found = whole_of(vae(), gates(inputs), inputs, 1, 2)
    expected = blurred(clip((64, 96)), 1.0, near_strength=0.5, far_strength=0.0)[1:2]
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-3)
