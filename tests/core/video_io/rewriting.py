"""A video read, written in parts, and joined with the tracks of its source."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

from bokeh_core.video_io import (
    EncodedPart,
    Encoding,
    PartWriter,
    VideoFile,
    container_of,
    join_parts,
    plan_tracks,
)


def rewritten(source: Path, target: Path, encoding: Encoding, spans: list[tuple[int, int]]) -> VideoFile:
    """Read a video, write it in parts, join them with its tracks."""
    joined(source, target, encoding, spans)
    return VideoFile(target)


def joined(source: Path, target: Path, encoding: Encoding, spans: list[tuple[int, int]]) -> list[str]:
    """The same; returns what was found while joining."""
    video = VideoFile(source)
    times = video.timestamps()
    parts = []
    for start, stop in spans:
        path = target.with_name(f"{start}.part")
        with PartWriter(path, container_of(target), encoding, video.format) as writer:
            for frame in islice(video.frames(start, times), stop - start):
                writer.add(frame)
        parts.append(EncodedPart(path, start, stop, writer.reorder))
    plan = plan_tracks(source, target, encoding.endings)
    return join_parts(parts, times, video.format, source, plan, target, container_of(target))


def samples_of(path: Path, track: int = 0) -> NDArray[np.float64]:
    """Decoded sound [channels, N]."""
    with av.open(str(path)) as container:
        channels = container.streams.audio[track].codec_context.channels
        frames = list(container.decode(audio=track))
    if channels == 8:
        # PyAV reads past the end of a frame with eight planes.
        resampler = av.AudioResampler(format="flt")
        frames = [packed for frame in frames for packed in resampler.resample(frame)]
    blocks = [frame.to_ndarray() for frame in frames]
    if len(blocks[0]) != channels:
        blocks = [block.reshape(-1, channels).T for block in blocks]
    return np.concatenate(blocks, axis=1).astype(np.float64)


def start_of_sound(path: Path, track: int = 0) -> float:
    """Seconds at which the first sample is heard."""
    with av.open(str(path)) as container:
        first = next(container.decode(audio=track))
    assert first.time is not None
    return first.time
