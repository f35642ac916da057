"""The renderer's steps on a CPU: by OpenCV and NumPy where these are faster, and only where something is."""

from collections.abc import Callable

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from ..areas import Area, part_of
from ..occlusion import PRESENT, TINY, let_through, neighbour_gap_px, parts_of, put_behind
from .protocol import Border, Piece

_BORDERS = {"repeated": cv2.BORDER_REPLICATE, "dark": cv2.BORDER_CONSTANT}
_NO_PIXELS = torch.zeros(0, dtype=torch.int64)


class CpuBackend:
    """`Backend` on a CPU: steps that OpenCV and NumPy take several times faster than torch."""

    # Beyond, OpenCV transforms too, in larger blocks and more slowly.
    direct_width_px = 11
    piece_cost_px = 15000.0
    # Few enough that their windows stay in the cache.
    matte_pixels = 512
    band_pixels = 2**20

    def frames_at_a_time(self) -> int:
        """As many as torch has threads: a frame's many small steps share threads badly."""
        return torch.get_num_threads()

    def frames_a_pass(self) -> int:
        """One: its planes stay in the cache."""
        return 1

    def correlate(self, planes: Tensor, kernel: np.ndarray, border: Border) -> Tensor:
        """By OpenCV, in the pixel domain."""
        kind = _BORDERS[border]
        return _plane_by_plane(
            planes, lambda plane, out: cv2.filter2D(plane, -1, kernel, dst=out, borderType=kind)
        )

    def gaussian(self, planes: Tensor, sigma_px: float, width_px: int) -> Tensor:
        """By OpenCV, rows and columns in one call."""
        size, kind = (width_px, width_px), _BORDERS["repeated"]
        return _plane_by_plane(
            planes, lambda plane, out: cv2.GaussianBlur(plane, size, sigma_px, dst=out, borderType=kind)
        )

    def local_max(self, values: Tensor, reach_px: int) -> Tensor:
        """By OpenCV's vectorised dilation, in a tenth of the time of pooling."""
        return _morphed(cv2.dilate, values, reach_px)

    def local_min(self, values: Tensor, reach_px: int) -> Tensor:
        """By OpenCV's erosion."""
        return _morphed(cv2.erode, values, reach_px)

    def dilate(self, mask: Tensor, reach_px: int) -> Tensor:
        """By OpenCV's dilation of bytes."""
        return _morphed(cv2.dilate, mask.to(torch.uint8), reach_px).bool()

    def halved(self, planes: Tensor) -> Tensor:
        """By OpenCV, in a tenth of the time of pooling; an odd side's last pixels are repeated first."""
        height, width = planes.shape[-2:]
        if height % 2 or width % 2:
            planes = F.pad(planes[None], (0, width % 2, 0, height % 2), mode="replicate")[0]
        return _resized(planes, (planes.shape[-2] // 2, planes.shape[-1] // 2), cv2.INTER_AREA)

    def enlarged(self, planes: Tensor, size: tuple[int, int]) -> Tensor:
        """By OpenCV, in a fifth of the time of interpolation."""
        return _resized(planes, size, cv2.INTER_LINEAR)

    def first_greatest(self, values: Tensor) -> Tensor:
        """By whole rows: argmax takes ten times as long along a first dimension."""
        last = len(values) - 1
        to_come = torch.arange(last, -1, -1, dtype=torch.uint8)
        return last - ((values == values.amax(0)) * to_come[:, None]).amax(0).long()

    def on_ladder(self, radius_px: Tensor, radii_px: list[float]) -> Tensor:
        """By NumPy's interpolation, in a seventh of the time of a search."""
        steps = np.arange(len(radii_px), dtype=np.float64)
        position = np.interp(radius_px.numpy(), np.asarray(radii_px), steps)
        return torch.from_numpy(position.astype(np.float32))

    def paint(self, state: Tensor, pieces: list[Piece], radius_px: float) -> None:
        """With the whole formula only for pixels where the slab is seen behind another surface."""
        detached = []
        for planes, area in pieces:
            detached.append(_taken_out(state, planes, radius_px, area))
            _add_to_surface(state, planes, radius_px, area)
        pixel = torch.cat([_NO_PIXELS, *(pixel for pixel, _ in detached)])
        if len(pixel) == 0:
            return
        sample = torch.cat([sample for _, sample in detached], dim=1)
        flat = state.flatten(1)
        # Behind a surface without gaps a slab changes nothing, and neither will those that follow.
        rim, coverage, last_radius_px = flat[-3:].index_select(1, pixel)
        seen = (let_through(coverage, rim, last_radius_px) > TINY).nonzero()[:, 0]
        pixel, sample = pixel[seen], sample[:, seen]
        here = flat.index_select(1, pixel)
        put_behind(here, sample, radius_px)
        flat.index_copy_(1, pixel, here)


def _taken_out(state: Tensor, planes: Tensor, radius_px: float, area: Area) -> tuple[Tensor, Tensor]:
    """Take the pixels out of a slab where it does not simply continue the surface painted last.

    Returns:
        [N] positions in the flattened frame, and [C + 2, N] light, rim and weight of the slab there.
    """
    light, _, _, _, last_radius_px = parts_of(state)
    channels = len(light)
    weight = planes[-1].numpy()
    # NumPy compares and lists in a quarter of torch's time.
    detached = last_radius_px[0][area].numpy() > radius_px + neighbour_gap_px(radius_px)
    if not detached.any():
        return _NO_PIXELS, planes.new_zeros(channels + 2, 0)
    detached &= weight > TINY
    row, column = (torch.from_numpy(i) for i in np.divmod(np.flatnonzero(detached), weight.shape[1]))
    sample = planes[:, row, column]
    if len(planes) == channels + 1:
        sample = torch.cat([sample[:-1], torch.zeros_like(sample[:1]), sample[-1:]])
    weight[detached] = 0
    return (row + area[0].start) * state.shape[2] + (column + area[1].start), sample


def _add_to_surface(state: Tensor, planes: Tensor, radius_px: float, area: Area) -> None:
    """What `put_behind` comes to where the slab continues the surface painted last."""
    _, _, surface, coverage, last_radius_px = parts_of(state)
    weight, here = planes[-1], coverage[0][area]
    added = (1 - here).clamp_(min=0)
    torch.minimum(weight, added, out=added)
    here += added
    fraction = added.div_(weight.clamp(min=TINY))
    part_of(surface, area)[: len(planes) - 1].addcmul_(planes[:-1], fraction)
    present = weight.numpy() > PRESENT
    np.copyto(last_radius_px[0][area].numpy(), np.float32(radius_px), where=present)


def _plane_by_plane(planes: Tensor, filter_into: Callable[[np.ndarray, np.ndarray], object]) -> Tensor:
    """Filter with OpenCV, one contiguous plane at a time: interleaving channels and back takes longer."""
    filtered = torch.empty_like(planes, memory_format=torch.contiguous_format)
    for plane, out in zip(_stack(planes).numpy(), _stack(filtered).numpy(), strict=True):
        filter_into(plane, out)
    return filtered


def _stack(planes: Tensor) -> Tensor:
    """Planes [..., H, W] as [N, H, W]; OpenCV takes a third dimension for channels."""
    return planes.reshape(-1, *planes.shape[-2:])


def _resized(planes: Tensor, size: tuple[int, int], how: int) -> Tensor:
    resized = planes.new_empty(len(planes), *size)
    for plane, out in zip(planes.numpy(), resized.numpy(), strict=True):
        cv2.resize(plane, size[::-1], dst=out, interpolation=how)
    return resized


def _morphed(operation: Callable[..., np.ndarray], values: Tensor, reach_px: int) -> Tensor:
    square = np.ones((2 * reach_px + 1, 2 * reach_px + 1), np.uint8)
    return _plane_by_plane(values, lambda plane, out: operation(plane, square, dst=out))
