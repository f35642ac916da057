"""Antialiased drawing of thin shapes: polygons on a finer grid, averaged."""

import cv2
import numpy as np
import torch
from torch import Tensor

SUBPIXELS = 6
"""Samples across a pixel, in either direction."""

Rgb = tuple[float, float, float]

# OpenCV takes coordinates as integers with this many fractional bits.
_FRACTION_BITS = 6
# OpenCV also fills the samples that the outline of a polygon touches: between 0.35 samples on either side
# (diagonals) and 0.5.
_OUTLINE_PX = 0.42 / SUBPIXELS


class Canvas:
    """A transparent picture; what is drawn later lies in front.

    Coordinates are in pixels, (x, y), and count from the centre of the first pixel.
    """

    def __init__(self, height: int, width: int) -> None:
        self._samples = np.zeros((height * SUBPIXELS, width * SUBPIXELS, 4), np.uint8)

    def polygon(self, points: np.ndarray, color: Rgb) -> None:
        """Fill a polygon [N, 2]."""
        cv2.fillPoly(self._samples, [_fixed_point(points)], _rgba(color), shift=_FRACTION_BITS)

    def ribbon(self, points: np.ndarray, widths_px: np.ndarray, color: Rgb) -> None:
        """Draw a line through points [N, 2] that is widths_px [N] wide at them."""
        if len(points) < 2:
            return
        along = np.gradient(points, axis=0)
        along /= np.maximum(np.linalg.norm(along, axis=1, keepdims=True), 1e-9)
        across = np.stack([-along[:, 1], along[:, 0]], axis=1)
        half = np.maximum(np.asarray(widths_px) / 2 - _OUTLINE_PX, 0)[:, None]
        left, right = _fixed_point(points + half * across), _fixed_point(points - half * across)
        for i in range(len(points) - 1):
            # Segment by segment: a whole ribbon that crosses itself would get holes.
            quad = np.array([left[i], left[i + 1], right[i + 1], right[i]])
            cv2.fillConvexPoly(self._samples, quad, _rgba(color), shift=_FRACTION_BITS)

    def disk(self, x: float, y: float, radius_px: float, color: Rgb) -> None:
        """Fill an antialiased disk."""
        angles = np.linspace(0, 2 * np.pi, 24, endpoint=False)
        radius = max(radius_px - _OUTLINE_PX, 0)
        self.polygon(np.stack([x + radius * np.cos(angles), y + radius * np.sin(angles)], axis=1), color)

    def picture(self) -> Tensor:
        """What was drawn: float32 [4, h, w] in [0, 1], RGB and straight alpha."""
        height, width = (size // SUBPIXELS for size in self._samples.shape[:2])
        blocks = self._samples.reshape(height, SUBPIXELS, width, SUBPIXELS, 4)
        # Where nothing is drawn all four are 0, so the mean is premultiplied.
        mean = blocks.mean(axis=(1, 3), dtype=np.float32) / 255
        alpha = mean[..., 3:]
        straight = np.concatenate([mean[..., :3] / np.maximum(alpha, 1e-4), alpha], axis=2)
        return torch.from_numpy(straight.clip(0, 1)).permute(2, 0, 1).contiguous()


class Sketch:
    """Shapes laid out in any unit, drawn at the size that makes them fill a picture."""

    def __init__(self) -> None:
        self._shapes: list[tuple[np.ndarray, np.ndarray | None, Rgb]] = []

    def polygon(self, points: np.ndarray, color: Rgb) -> None:
        """Fill a polygon [N, 2]."""
        self._shapes.append((np.asarray(points), None, color))

    def ribbon(self, points: np.ndarray, widths_px: np.ndarray, color: Rgb) -> None:
        """Draw a line through points [N, 2] that is widths_px [N] wide at them in the finished picture."""
        if len(points) > 1:
            self._shapes.append((np.asarray(points), np.asarray(widths_px), color))

    def disk(self, x: float, y: float, radius: float, color: Rgb) -> None:
        """Fill a disk; the radius is in the unit of the layout."""
        angles = np.linspace(0, 2 * np.pi, 48, endpoint=False)
        self.polygon(np.stack([x + radius * np.cos(angles), y + radius * np.sin(angles)], axis=1), color)

    def picture(self, size_px: int) -> Tensor:
        """Draw everything: float32 [4, h, w] with max(h, w) = size_px, RGB and straight alpha."""
        widest = max((widths.max() for _, widths, _ in self._shapes if widths is not None), default=0)
        margin = widest / 2 + 1
        everything = np.concatenate([points for points, _, _ in self._shapes])
        low, high = everything.min(axis=0), everything.max(axis=0)
        scale = (size_px - 1 - 2 * margin) / (high - low).max()
        width, height = (
            np.minimum(np.ceil((high - low) * scale + 2 * margin + 1), size_px).astype(int).tolist()
        )
        canvas = Canvas(height, width)
        for points, widths, color in self._shapes:
            placed = (points - low) * scale + margin
            if widths is None:
                canvas.polygon(placed, color)
            else:
                canvas.ribbon(placed, widths, color)
        return canvas.picture()


def _fixed_point(points: np.ndarray) -> np.ndarray:
    samples = np.asarray(points) * SUBPIXELS + (SUBPIXELS - 1) / 2
    return np.round(samples * (1 << _FRACTION_BITS)).astype(np.int32)


def _rgba(color: Rgb) -> tuple[float, float, float, float]:
    red, green, blue = (round(255 * min(max(part, 0.0), 1.0)) for part in color)
    return red, green, blue, 255
