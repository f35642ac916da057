"""How progress is passed on: counted, as a part of the whole, as a mere question whether to go on."""

import pytest

from bokeh_core.progress import as_part, checking, counting


def test_calls_are_counted():
    told: list[tuple[int, int]] = []
    count = counting(lambda *tick: told.append(tick), 3)
    for _ in range(3):
        count()
    assert told == [(1, 3), (2, 3), (3, 3)]


def test_a_part_is_told_as_the_whole():
    told: list[tuple[int, int]] = []
    part = as_part(lambda *tick: told.append(tick), 8, 20)
    part(0, 4)
    part(4, 4)
    assert told == [(8, 20), (12, 20)]


def test_a_check_stops_what_tells_its_progress():
    class Stop(BaseException):
        """What a cancelled host raises."""

    def stop() -> None:
        raise Stop

    with pytest.raises(Stop):
        checking(stop)(1, 2)
