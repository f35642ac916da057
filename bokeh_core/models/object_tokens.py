"""Object tokens of MPI attention: which cells of the frames a U-Net level may look up (Eq. 2 and 3)."""

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from einops import rearrange
from torch import Tensor

from ..published import MPI_LAYERS

FARTHEST_REGION = MPI_LAYERS - 1


@dataclass(frozen=True)
class ObjectTokens:
    """Features of the visible cells, one set a frame, padded to the largest set.

    Attributes:
        features: [B*F, M, C0], a frame's own set first.
        counts: how many belong to each frame, at most M.
    """

    features: Tensor
    counts: tuple[int, ...]


def object_tokens(
    mpi_features: Tensor, mpi_regions: Tensor, farthest_region: int, num_tokens: int
) -> ObjectTokens | None:
    """The cells of one level that lie in regions up to `farthest_region` (section 3.3, Fig. 2b).

    Cells outside are left out rather than masked: a key that nobody sees changes nothing.

    Args:
        mpi_features: [B*F, C0, h, w], features of the all-in-focus frames.
        mpi_regions: uint8 [B*F, H, W] at image resolution, 0 in focus; on any device.
        farthest_region: last region that is visible.
        num_tokens: spatial tokens N of the level, at most h*w.

    Returns:
        The tokens, or None when no frame has a visible cell.
    """
    height, width = mpi_features.shape[-2:]
    step = math.ceil(math.sqrt(height * width / num_tokens))
    size = (height // step, width // step)
    inside = (mpi_regions <= farthest_region).float()
    visible = F.interpolate(inside[:, None], size, mode="bilinear", align_corners=False) > 0.5
    visible = rearrange(visible, "f 1 h w -> f (h w)")
    counts = tuple(visible.sum(dim=1).tolist())
    most = max(counts)
    if most == 0:
        return None
    features = F.interpolate(mpi_features, size, mode="bilinear", align_corners=False)
    features = rearrange(features, "f c h w -> f (h w) c")
    if min(counts) < visible.shape[1]:
        # Visible cells first, in row-major order.
        first = visible.to(torch.uint8).argsort(dim=1, descending=True, stable=True)[:, :most]
        first = first.to(features.device)[..., None].expand(-1, -1, features.shape[-1])
        features = features.gather(1, first)
    return ObjectTokens(features, counts)
