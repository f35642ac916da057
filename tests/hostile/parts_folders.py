"""Folders of parts that were damaged after a run was stopped: the result is the same, or a refusal."""

from __future__ import annotations

import random
import shutil
from collections import Counter
from contextlib import suppress
from pathlib import Path

import torch

from bokeh_core.render import (
    FileClip,
    GivenDepth,
    GivenFocus,
    GivenStrength,
    LensRenderer,
    RenderJob,
    run_job,
)
from bokeh_core.render.parts_folder import parts_folder
from tests.core.render.clips import moving_pictures, write_video
from tests.hostile.words import require_our_words

NAME = "folders of parts"
# Each input renders a clip.
SHARE = 0.05
COUNT, SIDE, PART_FRAMES = 17, 32, 8
TEXTS = (
    b"",
    b"{}",
    b"[]",
    b"null",
    b'{"key":',
    b"[" * 100_000,
    b"\xff\xfe",
    b'{"start": 0, "stop": 8, "bytes": 1, "sha256": 3}',
    b"NaN",
    b"1" * 5000,
)


class _Stopped(Exception):
    """The user's cancel."""


def run(seed: int, count: int, folder: Path) -> Counter[str]:
    """Damage one to three files of a stopped run, `count` times, and give the same job again."""
    chance = random.Random(seed)
    job, whole = _stopped_job(folder)
    kept = parts_folder(job.output).rename(folder / "kept")
    counts: Counter[str] = Counter()
    for _ in range(count):
        parts = Path(shutil.copytree(kept, parts_folder(job.output)))
        for _ in range(chance.randint(1, 3)):
            _damage(chance, chance.choice(sorted(path for path in parts.iterdir() if path.is_file())))
        try:
            run_job(job)
        except ValueError as error:
            require_our_words(error, parts.name)
            counts["refused"] += 1
        else:
            assert job.output.read_bytes() == whole, "another result"
            counts["the same result"] += 1
        shutil.rmtree(parts, ignore_errors=True)
        job.output.unlink(missing_ok=True)
    return counts


def _stopped_job(folder: Path) -> tuple[RenderJob, bytes]:
    """A job whose parts are all finished, and its result."""
    video = write_video(folder / "in.mp4", moving_pictures(COUNT, SIDE, SIDE), codec="libx264")
    job = RenderJob(
        FileClip(video),
        GivenDepth(torch.linspace(0, 1, SIDE)[None, :, None].expand(1, SIDE, SIDE)),
        GivenFocus(torch.tensor([0.5])),
        GivenStrength(torch.tensor([0.0])),
        LensRenderer(),
        folder / "out.mp4",
        part_frames=PART_FRAMES,
    )
    run_job(job)
    whole = job.output.read_bytes()
    job.output.unlink()

    def stop(stage: str, done: int, total: int) -> None:
        if stage == "joining":
            raise _Stopped

    with suppress(_Stopped):
        run_job(job, stop)
    return job, whole


def _damage(chance: random.Random, path: Path) -> None:
    content = bytearray(path.read_bytes())
    way = chance.choice(("bytes", "end", "text", "gone", "folder"))
    if way == "bytes" and content:
        for _ in range(chance.randint(1, 4)):
            content[chance.randrange(len(content))] = chance.randrange(256)
        path.write_bytes(content)
    elif way == "end":
        path.write_bytes(content[: chance.randrange(len(content) + 1)])
    elif way == "text":
        path.write_bytes(chance.choice(TEXTS))
    elif way == "gone":
        path.unlink()
    else:
        path.unlink()
        path.mkdir()
