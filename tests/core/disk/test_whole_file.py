"""Files that are whole or not there, and locks."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from bokeh_core.disk.lock import try_lock
from bokeh_core.disk.whole_file import whole_file, write_whole_json


def test_a_file_appears_whole(tmp_path: Path):
    path = tmp_path / "a.txt"
    with whole_file(path) as beside:
        beside.write_text("new")
        assert not path.exists()
    assert path.read_text() == "new"
    assert os.listdir(tmp_path) == ["a.txt"]


def test_an_error_leaves_what_was_there(tmp_path: Path):
    path = tmp_path / "a.json"
    write_whole_json(path, {"a": 1})

    def stop_half_way() -> None:
        with whole_file(path) as beside:
            beside.write_text("half of it")
            raise OSError("half")

    with pytest.raises(OSError, match="half"):
        stop_half_way()
    assert path.read_text() == '{"a": 1}'
    assert os.listdir(tmp_path) == ["a.json"]


def test_a_file_of_a_similar_name_is_left_alone(tmp_path: Path):
    (tmp_path / "a.txt.unfinished").write_text("somebody's")
    with whole_file(tmp_path / "a.txt") as beside:
        beside.write_text("new")
    assert (tmp_path / "a.txt.unfinished").read_text() == "somebody's"


class TestLock:
    def test_one_at_a_time_in_a_process(self, tmp_path: Path):
        path = tmp_path / "lock"
        first = try_lock(path)
        assert first is not None
        assert try_lock(path) is None
        first.release()
        second = try_lock(path)
        assert second is not None
        second.release_and_delete()
        assert not path.exists()

    def test_the_lock_of_a_process_that_dies_is_free(self, tmp_path: Path):
        path = tmp_path / "lock"
        program = "import sys; from pathlib import Path; from bokeh_core.disk.lock import try_lock\n"
        program += "lock = try_lock(Path(sys.argv[1])); print(lock is not None, flush=True); sys.stdin.read()"
        root = Path(__file__).resolve().parents[3]
        with subprocess.Popen(
            [sys.executable, "-c", program, str(path)],
            cwd=root,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        ) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == "True\n"
            assert try_lock(path) is None
            process.kill()
            process.wait()
            lock = try_lock(path)
            assert lock is not None
            lock.release()

    @pytest.mark.skipif(sys.platform == "win32", reason="there an open file cannot be deleted")
    def test_a_lock_file_that_was_replaced_is_not_taken(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ):
        path = tmp_path / "lock"
        opened = os.open

        def open_and_lose(*args: object) -> int:
            descriptor = opened(*args)  # type: ignore[arg-type]
            path.unlink()
            return descriptor

        monkeypatch.setattr(os, "open", open_and_lose)
        with pytest.raises(FileNotFoundError):
            try_lock(path)
