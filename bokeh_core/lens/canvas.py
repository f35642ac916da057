"""What the slabs painted from near to far add up to, with occlusion between surfaces."""

from torch import Tensor

from .backend import Backend, Piece
from .occlusion import light_of, unpainted


class Canvas:
    """The picture while it is painted, nearest slab first."""

    def __init__(self, like: Tensor, backend: Backend) -> None:
        """Start an empty canvas for frames like the given [C, ..., H, W] one, painted by a backend."""
        self._state = unpainted(like)
        self._backend = backend

    def add(self, pieces: list[Piece], radius_px: float) -> None:
        """Paint one blurred slab behind everything painted before.

        Args:
            pieces: of the slab, disjoint; their planes are used up.
            radius_px: signed blur radius of the slab.
        """
        for planes, _ in pieces:
            planes[-1].clamp_(min=0)
        self._backend.paint(self._state, pieces, radius_px)

    def finish(self) -> Tensor:
        """Light [C, ..., H, W], which fills every pixel."""
        return light_of(self._state)
