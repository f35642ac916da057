"""One clip or a folder of clips, each with the disparity of its name."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ...video_io.codecs import VIDEO_ENDINGS
from ..sequence.names import is_sequence_path


@dataclass(frozen=True)
class ClipPaths:
    """A clip to be rendered.

    Attributes:
        video: the source.
        output: the file to be made.
        disparity: what was named for it: a file or folder of this clip, or one in which its own lies; None
            where it is estimated.
        by_name: whether `disparity` is such a collection.
    """

    video: Path
    output: Path
    disparity: Path | None
    by_name: bool

    @property
    def maps(self) -> Path:
        """The disparity of this clip.

        Raises:
            ValueError: none was named, or there is not one of the clip's name.
        """
        if self.disparity is None:
            raise ValueError(f"No maps were named for {self.video}.")
        return self.own(self.disparity)

    def own(self, path: Path) -> Path:
        """Return what belongs to this clip at a path that was named for it or for a folder of clips.

        Raises:
            ValueError: nothing, or more than one thing, in the folder has the clip's name.
        """
        if not self.by_name or not path.is_dir():
            return path
        found = sorted(p for p in path.iterdir() if (p.name if p.is_dir() else p.stem) == self.video.stem)
        if len(found) != 1:
            names = ", ".join(p.name for p in found) or "nothing"
            raise ValueError(
                f"For {self.video.name} there is {names} in {path}; it must hold one folder or file named "
                f"{self.video.stem}."
            )
        return found[0]


def clips_at(source: Path, disparity: Path | None, output: Path, ending: str) -> list[ClipPaths]:
    """Find the clips to render.

    Args:
        source: a video, a folder of videos, or the pictures of one clip, see `sequence.names.pictures_at`.
        disparity: of the video; for a folder, a folder that holds one of each video's name; None
            where it is estimated.
        output: the file to be made; for a folder, the folder to fill, made if it is missing.
        ending: of files in that folder.

    Raises:
        ValueError: nothing to render, or two clips would have the same output.
    """
    if not source.exists() and not is_sequence_path(source):
        raise ValueError(f"Nothing at {source}; name a video, a folder of videos, or pictures.")
    if not source.is_dir():
        return [ClipPaths(source, output, disparity, by_name=False)]
    videos = sorted(
        path
        for path in source.iterdir()
        if path.suffix.lower() in VIDEO_ENDINGS and not path.name.startswith(".") and not path.is_dir()
    )
    if not videos and is_sequence_path(source):
        return [ClipPaths(source, output, disparity, by_name=False)]
    if not videos:
        raise ValueError(f"{source} holds no videos or pictures ({', '.join(sorted(VIDEO_ENDINGS))}).")
    stems = [video.stem for video in videos]
    twice = sorted({stem for stem in stems if stems.count(stem) > 1})
    if twice:
        raise ValueError(f"{source} holds two videos named {twice[0]}; rename one of them.")
    taken = [folder for folder in (source, disparity) if folder is not None and folder.exists()]
    if output.exists() and (not output.is_dir() or any(output.samefile(folder) for folder in taken)):
        raise ValueError(f"{output} cannot take the results of a folder; name another folder.")
    return [ClipPaths(video, output / f"{video.stem}{ending}", disparity, by_name=True) for video in videos]
