"""Words on the command line of `python -m bokeh_core.render` that nobody should type."""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
import random
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np

from bokeh_core.render.command.program import main

NAME = "command line of render"
# Each input renders a clip.
SHARE = 0.3
WIDTH, HEIGHT, FRAMES = 48, 32, 4
NUMBERS = (
    *("nan", "inf", "-inf", "1e999", "-1", "0", "1", "2.5", "1e-40", "3000", "1e9", "9" * 400, "0x10", "1_0"),
    *("", " ", "NaN%", "½", "\u0663", "\uff11\uff16", "0,5", "1;2", "(1)", "[1]", "None", "\u200b1"),
)
SCHEDULES = (
    *NUMBERS,
    *(",", ";", "()", "[]", ":", "0:", ":1", "0:1,0:2", "0: 0.9, 99: 0.1", "0:0.5,", "-1:0.5", "1e3:1"),
    *("0: 0.2\n3: 0.8", "frame,focal_disparity\n0,0.1", "a,b\n1,2", "0.1,0.2,0.3,0.4", "0.1 0.2", '"0.5"'),
    *(
        "0\uff1a0.5",
        "0: 0.1\uff0c 2: 0.3",
        "9" * 400 + ": 1",
        "0: " + "9" * 400,
        "@",
        "@missing.txt",
        "@.",
        "#",
    ),
)
FOCUS = (
    *SCHEDULES,
    *(
        "point",
        "Point",
        "point:",
        "point: 1",
        "point: 10, 10",
        "point:10 10",
        "point: 1e9, 3",
        "point: -5, 2",
    ),
    *("point: 0: 3,3; 2: 20,20", "point: 0: 3; 2: 4", "point: nan, nan", "10, 10", "(10, 10)", "50%, 50%"),
    *("mask:", "mask: missing.png", "mask: .", "mask: clip.mp4", "mask: mask.npy", "mask:@", "mask: a\0b"),
)
PATHS = (
    *(
        "",
        ".",
        "..",
        "/",
        "~",
        "~nobody_has_this_name/x",
        "missing",
        "missing/out.mp4",
        "clip.mp4",
        "depth.npy",
    ),
    *(
        "sub/../clip.mp4",
        "x" * 300,
        "x" * 300 + ".mp4",
        "a\0b.mp4",
        "out.avi",
        "out",
        "out.MP4",
        "CON",
        "out.mp4/",
    ),
    *(
        "take:1.mp4",
        "http://127.0.0.1:9/x.mp4",
        "file:clip.mp4",
        "concat:clip.mp4|clip.mp4",
        "-",
        "out\n.mp4",
    ),
    *("\u65e5\u672c.mp4", "out%d.mp4", "a?b*.mp4", "depth.npy/x.mp4", "note.txt", "empty.mp4", "empty.npy"),
)
HOSTILE = {
    "--focus": FOCUS,
    "--strength": SCHEDULES,
    "--disparity": PATHS,
    "-o": PATHS,
    "--exponent": NUMBERS,
    "--focus-smoothing": NUMBERS,
    "--focus-radius": NUMBERS,
    "--blades": NUMBERS,
    "--rotation": NUMBERS,
    "--roundness": NUMBERS,
    "--anamorphic": NUMBERS,
    "--cat-eye": NUMBERS,
    "--highlight-gain": NUMBERS,
    "--highlight-threshold": NUMBERS,
    "--near-strength": NUMBERS,
    "--far-strength": NUMBERS,
    "--contour-tolerance": NUMBERS,
    "--crf": NUMBERS,
    "--part-frames": NUMBERS,
    "--device": ("banana", "cuda", "cuda:99", "cpu", "cpu:3", "meta", "mps", "", "auto", "vulkan", "cuda:-1"),
    "--codec": ("h264", "prores", "ffv1", "h265", ""),
    "--polarity": ("auto", "near white", "near black", "white"),
    "--depth-source": ("disparity", "metric depth", "depth"),
    "--normalisation": ("min-max", "none", "robust percentiles", "max"),
    "--easing": ("linear", "hold", "bounce"),
    "--light": ("linear", "display", "dark"),
}
# An empty video holds nothing to lose, so it may give way to a result.
KEPT = ("clip.mp4", "depth.npy", "mask.npy", "note.txt", "empty.npy")
# Options that take any text; the others take numbers or one of a list, and argparse says so.
TEXTS = ("--focus", "--strength", "--disparity", "-o", "--device")


