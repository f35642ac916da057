"""Two layers a pixel: what the camera sees, and what an out-of-focus foreground lets through."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor

from ..progress import Check, no_check
from .contour_shift import shift_contours
from .edges import align_to_picture, edge_band, sharpen_ramps, smooth_surfaces, softness
from .fill import push_pull
from .lamps import lamps_in, without_lamps
from .lines import with_lines
from .loose_pixels import narrow_things, without_loose_pixels
from .matte import EdgeMatte, edge_matte
from .matte_again import matte_again
from .neighbourhood import Surroundings, dilate
from .seen_behind import Behind

# Farther from an edge than this, nothing hidden is revealed by any lens the renderer supports well.
_MAX_REACH_PX = 128
# Surfaces closer in radius than this blur as one, in px or as a share of the nearer one's radius, whichever
# is more: what is hidden would be painted with the slabs of what hides it.
_HIDDEN_GAP_PX, _HIDDEN_GAP_SHARE = 0.75, 0.25
# From there the weight of a hidden sample rises to 1 over as much again, at least over this.
_HIDDEN_RAMP_PX = 1.0
# A quarter of what one pixel along an edge shows of the far surface answers for its surroundings.
_ENOUGH_SEEN = 1 / 16


@dataclass(frozen=True)
class Layer:
    """Samples that spread light, at most one a pixel.

    Attributes:
        color: [C, ..., H, W] linear light.
        radius_px: [..., H, W] signed blur radius, greater = nearer.
        weight: [..., H, W] in [0, 1], share of the pixel's area.
    """

    color: Tensor
    radius_px: Tensor
    weight: Tensor


@dataclass(frozen=True)
class Layers:
    """A frame, or the frames of a pass, taken apart.

    Attributes:
        front: what is seen; along depth edges only the near surface, with its matte as weight.
        back: the far surface along depth edges, and the filled background behind a foreground.
        rim: [..., H, W] in {0, 1}, where the near surface of `front` ends.
    """

    front: Layer
    back: Layer
    rim: Tensor


def split_layers(
    color: Tensor,
    radius_px: Tensor,
    contour_reach_px: int,
    check: Check = no_check,
    beyond_white: bool = False,
    elsewhere: Behind | None = None,
) -> Layers:
    """Take a frame, or the frames of a pass, apart into a front and a back layer.

    Args:
        color: [C, ..., H, W] linear light.
        radius_px: [..., H, W] signed blur radius, near positive.
        contour_reach_px: how far the map's contours may be off the picture's; 0 trusts the map.
        check: called between the steps; may raise to stop.
        beyond_white: whether there is light beyond black or white that is not that of lifted highlights.
        elsewhere: what other frames have seen of the hidden background; None = it is continued from around.
    """
    check()
    lamps = lamps_in(color) if beyond_white else None
    if contour_reach_px > 0:
        radius_px = _fitted_contours(radius_px, color, contour_reach_px, check, lamps)

    radius = Surroundings(radius_px)
    around, band = radius.within(1), edge_band(radius, contour_reach_px)
    if not bool(band.any()):
        empty = Layer(torch.zeros_like(color), torch.zeros_like(radius_px), torch.zeros_like(radius_px))
        return Layers(Layer(color, radius_px, torch.ones_like(radius_px)), empty, torch.zeros_like(radius_px))

    check()
    matte = edge_matte(color, radius_px, around, band, lamps)
    check()
    matte = matte_again(color, radius_px, around, band, matte, lamps is not None)
    check()
    near_px, far_px = push_pull(torch.stack([around.top, around.bottom]), band[None].float())
    on_near_side = (radius_px - near_px).abs() < (radius_px - far_px).abs()
    hidden_gap_px = _hidden_gap_px(radius_px)
    reach_px = _reach_px(radius_px)
    hides = _within_reach(band, reach_px) & on_near_side & (radius_px - far_px > hidden_gap_px)
    middle_px = (near_px + far_px) / 2
    seen = None if elsewhere is None else partial(elsewhere, hides)
    background = _Background.of(color, radius_px, middle_px, matte, lamps)
    behind_color, behind_px, trust = background.continued(hides, reach_px, seen)
    far_color = matte.far_color
    if trust is not None:
        # On the near side of a contour the matte knows the far colour from around at best.
        seen_far = behind_color.flatten(1).index_select(1, matte.index)
        far_color = torch.lerp(far_color, seen_far, trust.flatten()[matte.index])

    check()
    # A continued radius may not come out in front of the surface that hides it.
    behind_px = torch.minimum(behind_px, radius_px - hidden_gap_px)

    split_gap_weight = _hidden_weight(matte.near_radius_px, matte.far_radius_px)
    front = Layer(
        _replaced(color, matte.index, matte.near_color),
        _replaced(radius_px, matte.index, matte.near_radius_px),
        _replaced(torch.ones_like(radius_px), matte.index, matte.alpha),
    )
    back = Layer(
        _replaced(behind_color * hides, matte.index, far_color),
        _replaced(behind_px * hides, matte.index, matte.far_radius_px),
        _replaced(
            _hidden_weight(radius_px, behind_px) * hides,
            matte.index,
            torch.maximum(split_gap_weight, 1 - matte.alpha),
        ),
    )
    rim = (band & (radius_px > around.middle())).float()
    return Layers(front, back, _replaced(rim, matte.index, torch.ones_like(matte.alpha)))


def _fitted_contours(
    radius_px: Tensor, color: Tensor, reach_px: int, check: Check, lamps: Tensor | None
) -> Tensor:
    """Radii [..., H, W] of a map whose contours are steps, and lie where the picture has them."""
    given_px, soft = radius_px, softness(radius_px)
    is_soft = bool((soft > 0).any())
    if is_soft:
        sharpened_px = without_loose_pixels(
            sharpen_ramps(radius_px, reach_px + 1), radius_px, color, narrow_things(radius_px)
        )
        radius_px = torch.lerp(radius_px, sharpened_px, soft)
        check()
    radius_px = shift_contours(radius_px, color, reach_px, soft, lamps)
    check()
    if is_soft:
        # Stretches that were shifted side by side leave chains of pixels between them.
        radius_px = without_loose_pixels(radius_px, given_px, color)
        radius_px = align_to_picture(radius_px, color, max(1, reach_px // 2), soft, lamps)
    else:
        # Where most contours were off alike, the others are at most a pixel off after it.
        radius_px = shift_contours(radius_px, color, 1, soft, lamps)
    check()
    return smooth_surfaces(radius_px, reach_px)


@dataclass(frozen=True)
class _Background:
    """What is seen beyond the middle of the closest edge of each pixel.

    Attributes:
        color: [C, ..., H, W] linear light.
        radius_px: [1, ..., H, W] signed blur radius.
        weight: [..., H, W] in [0, 1], how much of it shows.
    """

    color: Tensor
    radius_px: Tensor
    weight: Tensor

    @classmethod
    def of(
        cls, color: Tensor, radius_px: Tensor, middle_px: Tensor, matte: EdgeMatte, lamps: Tensor | None
    ) -> "_Background":
        # Along the edges the unmixed far surface stands in, as far as it shows.
        weight = _replaced((radius_px < middle_px).float(), matte.index, 1 - matte.alpha)
        behind = _replaced(color, matte.index, matte.far_color)
        # A lamp has an end: beyond the outline that hides a part of it there is no row of lamps.
        behind = behind if lamps is None else without_lamps(behind, weight)
        return cls(behind, _replaced(radius_px, matte.index, matte.far_radius_px)[None], weight)

    def continued(
        self,
        hides: Tensor,
        reach_px: list[int],
        elsewhere: Callable[[Tensor, Tensor, Tensor], tuple[Tensor, Tensor]] | None,
    ) -> tuple[Tensor, Tensor, Tensor | None]:
        """Colour and radius of the background, continued over the other pixels.

        Third, the trust [..., H, W] in colours that were seen elsewhere.

        Args:
            hides: bool [..., H, W], where something is hidden that blur may reveal.
            reach_px: of each frame, how far blur may reveal it.
            elsewhere: what other frames have seen, by pixels that hide it, radius and light.
        """
        if elsewhere is None:
            planes = torch.cat([self.color, self.radius_px])
            continued = push_pull(planes, self.weight[None], _ENOUGH_SEEN)
            smooth, behind_px = continued[:-1], continued[-1]
            color, weight, trust = self.color, self.weight, None
        else:
            color, trust = elsewhere(self.weight, self.radius_px[0], self.color)
            weight = torch.maximum(self.weight, trust)
            smooth = push_pull(color, weight[None], _ENOUGH_SEEN)
            behind_px = push_pull(self.radius_px, self.weight[None], _ENOUGH_SEEN)[0]
        return with_lines(smooth, color, weight, hides, reach_px), behind_px, trust


def _replaced(plane: Tensor, index: Tensor, values: Tensor) -> Tensor:
    """A copy of [..., H, W] with other values [...] at flat positions of the frames."""
    flat = plane.flatten(values.ndim - 1).clone()
    flat[..., index] = values
    return flat.view_as(plane)


def _reach_px(radius_px: Tensor) -> list[int]:
    """Of each [H, W] frame, how far from its edges blur may reveal what they hide."""
    greatest = radius_px.abs().flatten(-2).amax(-1).flatten()
    return [min(int(radius) + 2, _MAX_REACH_PX) for radius in greatest.tolist()]


def _within_reach(band: Tensor, by_frame: list[int]) -> Tensor:
    """Pixels of each [H, W] frame so close to its edges that blur may reveal what they hide."""
    if band.ndim == 2:
        return dilate(band, by_frame[0])
    reached = torch.empty_like(band)
    for reach_px in sorted(set(by_frame)):
        # Frames of one reach at a time, which in a clip are most of a pass.
        these = [t for t, reach in enumerate(by_frame) if reach == reach_px]
        if len(these) == len(by_frame):
            return dilate(band, reach_px)
        for t, mask in zip(these, dilate(torch.stack([band[t] for t in these]), reach_px), strict=True):
            reached[t] = mask
    return reached


def _hidden_gap_px(near_px: Tensor) -> Tensor:
    """How far behind a surface of these radii something hidden has to lie to be told from it."""
    return near_px.abs().mul_(_HIDDEN_GAP_SHARE).clamp_(min=_HIDDEN_GAP_PX)


def _hidden_weight(near_px: Tensor, behind_px: Tensor) -> Tensor:
    """How much a sample behind a surface counts, by how far behind it is."""
    ramp_px = (near_px.abs() * _HIDDEN_GAP_SHARE).clamp_(min=_HIDDEN_RAMP_PX)
    return (near_px - behind_px - _hidden_gap_px(near_px)).div_(ramp_px).clamp_(0, 1)
