"""The bench of Lens Blur on a device: it runs on this one, and says what it left out. Nothing is timed."""

import pytest
import torch

from bench import lens_on_device
from bench.lens_on_device import PASSES, STRENGTHS, Row

CPU = torch.device("cpu")
SIZE = (48, 27)


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(lens_on_device, "SMALL_SIZES", (SIZE,))
    monkeypatch.setattr(lens_on_device, "TIMED_FRAMES", 1)


def test_the_table_has_a_row_for_each_strength():
    lines = list(lens_on_device.table(CPU, small=True))
    head, rows = lines[2:4], lines[4:]
    assert "K in px" in lines[0]
    assert len(rows) == len(STRENGTHS)
    assert {line.count("|") for line in (*head, *rows)} == {8}
    for row in rows:
        seconds, a_second = (float(cell) for cell in row.split("|")[4:6])
        # Both are rounded where they are written.
        assert seconds * a_second == pytest.approx(1, rel=0.1)


def test_memory_is_that_of_tensors_on_the_device():
    row = lens_on_device.measured(CPU, SIZE, 16.0, 1)
    # At the least the picture's planes of light and the radius.
    assert row.peak_bytes > 4 * SIZE[0] * SIZE[1] * 4


def test_what_there_is_no_time_for_is_said():
    # Nothing is computed, so it need not be there.
    rows = list(lens_on_device.rows(torch.device("cuda"), (SIZE,), budget_s=-1.0))
    assert len(rows) == len(STRENGTHS) * (1 + len(PASSES))
    assert {row.told for row in rows} == {"left out, no time"}


def test_out_of_memory_is_a_row(monkeypatch: pytest.MonkeyPatch):
    def short(*_given: object, **_settings: object) -> None:
        raise torch.OutOfMemoryError("no room")

    monkeypatch.setattr(lens_on_device, "lens_blur", short)
    assert lens_on_device.measured(CPU, SIZE, 16.0, 4).told == "out of memory"


def test_the_goal_is_that_of_the_size():
    assert str(Row((3840, 2160), 16.0, 8, 0.25, 2_000_000_000)) == (
        "| 3840 x 2160 | 16 | 8 | 0.2500 | 4.0 | 0.50 | 2.00 |"
    )
    assert "| 4.0 |  | 2.00 |" in str(Row((1920, 1080), 16.0, None, 0.25, 2_000_000_000))
