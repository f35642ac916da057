"""What a step takes at a time where all of a large pass at once would take much memory.

The portions are whole planes, or bands of rows whose pixels need nothing beyond what the step is given, so
the picture is the same, but for rounding, whatever their size.
"""

from collections.abc import Callable

from torch import Tensor

from .areas import Area

# As many planes of a band of pixels are filtered together.
_PLANES_AT_A_TIME = 6


def in_bands(area: Area, most_pixels: int) -> list[Area]:
    """Cut an area into bands of rows of so many pixels at most, and of a row at least."""
    rows, columns = area
    height = max(1, most_pixels // max(1, columns.stop - columns.start))
    return [
        (slice(top, min(top + height, rows.stop)), columns) for top in range(rows.start, rows.stop, height)
    ]


def by_planes(step: Callable[[Tensor], Tensor], planes: Tensor, band_pixels: int) -> Tensor:
    """Filter planes, some at a time.

    Args:
        step: [N, h, w] -> [N, h', w'], each plane on its own.
        planes: [..., h, w].
        band_pixels: `Backend.band_pixels`.

    Returns:
        [..., h', w'].
    """
    stack = planes.reshape(-1, *planes.shape[-2:])
    at_a_time = max(1, _PLANES_AT_A_TIME * band_pixels // max(1, stack[0].numel()))
    if at_a_time >= len(stack):
        filtered = step(stack)
    else:
        first = step(stack[:at_a_time])
        filtered = first.new_empty(len(stack), *first.shape[-2:])
        filtered[:at_a_time] = first
        del first
        for begin in range(at_a_time, len(stack), at_a_time):
            filtered[begin : begin + at_a_time] = step(stack[begin : begin + at_a_time])
    return filtered.view(*planes.shape[:-2], *filtered.shape[-2:])
