"""The hidden background as other frames have seen it: followed there by the motion of what is seen of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from ..motion.flow import judged_match, lies_inside, warped
from .neighbourhood import local_min
from .other_frames import OtherFrame, OtherFrames

Behind = Callable[[Tensor, Tensor, Tensor, Tensor], tuple[Tensor, Tensor]]
"""(hidden, background, radius, light) of a frame or of the frames of a pass -> light, and trust in what was
hidden; see `SeenBehind`."""

PlanesOf = Callable[[Tensor, Tensor, Tensor | None, int], Tensor]
"""(numbers [C, M], radius [M], lamps [M], place in the pass) -> light; see `SeenBehind.planes_of`."""

LampsOf = Callable[[Tensor], Tensor | None]
"""A small frame [h, w, 3] -> how much highlights are lamps [h, w]; None where that does not count."""

# Motion beside a contour is a mixture of both surfaces': it is taken from so many px of the small frames on.
_CLEAN_PX = 3
# So close to contours of another frame's map, at least, nothing is taken from it.
_LEAST_MARGIN_PX = 2
_LEAST_TRUST = 0.5
# Lent by the nearest clean pixel, and smoothed within this window; where lenders differ more, in px of the
# small frames, two surfaces meet.
_SMOOTH_PX = 3
_MOST_SPREAD_PX = 0.5
# Radii of one surface, as a share of how far it lies behind what hides it, and in px.
_SAME_SHARE, _SAME_PX = 0.25, 0.1
_LENDER_SHARE = 0.15
_LEAST_GAP_PX = 0.3
# How far, in display values, colours along the contour may be off where the motion leads to.
_LIKENESS = 0.08
_LIKENESS_REACH_PX = 3


def seen_in_pass(
    other_frames: OtherFrames,
    numbers: Sequence[int],
    contour_reach_px: int,
    radius_of: Callable[[Tensor, int], Tensor],
    planes_of: PlanesOf,
    lamps_of: LampsOf,
) -> Behind | None:
    """What other frames know of the background of the frames of a pass; None where there are no others.

    Args:
        other_frames: around them.
        numbers: of the frames, as `OtherFrames.around` counts.
        contour_reach_px: how far the maps' contours may be off the pictures'.
        radius_of: see `SeenBehind`; with the place in the pass as its last argument.
        planes_of: likewise.
        lamps_of: see `SeenBehind`.
    """
    margin_px = max(contour_reach_px, _LEAST_MARGIN_PX)
    around = [other_frames.around(number, margin_px) for number in numbers]
    if not any(around):
        return None

    def one(at: int) -> SeenBehind:
        return SeenBehind(
            other_frames.small(numbers[at]),
            around[at],
            lambda disparity: radius_of(disparity, at),
            lambda values, radius_px, lamps: planes_of(values, radius_px, lamps, at),
            lamps_of,
        )

    def behind(hidden: Tensor, behind: Tensor, radius_px: Tensor, color: Tensor) -> tuple[Tensor, Tensor]:
        if hidden.ndim == 2:
            return one(0)(hidden, behind, radius_px, color)
        found = [one(at)(hidden[at], behind[at], radius_px[at], color[:, at]) for at in range(len(numbers))]
        return torch.stack([light for light, _ in found], 1), torch.stack([trust for _, trust in found])

    return behind


@dataclass(frozen=True)
class SeenBehind:
    """What other frames know of the background of one frame.

    Attributes:
        small: the frame [h, w, 3], see `OtherFrame.small`.
        others: frames close by.
        radius_of: disparity of any shape -> signed blur radius in px, as the lens has it in this frame.
        planes_of: (numbers [C, M], radius [M], how much highlights there are lamps [M] or None) -> linear
            light, and premultiplied alpha if frames have one.
        lamps_of: see there.
    """

    small: Tensor
    others: list[OtherFrame]
    radius_of: Callable[[Tensor], Tensor]
    planes_of: Callable[[Tensor, Tensor, Tensor | None], Tensor]
    lamps_of: LampsOf

    def __call__(
        self, hidden: Tensor, behind: Tensor, radius_px: Tensor, color: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Find the colours of hidden pixels.

        Args:
            hidden: bool [H, W], where something is hidden that may be revealed.
            behind: [H, W] in [0, 1], 1 where what is seen is the background of its surroundings.
            radius_px: [H, W] signed blur radius of what is seen.
            color: [C, H, W] linear light.

        Returns:
            The light with that of hidden pixels where they were seen, and the trust in it [H, W] in [0, 1], 0
            where nothing is hidden or it was not seen.
        """
        trust, result = torch.zeros_like(radius_px), color
        small = self.small.to(color.device)
        rim = _Rim.of(behind >= 1, radius_px, small.shape[:2]) if self.others else None
        # What is half seen along a contour is known from there.
        y, x = (hidden & (behind <= 0)).nonzero(as_tuple=True)
        if rim is None or len(y) == 0:
            return result, trust
        height, width = hidden.shape
        at_small = _flat_index(y, x, (height, width), rim.index.shape)
        rim_px = rim.radius_px.flatten()[at_small]
        gap_px = (radius_px[y, x] - rim_px).clamp(min=_LEAST_GAP_PX)
        total = color.new_zeros(color.shape[0], len(y))
        weights, best = torch.zeros_like(gap_px), torch.zeros_like(gap_px)
        for other in self.others:
            flow_px, trusted = rim.followed(small, other)
            rows, columns = trusted.shape
            scale = flow_px.new_tensor([width / columns, height / rows])[:, None]
            to_x, to_y = torch.stack([x, y]) + flow_px.flatten(1)[:, at_small] * scale
            nearest_px, farthest_px = (
                self.radius_of(_nearest(extreme.to(color.device), to_y, to_x))
                for extreme in (other.disparity.top, other.disparity.bottom)
            )
            margin_px = _SAME_SHARE * gap_px
            same = (nearest_px - rim_px < margin_px) & (rim_px - farthest_px < margin_px)
            trust_here = trusted.flatten()[at_small] * same
            values = _between(other.values.to(color.device).movedim(-1, 0).float(), to_y, to_x)
            weight = trust_here / other.distance
            lamps = self.lamps_of(other.small.to(color.device))
            if lamps is not None:
                lamps = _nearest(lamps, to_y * rows / height, to_x * columns / width)
            total += self.planes_of(values, rim_px, lamps) * weight
            weights += weight
            best = torch.maximum(best, trust_here)
        result = color.clone()
        found = weights > 0
        result[:, y[found], x[found]] = total[:, found] / weights[found]
        trust[y, x] = best
        return result, trust


