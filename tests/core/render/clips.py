"""Small videos and depth maps on disk."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from bokeh_core.video_io.scaling import one_thread

Array = NDArray[Any]
SAMPLE_RATE_HZ = 44100


def moving_pictures(num_frames: int, height: int, width: int) -> Array:
    """uint8 [T, H, W, 3]: a soft pattern that slides to the left, every frame of another brightness."""
    random = np.random.default_rng(3).random((height // 8 + 2, (width + num_frames) // 8 + 2, 3))
    wide = cv2.resize(random.astype(np.float32), (width + num_frames, height), interpolation=cv2.INTER_CUBIC)
    frames = np.stack([wide[:, t : t + width] for t in range(num_frames)])
    # Pale, so that colours stay inside the gamut whatever a codec does to them.
    brightness = 60 + 8 * (np.arange(num_frames) % 8)[:, None, None, None]
    return (brightness + 100 * np.clip(frames, 0, 1)).astype(np.uint8)


def write_video(
    path: Path,
    frames: Array,
    *,
    times: Sequence[int] | None = None,
    time_base: Fraction = Fraction(1, 24),
    sound: bool = False,
    sound_codec: str = "aac",
    codec: str = "ffv1",
    pixel_format: str = "yuv444p",
    options: dict[str, str] | None = None,
    **tags: Any,
) -> Path:
    """Write frames [T, H, W, 3] uint8, with a tone if asked; tags go to the encoder."""
    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream(codec, rate=24, options=options or {})
        stream.width, stream.height, stream.pix_fmt = frames.shape[2], frames.shape[1], pixel_format
        stream.codec_context.time_base = time_base
        for name, value in tags.items():
            setattr(stream.codec_context, name, value)
        tone = container.add_stream(sound_codec, rate=SAMPLE_RATE_HZ, layout="stereo") if sound else None
        for t, pixels in enumerate(frames):
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(pixels), format="rgb24")
            frame = frame.reformat(format=pixel_format, **one_thread())
            frame.pts, frame.time_base = (t if times is None else times[t]), time_base
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
        if tone is not None:
            _write_tone(container, tone, len(frames) / 24)
    return path


def _write_tone(container: Any, stream: Any, seconds: float) -> None:
    samples = np.arange(int(seconds * SAMPLE_RATE_HZ)) / SAMPLE_RATE_HZ
    wave = 0.5 * np.sin(2 * np.pi * np.array([[440.0], [660.0]]) * samples).astype(np.float32)
    block = av.AudioFrame.from_ndarray(wave.astype(np.float32), format="fltp", layout="stereo")
    block.sample_rate, block.time_base = SAMPLE_RATE_HZ, Fraction(1, SAMPLE_RATE_HZ)
    resampler = av.AudioResampler(format=stream.codec_context.format, layout="stereo", rate=SAMPLE_RATE_HZ)
    for part in resampler.resample(block):
        container.mux(stream.encode(part))
    container.mux(stream.encode(None))


def read_video(path: Path) -> Array:
    """uint8 [T, H, W, 3] as FFmpeg converts it."""
    with av.open(str(path)) as container:
        return np.stack(
            [frame.to_ndarray(format="rgb24", **one_thread()) for frame in container.decode(video=0)]
        )


def times_of(path: Path) -> list[Fraction]:
    """Seconds at which each frame is shown."""
    with av.open(str(path)) as container:
        return [frame.pts * frame.time_base for frame in container.decode(video=0)]


def sound_packets(path: Path) -> list[tuple[bytes, Fraction]]:
    """Stored bytes and seconds of each packet of sound."""
    with av.open(str(path)) as container:
        if not container.streams.audio:
            return []
        packets = container.demux(container.streams.audio[0])
        return [(bytes(p), p.pts * p.time_base) for p in packets if p.dts is not None]


def sliding_disparity(num_frames: int, height: int, width: int) -> Array:
    """float32 [T, H, W] in [0, 1]: a near block that slides to the right over a slanted ground."""
    maps = np.broadcast_to(np.linspace(0, 0.5, height, dtype=np.float32)[:, None], (height, width))
    clip = np.repeat(maps[None], num_frames, axis=0).copy()
    for t in range(num_frames):
        left = width // 4 + t % max(width // 4, 1)
        clip[t, height // 4 : -height // 4, left : left + width // 4] = 1.0
    return clip


def write_disparity(folder: Path, maps: Array) -> Path:
    """Write maps [T, H, W] in [0, 1] as 16-bit PNG, one per frame."""
    folder.mkdir(parents=True, exist_ok=True)
    for t, values in enumerate(maps):
        assert cv2.imwrite(str(folder / f"{t:05d}.png"), np.rint(65535 * values).astype(np.uint16))
    return folder
