"""What a command line says, checked: settings of all its clips, the renderer, and a job for each clip."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from ...checkpoint.bundle import bundle_at, included_model, mixes_pictures
from ...checkpoint.precision import DTYPES, default_dtype
from ...disk.typed_paths import find_path, typed_path
from ...disparity.fit import MapFit
from ...disparity.meaning import DepthMeaning
from ...disparity.refine.settings import RefineSettings
from ...lens import falloff_alone
from ...lens.bad_pixels import REPLACE
from ...lens.over_time import still_part
from ...published import WINDOW_FRAMES
from ...video_io import Encoding
from ...video_io.format import AS_TAGGED
from ...windows import plan_windows
from ..depth import FileDepth
from ..estimated import EstimatedDepth
from ..focus_settings import Focus
from ..job import RenderJob
from ..renderers import ClipRenderer, LensRenderer, require_whole_calls
from ..sequence import DEFAULT_FRAME_RATE, SequenceClip, is_sequence_path
from ..source import ClipSource, FileClip
from ..strength_settings import StatedStrength, Strength
from ..typed_focus import AUTOMATIC, parse_focus
from .camera_arguments import camera_files, camera_of
from .clips import ClipPaths
from .depth_arguments import fit_of, meaning_of, refine_of
from .lens_arguments import lens_files, lens_of
from .text_files import text_or_file

if TYPE_CHECKING:
    from ..model_files import FileModel

DEFAULT_STRENGTH = "16"


@dataclass(frozen=True)
class Settings:
    """What a command line says of all its clips.

    Attributes:
        meaning: of the depth.
        fit: of its maps on the frames.
        focus_text: as `typed_focus.parse_focus` takes it.
        focus_options: of the focus.
        strength: of the blur.
        encoding: of the results.
        part_frames: frames kept together.
        overwrite: whether files that are there give way.
        black_bars: see `RenderJob`.
        refine: see `RenderJob`.
        texts: files from which texts were read.
        transfer: of the clips, one of `video_io.format.TRANSFER_CHOICES`.
        frame_rate: of clips that are pictures, frames a second; None = `sequence.DEFAULT_FRAME_RATE`.
        bad_pixels: of such clips, one of `lens.bad_pixels.BAD_PIXELS`; None = "replace".
    """

    meaning: DepthMeaning
    fit: MapFit
    focus_text: str
    focus_options: dict[str, object]
    strength: StatedStrength
    encoding: Encoding
    part_frames: int
    overwrite: bool
    black_bars: str
    refine: RefineSettings | None
    texts: tuple[Path, ...]
    transfer: str = AS_TAGGED
    frame_rate: float | None = None
    bad_pixels: str | None = None

    def focus(self, clip: ClipPaths | None) -> Focus:
        """The focus of a clip; with None the text is checked, and a mask that it names need not be there."""
        find = Path if clip is None else partial(_mask_of, clip)
        return parse_focus(self.focus_text, find_file=find, **self.focus_options)  # type: ignore[arg-type]


def settings_of(arguments: argparse.Namespace) -> Settings:
    """Check what a command line says, before a video or a model is opened.

    Raises:
        ValueError: a setting that cannot be used.
    """
    focus, focus_file = text_or_file(AUTOMATIC if arguments.focus is None else arguments.focus, "--focus")
    strength, strength_file = text_or_file(
        DEFAULT_STRENGTH if arguments.strength is None else arguments.strength, "--strength"
    )
    camera = camera_of(arguments)
    if camera is not None and arguments.strength is not None:
        raise ValueError("Both --strength and a camera say how strong the blur is; leave one of them out.")
    if camera is not None and camera.near_m is None and not meaning_of(arguments).says_distances:
        raise ValueError(
            "A camera needs to know how far the scene is; give --near-distance and --far-distance in metres, "
            "where the disparity is 1 and 0. Only metric depth (--depth-source 'metric depth') says it."
        )
    if camera is not None and camera.focuses and arguments.focus is not None:
        raise ValueError("Both --focus and --focus-distance say what is sharp; leave one of them out.")
    options = {
        "smoothing_frames": arguments.focus_smoothing,
        "radius_px": arguments.focus_radius,
        "between": arguments.between_points,
        "easing": arguments.easing,
    }
    require_whole_calls(arguments.part_frames)
    if arguments.overlap is not None:
        plan_windows(WINDOW_FRAMES, overlap=arguments.overlap)
    settings = Settings(
        meaning_of(arguments),
        fit_of(arguments),
        focus,
        options,
        camera or Strength(strength, arguments.easing),
        Encoding(arguments.codec, arguments.crf),
        arguments.part_frames,
        arguments.overwrite,
        arguments.black_bars,
        refine_of(arguments),
        tuple(
            path
            for path in (focus_file, strength_file, *camera_files(arguments), *lens_files(arguments))
            if path is not None
        ),
        arguments.transfer,
        arguments.frame_rate,
        arguments.bad_pixels,
    )
    settings.focus(None)
    lens = lens_of(arguments)
    if arguments.renderer == "model":
        falloff_alone(lens, _honoured_beside(arguments))
    return settings


def _honoured_beside(arguments: argparse.Namespace) -> tuple[str, ...]:
    """Controls of the lens that the chosen model honours beside the falloff."""
    unet = included_model() if arguments.unet is None else input_path(arguments.unet)
    return ("light",) if unet is not None and mixes_pictures(bundle_at(unet), str(unet)) else ()


def chosen_renderer(arguments: argparse.Namespace, device: torch.device) -> LensRenderer | FileModel:
    """The renderer of a command line; a model is loaded when it is first used.

    Raises:
        ValueError: model files are missing or wrong, or the lens cannot be had.
    """
    lens = lens_of(arguments)
    if arguments.renderer == "lens":
        return LensRenderer(lens, device, hidden_background=arguments.hidden_background)
    from ..model_files import FileModel

    return FileModel(
        *(
            None if text is None else input_path(text)
            for text in (arguments.unet, arguments.vae, arguments.image_encoder)
        ),
        device=device,
        dtype=DTYPES[arguments.dtype] if arguments.dtype else default_dtype(device),
        mpi_mode=arguments.mpi_mode,
        overlap=arguments.overlap,
        working_size=arguments.working_size,
        falloff=falloff_alone(lens, _honoured_beside(arguments)),
        gamma=still_part(lens).gamma,
        mend=arguments.refine is not False,
    )


def job_of(
    settings: Settings, clip: ClipPaths, renderer: ClipRenderer, estimated: EstimatedDepth | None = None
) -> RenderJob:
    """What a command line says of one clip, whose depth is estimated where it names none.

    Raises:
        ValueError: sources that cannot be used.
    """
    encoding = settings.encoding
    source: ClipSource
    if is_sequence_path(clip.video):
        source = SequenceClip(
            clip.video,
            DEFAULT_FRAME_RATE if settings.frame_rate is None else settings.frame_rate,
            encoding.keeps_alpha,
            settings.transfer,
            settings.bad_pixels or REPLACE,
        )
    else:
        _require_none_of_pictures(settings, clip.video)
        source = FileClip(clip.video, keep_alpha=encoding.keeps_alpha, transfer=settings.transfer)
    # In a folder nobody names the files, so each gets an ending that holds its sound.
    named = f"{clip.video.stem}{source.ending(encoding)}"
    output = clip.output.with_name(named) if clip.by_name else clip.output
    return RenderJob(
        source,
        estimated or FileDepth(clip.maps, settings.meaning, settings.fit),
        settings.focus(clip),
        settings.strength,
        renderer,
        output,
        encoding,
        settings.part_frames,
        settings.overwrite,
        settings.texts,
        settings.black_bars,
        refine=settings.refine,
    )


def _require_none_of_pictures(settings: Settings, video: Path) -> None:
    given = {"--frame-rate": settings.frame_rate, "--bad-pixels": settings.bad_pixels}
    for option, value in given.items():
        if value is not None:
            raise ValueError(
                f"{option} {value} is for clips that are pictures, and {video.name} is a video; leave it out."
            )


def input_path(text: str) -> Path:
    """The file or folder that a text of the command line names.

    Raises:
        ValueError: there is none.
    """
    return find_path(text, Path.cwd())


def source_path(text: str) -> Path:
    """The clip or clips that a text of the command line names: what is there, or pictures as shot.####.exr.

    Raises:
        ValueError: there is nothing.
    """
    named = typed_path(text, Path.cwd())
    return named if is_sequence_path(named) else input_path(text)


def output_path(text: str) -> Path:
    """The path of a file or folder to be made.

    Raises:
        ValueError: the text is no path.
    """
    return typed_path(text, Path.cwd())


def _mask_of(clip: ClipPaths, name: str) -> Path:
    return clip.own(input_path(name))
