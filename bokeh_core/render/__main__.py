"""Lens blur or the paper's model on video files of any length, without a host.

python -m bokeh_core.render IN.mp4 --disparity DEPTH --focus point:512,288 --strength 16 -o OUT.mp4
accelerate launch -m bokeh_core.render CLIPS/ --disparity DEPTHS/ -o RENDERED/
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import torch

from ..console import write_what_the_stream_can_show
from ..disparity import NORMALISATIONS, POLARITIES, SOURCES
from ..disparity_recipe import DepthMeaning
from ..focus import BETWEEN_POINTS
from ..lens import GAMMA_OF_LIGHT, Aperture
from ..schedule import EASINGS
from ..video_io import CODECS, DEFAULT_CRF, Encoding
from .clips import ClipPaths, clips_at
from .depth import FileDepth
from .job import PART_FRAMES, RenderJob, render_clip
from .processes import Process, this_process
from .progress import ProgressLine
from .renderers import ClipRenderer, LensRenderer
from .settings import Strength, parse_focus
from .source import FileClip

DTYPES = {"fp32": torch.float32, "fp16": torch.float16, "bf16": torch.bfloat16}
FAILED, STOPPED = 1, 130


def parser() -> argparse.ArgumentParser:
    """The command line."""
    command = argparse.ArgumentParser(
        prog="python -m bokeh_core.render",
        description="Give videos of any length the blur of a lens. A run that was stopped goes on where it "
        "was when the same command is given again.",
    )
    add = command.add_argument
    add("source", metavar="IN", type=Path, help="video, or folder of videos")
    add("-o", "--output", metavar="OUT", type=Path, required=True, help="file, or folder, to be made")
    depth = command.add_argument_group("depth")
    depth.add_argument(
        "--disparity",
        metavar="D",
        type=Path,
        required=True,
        help="maps of the video: folder, video, still, NPY or NPZ; for a folder of videos, a folder with "
        "those of each under its name",
    )
    depth.add_argument("--depth-source", choices=SOURCES, default="disparity", help="what the values are")
    depth.add_argument("--polarity", choices=POLARITIES, default="auto", help="which end is near")
    depth.add_argument(
        "--normalisation", choices=NORMALISATIONS, default="min-max", help="how values become 0 to 1"
    )
    depth.add_argument("--exponent", type=float, default=1.0, help="2 undoes maps stored as a square root")
    lens = command.add_argument_group("focus and strength; @FILE reads the text from a file")
    lens.add_argument(
        "--focus",
        default="point",
        help="0.8 (disparity), '0: 0.9, 24: 0.3' (keyframes), point (the centre; default), point:512,288, "
        "'point: 0: 512,288; 24: 700,300', or mask:FILE",
    )
    lens.add_argument(
        "--focus-smoothing", type=float, default=2.0, metavar="FRAMES", help="default 2, 0 = off"
    )
    lens.add_argument("--focus-radius", type=int, default=8, metavar="PX", help="of the disk at a point")
    lens.add_argument("--between-points", choices=BETWEEN_POINTS, default=BETWEEN_POINTS[0])
    lens.add_argument("--easing", choices=EASINGS, default="linear", help="curve between keyframes")
    lens.add_argument(
        "--strength",
        default="16",
        metavar="K",
        help="blur radius in px on a frame 1024 px wide at a disparity 1 from the focus: 16 (default), or "
        "keyframes '0:8, 48:24'",
    )
    _add_lens_blur(command)
    _add_model(command)
    output = command.add_argument_group("output")
    output.add_argument(
        "--codec",
        choices=list(CODECS),
        default="h264",
        help="; ".join(f"{name}: {codec.summary}" for name, codec in CODECS.items()),
    )
    output.add_argument(
        "--crf", type=int, default=DEFAULT_CRF, help=f"quality of H.264, default {DEFAULT_CRF}"
    )
    output.add_argument("--part-frames", type=int, default=PART_FRAMES, help="frames kept together; 8 n")
    output.add_argument("--device", default="auto", help="cpu, cuda, cuda:1; default: a GPU if there is one")
    return command


def _add_lens_blur(command: argparse.ArgumentParser) -> None:
    blur = command.add_argument_group("Lens Blur")
    blur.add_argument("--blades", type=int, default=0, help="0 is a round opening")
    blur.add_argument("--rotation", type=float, default=0.0, metavar="DEGREES")
    blur.add_argument("--roundness", type=float, default=0.0)
    blur.add_argument("--anamorphic", type=float, default=1.0)
    blur.add_argument("--cat-eye", type=float, default=0.0)
    blur.add_argument("--light", choices=list(GAMMA_OF_LIGHT), default="linear")
    blur.add_argument("--highlight-gain", type=float, default=0.0)
    blur.add_argument("--highlight-threshold", type=float, default=0.8)
    blur.add_argument("--near-strength", type=float, default=1.0)
    blur.add_argument("--far-strength", type=float, default=1.0)
    blur.add_argument("--contour-tolerance", type=float, default=4.0, help="0 trusts the map")


def _add_model(command: argparse.ArgumentParser) -> None:
    model = command.add_argument_group("the paper's model")
    model.add_argument("--renderer", choices=("lens", "model"), default="lens")
    model.add_argument(
        "--unet", type=Path, help="U-Net: .safetensors or published folder; default: bokeh-small"
    )
    model.add_argument("--vae", type=Path, help="VAE: .safetensors or published folder")
    model.add_argument("--image-encoder", type=Path, help="CLIP ViT-H/14: .safetensors or folder")
    model.add_argument("--dtype", choices=list(DTYPES), help="default: fp16 on a GPU, else fp32")
    model.add_argument("--mpi-mode", choices=("released", "paper"), help="default: what the file says")
    model.add_argument("--overlap", type=int, default=4, help="frames that windows of 8 share")
    model.add_argument("--working-size", choices=("auto", "native"), default="auto")


def chosen_device(name: str, process: Process) -> torch.device:
    """The device of a name; `auto` is a GPU if there is one, and each process of a machine has its own."""
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    if name == "cuda":
        return torch.device("cuda", process.local_rank % max(torch.cuda.device_count(), 1))
    return torch.device(name)


def chosen_renderer(words: argparse.Namespace, device: torch.device) -> ClipRenderer:
    """The renderer of a command line.

    Raises:
        ValueError: model files are missing or wrong.
    """
    if words.renderer == "lens":
        return LensRenderer(
            Aperture(words.blades, words.rotation, words.roundness, words.anamorphic, words.cat_eye),
            words.light,
            words.highlight_gain,
            words.highlight_threshold,
            words.near_strength,
            words.far_strength,
            words.contour_tolerance,
            device,
        )
    from .model_files import model_renderer

    dtype = words.dtype or ("fp32" if device.type == "cpu" else "fp16")
    return model_renderer(
        words.unet,
        words.vae,
        words.image_encoder,
        device=device,
        dtype=DTYPES[dtype],
        mpi_mode=words.mpi_mode,
        overlap=words.overlap,
        working_size=words.working_size,
    )


def job_of(words: argparse.Namespace, clip: ClipPaths, renderer: ClipRenderer) -> RenderJob:
    """What a command line says of one clip.

    Raises:
        ValueError: settings or sources that cannot be used.
    """
    meaning = DepthMeaning(words.depth_source, words.polarity, words.normalisation, words.exponent)
    focus = parse_focus(
        _text(words.focus),
        smoothing_frames=words.focus_smoothing,
        radius_px=words.focus_radius,
        between=words.between_points,
        easing=words.easing,
        find_file=lambda name: clip.own(Path(name)),
    )
    return RenderJob(
        FileClip(clip.video, keep_alpha=CODECS[words.codec].keeps_alpha),
        FileDepth(clip.own(clip.disparity), meaning),
        focus,
        Strength(_text(words.strength), words.easing),
        renderer,
        clip.output,
        Encoding(words.codec, words.crf),
        words.part_frames,
    )


def _text(words: str) -> str:
    """The words themselves, or those in the file that @FILE names."""
    prefix, sign, name = words.partition("@")
    if not sign:
        return words
    try:
        return prefix + Path(name.strip()).read_text(encoding="utf-8")
    except OSError as error:
        raise ValueError(f"{name.strip()} cannot be read ({error.strerror}).") from error


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line; 0 when every clip is made, 1 with the reasons on stderr otherwise, 130 when stopped."""
    write_what_the_stream_can_show()
    words = parser().parse_args(arguments)
    failures: list[str] = []
    try:
        process = this_process(os.environ)
        encoding = Encoding(words.codec, words.crf)
        clips = clips_at(words.source, words.disparity, words.output, encoding.ending)
        clips = process.share_of(clips)
        renderer = chosen_renderer(words, chosen_device(words.device, process)) if clips else LensRenderer()
    except ValueError as error:
        sys.stderr.write(f"{error}\n")
        return FAILED
    for clip in clips:
        try:
            if clip.by_name:
                clip.output.parent.mkdir(parents=True, exist_ok=True)
            with ProgressLine(clip.video.name) as progress:
                report = render_clip(job_of(words, clip, renderer), progress)
        except KeyboardInterrupt:
            sys.stderr.write("Stopped. The finished parts are kept; the same command goes on with them.\n")
            return STOPPED
        except (ValueError, OSError, RuntimeError) as error:
            # One bad clip must not keep the others of a night's work from being rendered.
            failures.append(f"{clip.video}: {error}")
        else:
            sys.stdout.write(f"{clip.video.name}\n{report.text}\n")
    if failures:
        sys.stderr.write("\n".join([f"{len(failures)} of {len(clips)} clips failed:", *failures]) + "\n")
    return FAILED if failures else 0


if __name__ == "__main__":
    sys.exit(main())
