"""Parts of the test command that run at a time: all results, in order, and nothing left running."""

import subprocess
import sys
from pathlib import Path

import pytest

from devtools.lanes import Check, Lanes


def check(name: str, code: str, **environment: str) -> Check:
    return Check(name, [sys.executable, "-c", code], environment=environment)


# Writes a file of its own and waits for the other's.
MEETS = """
import os, time
from pathlib import Path
folder = Path(os.environ["FOLDER"])
(folder / os.environ["MINE"]).touch()
given_up = time.monotonic() + 300
while not (folder / os.environ["OTHER"]).exists():
    assert time.monotonic() < given_up
    time.sleep(0.01)
"""


@pytest.mark.parametrize("most", [1, 2])
def test_every_part_is_run_and_told_in_its_order(most: int, capfd: pytest.CaptureFixture[str]):
    parts = [
        [check("first", "print('one')"), check("second", "import sys; print('two'); sys.exit(3)")],
        [check("third", "import os; print(os.environ['SAYS'])", SAYS="three")],
        [],
    ]
    results = Lanes(most).run(parts)
    assert [[(one.name, one.outcome) for one in part] for part in results] == [
        [("first", "passed"), ("second", "FAILED")],
        [("third", "passed")],
        [],
    ]
    said = capfd.readouterr().out
    assert all(f"\n{word}\n" in said for word in ("one", "two", "three"))


def test_two_lanes_run_two_parts_at_a_time(tmp_path: Path):
    pairs = (("one", "other"), ("other", "one"))
    parts = [[check(mine, MEETS, MINE=mine, OTHER=other, FOLDER=str(tmp_path))] for mine, other in pairs]
    assert [part[0].outcome for part in Lanes(2).run(parts)] == ["passed", "passed"]


WAITS = "import time; time.sleep(600)"


@pytest.mark.parametrize(
    ("most", "parts"),
    [
        (1, [[check("ends", "pass"), check("missing", "pass")], [check("never begun", WAITS)]]),
        (2, [[check("waits", WAITS)], [check("missing", "pass"), check("never begun", WAITS)]]),
    ],
)
def test_what_ends_the_run_ends_the_checks(most: int, parts, monkeypatch: pytest.MonkeyPatch):
    begun: list[subprocess.Popen[bytes]] = []
    popen = subprocess.Popen

    def start(*args, **kwargs):
        if begun:
            raise FileNotFoundError("no such program")
        begun.append(popen(*args, **kwargs))
        return begun[0]

    monkeypatch.setattr(subprocess, "Popen", start)
    with pytest.raises(FileNotFoundError, match="no such program"):
        Lanes(most).run(parts)
    assert [process.poll() is None for process in begun] == [False]
