"""Lines of the background, which go on behind what hides them.

Smooth interpolation ends each line and stripe where something hides it. Where the picture beside a hidden
pixel has one direction, the colours of the two closest pixels along that direction go on to it instead.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from .backend import backend_of
from .convolve import gaussian
from .fill import push_pull
from .neighbourhood import local_min, with_border_repeated

KNOWN = 0.5
"""A pixel of so much weight is one from which a line may go on."""

# Of the mean of squared gradients, in px of the half-size map on which it is made.
_SIGMA_PX = 1.0
_LEAST_SHARE = 0.05
# Squared gradient of the root of light a px, below which a direction is that of noise.
_NOISE = 2e-4
# Colours at the two ends of a line that differ by this, of the root of light, are of two lines.
_UNLIKE = 0.2
# Pixels on a line that are looked at: each by this share of its distance farther than the one before.
_STEP_SHARE = 0.2
# A line meets the outline at a slant, so it is longer than the blur reaches.
_REACH_OF_BLUR = 2.0
_LEAST_LIKENESS = 1e-3


def with_lines(
    filled: Tensor, light: Tensor, weight: Tensor, hidden: Tensor, blur_reach_px: list[int]
) -> Tensor:
    """Let the lines of what is seen go on over hidden pixels.

    The direction of a pixel is that in which the squared gradients around it, continued smoothly, are least
    (the structure tensor). How much the line counts grows with how much of one direction the gradients are,
    there and at the ends of the line, and falls where the colours at its ends differ.

    Args:
        filled: [C, ..., H, W] linear light, continued smoothly.
        light: [C, ..., H, W], what is seen.
        weight: [..., H, W] in [0, 1], how much of that is the background.
        hidden: bool [..., H, W], pixels to which lines go on where they have less weight than `KNOWN`.
        blur_reach_px: of each frame, how far from an outline blur reveals what is hidden.

    Returns:
        [C, ..., H, W] linear light.
    """
    index = (hidden & (weight < KNOWN)).flatten().nonzero()[:, 0]
    if len(index) == 0:
        return filled
    lines = _Lines(light.flatten(1), (weight >= KNOWN).flatten(), _gradients(light, weight), light.shape[1:])
    reach_px = [_REACH_OF_BLUR * reach for reach in blur_reach_px]
    steps_px = torch.tensor(_steps_px(max(reach_px)), device=light.device)
    farthest_px = torch.tensor(reach_px, device=light.device)
    result = filled.flatten(1).clone()
    for some in index.split(max(1, backend_of(light.device).band_pixels // len(steps_px))):
        color, share = lines.through(some, steps_px, farthest_px)
        result[:, some] = torch.lerp(result[:, some], color, share)
    return result.view_as(filled)


@dataclass(frozen=True)
class _Lines:
    """What lines are followed on.

    Attributes:
        light: [C, N] of the pixels of all frames.
        known: bool [N], where a line ends.
        gradients: [3, ..., h, w] of half the size, means of squared gradients xx, xy and yy.
        shape: [..., H, W] of the frames.
    """

    light: Tensor
    known: Tensor
    gradients: Tensor
    shape: torch.Size

    def through(self, index: Tensor, steps_px: Tensor, farthest_px: Tensor) -> tuple[Tensor, Tensor]:
        """Colour [C, M] of the line through each pixel, and how much it counts [M] in [0, 1].

        Args:
            index: int64 [M], positions in the flattened frames.
            steps_px: [S], distances at which a line is looked at.
            farthest_px: [number of frames], how long a line may be.
        """
        height, width = self.shape[-2:]
        row, x = index // width, index % width
        frame, y = row // height, row % height
        xx, xy, yy = self._gradients_at(index)
        apart = ((xx - yy).square() + 4 * xy.square()).sqrt()
        steepest = 0.5 * torch.atan2(2 * xy, xx - yy)
        one_direction = apart / (xx + yy + _NOISE)
        across, down = -steepest.sin(), steepest.cos()

        ends = []
        for sign in (1, -1):
            to_x = torch.addcmul(x, sign * across, steps_px[:, None]).round_()
            to_y = torch.addcmul(y, sign * down, steps_px[:, None]).round_()
            met = (to_x >= 0) & (to_x < width) & (to_y >= 0) & (to_y < height)
            met &= steps_px[:, None] <= farthest_px[frame]
            to_x, to_y = to_x.clamp_(0, width - 1), to_y.clamp_(0, height - 1)
            place = to_y.add_(frame * height).long().mul_(width).add_(to_x.long())
            met &= self.known[place]
            first = backend_of(met.device).first_greatest(met.to(torch.uint8))[None]
            place, met = place.gather(0, first)[0], met.gather(0, first)[0]
            # Of the squared gradients there, those along the line.
            there = self._gradients_at(place)
            along = across.square() * there[0] + 2 * across * down * there[1] + down.square() * there[2]
            likeness = (1 - 2 * along / (there[0] + there[2] + _NOISE)).clamp(min=0)
            weight = likeness.clamp(min=_LEAST_LIKENESS) / steps_px[first[0]].square() * met
            ends.append((self.light[:, place], likeness, weight))
        (one, one_likeness, one_weight), (other, other_likeness, other_weight) = ends

        total = (one_weight + other_weight).clamp(min=1e-12)
        of_other = other_weight / total
        likeness = torch.lerp(one_likeness, other_likeness, of_other)
        differ = (_root(one[:3]) - _root(other[:3])).square().sum(0)
        balance = 2 * torch.minimum(of_other, 1 - of_other)
        share = one_direction * likeness.square() * torch.exp(-balance * differ / _UNLIKE**2)
        return torch.lerp(one, other, of_other), share * (one_weight + other_weight > 0)

    def _gradients_at(self, index: Tensor) -> Tensor:
        """Means of squared gradients [3, M] around pixels at flat positions."""
        (height, width), (rows, columns) = self.shape[-2:], self.gradients.shape[-2:]
        row, x = index // width, index % width
        half_row = row // height * rows + row % height // 2
        return self.gradients.flatten(1)[:, half_row * columns + x // 2]


def _gradients(light: Tensor, weight: Tensor) -> Tensor:
    """Means of squared gradients xx, xy, yy [3, ..., h, w] of half the size, continued where nothing is seen.

    Of the root of the light [C, ..., H, W], only where all pixels around are wholly seen.
    """
    seen = local_min((weight >= 1).to(weight), 1)
    squares = torch.zeros_like(light[:3])
    for plane in light[:3]:
        root = with_border_repeated(_root(plane), 1)
        to_right = (root[..., 1:-1, 2:] - root[..., 1:-1, :-2]).div_(2)
        down = (root[..., 2:, 1:-1] - root[..., :-2, 1:-1]).div_(2)
        squares[0].addcmul_(to_right, to_right)
        squares[1].addcmul_(to_right, down)
        squares[2].addcmul_(down, down)
    half = _half(torch.cat([squares.mul_(seen), seen[None]]))
    *_, share = around = gaussian(half, _SIGMA_PX)
    return push_pull(around[:3] / share.clamp(min=_LEAST_SHARE), (share > _LEAST_SHARE).to(share)[None])


def _half(planes: Tensor) -> Tensor:
    """Planes [C, ..., H, W] of half the size, odd sides rounded up."""
    halved = backend_of(planes.device).halved(planes.flatten(0, -3))
    return halved.view(*planes.shape[:-2], *halved.shape[-2:])


def _steps_px(farthest_px: float) -> list[float]:
    steps = [1.0]
    while steps[-1] < farthest_px:
        steps.append(steps[-1] + max(1, round(_STEP_SHARE * steps[-1])))
    return steps


def _root(light: Tensor) -> Tensor:
    return light.clamp(min=0).sqrt()
