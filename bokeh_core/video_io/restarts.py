"""Joined streams whose clocks start again: sound and picture are kept in step across each restart."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

from .opening import open_video, picture_stream
from .trial import readable

# Stamps of decoding ascend; small steps back are a writer's rounding.
_RESTART_S = Fraction(1, 10)


class Restarts:
    """By how much the times of a file are moved each time that its clock starts again."""

    def __init__(self, source: Path, times: Sequence[int], time_base: Fraction) -> None:
        """Nothing is read until it is asked for.

        Args:
            source: the file.
            times: of its frames, ascending.
            time_base: seconds of their unit.
        """
        self._source, self._times, self._base = source, times, time_base
        self._moves: list[Fraction] | None = None

    def move(self, number: int) -> Fraction | None:
        """Seconds to add after so many restarts; None where the picture does not say."""
        if self._moves is None:
            self._moves = self._found()
        return self._moves[number] if number < len(self._moves) else None

    def _found(self) -> list[Fraction]:
        moves: list[Fraction] = []
        first = 0
        earliest: int | None = None
        for count, (restarted, stamp) in enumerate(self._stamps()):
            if restarted and earliest is not None:
                moves += self._move(first, earliest)
                first, earliest = count, None
            earliest = stamp if earliest is None else min(earliest, stamp)
        return moves if earliest is None else [*moves, *self._move(first, earliest)]

    def _move(self, frame: int, stamp: int) -> list[Fraction]:
        return [(self._times[frame] - stamp) * self._base] if frame < len(self._times) else []

    def _stamps(self) -> list[tuple[bool, int]]:
        """Whether the clock started again, and the time of showing, of each stored picture."""
        found: list[tuple[bool, int]] = []
        with open_video(self._source) as container:
            if not container.streams.video:
                return []
            last: Fraction | None = None
            pictures = picture_stream(container, self._source.name)
            for packet in readable(container.demux(pictures)):
                if packet.size and packet.pts is not None:
                    stamp = packet.pts if packet.dts is None else packet.dts
                    now = stamp * packet.time_base
                    found.append((is_restart(last, now), packet.pts))
                    last = now
        return found


def is_restart(last: Fraction | None, now: Fraction) -> bool:
    """Tell whether a clock has started again between two stamps in seconds."""
    return last is not None and now < last - _RESTART_S
