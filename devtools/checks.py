"""`dev.py test`: every check, each a line in the summary at the end."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from .browser import BrowserMissing, ensure_browser
from .environment import (
    PACK,
    VENV,
    ensure_full_environment,
    ensure_newest_front_end,
    ensure_test_host,
    log,
)
from .host import find_user_host, link_folder
from .versions import SETS, TESTS, ensure_versions, environment_with

EVERY_RUN = ("lint", "core", "lab", "install", "host", "browser")
# Named to be run: it fetches another 1 GB, and its tests are among those of "core".
PARTS = (*EVERY_RUN, "versions")

# A clone's folder name need not be a Python name, and the pack's relative imports need it to be one.
TYPED_PACKAGE = "any_to_bokeh"


def run_checks(only: list[str], pytest_arguments: list[str]) -> int:
    """Run the named parts, or those of every run; return 0 only if each of them passed."""
    python = ensure_full_environment()
    if find_user_host() is None:
        ensure_test_host(python)
    parts: dict[str, Callable[[], list[tuple[str, str, float]]]] = {
        "lint": lambda: lint(python),
        "core": lambda: [timed("core tests", pytest(python, "tests/core", pytest_arguments))],
        "lab": lambda: [timed("laboratory tests", pytest(python, "tests/lab", pytest_arguments))],
        "install": lambda: [timed("install tests", pytest(python, "tests/install", pytest_arguments))],
        "versions": lambda: [with_versions(python, name, pytest_arguments) for name in SETS],
        "host": lambda: [timed("host tests", pytest(python, "tests/host", pytest_arguments))],
        "browser": lambda: browser(python, pytest_arguments),
    }
    results = [result for part in only or EVERY_RUN for result in parts[part]()]
    log("\nSummary")
    for name, outcome, seconds in results:
        log(f"  {name:<16}{outcome:<10}{seconds:6.1f} s")
    return 1 if any(outcome == "FAILED" for _, outcome, _ in results) else 0


def lint(python: Path) -> list[tuple[str, str, float]]:
    """Run ruff and mypy, hold the rooms to their order, and run what the registry looks at."""
    module = [str(python), "-m"]
    return [
        timed("ruff check", [*module, "ruff", "check", "."]),
        timed("ruff format", [*module, "ruff", "format", "--check", "."]),
        timed("mypy", [*module, "mypy", "bokeh_core", "bokeh_lab", "bench", "devtools", "dev.py", "tests"]),
        timed("rooms", [str(python.with_name("lint-imports"))], cwd=PACK),
        timed("registry", [*module, "devtools.registry"]),
        timed("mypy nodes", [*module, "mypy", *typed_package()], cwd=VENV / "typing"),
    ]


def typed_package() -> list[str]:
    """Give the pack an importable name by a link; return the arguments that make mypy check its nodes."""
    folder = VENV / "typing"
    folder.mkdir(exist_ok=True)
    link_folder(PACK, folder / TYPED_PACKAGE)
    return ["--config-file", str(PACK / "pyproject.toml"), "-p", f"{TYPED_PACKAGE}.nodes"]


def pytest(python: Path, folder: str, arguments: list[str]) -> list[str]:
    """Return the command that runs the tests of one folder."""
    return [str(python), "-m", "pytest", folder, "--durations=20", *arguments]


def with_versions(python: Path, name: str, arguments: list[str]) -> tuple[str, str, float]:
    """Run the tests that touch our packages with the least, or the newest, versions of them all."""
    folder = ensure_versions(python, name)
    command = [*pytest(python, TESTS[0], []), *TESTS[1:], "-p", "no:cacheprovider", *arguments]
    return timed(f"{name} versions", command, environment=environment_with(folder))


def browser(python: Path, arguments: list[str]) -> list[tuple[str, str, float]]:
    """Run the browser tests, if the pack has any, in a Chromium that is found or installed."""
    if not (PACK / "tests" / "browser").is_dir():
        return []
    try:
        chromium = ensure_browser()
    except BrowserMissing as missing:
        log(f"\n{'!' * 80}\nBROWSER TESTS DID NOT RUN: {missing}\n{'!' * 80}")
        return [("browser tests", "FAILED" if os.environ.get("CI") else "NOT RUN", 0.0)]
    ensure_newest_front_end(python)
    environment = {"CHROMIUM_PATH": str(chromium)}
    return [timed("browser tests", pytest(python, "tests/browser", arguments), environment=environment)]


def timed(
    name: str, command: list[str], cwd: Path = PACK, environment: dict[str, str] | None = None
) -> tuple[str, str, float]:
    """Run one check, its output shown as it comes; return its name, outcome and seconds."""
    log(f"\n== {name}: {' '.join(command[2:])}")
    started = time.monotonic()
    finished = subprocess.run(command, cwd=cwd, env={**os.environ, **(environment or {})}, check=False)
    outcome = "passed" if finished.returncode == 0 else "FAILED"
    return name, outcome, time.monotonic() - started
