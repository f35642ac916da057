"""Maps of the size that the network works at -> the size of the frames, without crossing contours."""

from __future__ import annotations

import torch
from torch import Tensor

# So that a pixel that is like no cell around it takes the mean of all.
_LEAST_WEIGHT = 1e-4


class AlongContours:
    """Enlarges maps of one size: a pixel takes from those of the four cells around it that are like it."""

    def __init__(self, small: Tensor, large: Tensor) -> None:
        """Weigh the cells around each pixel.

        Args:
            small: what tells surfaces apart, [N, C, h, w], in units in which 1 is a clear difference.
            large: the same of the frames, [N, C, H, W].
        """
        self._same = small.shape[-2:] == large.shape[-2:]
        if self._same:
            return
        (rows, row_shares), (columns, column_shares) = (
            _neighbours(few, many, large.device)
            for few, many in zip(small.shape[-2:], large.shape[-2:], strict=True)
        )
        self._corners = [(row[:, None], column) for row in rows for column in columns]
        shares = [row[:, None] * column for row in row_shares for column in column_shares]
        weights = []
        for corner, share in zip(self._corners, shares, strict=True):
            unlike = (large - small[..., corner[0], corner[1]]).square().sum(1, keepdim=True)
            weights.append(share * (_LEAST_WEIGHT + torch.exp(-unlike)))
        total = torch.stack(weights).sum(0)
        self._weights = [weight / total for weight in weights]

    def __call__(self, maps: Tensor) -> Tensor:
        """[N, G, h, w] -> [N, G, H, W]; a map of one value keeps it, rounding apart."""
        if self._same:
            return maps
        large: Tensor | float = 0.0
        for (rows, columns), weight in zip(self._corners, self._weights, strict=True):
            large = large + maps[..., rows, columns] * weight
        assert isinstance(large, Tensor)
        return large


def _neighbours(few: int, many: int, device: torch.device) -> tuple[list[Tensor], list[Tensor]]:
    """The two cells around each pixel of a side, and the share of each as in bilinear interpolation."""
    place = ((torch.arange(many, dtype=torch.float64) + 0.5) * few / many - 0.5).clamp(0, few - 1)
    before = place.floor()
    share = (place - before).float()
    behind = (before + 1).clamp(max=few - 1)
    cells = [before.long().to(device), behind.long().to(device)]
    return cells, [(1 - share).to(device), share.to(device)]
