"""`python -m bokeh_lab.blind_test make | tally`."""

from __future__ import annotations

import argparse
import glob
import secrets
import sys
from collections.abc import Sequence
from pathlib import Path

from bokeh_core.console import write_what_the_stream_can_show
from bokeh_core.disk.whole_file import write_whole_text

from .answers import read_answers
from .footage import read_footage
from .key import read_key
from .page import DEFAULT_TITLE, KEY_FILE, RATERS_FOLDER, write_test
from .tally import count, to_csv, to_markdown

_DESCRIPTION = "A blind A/B test of videos: a static page for raters, and a tally of their answers."


def main(argv: Sequence[str] | None = None) -> int:
    """Run one of the two commands; return the exit code."""
    write_what_the_stream_can_show()
    arguments = _parser().parse_args(argv)
    try:
        message: str = arguments.run(arguments)
    except (ValueError, OSError) as error:
        sys.stderr.write(f"blind_test {arguments.command}: {error}\n")
        return 1
    sys.stdout.write(message + "\n")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bokeh_lab.blind_test", description=_DESCRIPTION)
    commands = parser.add_subparsers(dest="command", required=True)

    make = commands.add_parser(
        "make",
        help="make the page for the raters",
        description="Make a page that shows our version of each clip beside a peer's. All folders hold "
        ".mp4 or .webm videos under the same file names, encoded with the same settings.",
    )
    make.add_argument("--ours", type=Path, required=True, metavar="FOLDER", help="videos of our method")
    make.add_argument(
        "--peer",
        action="append",
        required=True,
        type=_named_folder,
        metavar="NAME=FOLDER",
        help="videos of a method to compare with (repeatable)",
    )
    make.add_argument(
        "--sharp", type=Path, metavar="FOLDER", help="all-in-focus sources, shown above the pair"
    )
    make.add_argument(
        "--out", type=Path, required=True, metavar="FOLDER", help="to write to; must not exist or be empty"
    )
    make.add_argument("--seed", type=int, help="of names and sides; random if left out")
    make.add_argument("--title", default=DEFAULT_TITLE, help="heading of the page (default: %(default)s)")
    make.add_argument(
        "--one-peer-per-clip",
        action="store_true",
        help="a rater sees each clip once, against a random peer, as in the paper; else against every peer",
    )
    make.set_defaults(run=_make)

    tally = commands.add_parser("tally", help="count the answers that raters sent back")
    tally.add_argument("--key", type=Path, required=True, metavar="FILE", help="key.json that `make` wrote")
    tally.add_argument("answers", nargs="+", metavar="ANSWERS", help="files that the page saved")
    tally.add_argument("--out", type=Path, metavar="FOLDER", help="also write tally.md and tally.csv there")
    tally.set_defaults(run=_tally)
    return parser


def _named_folder(text: str) -> tuple[str, Path]:
    name, equals, folder = text.partition("=")
    if not (name and equals and folder):
        raise argparse.ArgumentTypeError(f"{text!r} must be NAME=FOLDER, such as mpib=renders/mpib")
    return name, Path(folder)


def _make(arguments: argparse.Namespace) -> str:
    peers: dict[str, Path] = {}
    for name, folder in arguments.peer:
        if name in peers:
            raise ValueError(f"Two peers are named {name!r}; give each a name of its own.")
        peers[name] = folder
    footage = read_footage(arguments.ours, peers, arguments.sharp)
    seed = secrets.randbits(32) if arguments.seed is None else arguments.seed
    key = write_test(footage, arguments.out, seed, arguments.title, arguments.one_peer_per_clip)
    return (
        f"{len(key.pairs)} pairs of {len(footage.clips)} clips. Give raters the folder "
        f"{arguments.out / RATERS_FOLDER} (they open index.html); keep {arguments.out / KEY_FILE} "
        "for the tally."
    )


def _tally(arguments: argparse.Namespace) -> str:
    key = read_key(arguments.key)
    files = [file for word in arguments.answers for file in _files_named(word)]
    tally = count(key, read_answers(key, files))
    markdown = to_markdown(tally)
    if arguments.out is not None:
        arguments.out.mkdir(parents=True, exist_ok=True)
        write_whole_text(arguments.out / "tally.md", markdown)
        write_whole_text(arguments.out / "tally.csv", to_csv(tally))
    return markdown.rstrip()


def _files_named(word: str) -> list[Path]:
    """Replace a pattern such as answers*.json by the files, which not every shell does."""
    found = [] if Path(word).exists() else sorted(glob.glob(word))
    return [Path(file) for file in found or [word]]


if __name__ == "__main__":
    sys.exit(main())
