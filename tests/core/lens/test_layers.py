"""What a frame is taken apart into: how far behind a surface something hidden has to lie."""

import pytest
import torch

from bokeh_core.lens.layers import split_layers


@pytest.mark.parametrize(
    ("near_px", "far_px", "weight"),
    [
        # Within a quarter of the nearer radius both blur as one surface; over the next quarter it fades in.
        (20.0, 15.5, 0.0),
        (20.0, 12.5, 0.5),
        (20.0, 10.0, 1.0),
        # Small radii: from 0.75 px on, over 1 px.
        (1.0, -0.25, 0.5),
        (1.0, -0.75, 1.0),
        (-1.0, -3.0, 1.0),
    ],
)
def test_hidden_samples_lie_clearly_behind_what_hides_them(near_px: float, far_px: float, weight: float):
    radius_px = torch.full((24, 32), far_px)
    radius_px[:, 12:20] = near_px
    color = torch.where(radius_px == near_px, 0.2, 0.7).expand(3, 24, 32).contiguous()
    layers = split_layers(color, radius_px, 0)
    hidden = layers.back.weight[12, 14:18]
    assert hidden.tolist() == pytest.approx([weight] * 4, abs=1e-5)
    # Taken from both sides, all alike.
    expected = [0.7] * 4 if weight else [0.0] * 4
    assert (layers.back.color[0, 12, 14:18] * (hidden > 0)).tolist() == pytest.approx(expected, abs=1e-5)
