"""The disks that blur, pixel by pixel."""

import torch


def disk_weights(height: int, width: int, y: int, x: int, radius_px: float) -> torch.Tensor:
    """Min(1, r + 1/2 - distance) where that is positive, of each pixel of a frame."""
    weights = torch.zeros(height, width)
    for row in range(height):
        for column in range(width):
            distance = ((row - y) ** 2 + (column - x) ** 2) ** 0.5
            weights[row, column] = min(max(radius_px + 0.5 - distance, 0.0), 1.0)
    return weights


def mean_over_disk(frame: torch.Tensor, y: int, x: int, radius_px: float) -> torch.Tensor:
    """Of [C, H, W], inside of the frame."""
    height, width = frame.shape[1:]
    weights = disk_weights(height, width, y, x, radius_px)
    return (weights * frame).sum(dim=(1, 2)) / weights.sum()
