"""Fixtures for the tests of the metrics: pairs of clips, and textures with detail at several scales."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from bokeh_lab.metrics import ClipPair


@pytest.fixture(scope="session")
def make_pair() -> Callable[..., ClipPair]:
    """A pair of two clips; `sharp` is the truth and both masks are all true, unless given."""

    def make(
        prediction: Tensor,
        truth: Tensor,
        sharp: Tensor | None = None,
        in_focus: Tensor | None = None,
        edges: Tensor | None = None,
    ) -> ClipPair:
        everywhere = torch.ones(truth.shape[:3], dtype=torch.bool)
        return ClipPair(
            prediction,
            truth,
            truth if sharp is None else sharp,
            everywhere if in_focus is None else in_focus,
            everywhere if edges is None else edges,
        )

    return make


@pytest.fixture(scope="session")
def texture() -> Callable[[int, int, int], Tensor]:
    """A smooth random picture [H, W, 3] in [0, 1]: noise at 2, 4 and 8 px added up."""

    def make(height: int, width: int, seed: int) -> Tensor:
        generator = torch.Generator().manual_seed(seed)
        layers = [
            F.interpolate(
                torch.rand(1, 3, height // cell + 2, width // cell + 2, generator=generator),
                size=(height, width),
                mode="bicubic",
                align_corners=False,
            )
            for cell in (2, 4, 8)
        ]
        picture = torch.stack(layers).mean(dim=0)[0].permute(1, 2, 0)
        return (picture - picture.min()) / (picture.max() - picture.min())

    return make
