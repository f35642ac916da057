"""Focal-plane-adapted MPI regions (paper Eq. 2): which layer around the focal plane a pixel is in."""

import torch
from einops import rearrange
from torch import Tensor

from .clip.checks import checked_maps, checked_values
from .published import MPI_ALPHA, MPI_LAYERS
from .setting_checks import require_number, require_whole_number

# Bright for what is in focus, then through green and blue to dark violet: ordered in lightness, so
# the order also survives grey printing and colour blindness.
_LAYER_COLOUR_ANCHORS = (
    (0.99, 0.87, 0.45),
    (0.42, 0.77, 0.52),
    (0.16, 0.53, 0.60),
    (0.22, 0.31, 0.55),
    (0.23, 0.10, 0.35),
)


_LEAST_ALPHA, _MOST_ALPHA = 0.01, 100.0


def region_thresholds(focal_disparity: Tensor, layers: int = MPI_LAYERS, alpha: float = MPI_ALPHA) -> Tensor:
    """Return h_i = (i / n)^(1 / d_f^alpha), i = 1 .. n - 1 (Eq. 2).

    Args:
        focal_disparity: [T]; for d_f <= 0 the power d_f^alpha is taken as 1e-6.
        layers: n >= 1.
        alpha: 0.01 to 100; 1 in the paper and its training, 1.5 in the released inference.

    Returns:
        float64 [T, n - 1], ascending.

    Raises:
        ValueError: layers or alpha out of range.
    """
    require_whole_number("layers", layers, 1, 256)
    require_number("alpha", alpha, _LEAST_ALPHA, _MOST_ALPHA)
    focal = focal_disparity.double()
    sharpness = torch.where(focal > 0, focal.clamp_min(0) ** alpha, 1e-6)
    fractions = torch.arange(1, layers, dtype=torch.float64, device=focal.device) / layers
    return fractions[None, :] ** (1 / sharpness[:, None])


def mpi_regions(
    disparity: Tensor, focal_disparity: Tensor, layers: int = MPI_LAYERS, alpha: float = MPI_ALPHA
) -> Tensor:
    """Count how many thresholds h_i lie below |d - d_f| at each pixel (Eq. 2).

    A distance equal to h_i stays inside region i - 1.

    Args:
        disparity: [T, H, W] in [0, 1], 1 = near.
        focal_disparity: [T] in [0, 1].
        layers: n, the number of regions.
        alpha: exponent on d_f; larger makes the inner regions thinner.

    Returns:
        uint8 [T, H, W]: 0 in focus ... n - 1 farthest from the focal plane.

    Raises:
        ValueError: focal_disparity has another length than the clip, values are out of range, or see
            `region_thresholds`.
    """
    disparity, focal_disparity = checked_maps(disparity), checked_values(focal_disparity, "focal_disparity")
    if focal_disparity.shape != disparity.shape[:1]:
        raise ValueError(
            f"focal_disparity has shape {tuple(focal_disparity.shape)} for {disparity.shape[0]} disparity "
            "frames; give one value per frame."
        )
    # Compared in one precision, or rounding alone would push a tie across.
    focal = focal_disparity.to(disparity)
    thresholds = region_thresholds(focal, layers, alpha).to(disparity)
    regions = torch.zeros(disparity.shape, dtype=torch.uint8, device=disparity.device)
    for t, region in enumerate(regions):
        distance = (disparity[t] - focal[t]).abs()
        for threshold in thresholds[t]:
            region += distance > threshold
    return regions


def layer_colours(layers: int) -> Tensor:
    """Return float32 [layers, 3] RGB in [0, 1], light for the region in focus to dark for the farthest."""
    anchors = torch.tensor(_LAYER_COLOUR_ANCHORS)
    position = torch.linspace(0, len(anchors) - 1, layers) if layers > 1 else torch.zeros(1)
    below = position.floor().long().clamp_max(len(anchors) - 2)
    weight = (position - below)[:, None]
    return anchors[below] * (1 - weight) + anchors[below + 1] * weight


def colour_regions(regions: Tensor, layers: int = MPI_LAYERS) -> Tensor:
    """Paint each region in its colour: uint8 [T, H, W] -> float32 RGB [T, H, W, 3] in [0, 1]."""
    colours = layer_colours(layers)
    picture = torch.empty(*regions.shape, 3)
    for t, region in enumerate(regions):
        flat = rearrange(region, "h w -> (h w)").int().cpu()
        picture[t] = colours.index_select(0, flat).view(*region.shape, 3)
    return picture


def in_focus_mask(regions: Tensor) -> Tensor:
    """Return float32 [T, H, W]: 1 in region 0, 0 elsewhere."""
    return (regions == 0).float()
