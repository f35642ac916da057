"""Video files with bytes changed, cut off, doubled or exchanged: as a clip, as depth, and written again."""

from __future__ import annotations

import random
from collections import Counter
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import torch

from bokeh_core.disparity.files import open_depth_maps
from bokeh_core.video_io import Encoding, VideoFile, container_of, require_encodes, require_times_fit
from tests.core.video_io.rewriting import joined
from tests.hostile.words import require_our_words

NAME = "damaged video files"
# Each input is decoded twice and written again.
SHARE = 0.5
SIDE, FRAMES = 32, 6
# Ending, encoder, pixel format, encoder of the sound.
SAMPLES = (
    (".mp4", "libx264", "yuv420p", "aac"),
    (".mkv", "libx264", "yuv420p", "flac"),
    (".mov", "prores_ks", "yuv422p10le", "pcm_s16le"),
    (".avi", "mpeg4", "yuv420p", "pcm_s16le"),
    (".ts", "libx264", "yuv420p", "mp2"),
    (".webm", "libvpx-vp9", "yuv420p", None),
    (".mkv", "ffv1", "gray16le", None),
)
# Values at which readers of sizes and counts go wrong.
EXTREMES = (0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)


def run(seed: int, count: int, folder: Path) -> Counter[str]:
    """Damage samples in ways that the seed decides, and read each as frames or as maps."""
    chance = random.Random(seed)
    samples = [(sample[0], sample_bytes(folder, *sample)) for sample in SAMPLES]
    outcomes: Counter[str] = Counter()
    for number in range(count):
        ending, whole = chance.choice(samples)
        path = folder / f"damaged{ending}"
        path.write_bytes(damaged(whole, chance))
        (read,) = chance.choices((read_clip, read_maps, write_again), (5, 3, 2))
        try:
            outcomes["read" if read(path) else "read, no frame"] += 1
        except ValueError as error:
            # What the other file cannot hold is told by that file's name.
            require_our_words(error, *([] if read is write_again else [path.name]))
            outcomes["refused"] += 1
        except Exception as error:
            kept = folder.parent / f"hostile_video_{seed}_{number}{ending}"
            kept.write_bytes(path.read_bytes())
            raise AssertionError(f"{kept} gave {type(error).__name__}: {error}") from error
    return outcomes


def read_clip(path: Path) -> int:
    """Read a file as a clip, twice as a render does; return the number of its frames."""
    file = VideoFile(path)
    times = file.timestamps()
    assert all(a < b for a, b in pairwise(times)), "times do not ascend"
    start = len(times) // 2
    seen = 0
    for frame in file.frames(start, times):
        assert frame.shape[:2] == (file.format.height, file.format.width)
        assert bool(((frame >= 0) & (frame <= 1)).all()), "levels outside [0, 1]"
        seen += 1
    assert seen == len(times) - start, f"{len(times)} frames, then {start} + {seen}"
    return len(times)


def write_again(path: Path) -> int:
    """Copy a file with all of its tracks, as a render without blur does; return the number of its frames."""
    video = VideoFile(path)
    times = video.timestamps()
    count = len(times)
    if not count:
        return 0
    # Sound that one does not hold, the other does.
    target = path.with_name("again.mkv" if path.suffix in (".avi", ".mov") else "again.mp4")
    require_encodes(container_of(target), Encoding(), video.format)
    require_times_fit(times, video.format, target, Encoding().endings)
    joined(path, target, Encoding(), [(0, count)])
    written = VideoFile(target)
    assert len(written.timestamps()) == count, "frames were lost"
    return count


def read_maps(path: Path) -> int:
    """Read a file as depth; return the number of maps."""
    seen = 0
    for values in open_depth_maps(path).frames():
        assert values.ndim == 2 and values.dtype == torch.float32
        assert bool(values.isfinite().all())
        seen += 1
    return seen


def damaged(whole: bytes, chance: random.Random) -> bytes:
    """Change a file in one to four ways; the front, where headers lie, is hit more often."""
    data = bytearray(whole)
    for _ in range(chance.randint(1, 4)):
        if len(data) < 16:
            break
        at = chance.randrange(len(data)) if chance.random() < 0.5 else chance.randrange(min(len(data), 600))
        way = chance.randrange(6)
        if way == 0:
            data[at] ^= 1 << chance.randrange(8)
        elif way == 1:
            size = chance.choice((1, 2, 4))
            order = chance.choice(("big", "little"))
            value = chance.choice(EXTREMES) % 256**size
            data[at : at + size] = value.to_bytes(size, order)
        elif way == 2:
            del data[at:]
        elif way == 3:
            del data[at : at + chance.randrange(1, 64)]
        elif way == 4:
            data[at:at] = data[at : at + chance.randrange(1, 256)]
        else:
            data[at : at + 16] = chance.randbytes(16)
    return bytes(data)


def sample_bytes(folder: Path, ending: str, encoder: str, pixel_format: str, sound: str | None) -> bytes:
    """Write a small video of a grey ramp that moves, with sound; return its bytes."""
    path = folder / f"whole{ending}"
    with av.open(str(path), "w") as container:
        stream = container.add_stream(encoder, rate=24)
        stream.width = stream.height = SIDE
        stream.pix_fmt = pixel_format
        track = container.add_stream(sound, rate=48000, layout="stereo") if sound else None
        for t in range(FRAMES):
            row = (np.arange(SIDE) * 7 + 11 * t) % 256
            picture = np.repeat(np.tile(row, (SIDE, 1))[..., None], 3, -1).astype(np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode())
        if track is not None:
            kind = track.codec_context.format.name
            resampler = av.AudioResampler(
                kind, "stereo", 48000, frame_size=track.codec_context.frame_size or 1024
            )
            silence = np.zeros((2, 9216), np.float32)
            block = av.AudioFrame.from_ndarray(silence, format="fltp", layout="stereo")
            block.sample_rate, block.time_base, block.pts = 48000, Fraction(1, 48000), 0
            for piece in (*resampler.resample(block), *resampler.resample(None)):
                container.mux(track.encode(piece))
            container.mux(track.encode())
    return path.read_bytes()
