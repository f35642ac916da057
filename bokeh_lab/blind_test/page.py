"""Writing the page of a blind test: a folder for the raters, and the key beside it."""

from __future__ import annotations

import hashlib
import html
import json
import os
import shutil
import string
import tempfile
from pathlib import Path
from typing import Any

from bokeh_core.disk.whole_file import UNFINISHED

from .footage import Footage
from .key import Key, write_key
from .pairs import PairPlan, plan_pairs

DEFAULT_TITLE = "Which video has the better background blur?"
RATERS_FOLDER = "for_raters"
KEY_FILE = "key.json"

_SOURCES = Path(__file__).parent
_STATIC = ("page.css", "players.js", "page.js")
# Neither the order of copying nor the age of a rendering may show: every copy has one date (2000-01-01).
_COPY_TIME_S = 946_684_800


def write_test(
    footage: Footage, out: Path, seed: int, title: str = DEFAULT_TITLE, one_peer_per_clip: bool = False
) -> Key:
    """Write `out`/for_raters/index.html with its videos, and `out`/key.json.

    Args:
        footage: the clips.
        out: folder to make; it must not exist, or be empty.
        seed: of names and sides; the same seed and footage give the same test.
        title: heading of the page; raters read it.
        one_peer_per_clip: a rater sees each clip once, against a randomly drawn peer, as in the
            paper's study; else against every peer.

    Raises:
        ValueError: `out` is in use.
    """
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise ValueError(f"{out} exists and is not an empty folder; name another, or remove it.")
    plan = plan_pairs(footage.clips, tuple(footage.peers), seed)
    copies = _copies(footage, plan)
    test = _test_identifier(copies, seed, title, one_peer_per_clip)
    key = Key(test, title, seed, tuple(footage.peers), plan.pairs)

    out.parent.mkdir(parents=True, exist_ok=True)
    unfinished = Path(tempfile.mkdtemp(prefix=f"{out.name}.", suffix=UNFINISHED, dir=out.parent))
    try:
        # mkdtemp makes a folder that only its owner may open; this one is to be shared.
        whole = unfinished / "whole"
        raters = whole / RATERS_FOLDER
        (raters / "videos").mkdir(parents=True)
        for name, source in sorted(copies.items()):
            shutil.copyfile(source, raters / "videos" / name)
            os.utime(raters / "videos" / name, (_COPY_TIME_S, _COPY_TIME_S))
        for name in _STATIC:
            shutil.copyfile(_SOURCES / name, raters / name)
        page = _page_html(title, _page_data(test, plan, footage.sharp is not None, one_peer_per_clip))
        (raters / "index.html").write_text(page, encoding="utf-8")
        write_key(key, whole / KEY_FILE)
        if out.exists():
            out.rmdir()
        os.replace(whole, out)
    finally:
        shutil.rmtree(unfinished)
    return key


def _copies(footage: Footage, plan: PairPlan) -> dict[str, Path]:
    """Neutral file name -> the file it is a copy of."""
    copies = {}
    for pair in plan.pairs:
        copies[pair.ours_file] = footage.ours / pair.clip
        copies[pair.peer_file] = footage.peers[pair.peer] / pair.clip
    if footage.sharp is not None:
        for clip, name in plan.sharp_files.items():
            copies[name] = footage.sharp / clip
    return copies


def _test_identifier(copies: dict[str, Path], *settings: object) -> str:
    """Tell apart any two tests with other videos, names, sides or settings."""
    digest = hashlib.sha256(repr(settings).encode())
    for name, source in sorted(copies.items()):
        digest.update(name.encode())
        digest.update(hashlib.sha256(source.read_bytes()).digest())
    return digest.hexdigest()[:16]


def _page_data(test: str, plan: PairPlan, with_sharp: bool, one_peer_per_clip: bool) -> dict[str, Any]:
    """Return what page.js reads: pairs of videos by neutral names, and nothing about whose they are."""
    # Numbered in the order of the pairs, which is random: alphabetical numbers would tell clips apart.
    clip_numbers = {clip: k for k, clip in enumerate(dict.fromkeys(pair.clip for pair in plan.pairs))}
    pairs = [
        {
            "pair": pair.pair,
            "clip": clip_numbers[pair.clip],
            "videos": [f"videos/{name}" for name in pair.left_then_right],
            "sharp": f"videos/{plan.sharp_files[pair.clip]}" if with_sharp else None,
        }
        for pair in plan.pairs
    ]
    return {"test": test, "one_peer_per_clip": one_peer_per_clip, "pairs": pairs}


def _page_html(title: str, data: dict[str, Any]) -> str:
    template = string.Template((_SOURCES / "page.html").read_text(encoding="utf-8"))
    # Inside a script element "<" could end it.
    return template.substitute(title=html.escape(title), test=json.dumps(data).replace("<", "\\u003c"))
