"""Two layers a pixel: what the camera sees, and what an out-of-focus foreground lets through."""

from dataclasses import dataclass

import torch
from torch import Tensor

from ..progress import Check, no_check
from .edges import align_to_picture, edge_band, sharpen_ramps, smooth_surfaces
from .fill import push_pull
from .matte import EdgeMatte, edge_matte
from .neighbourhood import Surroundings, dilate

# Farther from an edge than this, nothing hidden is revealed by any lens the renderer supports well.
_MAX_REACH_PX = 128
# Surfaces closer in radius than this blur as one;
# from there the weight of a hidden sample rises to 1 over the ramp.
_HIDDEN_GAP_PX = 0.75
_HIDDEN_RAMP_PX = 1.0


@dataclass(frozen=True)
class Layer:
    """Samples that spread light, at most one a pixel.

    Attributes:
        color: [C, H, W] linear light.
        radius_px: [H, W] signed blur radius, greater = nearer.
        weight: [H, W] in [0, 1], share of the pixel's area.
    """

    color: Tensor
    radius_px: Tensor
    weight: Tensor


@dataclass(frozen=True)
class Layers:
    """A frame taken apart.

    Attributes:
        front: what is seen; along depth edges only the near surface, with its matte as weight.
        back: the far surface along depth edges, and the filled background behind a foreground.
        rim: [H, W] in {0, 1}, where the near surface of `front` ends.
    """

    front: Layer
    back: Layer
    rim: Tensor


def split_layers(color: Tensor, radius_px: Tensor, contour_reach_px: int, check: Check = no_check) -> Layers:
    """Take a frame apart into a front and a back layer.

    Args:
        color: [C, H, W] linear light.
        radius_px: [H, W] signed blur radius, near positive.
        contour_reach_px: how far the map's contours may be off the picture's; 0 trusts the map.
        check: called between the steps; may raise to stop.
    """
    check()
    if contour_reach_px > 0:
        radius_px = sharpen_ramps(radius_px, contour_reach_px + 1)
        check()
        radius_px = align_to_picture(radius_px, color, contour_reach_px)
        check()
        radius_px = align_to_picture(radius_px, color, max(1, contour_reach_px // 2))
        check()
        radius_px = smooth_surfaces(radius_px, contour_reach_px)

    radius = Surroundings(radius_px)
    around, band = radius.within(1), edge_band(radius, contour_reach_px)
    if not bool(band.any()):
        empty = Layer(torch.zeros_like(color), torch.zeros_like(radius_px), torch.zeros_like(radius_px))
        return Layers(Layer(color, radius_px, torch.ones_like(radius_px)), empty, torch.zeros_like(radius_px))

    check()
    matte = edge_matte(color, radius_px, around, band)
    check()
    near_px, far_px = push_pull(torch.stack([around.top, around.bottom]), band[None].float())
    behind_color, behind_px = _continue_background(color, radius_px, (near_px + far_px) / 2, matte)

    check()
    reach_px = min(int(radius_px.abs().max()) + 2, _MAX_REACH_PX)
    on_near_side = (radius_px - near_px).abs() < (radius_px - far_px).abs()
    hides = dilate(band, reach_px) & on_near_side & (radius_px - far_px > _HIDDEN_GAP_PX)
    # A continued radius may not come out in front of the surface that hides it.
    behind_px = torch.minimum(behind_px, radius_px - _HIDDEN_GAP_PX)

    split_gap_weight = _gap_weight(matte.near_radius_px - matte.far_radius_px)
    front = Layer(
        _replaced(color, matte.index, matte.near_color),
        _replaced(radius_px, matte.index, matte.near_radius_px),
        _replaced(torch.ones_like(radius_px), matte.index, matte.alpha),
    )
    back = Layer(
        _replaced(behind_color * hides, matte.index, matte.far_color),
        _replaced(behind_px * hides, matte.index, matte.far_radius_px),
        _replaced(
            _gap_weight(radius_px - behind_px) * hides,
            matte.index,
            torch.maximum(split_gap_weight, 1 - matte.alpha),
        ),
    )
    rim = (band & (radius_px > around.middle())).float()
    return Layers(front, back, _replaced(rim, matte.index, torch.ones_like(matte.alpha)))


def _continue_background(
    color: Tensor, radius_px: Tensor, middle_px: Tensor, matte: EdgeMatte
) -> tuple[Tensor, Tensor]:
    """Colour and radius of the pixels beyond the middle of their closest edge, continued over the others."""
    # Along the edges the unmixed far surface stands in, as far as it shows.
    weight = _replaced((radius_px < middle_px).float(), matte.index, 0.5 * (1 - matte.alpha))
    known = torch.cat(
        [
            _replaced(color, matte.index, matte.far_color),
            _replaced(radius_px, matte.index, matte.far_radius_px)[None],
        ]
    )
    continued = push_pull(known, weight[None])
    return continued[:-1], continued[-1]


def _replaced(plane: Tensor, index: Tensor, values: Tensor) -> Tensor:
    """A copy of [..., H, W] with other values at flat positions of the frame."""
    flat = plane.flatten(-2).clone()
    flat[..., index] = values
    return flat.view_as(plane)


def _gap_weight(gap_px: Tensor) -> Tensor:
    """How much a sample behind a surface counts, by how far behind it is."""
    return ((gap_px - _HIDDEN_GAP_PX) / _HIDDEN_RAMP_PX).clamp(0, 1)
