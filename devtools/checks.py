"""`dev.py test`: every check, each a line in the summary at the end."""

from __future__ import annotations

import os
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
from .lanes import Check, Lanes, Result
from .versions import SETS, TESTS, ensure_versions, environment_with

EVERY_RUN = ("lint", "core", "lab", "install", "host", "browser")
# Named to be run: it fetches another 1 GB, and its tests are among those of "core".
PARTS = (*EVERY_RUN, "versions")
# The longest first, so that no lane is left with a long one at the end; of those that follow, the quickest
# tells first of a slip.
BEGUN_IN_ORDER = ("browser", "lint", "core", "host", "lab", "install", "versions")

# A clone's folder name need not be a Python name, and the pack's relative imports need it to be one.
TYPED_PACKAGE = "any_to_bokeh"


def run_checks(only: list[str], pytest_arguments: list[str]) -> int:
    """Run the named parts, or those of every run; return 0 only if each of them passed."""
    python = ensure_full_environment()
    if find_user_host() is None:
        ensure_test_host(python)
    not_run: list[Result] = []
    checks: dict[str, Callable[[], list[Check]]] = {
        "lint": lambda: lint(python),
        "core": lambda: [part_of_tests("core tests", python, "core", ["tests/device", *pytest_arguments])],
        "lab": lambda: [part_of_tests("laboratory tests", python, "lab", pytest_arguments)],
        "install": lambda: [part_of_tests("install tests", python, "install", pytest_arguments)],
        "versions": lambda: [with_versions(python, name, pytest_arguments) for name in SETS],
        "host": lambda: [part_of_tests("host tests", python, "host", pytest_arguments)],
        "browser": lambda: browser(python, pytest_arguments, not_run),
    }
    chosen = only or EVERY_RUN
    # What a part needs is installed before any begins.
    parts = {part: checks[part]() for part in BEGUN_IN_ORDER if part in chosen}
    results = dict(zip(parts, Lanes().run(list(parts.values())), strict=True))
    ordered = [*(result for part in PARTS if part in results for result in results[part]), *not_run]
    log("\nSummary")
    for result in ordered:
        log(f"  {result.name:<18}{result.outcome:<10}{result.seconds:6.1f} s")
    return 1 if any(result.outcome == "FAILED" for result in ordered) else 0


def lint(python: Path) -> list[Check]:
    """Run ruff and mypy, hold the rooms to their order, and run what the registry looks at."""
    module = [str(python), "-m"]
    return [
        Check("ruff check", [*module, "ruff", "check", "."]),
        Check("ruff format", [*module, "ruff", "format", "--check", "."]),
        Check("mypy", [*module, "mypy", "bokeh_core", "bokeh_lab", "bench", "devtools", "dev.py", "tests"]),
        Check("rooms", [str(python.with_name("lint-imports"))]),
        Check("registry", [*module, "devtools.registry"]),
        Check("mypy nodes", [*module, "mypy", *typed_package()], cwd=VENV / "typing"),
    ]


def typed_package() -> list[str]:
    """Give the pack an importable name by a link; return the arguments that make mypy check its nodes."""
    folder = VENV / "typing"
    folder.mkdir(exist_ok=True)
    link_folder(PACK, folder / TYPED_PACKAGE)
    # With what the first check has read of torch and the like, which takes most of the time.
    shared = ["--cache-dir", str(PACK / ".mypy_cache")]
    return [*shared, "--config-file", str(PACK / "pyproject.toml"), "-p", f"{TYPED_PACKAGE}.nodes"]


def part_of_tests(name: str, python: Path, folder: str, arguments: list[str], **environment: str) -> Check:
    """Run the tests of one folder."""
    # A cache of its own: parts that run at a time would write over what the other noted for --last-failed.
    command = [*pytest(python, f"tests/{folder}"), "-o", f"cache_dir=.pytest_cache/{folder}", *arguments]
    return Check(name, command, environment=environment)


def pytest(python: Path, folder: str) -> list[str]:
    """Return the command that runs the tests of one folder."""
    return [str(python), "-m", "pytest", folder, "--durations=20"]


def with_versions(python: Path, name: str, arguments: list[str]) -> Check:
    """Run the tests that touch our packages with the least, or the newest, versions of them all."""
    folder = ensure_versions(python, name)
    command = [*pytest(python, TESTS[0]), *TESTS[1:], "-p", "no:cacheprovider", *arguments]
    return Check(f"{name} versions", command, environment=environment_with(folder))


def browser(python: Path, arguments: list[str], not_run: list[Result]) -> list[Check]:
    """Run the browser tests, if the pack has any, in a Chromium that is found or installed."""
    if not (PACK / "tests" / "browser").is_dir():
        return []
    try:
        chromium = ensure_browser()
    except BrowserMissing as missing:
        log(f"\n{'!' * 80}\nBROWSER TESTS DID NOT RUN: {missing}\n{'!' * 80}")
        not_run.append(Result("browser tests", "FAILED" if os.environ.get("CI") else "NOT RUN", 0.0))
        return []
    ensure_newest_front_end(python)
    return [part_of_tests("browser tests", python, "browser", arguments, CHROMIUM_PATH=str(chromium))]
