"""Work in pieces that do not influence each other, smaller ones where memory does not suffice."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeVar

from .errors import is_device_memory_error

Piece = TypeVar("Piece")


def batches(count: int, batch: int, run: Callable[[int, int], Piece]) -> Iterator[tuple[int, Piece]]:
    """Run [0, count) in pieces that do not influence each other; out of memory halves what follows.

    Args:
        count: items in all.
        batch: items in a piece, at first.
        run: called with (start, stop).

    Returns:
        (stop, result of the piece) in order.

    Raises:
        RuntimeError: the device's memory does not hold even one item; its own error.
    """
    start = 0
    while start < count:
        stop = min(start + batch, count)
        try:
            piece = run(start, stop)
        except RuntimeError as error:
            if stop - start == 1 or not is_device_memory_error(error):
                raise
            batch = (stop - start) // 2
            continue
        start = stop
        yield stop, piece
