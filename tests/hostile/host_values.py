"""What a host hands over: videos in memory of odd parts, and paths as people paste them."""

from __future__ import annotations

import math
import random
from collections import Counter
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import torch

from bokeh_core.disk.typed_paths import find_path
from bokeh_core.progress import no_progress
from bokeh_core.render.given_clip import given_clip
from bokeh_core.render.made_results import LONGEST_STEM, result_stem
from tests.hostile.words import require_our_words

NAME = "videos in memory and typed paths"
FRAMES, HEIGHT, WIDTH = 2, 3, 4
DTYPES = (torch.float32, torch.float16, torch.float64, torch.uint8, torch.bool, torch.int64, torch.complex64)
NUMBERS = (0, 1, -1, 24, 29.97, 1e-9, 1e300, math.nan, math.inf, -math.inf, 2**70, "24", None, True)
SCRAPS = ("", ".", "..", "/", "\\", "~", "~nobody/x", "C:", "C:x", "\0", "\udcff", "\n", '"', "'", "[input]")
WORDS = (
    "file:",
    "file:///",
    "file://host/",
    "%00",
    "%2e%2e",
    "\u6d77",
    "a" * 300,
    "clip.mp4",
    "CON",
    "*",
    "?",
)


def run(seed: int, count: int, folder: Path) -> Counter[str]:
    """Try parts of videos, names of results and paths in turn."""
    chance = random.Random(seed)
    (folder / "clip.mp4").write_bytes(b"x")
    kinds = (try_parts, try_path, try_name)
    return Counter(kinds[number % len(kinds)](chance, folder) for number in range(count))


def try_parts(chance: random.Random, _: Path) -> str:
    """A video in memory, most of its parts as they should be."""
    parts = {"images": images(chance), "frame_rate": Fraction(24), "audio": None, "alpha": None}
    for name, odd in (("frame_rate", number), ("audio", audio), ("alpha", alpha)):
        if chance.random() < 0.4:
            parts[name] = odd(chance)
    if chance.random() < 0.1:
        del parts[chance.choice(list(parts))]
    try:
        clip = given_clip(SimpleNamespace(**parts), chance.random() < 0.5)
        frames = list(clip.frames(0, clip.timestamps(no_progress)))
        video = clip.format
    except ValueError as error:
        require_our_words(error)
        return "video refused"
    assert len(frames) == len(parts["images"])
    assert video.frame_rate > 0
    for frame in frames:
        assert frame.dtype == torch.float32 and bool(frame.isfinite().all())
        assert frame.shape[:2] == (video.height, video.width)
        assert (frame.shape[-1] == 4) == video.alpha
    return "video taken"


def images(chance: random.Random) -> Any:
    """Pictures, now and then of another shape, type or range."""
    if chance.random() < 0.05:
        return chance.choice([None, "pictures", 3, [1, 2], {}])
    shape = [FRAMES, HEIGHT, WIDTH, chance.choice([1, 3, 4])]
    if chance.random() < 0.2:
        shape[chance.randrange(4)] = chance.choice([0, 1, 2, 5])
    if chance.random() < 0.1:
        del shape[chance.randrange(4)]
    values = torch.rand(shape, generator=torch.Generator().manual_seed(chance.randrange(2**31)))
    if chance.random() < 0.2 and values.numel():
        values.view(-1)[0] = chance.choice([math.nan, math.inf, -0.01, -5, 1.5, 255])
    dtype = chance.choice(DTYPES) if chance.random() < 0.5 else torch.float32
    typed = (values * 255).to(dtype) if dtype in (torch.uint8, torch.int64) else values.to(dtype)
    if typed.is_floating_point() and chance.random() < 0.2:
        typed.requires_grad_()
    return typed.transpose(1, 2) if typed.ndim == 4 and chance.random() < 0.2 else typed


def number(chance: random.Random) -> Any:
    """What may stand for a frame rate."""
    return chance.choice([*NUMBERS, Fraction(30000, 1001), Fraction(0), Fraction(1, 10**12)])


def audio(chance: random.Random) -> Any:
    """Sound of any shape, or something else."""
    shape = [chance.choice([0, 1, 2, 6, 9]) for _ in range(chance.randrange(5))]
    waveform = chance.choice([torch.zeros(shape), torch.zeros(shape, dtype=torch.complex64), None, "sound"])
    given: dict[str, Any] = {"waveform": waveform, "sample_rate": chance.choice(NUMBERS)}
    if chance.random() < 0.2:
        del given[chance.choice(list(given))]
    return chance.choice([given, given, given, [], "sound", None])


def alpha(chance: random.Random) -> Any:
    """Opacity of any shape, or something else."""
    shape = [FRAMES, HEIGHT, WIDTH, 1][: chance.choice([2, 3, 4, 4])]
    if chance.random() < 0.3:
        shape[chance.randrange(len(shape))] = chance.choice([0, 1, 2])
    return chance.choice([torch.rand(shape), torch.rand(shape), torch.full(shape, math.nan), "opaque", 1])


def try_path(chance: random.Random, folder: Path) -> str:
    """A path of scraps; one in three is the clip's, dressed up."""
    if chance.random() < 0.3:
        before, after = chance.choice([("", ""), ('"', '"'), ("'", "'"), ("  ", "\n"), ("\u201c", "\u201d")])
        name = chance.choice(
            ["clip.mp4", "./clip.mp4", str(folder / "clip.mp4"), (folder / "clip.mp4").as_uri()]
        )
        found = find_path(f"{before}{name}{after}", folder, {"input": folder})
        assert found.samefile(folder / "clip.mp4")
        return "path found"
    text = "".join(chance.choice(SCRAPS + WORDS) for _ in range(chance.randrange(1, 6)))
    try:
        found = find_path(text, folder, {"input": folder})
    except ValueError as error:
        require_our_words(error)
        str(error).encode("utf-8")
        return "path refused"
    assert found.exists()
    return "path of something else"


def try_name(chance: random.Random, folder: Path) -> str:
    """A name for a result from a source of any name: a file can be made of it."""
    stem = result_stem("".join(chance.choice(SCRAPS + WORDS) for _ in range(chance.randrange(6))))
    assert 0 < len(stem.encode("utf-8")) <= LONGEST_STEM
    path = folder / f"{stem}_0123456789.mp4.parts"
    path.write_bytes(b"")
    assert path.parent == folder and path.is_file()
    path.unlink()
    return "name taken"
