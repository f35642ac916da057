"""Two commands for a fresh clone: `python dev.py demo` and `python dev.py test`.

Standard library only, Python 3.10 to 3.13, any platform. What they need goes into .venv/.
"""

from __future__ import annotations

import argparse
import signal
import sys
from pathlib import Path
from types import FrameType

if not (3, 10) <= sys.version_info[:2] <= (3, 13):
    version = ".".join(map(str, sys.version_info[:2]))
    sys.exit("dev.py: this is Python " + version + "; run it with Python 3.10, 3.11, 3.12 or 3.13.")

from bokeh_core.console import write_what_the_stream_can_show
from devtools.checks import PARTS, run_checks
from devtools.demo import run_demo
from devtools.freeze import freeze_schema


def parse(argv: list[str]) -> argparse.Namespace:
    """Read the command line; what stands after `--` goes to pytest."""
    ours, for_pytest = split_at_dashes(argv)
    parser = argparse.ArgumentParser(prog="dev.py", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)

    test = commands.add_parser("test", help="install and run every check: dev.py test [-- pytest arguments]")
    test.add_argument("--only", choices=PARTS, action="append", default=[], help="run this part (repeatable)")

    demo = commands.add_parser("demo", help="run the Lens Blur template in a real ComfyUI")
    demo.add_argument(
        "--video",
        type=Path,
        help="your clip instead of the bundled one; without --disparity its depth is estimated",
    )
    demo.add_argument("--disparity", type=Path, help="its depth: folder of PNG/EXR/NPY, video, still or NPZ")
    demo.add_argument("--ui", action="store_true", help="leave the host running with the workflow open")

    commands.add_parser("freeze", help="record an added node or input, and give it to templates")
    arguments = parser.parse_args(ours)
    arguments.for_pytest = for_pytest
    return arguments


def split_at_dashes(argv: list[str]) -> tuple[list[str], list[str]]:
    """Split a command line at its first `--`."""
    if "--" not in argv:
        return argv, []
    at = argv.index("--")
    return argv[:at], argv[at + 1 :]


def exit_on_sigterm(_signal: int, _frame: FrameType | None) -> None:
    """Leave by an exception, so that a running host is stopped on the way out."""
    raise SystemExit(143)


def main() -> int:
    """Run the command that was asked for and return its exit code."""
    write_what_the_stream_can_show()
    signal.signal(signal.SIGTERM, exit_on_sigterm)
    arguments = parse(sys.argv[1:])
    if arguments.command == "test":
        return run_checks(arguments.only, arguments.for_pytest)
    if arguments.command == "demo":
        return run_demo(arguments.video, arguments.disparity, arguments.ui)
    return freeze_schema()


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit("\nStopped.")