@dataclass(frozen=True)
class _Rim:
    """What is seen of the background, small.

    Attributes:
        index: int64 [h, w], flat position of the closest pixel of the background; its own where it is one.
        radius_px: [h, w], signed blur radius there.
        seen: bool [h, w], the background itself.
        clean: bool [h, w], background so far from contours that its motion is its own.
        gap_px: [h, w], how far what is seen lies in front of that closest pixel.
    """

    index: Tensor
    radius_px: Tensor
    seen: Tensor
    clean: Tensor
    gap_px: Tensor

    @classmethod
    def of(cls, behind: Tensor, radius_px: Tensor, size: torch.Size) -> _Rim | None:
        """Of a map [H, W] of background and the radii; None where no background is seen."""
        both = torch.stack([behind.float(), radius_px])[None]
        share, small_px = F.interpolate(both, tuple(size), mode="area")[0]
        seen = share > 0.99
        index = _closest(seen)
        if index is None:
            return None
        rim_px = small_px.flatten()[index]
        clean = local_min(seen.float(), _CLEAN_PX) > 0
        return cls(index, rim_px, seen, clean, (small_px - rim_px).clamp(min=_LEAST_GAP_PX))

    def followed(self, small: Tensor, other: OtherFrame) -> tuple[Tensor, Tensor]:
        """Flow [2, h, w] of the background, continued where it is hidden, and the trust in it [h, w]."""
        others_small = other.small.to(small.device)
        match = judged_match(small, others_small, other.there, other.back)
        lender = _closest(self.clean & (match.trust > _LEAST_TRUST))
        if lender is None:
            return torch.zeros_like(match.flow_px), torch.zeros_like(match.trust)
        lent = match.flow_px.flatten(1)[:, lender]
        mean, mean_square = _around(torch.stack([lent, lent.square()]), _SMOOTH_PX)
        one_motion = (mean_square - mean.square()).sum(0) < _MOST_SPREAD_PX**2
        lender_px = self.radius_px.flatten()[lender]
        one_surface = (lender_px - self.radius_px).abs() < _LENDER_SHARE * self.gap_px + _SAME_PX
        # How alike the background looks along the contour, by the motion that is lent to what it hides.
        difference = (small.movedim(-1, 0) - warped(others_small.movedim(-1, 0), mean)).abs().mean(0)
        compared = (self.seen & lies_inside(mean)).float()
        sums = _around(torch.stack([difference * compared, compared])[:, None], _LIKENESS_REACH_PX)[:, 0]
        misfit = (sums[0] / sums[1].clamp(min=1e-6)).flatten()[self.index]
        trust = torch.exp(-(misfit / _LIKENESS).square()) * (sums[1].flatten()[self.index] > 0)
        return mean, trust * one_motion * one_surface * lies_inside(mean)


def _closest(mask: Tensor) -> Tensor | None:
    """Flat position of the closest true pixel for each of [h, w]; None where there is none."""
    away = (~mask).cpu().numpy().astype(np.uint8)
    if away.all():
        return None
    _, labels = cv2.distanceTransformWithLabels(away, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL)
    position = np.zeros(labels.max() + 1, np.int64)
    true = (away.ravel() == 0).nonzero()[0]
    position[labels.ravel()[true]] = true
    return torch.from_numpy(position[labels]).to(mask.device)


def _around(planes: Tensor, reach_px: int) -> Tensor:
    """Mean of [..., C, h, w] within a square around each pixel, as far as it lies in the frame."""
    stack = planes.reshape(1, -1, *planes.shape[-2:])
    mean = F.avg_pool2d(stack, 2 * reach_px + 1, 1, reach_px, count_include_pad=False)
    return mean.view_as(planes)


def _flat_index(y: Tensor, x: Tensor, size: tuple[int, int], smaller: torch.Size) -> Tensor:
    """Positions in a map of a smaller size, of pixels of one of `size`."""
    rows, columns = smaller
    return (y * rows // size[0]) * columns + x * columns // size[1]


def _nearest(values: Tensor, y: Tensor, x: Tensor) -> Tensor:
    """Values [H, W] at the pixels closest to places [M]."""
    height, width = values.shape
    return values[y.round().long().clamp(0, height - 1), x.round().long().clamp(0, width - 1)]


def _between(planes: Tensor, y: Tensor, x: Tensor) -> Tensor:
    """Planes [C, H, W] at places [M] between pixels, linear: [C, M]."""
    height, width = planes.shape[-2:]
    places = torch.stack([(2 * x + 1) / width - 1, (2 * y + 1) / height - 1], -1)[None, None]
    return F.grid_sample(planes[None], places, mode="bilinear", padding_mode="border", align_corners=False)[
        0, :, 0
    ]
