"""What is said of a clip that failed."""

import tempfile
from pathlib import Path

import pytest

from bokeh_core.libraries import line_to_type
from bokeh_core.render.command.failures import Failure, told


def test_a_library_that_is_missing_is_no_mistake_of_ours():
    said = told([Failure("in.mp4", ModuleNotFoundError("No module named 'av'", name="av.codec"))], 1)
    assert said == (
        f"in.mp4: av is missing or cannot be loaded (No module named 'av'). Type {line_to_type('av')}"
    )


def test_a_module_of_ours_that_is_missing_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    error = ModuleNotFoundError("No module named 'bokeh_core.nope'", name="bokeh_core.nope")
    said = told([Failure("in.mp4", error)], 1)
    assert "ModuleNotFoundError: No module named 'bokeh_core.nope'" in said
    assert "This should not happen; please report it" in said
