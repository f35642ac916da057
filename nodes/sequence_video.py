"""A folder of pictures as a VIDEO: streamed by our nodes, read into memory by others that ask for it."""

from fractions import Fraction
from itertools import islice
from math import ceil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from comfy_api.latest import Input, InputImpl

from ..bokeh_core.progress import no_progress
from ..bokeh_core.transfer import as_picture
from ..bokeh_core.video_io.format import AS_TAGGED
from . import host

if TYPE_CHECKING:
    from ..bokeh_core.render.sequence import SequenceClip


class SequenceVideo(Input.Video):
    """Pictures on disk.

    Attributes:
        path: folder, or one clip of several in it as `shot.####.exr`.
    """

    def __init__(self, path: Path, frame_rate: float, bad_pixels: str) -> None:
        """Look at the first picture.

        Args:
            path: of the pictures.
            frame_rate: frames a second.
            bad_pixels: see `SequenceClip`.

        Raises:
            ValueError: no pictures, or pictures that do not belong together.
        """
        self.path = path
        self._settings = (frame_rate, bad_pixels)
        self._seen = self.clip(False)

    def clip(self, keep_alpha: bool, transfer: str = AS_TAGGED) -> "SequenceClip":
        """The pictures to be streamed."""
        # Nodes that do without OpenCV ask a VIDEO whether it is such a one.
        from ..bokeh_core.render.sequence import SequenceClip

        frame_rate, bad_pixels = self._settings
        return SequenceClip(self.path, frame_rate, keep_alpha, transfer, bad_pixels)

    def get_components(self) -> Any:
        """All frames in memory, with the numbers that the files have: linear light of OpenEXR."""
        clip = self.clip(keep_alpha=True)
        video = clip.format
        frames = torch.empty(len(clip.files), video.height, video.width, 4 if video.alpha else 3)
        for t, frame in enumerate(clip.frames(0, clip.timestamps(no_progress))):
            host.check_interrupt()
            frames[t] = frame
        return host.video_components(frames, video.frame_rate)

    def save_to(self, path: Any, *args: Any, **options: Any) -> None:
        """Write a video for displays, as the host writes frames in memory."""
        found = self.get_components()
        shown = as_picture(found.images[..., :3], self._seen.format.transfer).clamp(0, 1)
        given = host.video_components(shown, found.frame_rate)
        InputImpl.VideoFromComponents(given).save_to(path, *args, **options)

    def get_dimensions(self) -> tuple[int, int]:
        """Width and height in px."""
        return self._seen.format.width, self._seen.format.height

    def get_frame_count(self) -> int:
        """How many pictures there are."""
        return len(self._seen.files)

    def get_frame_rate(self) -> Fraction:
        """Frames a second."""
        return self._seen.format.frame_rate

    def get_duration(self) -> float:
        """Length in seconds."""
        return float(self.get_frame_count() / self.get_frame_rate())

    def preview(self, seconds: float) -> Any:
        """What makes a node show the beginning as a small video."""
        from ..bokeh_core.render.source import pictures_of

        clip = self.clip(keep_alpha=False)
        count = ceil(seconds * clip.format.frame_rate)
        frames = islice(pictures_of(clip, 0, clip.timestamps(no_progress)), count)
        return host.small_video_preview(frames, clip.format.frame_rate, self.path.stem.replace("#", ""))
