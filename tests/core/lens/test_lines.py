"""Lines of the background go on behind what hides them."""

import math

import pytest
import torch
from torch import Tensor

from bokeh_core.lens.backend import ACCELERATOR, BACKENDS
from bokeh_core.lens.layers import split_layers
from bokeh_core.lens.lines import with_lines

HEIGHT, WIDTH, PERIOD_PX = 48, 64, 12
BAR = slice(28, 36)


def stripes(slant: float) -> Tensor:
    """Waves [3, H, W] between 0.2 and 0.8, whose crests fall by `slant` px a px to the right."""
    y, x = torch.meshgrid(torch.arange(HEIGHT).float(), torch.arange(WIDTH).float(), indexing="ij")
    across_px = (y - slant * x) / math.sqrt(1 + slant**2)
    return (0.5 + 0.3 * torch.cos(2 * math.pi * across_px / PERIOD_PX)).expand(3, HEIGHT, WIDTH).contiguous()


def behind_a_bar(background: Tensor) -> tuple[Tensor, Tensor]:
    """Frame [3, H, W] and radii of a red bar out of focus before what is in focus."""
    frame, radius_px = background.clone(), torch.zeros(background.shape[1:])
    frame[:, :, BAR] = torch.tensor([0.7, 0.1, 0.1])[:, None, None]
    radius_px[:, BAR] = 6.0
    return frame, radius_px


@pytest.mark.parametrize("slant", [0.0, 0.5, -1.0])
def test_stripes_go_on_behind_a_bar(slant: float):
    background = stripes(slant)
    hidden = split_layers(*behind_a_bar(background), 0).back.color
    # Away from the bar's own outline, and from the border, where stripes leave the frame.
    here = (slice(None), slice(12, -12), slice(BAR.start + 2, BAR.stop - 2))
    off = (hidden - background)[here].abs()
    # Smooth interpolation is off by most of the wave's height, and its mean by 0.19 = 0.3 * 2 / pi.
    assert off.mean() < 0.05
    assert off.max() < 0.2


def test_plain_background_stays_plain():
    hidden = split_layers(*behind_a_bar(torch.full((3, HEIGHT, WIDTH), 0.4)), 0).back.color[..., 30:34]
    torch.testing.assert_close(hidden, torch.full_like(hidden, 0.4), rtol=0, atol=1e-5)


def test_ends_of_other_colours_are_not_joined():
    # Beyond the bar stripes are shifted by half a period: where one end is bright the other one is dark.
    background = stripes(0.0)
    background[..., 32:] = 1 - background[..., 32:]
    frame, _ = behind_a_bar(background)
    weight = torch.ones(HEIGHT, WIDTH)
    weight[:, BAR] = 0
    filled = torch.full_like(frame, 0.5)
    joined = with_lines(filled, frame, weight, weight == 0, [16])[0, 12:36]
    # Close to an end it is mostly that one, in the middle neither; 0.5 is off by 0.19 on average.
    assert (joined[:, BAR.start] - background[0, 12:36, 27]).abs().mean() < 0.1
    assert (joined[:, 31:33] - 0.5).abs().max() < 0.05


def test_what_is_not_hidden_stays():
    frame, _ = behind_a_bar(stripes(0.5))
    filled = torch.rand(frame.shape, generator=torch.Generator().manual_seed(0))
    weight = torch.ones(HEIGHT, WIDTH)
    weight[:, BAR] = 0
    hidden = torch.zeros(HEIGHT, WIDTH, dtype=torch.bool)
    assert torch.equal(with_lines(filled, frame, weight, hidden, [16]), filled)
    hidden[:10] = True
    result = with_lines(filled, frame, weight, hidden, [16])
    assert torch.equal(result[:, 10:], filled[:, 10:])
    assert torch.equal(result[..., : BAR.start], filled[..., : BAR.start])
    assert not torch.equal(result, filled)


def test_frames_of_a_pass_are_as_alone(monkeypatch: pytest.MonkeyPatch):
    # On a CPU a pass is one frame.
    monkeypatch.setitem(BACKENDS, "cpu", ACCELERATOR)
    alone = [behind_a_bar(stripes(slant)) for slant in (0.5, -1.0)]
    # Farther out of focus, so its hidden background is looked for farther away.
    alone[1][1][:, BAR] = 12.0
    # The radii have no channels before their frames.
    color, radius_px = torch.stack([frame for frame, _ in alone], 1), torch.stack([px for _, px in alone])
    together = split_layers(color, radius_px, 0).back.color
    for t, frame in enumerate(alone):
        torch.testing.assert_close(together[:, t], split_layers(*frame, 0).back.color, rtol=0, atol=1e-6)
