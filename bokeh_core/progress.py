"""How work that takes long tells its caller how far it is, shows what it makes, and asks whether to go on.

Work takes a `progress`, called as pieces are finished, and where a piece takes seconds a `check`, called many
times within it. Either stops the work by raising, as a host's cancel does. A `show` is given what was
made before `progress` is told of it.
"""

from collections.abc import Callable

from torch import Tensor

Progress = Callable[[int, int], None]
"""Called with (done, total): pieces that are finished, ascending, out of all; total 0 = not known yet."""

Check = Callable[[], None]
"""Called often."""

Show = Callable[[Tensor], None]
"""Called with a finished frame [H, W, C], C = 1, 3 or 4, in the numbers that the caller gave, on any device,
that nobody changes afterwards. Whoever looks may skip frames, so nothing is computed for it."""


def no_progress(done: int, total: int) -> None:
    """The `progress` of work that nobody watches."""


def no_check() -> None:
    """The `check` of work that nobody stops."""


def no_show(frame: Tensor) -> None:
    """The `show` of work that nobody looks at."""


def checking(check: Check) -> Progress:
    """A `progress` that only asks whether to go on."""
    return lambda done, total: check()


def counting(progress: Progress, total: int) -> Check:
    """A call that tells `progress` how often it was called."""
    done = 0

    def count() -> None:
        nonlocal done
        done += 1
        progress(done, total)

    return count


def as_part(progress: Progress, before: int, total: int) -> Progress:
    """The `progress` of a part of some work, behind `before` other pieces, told as that of the whole."""
    return lambda done, part: progress(before + done, total)
