"""What to render, and where the result goes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from ..clip.letterbox import BLACK_BARS
from ..disk.typed_paths import require_path
from ..disparity.refine.settings import RefineSettings
from ..pipeline.mending import mending_for
from ..setting_checks import require_choice
from ..video_io import Encoding
from .content_hash import key_of
from .depth import DepthSource
from .estimated import EstimatedDepth
from .focus_settings import Focus, GivenFocus
from .renderers import ClipRenderer, require_whole_calls
from .result import is_video
from .source import ClipSource
from .strength_settings import StatedStrength

# Format of the files that a stopped run leaves; raise it when they change, and older parts are made anew.
_PARTS_VERSION = 3
PART_FRAMES = 48
LEAVE_OUT = BLACK_BARS[0]


@dataclass(frozen=True)
class RenderJob:
    """Everything that decides what a rendered video looks like, and where it goes.

    Attributes:
        clip: frames and sound.
        depth: of the clip.
        focus: where the lens is focused.
        strength: how strong the blur is.
        renderer: what blurs.
        output: file to be made; its parts wait in a folder of the same name with `.parts` behind it.
        encoding: codec and quality.
        part_frames: frames that are kept together when a run is stopped; a multiple of 8.
        overwrite: whether to replace an existing file that is not the result of this very job.
        black_bars: around the picture of the clip: "leave out" of depth range and blur, where there are any,
            or "blur too".
        other_files: what else was read, such as texts with keyframes; never the output.
        origin: metadata that the file is to hold of how it was made, such as a workflow, with names in small
            letters; whether there is any makes another result, what it says does not.
        refine: what is refined in the disparity, by the frames; None is what the renderer asks for.

    Raises:
        ValueError: parts that do not end where decode calls do.
    """

    clip: ClipSource
    depth: DepthSource | EstimatedDepth
    focus: Focus
    strength: StatedStrength
    renderer: ClipRenderer
    output: Path
    encoding: Encoding = field(default_factory=Encoding)
    part_frames: int = PART_FRAMES
    overwrite: bool = False
    other_files: tuple[Path, ...] = ()
    black_bars: str = LEAVE_OUT
    origin: Mapping[str, str] = field(default_factory=dict)
    refine: RefineSettings | None = None

    def __post_init__(self) -> None:
        require_choice("black_bars", self.black_bars, BLACK_BARS)
        require_whole_calls(self.part_frames)

    @property
    def source_files(self) -> list[Path]:
        """Files and folders whose pictures are rendered."""
        of_clip = getattr(self.clip, "path", self.clip.sound_file)
        named = (of_clip, getattr(self.depth, "path", None), getattr(self.focus, "path", None))
        return [path for path in named if path is not None]

    @property
    def refining(self) -> RefineSettings | None:
        """What is refined before focus is measured; None is nothing.

        Where `refine` does not say it, it is what a renderer that `mends_maps` asks for, of maps that are
        not refined yet.
        """
        if self.refine is not None:
            return self.refine
        if not self.renderer.mends_maps or getattr(self.depth, "refined", False):
            return None
        return mending_for(self.focus.focal_disparity if isinstance(self.focus, GivenFocus) else None)

    def key(self) -> str:
        """A text that differs where the result does.

        Raises:
            ValueError: a source is not there.
        """
        import av  # imported on first use: the pack must load fast

        for path in self.source_files:
            require_path(path)
        return key_of(
            {
                "version": _PARTS_VERSION,
                "clip": self.clip.fingerprint(),
                "depth": self.depth.fingerprint(),
                "focus": self.focus.fingerprint(),
                "strength": self.strength.fingerprint(),
                "renderer": self.renderer.fingerprint(),
                "encoding": repr(self.encoding),
                "container": self.output.suffix.lower(),
                "part_frames": self.part_frames,
                "black_bars": self.black_bars,
                "refine": repr(self.refining),
                "says_its_origin": bool(self.origin),
                # Parts of two encoders do not join.
                "libraries": repr(sorted(av.library_versions.items())),
            }
        )


def stored_under_key(job: RenderJob, folder: Path, stem: str) -> RenderJob:
    """The same job with an output in `folder` whose name differs where the result does.

    A job that is given again, after a crash or a restart, so finds its parts, or its finished file.
    """
    ending = job.clip.ending(job.encoding)
    named = replace(job, output=folder / f"{stem}{ending}")
    output = folder / f"{stem}_{named.key()[:10]}{ending}"
    # Only this program gives such names, so a file with one that is not a video is a damaged result.
    return replace(named, output=output, overwrite=output.is_file() and not is_video(output))
