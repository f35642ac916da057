"""Two layers a pixel: what the camera sees, and what an out-of-focus foreground lets through."""

from dataclasses import dataclass

import torch
from torch import Tensor

from .edges import align_to_picture, edge_band, sharpen_ramps, smooth_surfaces
from .fill import push_pull
from .matte import edge_matte
from .neighbourhood import local_max, local_min, near

# Farther from an edge than this, nothing hidden is revealed by any lens the renderer supports well.
_MAX_REACH_PX = 128
# Surfaces closer in radius than this blur as one;
# from there the weight of a hidden sample rises to 1 over the ramp.
_HIDDEN_GAP_PX = 1.5
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


def split_layers(color: Tensor, radius_px: Tensor, contour_reach_px: int) -> Layers:
    """Take a frame apart into a front and a back layer.

    Args:
        color: [C, H, W] linear light.
        radius_px: [H, W] signed blur radius, near positive.
        contour_reach_px: how far the map's contours may be off the picture's; 0 trusts the map.
    """
    if contour_reach_px > 0:
        radius_px = sharpen_ramps(radius_px, contour_reach_px + 1)
        radius_px = align_to_picture(radius_px, color, contour_reach_px)
        radius_px = align_to_picture(radius_px, color, max(1, contour_reach_px // 2))
        radius_px = smooth_surfaces(radius_px, contour_reach_px)

    band = edge_band(radius_px, contour_reach_px)
    front_weight = torch.ones_like(radius_px)
    if not bool(band.any()):
        empty = Layer(torch.zeros_like(color), torch.zeros_like(radius_px), torch.zeros_like(radius_px))
        return Layers(Layer(color, radius_px, front_weight), empty, torch.zeros_like(radius_px))

    matte = edge_matte(color, radius_px, band)
    top, bottom = local_max(radius_px), local_min(radius_px)
    near_px, far_px = push_pull(torch.stack([top, bottom]), band[None].float())

    # What lies behind: every pixel farther than the middle of the closest edge, unmixed along the edges.
    source_color, source_radius = color.flatten(1).clone(), radius_px.flatten().clone()
    source_weight = (radius_px < (near_px + far_px) / 2).flatten().float()
    source_color[:, matte.index] = matte.far_color
    source_radius[matte.index] = matte.far_radius_px
    source_weight[matte.index] = 0.5 * (1 - matte.alpha)
    sources = torch.cat([source_color, source_radius[None]]).unflatten(1, radius_px.shape)
    filled = push_pull(sources, source_weight.view_as(radius_px)[None])

    reach_px = min(int(radius_px.abs().max()) + 2, _MAX_REACH_PX)
    on_near_side = (radius_px - near_px).abs() < (radius_px - far_px).abs()
    hides = near(band, reach_px) & on_near_side & (radius_px - far_px > _HIDDEN_GAP_PX)
    # A filled radius may not come out in front of the surface that hides it.
    hidden_radius = torch.minimum(filled[-1], radius_px - _HIDDEN_GAP_PX)

    front_color, front_radius = color.flatten(1).clone(), radius_px.flatten().clone()
    back_color = (filled[:-1] * hides).flatten(1)
    back_radius = (hidden_radius * hides).flatten()
    back_weight = (_gap_weight(radius_px - hidden_radius) * hides).flatten()
    flat_front_weight = front_weight.flatten()
    front_color[:, matte.index] = matte.near_color
    front_radius[matte.index] = matte.near_radius_px
    flat_front_weight[matte.index] = matte.alpha
    back_color[:, matte.index] = matte.far_color
    back_radius[matte.index] = matte.far_radius_px
    gap_weight = _gap_weight(matte.near_radius_px - matte.far_radius_px)
    back_weight[matte.index] = torch.maximum(gap_weight, 1 - matte.alpha)

    rim = (band & (radius_px > (top + bottom) / 2)).flatten().float()
    rim[matte.index] = 1.0
    shape = radius_px.shape
    return Layers(
        Layer(front_color.view_as(color), front_radius.view(shape), flat_front_weight.view(shape)),
        Layer(back_color.view_as(color), back_radius.view(shape), back_weight.view(shape)),
        rim.view(shape),
    )


def _gap_weight(gap_px: Tensor) -> Tensor:
    """How much a sample behind a surface counts, by how far behind it is."""
    return ((gap_px - _HIDDEN_GAP_PX) / _HIDDEN_RAMP_PX).clamp(0, 1)
