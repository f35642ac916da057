"""The least and the newest versions of what the pack needs, each set together, to run tests with.

They lie in folders that an interpreter looks through before its own packages: torch and pytest are the
environment's, and nothing is installed into it.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

from .environment import PACK_REQUIREMENTS, VENV, fail, log

FOLDER = VENV / "versions"
# "newest" is newer than requirements.txt would install: a host may have had it before us.
SETS = {"least": ["--resolution", "lowest-direct"], "newest": []}
# What reads, renders, encodes and converts, in seconds rather than minutes.
TESTS = (
    "tests/core/render/test_command.py",
    "tests/core/checkpoint/test_bundle.py",
    "tests/core/test_convert.py",
    "tests/core/disparity/test_files.py",
    "tests/core/disparity/test_exr.py",
    "tests/core/disparity/test_video.py",
    "tests/core/preview/test_focus_colours.py",
    "tests/core/video_io/test_video_io.py",
)
LIST = "list.txt"
_NAME = re.compile(r"[A-Za-z0-9._-]+")
_VERSIONS = "import importlib.metadata, sys; print(*map(importlib.metadata.version, sys.argv[1:]), sep='\\n')"


def required_names() -> list[str]:
    """The packages of requirements.txt, each once."""
    lines = PACK_REQUIREMENTS.read_text(encoding="utf-8").splitlines()
    found = [match.group() for line in lines if (match := _NAME.match(line)) is not None]
    return list(dict.fromkeys(found))


def ensure_versions(python: Path, name: str) -> Path:
    """Fetch a set of versions where it is not there yet; return the folder for PYTHONPATH."""
    folder = FOLDER / name
    listed = resolved(python, name)
    if not ((folder / LIST).is_file() and (folder / LIST).read_text(encoding="utf-8") == listed):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        wanted = FOLDER / f"{name}.txt"
        wanted.write_text(listed, encoding="utf-8")
        uv(python, "install", "--no-deps", "--target", str(folder), "-r", str(wanted))
        (folder / LIST).write_text(listed, encoding="utf-8")
    require_in_front(python, folder, listed)
    return folder


def resolved(python: Path, name: str) -> str:
    """Return the releases of a set, a line each."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    source = FOLDER / f"{name}.in"
    if name == "newest":
        source.write_text("\n".join(required_names()) + "\n", encoding="utf-8")
    else:
        shutil.copy(PACK_REQUIREMENTS, source)
    found = uv(python, "compile", "--no-header", "--no-annotate", *SETS[name], str(source))
    return "".join(f"{line}\n" for line in found.splitlines() if "==" in line)


def uv(python: Path, command: str, *arguments: str) -> str:
    """Run `uv pip` for an interpreter; return what it printed."""
    argv = [str(python), "-m", "uv", "pip", command, "--quiet", "--python", str(python)]
    done = subprocess.run([*argv, "--only-binary", ":all:", *arguments], stdout=subprocess.PIPE, check=False)
    if done.returncode != 0:
        raise fail(f"uv could not {command} the packages (see above); it needs the network.")
    return done.stdout.decode(errors="replace")


def require_in_front(python: Path, folder: Path, listed: str) -> None:
    """Check that the interpreter finds these versions, not those of its environment."""
    names = required_names()
    argv = [str(python), "-c", _VERSIONS, *names]
    done = subprocess.run(argv, env=environment_with(folder), stdout=subprocess.PIPE, check=True)
    found = dict(zip(names, done.stdout.decode().split(), strict=True))
    pinned = dict(line.split("==") for line in listed.splitlines())
    wrong = {name: version for name, version in found.items() if pinned[name] != version}
    if wrong:
        raise fail(f"Instead of the versions in {folder / LIST}, Python finds {wrong}.")
    log("  " + ", ".join(f"{name} {version}" for name, version in found.items()))


def environment_with(folder: Path) -> dict[str, str]:
    """Return the environment variables that put the packages of a folder first."""
    return {**os.environ, "PYTHONPATH": str(folder)}
