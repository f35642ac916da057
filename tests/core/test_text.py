"""Names and texts of any script: in what the commands print, and in the pack's own files."""

import importlib
import io
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.core.render.clips import moving_pictures, sliding_disparity, write_disparity, write_video

PACK = Path(__file__).resolve().parents[2]
RAIN = "\u96e8"
RAIN_AS_ESCAPE = r"\u96e8"


def modules() -> list[Path]:
    """The Python files of the project, seen from its root."""
    roots = ("assets", "bench", "bokeh_core", "bokeh_lab", "devtools", "nodes", "tests")
    files = [*PACK.glob("*.py"), *(file for root in roots for file in (PACK / root).rglob("*.py"))]
    return sorted(file.relative_to(PACK) for file in files)


def test_every_module_can_be_read_as_cp1252():
    r"""Tools on Windows read Python files so; what it lacks is written as an escape such as \u2192."""
    assert len(modules()) > 100
    faults = []
    for path in modules():
        text = (PACK / path).read_text(encoding="utf-8")
        beyond = sorted({c for c in text if not c.encode("cp1252", errors="ignore")})
        faults += [f"{path.as_posix()}: {beyond}"] if beyond else []
    assert faults == []


@pytest.fixture
def clips(tmp_path: Path) -> Path:
    """A folder of two small clips with depth; one has a name that cp1252 cannot write."""
    (tmp_path / "videos").mkdir()
    for name in (RAIN, "z"):
        write_video(tmp_path / "videos" / f"{name}.mkv", moving_pictures(2, 32, 32))
        write_disparity(tmp_path / "depths" / name, sliding_disparity(1, 32, 32))
    return tmp_path


def run(*argv: object) -> subprocess.CompletedProcess[bytes]:
    """Run a command of ours with streams in cp1252, as redirected ones are on many a Windows."""
    environment = {**os.environ, "PYTHONIOENCODING": "cp1252"}
    command = [sys.executable, "-m", *map(str, argv)]
    return subprocess.run(command, cwd=PACK, env=environment, capture_output=True, check=False)


def test_a_name_that_the_stream_cannot_write_stops_nothing(clips: Path):
    videos, depths, out = clips / "videos", clips / "depths", clips / "out"
    done = run("bokeh_core.render", videos, "--disparity", depths, "-o", out, "--focus=0.5")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.decode("cp1252").splitlines()
    assert [line.partition(":")[0] for line in lines] == ["z.mkv", f"{RAIN_AS_ESCAPE}.mkv"]
    assert sorted(path.stem for path in out.iterdir()) == ["z", RAIN]


COMMANDS = (
    "bokeh_core.convert.command",
    "bokeh_core.render.command.program",
    "bokeh_lab.blind_test.__main__",
    "bokeh_lab.evaluate.__main__",
    "bokeh_lab.scenes.fetch",
    "bokeh_lab.train.__main__",
)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_writes_any_name(name: str, monkeypatch: pytest.MonkeyPatch):
    redirected = io.TextIOWrapper(io.BytesIO(), encoding="cp1252")
    monkeypatch.setattr(sys, "stdout", redirected)
    with pytest.raises(SystemExit) as leaving:
        importlib.import_module(name).main(["--help"])
    assert leaving.value.code == 0
    redirected.write(RAIN)
    redirected.flush()
    assert redirected.buffer.getvalue().endswith(RAIN_AS_ESCAPE.encode())
