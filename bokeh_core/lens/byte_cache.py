"""A cache that is bounded by the bytes it holds: what it keeps grows with the square of a blur radius."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Generic, TypeVar

ValueT = TypeVar("ValueT")


@dataclass(frozen=True)
class CacheCounts:
    """What a cache did since it was made or cleared, and what it holds."""

    hits: int
    misses: int
    entries: int
    held_bytes: int


class ByteCache(Generic[ValueT]):
    """Keeps what was used last, up to a number of bytes; several threads may use it.

    Args:
        most_bytes: what it holds at most. A value that alone is larger is not kept.
        size_of: bytes of a value.
    """

    def __init__(self, most_bytes: int, size_of: Callable[[ValueT], int]) -> None:
        self.most_bytes = most_bytes
        self._size_of = size_of
        self._lock = threading.Lock()
        self._values: OrderedDict[Hashable, ValueT] = OrderedDict()
        self._held_bytes = self._hits = self._misses = 0

    def get(self, key: Hashable, make: Callable[[], ValueT]) -> ValueT:
        """Return the value of a key, made if it is not held."""
        with self._lock:
            if key in self._values:
                self._hits += 1
                self._values.move_to_end(key)
                return self._values[key]
            self._misses += 1
        value = make()
        with self._lock:
            self._keep(key, value)
        return value

    def counts(self) -> CacheCounts:
        """What it did and holds."""
        with self._lock:
            return CacheCounts(self._hits, self._misses, len(self._values), self._held_bytes)

    def clear(self) -> None:
        """Drop every value and set the counts to 0."""
        with self._lock:
            self._values.clear()
            self._held_bytes = self._hits = self._misses = 0

    def _keep(self, key: Hashable, value: ValueT) -> None:
        size = self._size_of(value)
        if key in self._values or size > self.most_bytes:
            return
        self._values[key] = value
        self._held_bytes += size
        while self._held_bytes > self.most_bytes:
            _, dropped = self._values.popitem(last=False)
            self._held_bytes -= self._size_of(dropped)
