"""A few hostile inputs of each kind; docs/reliability.md names the command for many."""

from pathlib import Path

import pytest

from tests.hostile.kinds import kind_names, kind_of

FEW = 60


@pytest.mark.parametrize("name", kind_names())
def test_hostile_inputs_end_in_right_answers_or_value_errors(name: str, tmp_path: Path) -> None:
    counts = kind_of(name).run(7, FEW, tmp_path)
    assert counts.total() == FEW