def run(seed: int, count: int, folder: Path) -> Counter[str]:
    """Give one to three options values from the lists, the others good ones, and look at what comes of it."""
    chance = random.Random(seed)
    write_sources(folder)
    before = digests(folder)
    outcomes: Counter[str] = Counter()
    with working_in(folder):
        for _ in range(count):
            options = {"--disparity": "depth.npy", "-o": "out.mp4", "--strength": "4", "--device": "cpu"}
            names = TEXTS if chance.random() < 0.5 else sorted(HOSTILE)
            for name in chance.sample(names, chance.randint(1, 3)):
                options[name] = chance.choice(HOSTILE[name])
            source = chance.choice(PATHS) if chance.random() < 0.1 else "clip.mp4"
            argv = [
                source,
                *(f"{name}={word}" if name[1] == "-" else f"{name}{word}" for name, word in options.items()),
            ]
            outcomes[outcome_of(argv, options["-o"])] += 1
            assert digests(folder) == before, f"{argv} changed a source"
            clear(folder)
            (folder / "empty.mp4").write_bytes(b"")
    return outcomes


def outcome_of(argv: list[str], output: str) -> str:
    """Run the command; return `rendered`, `refused` or `usage`.

    Raises:
        AssertionError: it says a traceback, an error number, or nothing, or says success without a video.
    """
    said, told = io.StringIO(), io.StringIO()
    try:
        with contextlib.redirect_stderr(said), contextlib.redirect_stdout(told):
            code = main(argv)
    except SystemExit as end:
        assert end.code == 2, f"{argv} ended with {end.code}: {said.getvalue()}"
        return "usage"
    except Exception as error:
        raise AssertionError(f"{argv} raised {type(error).__name__}: {error}") from error
    text = said.getvalue()
    if code == 0:
        assert frames_in(Path(output)) == FRAMES, f"{argv} made no such video"
        return "rendered"
    assert code == 1, f"{argv} returned {code}: {text}"
    for sign in ("Traceback", "[Errno", "Error:", "<class", "NoneType", "object has no"):
        assert sign not in text, f"{argv} says {text}"
    assert len(text.strip()) > 20, f"{argv} says {text!r}"
    return "refused"


def frames_in(path: Path) -> int:
    """Decode a video; return how many frames it has."""
    with av.open(str(path.absolute())) as container:
        return sum(1 for _ in container.decode(video=0))


def write_sources(folder: Path) -> None:
    """Write a clip of a few frames, its depth, a mask, and files that are neither."""
    rows, columns = np.mgrid[:HEIGHT, :WIDTH]
    with av.open(str(folder / "clip.mp4"), "w") as container:
        stream = container.add_stream("libx264", rate=24)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        for t in range(FRAMES):
            picture = np.stack([(columns * 5 + t) % 256, rows * 7 % 256, columns * 0 + 90], -1).astype(
                np.uint8
            )
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode())
    np.save(
        folder / "depth.npy", np.broadcast_to(columns / WIDTH, (FRAMES, HEIGHT, WIDTH)).astype(np.float32)
    )
    np.save(folder / "mask.npy", (columns > WIDTH // 2).astype(np.float32))
    (folder / "note.txt").write_text("A note of the user.\n" * 20, encoding="utf-8")
    (folder / "empty.mp4").touch()
    (folder / "empty.npy").touch()
    (folder / "sub").mkdir(exist_ok=True)


def digests(folder: Path) -> dict[str, str]:
    """Hash the sources."""
    return {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in KEPT}


def clear(folder: Path) -> None:
    """Delete what a run left beside the sources."""
    ours = {folder / name for name in (*KEPT, "empty.mp4", "sub")}
    for path in sorted(folder.rglob("*"), reverse=True):
        if path not in ours:
            path.unlink() if path.is_file() or path.is_symlink() else path.rmdir()


@contextlib.contextmanager
def working_in(folder: Path) -> Iterator[None]:
    """Make a folder the working directory; contextlib.chdir needs Python 3.11."""
    before = Path.cwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)
