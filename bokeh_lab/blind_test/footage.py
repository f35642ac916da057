"""The videos that are compared: folders that hold the same clips, rendered by different methods."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from bokeh_core.video_io.opening import open_video, picture_stream

VIDEO_SUFFIXES = (".mp4", ".webm")

# Containers round durations to their own clocks, and some count the last frame's display time.
_SAME_DURATION_S = 0.1


@dataclass(frozen=True)
class Footage:
    """Folders with the same clips under the same file names.

    Attributes:
        clips: sorted file names, the same in every folder.
        ours: folder of the method under test.
        peers: name of each peer -> its folder; at least one.
        sharp: folder of the all-in-focus sources, or None.
    """

    clips: tuple[str, ...]
    ours: Path
    peers: Mapping[str, Path]
    sharp: Path | None = None


@dataclass(frozen=True)
class _VideoShape:
    size_px: tuple[int, int]
    duration_s: float


def read_footage(ours: Path, peers: Mapping[str, Path], sharp: Path | None = None) -> Footage:
    """Read which clips the folders hold, and check that a rater can compare them.

    Files that are not named .mp4 or .webm are left aside.

    Raises:
        ValueError: no peer, an empty name, no folder, no clip, a clip that a folder lacks or has
            alone, a file that is no video, versions of a clip that differ in size or duration.
    """
    if not peers:
        raise ValueError("There is no peer to compare with; give at least one as NAME=FOLDER.")
    if "" in peers:
        raise ValueError(f"The peer in {peers['']} has no name; give it as NAME=FOLDER.")
    clips = _clips_in(ours)
    if not clips:
        raise ValueError(f"{ours} holds no video; it needs {' or '.join(VIDEO_SUFFIXES)} files.")
    others = [*peers.values()] + ([sharp] if sharp else [])
    for folder in others:
        _require_same_clips(ours, clips, folder)
    for clip in clips:
        expected = _video_shape(ours / clip)
        for folder in others:
            shape = _video_shape(folder / clip)
            if abs(shape.duration_s - expected.duration_s) > _SAME_DURATION_S:
                raise ValueError(
                    f"{folder / clip} lasts {shape.duration_s:.2f} s and {ours / clip} lasts "
                    f"{expected.duration_s:.2f} s; both need the same frames."
                )
            # The source is shown smaller than the pair, so its size gives nothing away.
            if folder != sharp and shape.size_px != expected.size_px:
                raise ValueError(
                    f"{folder / clip} is {_text(shape.size_px)} and {ours / clip} is "
                    f"{_text(expected.size_px)}; both need the same size."
                )
    return Footage(clips, ours, dict(peers), sharp)


def _clips_in(folder: Path) -> tuple[str, ...]:
    if not folder.is_dir():
        raise ValueError(f"{folder} is not a folder.")
    return tuple(sorted(file.name for file in folder.iterdir() if file.suffix.lower() in VIDEO_SUFFIXES))


def _require_same_clips(ours: Path, clips: tuple[str, ...], folder: Path) -> None:
    found = _clips_in(folder)
    for has, lacks, names in (
        (ours, folder, set(clips) - set(found)),
        (folder, ours, set(found) - set(clips)),
    ):
        if names:
            raise ValueError(
                f"{lacks} lacks {', '.join(sorted(names))}, which {has} has; "
                "every folder needs the same clips under the same names."
            )


def _video_shape(file: Path) -> _VideoShape:
    import av

    try:
        with open_video(file) as container:
            stream = picture_stream(container, file.name)
            if stream.duration is not None:
                duration_s = float(stream.duration * stream.time_base)
            else:
                duration_s = (container.duration or 0) / av.time_base
            return _VideoShape((stream.width, stream.height), duration_s)
    except ValueError as error:
        raise ValueError(f"{file} cannot be read as a video: {error}") from error


def _text(size_px: tuple[int, int]) -> str:
    return f"{size_px[0]} x {size_px[1]} px"
