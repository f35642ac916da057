"""Times of frames: from the stamps of a file to ascending times, and to the ticks of a container."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise
from typing import Any

# Codecs store a frame at most this many places away from its turn (H.264 and HEVC: 16).
REORDER_FRAMES = 16
_LATEST_TICKS = Fraction(3, 2)
# MP4 counts the time between two frames in 32 bits, and some readers do not accept the highest values.
_MOST_TICKS_APART = 2**31 - 1
_FALLBACK_RATE = Fraction(25)
_MOST_FRAMES_A_SECOND = 100_000
# Rates of NTSC are multiples of 6 less a thousandth, which people write with two or three digits.
_NTSC_STEP, _NTSC_DENOMINATOR = 6, 1001
_AS_ROUNDED = 0.0051


def frame_rate_of(stream: Any) -> Fraction:
    """Frames a second of a stream of pictures, on average, as far as its file says it."""
    average, guessed = stream.average_rate, stream.guessed_rate
    if average and guessed and average * stream.time_base == 1:
        # A frame in each unit is what FFmpeg says of raw DV, whose stamps count 60,000 a second.
        average = guessed
    rate = Fraction(average or guessed or _FALLBACK_RATE)
    # A broken header can state any rate; an encoder needs a possible one.
    return rate if 0 < rate <= _MOST_FRAMES_A_SECOND else _FALLBACK_RATE


def rate_of_decimal(frame_rate: float | Fraction) -> Fraction:
    """Frames a second that a decimal stands for: 23.976 is 24000/1001, and 29.97 is 30000/1001.

    Others are the closest fraction with a denominator of at most 1001.
    """
    given = Fraction(frame_rate)
    whole = _NTSC_STEP * round(given * _NTSC_DENOMINATOR / 1000 / _NTSC_STEP)
    of_ntsc = Fraction(1000 * whole, _NTSC_DENOMINATOR)
    if whole and abs(given - of_ntsc) < _AS_ROUNDED:
        return of_ntsc
    return given.limit_denominator(_NTSC_DENOMINATOR)


def shown_times(stamps: Sequence[int | None], step: int) -> list[int]:
    """Times of frames in the order of showing, strictly ascending, in units of the stamps.

    Args:
        stamps: one per frame as decoded; None where a file gives none.
        step: what a frame lasts.
    """
    filled: list[int] = []
    for stamp in stamps:
        filled.append((filled[-1] + step if filled else 0) if stamp is None else stamp)
    times: list[int] = []
    for time in _in_order(filled, step):
        # Players need ascending times; some files repeat one.
        times.append(time if not times or time > times[-1] else times[-1] + 1)
    return times


def _in_order(stamps: list[int], step: int) -> list[int]:
    """Undo stamps in the order of storing, as AVI's are, and clocks that start again in joined streams."""
    backwards = max((before - after for before, after in pairwise(stamps)), default=0)
    if backwards <= REORDER_FRAMES * step and len(set(stamps)) == len(stamps):
        # The i-th frame shown has the i-th stamp.
        return sorted(stamps)
    times: list[int] = []
    shift = 0
    for stamp in stamps:
        if times and stamp + shift < times[-1] - step:
            shift = times[-1] + step - stamp
        times.append(stamp + shift)
    return times


def is_run_of(stamps: Sequence[int | None], times: Sequence[int], number: int) -> bool:
    """Tell whether decoded stamps are neighbours among the times of a clip and take in frame `number`.

    Where they do not, stamps are not times, and a frame cannot be found by its stamp.
    """
    if not stamps or stamps[0] not in times:
        return False
    first = times.index(stamps[0])
    return first <= number < first + len(stamps) and list(stamps) == list(times[first : first + len(stamps)])


def tick_of(container: str, time_base: Fraction) -> Fraction:
    """Seconds between the times that a container can say, for frames with times in some unit."""
    if container == "matroska":
        return Fraction(1, 1000)
    # MP4 counts the time between two frames in 32 bits: an hour in microseconds, four seconds in nanoseconds.
    return Fraction(1, min(time_base.denominator, 10**6))


def require_no_gap(times: Sequence[int], time_base: Fraction, tick: Fraction) -> None:
    """Check that no two frames are further apart than a container can say, which is hours.

    Raises:
        ValueError: they are.
    """
    for number, (before, after) in enumerate(pairwise(times), 1):
        gap_s = (after - before) * time_base
        if gap_s / tick > _MOST_TICKS_APART:
            hours, most = (float(seconds / 3600) for seconds in (gap_s, _MOST_TICKS_APART * tick))
            raise ValueError(
                f"Frame {number} comes {hours:.1f} hours after the frame before it, and no more than "
                f"{most:.1f} can be stored; the clock of the recording jumps there. Cut it there and render "
                "the pieces."
            )


def times_in_ticks(times: Sequence[int], time_base: Fraction, tick: Fraction) -> list[int]:
    """Times of frames in ticks of a container, ascending.

    Each is within half a tick of its time, or one tick later where another frame is at that tick.

    Raises:
        ValueError: more frames a second than there are ticks.
    """
    ticks: list[int] = []
    for number, time in enumerate(times):
        exact = time * time_base / tick
        nearest = round(exact)
        ticks.append(max(nearest, ticks[-1] + 1) if ticks else nearest)
        if ticks[-1] - exact > _LATEST_TICKS:
            raise ValueError(
                f"from frame {number} on, frames follow each other faster than {1 / tick} a second, the most "
                "that the container can tell apart"
            )
    return ticks
