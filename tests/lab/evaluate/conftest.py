"""A finished evaluation of two tiny clips, made once, and a renderer of one's own in a file."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from bokeh_lab.evaluate.__main__ import main

OWN_RENDERER = '''"""A renderer of one's own: darkens the picture by a tenth."""


def darker(task):
    return task.frames * 0.9
'''


@dataclass(frozen=True)
class Finished:
    """An evaluation that ran to its end: its folder, its command line and its exit code."""

    out: Path
    argv: list[str]
    code: int


def tiny(out: Path, *more: str) -> list[str]:
    """Command line of two clips of 2 frames, 64 x 48 px."""
    size = ["--clips", "2", "--size", "64x48", "--frames", "2", "--jobs", "1", "--rays-across", "11"]
    return [*size, "--split", "all", "--out", str(out), *more]


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Finished:
    folder = tmp_path_factory.mktemp("evaluation")
    own = folder / "own.py"
    own.write_text(OWN_RENDERER, encoding="utf-8")
    argv = tiny(
        folder / "out",
        "--renderers",
        "ground_truth,another_grid,identity,gather,deeplens,true_layers",
        "--renderer",
        f"{own}:darker",
        "--perturb",
        "erode",
    )
    return Finished(folder / "out", argv, main(argv))
