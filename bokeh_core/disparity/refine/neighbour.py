"""A frame close in time, as it is seen from the frame that is refined."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from ...motion.flow import Match, flow_of_size, warped
from .affine import Affine


@dataclass(frozen=True)
class Neighbour:
    """A neighbour in time.

    Attributes:
        place: in time, 0 = the frame itself, which is none.
        from_it: from its disparity to the scale of the frame.
        match: where the frame's pixels, as `SmallFrame` has them, lie in it.
        small: its map [h, w], as `SmallFrame` has it.
        disparity: its map [H, W].
    """

    place: int
    from_it: Affine
    match: Match
    small: Tensor
    disparity: Tensor

    def seen(self) -> Tensor:
        """Its small map where the frame has the same things, on the frame's scale, [h, w]."""
        return self.from_it(warped(self.small[None], self.match.flow_px)[0])

    def seen_at(self, y: Tensor, x: Tensor) -> tuple[Tensor, Tensor]:
        """Its map and the trust in it at some pixels of the frame in its full size, each [N]."""
        height, width = self.disparity.shape
        flow_px = flow_of_size(self.match.flow_px, (height, width))[:, y, x]
        values = _sampled(self.disparity, y + flow_px[1], x + flow_px[0])
        rows, columns = self.small.shape
        scaled_y, scaled_x = (y + 0.5) * rows / height - 0.5, (x + 0.5) * columns / width - 0.5
        return self.from_it(values), _sampled(self.match.trust, scaled_y, scaled_x)


def _sampled(values: Tensor, y: Tensor, x: Tensor) -> Tensor:
    """Values [H, W] between pixels, linear."""
    height, width = values.shape
    places = torch.stack([(2 * x + 1) / width - 1, (2 * y + 1) / height - 1], -1)[None, None]
    return F.grid_sample(
        values[None, None], places, mode="bilinear", padding_mode="border", align_corners=False
    )[0, 0, 0]
