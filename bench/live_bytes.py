"""Bytes of the tensors that are alive at a time, counted by their storages."""

import weakref
from collections.abc import Iterable
from typing import Any

from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_iter


class Storages:
    """The storages of tensors that are alive.

    Attributes:
        live: bytes of those that are.
        peak: the most that `live` has been.
    """

    def __init__(self, known: Iterable[Tensor] = ()) -> None:
        """Count from zero; what is known already is never counted."""
        self._bytes: dict[int, int] = {}
        self._known = {tensor.untyped_storage()._cdata for tensor in known}
        self.live = 0
        self.peak = 0

    def is_followed(self, tensor: Tensor) -> bool:
        """Whether its storage is counted, or known."""
        key = tensor.untyped_storage()._cdata
        return key in self._bytes or key in self._known

    def follow(self, tensor: Tensor) -> None:
        """Count the storage of a tensor for as long as it lives."""
        storage = tensor.untyped_storage()
        key = storage._cdata
        if key in self._bytes or key in self._known:
            return
        self._bytes[key] = storage.nbytes()
        self.live += storage.nbytes()
        self.peak = max(self.peak, self.live)
        weakref.finalize(storage, self._forget, key)

    def _forget(self, key: int) -> None:
        self.live -= self._bytes.pop(key, 0)


class LiveBytes(TorchDispatchMode):
    """Follows the bytes of all tensors that operations return.

    Args:
        known: tensors that were there before and are not counted.
    """

    def __init__(self, known: Iterable[Tensor]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # torch's
        self._storages = Storages(known)

    @property
    def peak(self) -> int:
        """Most bytes that were alive at once."""
        return self._storages.peak

    def __torch_dispatch__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = function(*args, **(kwargs or {}))
        for value in tree_iter(result):
            if isinstance(value, Tensor):
                self._storages.follow(value)
        return result
