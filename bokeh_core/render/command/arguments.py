"""The command line of `python -m bokeh_core.render`: its options."""

from __future__ import annotations

import argparse

from ...checkpoint.precision import DTYPES
from ...focus.at_point import BETWEEN_POINTS, DEFAULT_BETWEEN_POINTS
from ...lens.bad_pixels import BAD_PIXELS
from ...published import MPI_MODES, OVERLAP_FRAMES, WINDOW_FRAMES
from ...schedule.values import EASINGS
from ...version import version
from ...video_io import DEFAULT_CRF, ENCODINGS
from ...video_io.format import AS_TAGGED, TRANSFER_CHOICES
from ..job import PART_FRAMES
from ..sequence import DEFAULT_FRAME_RATE
from .camera_arguments import add_camera
from .depth_arguments import add_depth
from .lens_arguments import add_lens

EXAMPLES = """A clip and its depth, sharp at the centre of the frame:
  {called} clip.mp4 --disparity depth.mp4 -o out.mp4

A clip without depth, which Depth Anything V2 estimates; sharp at a pixel, with stronger blur:
  {called} clip.mp4 --disparity estimate --focus point:512,288 --strength 24 -o out.mp4

A folder of clips, each with the depth of its name; the focus pulled from near to far, for editing:
  {called} clips --disparity depths --focus "0: 0.9, 48: 0.3" --codec prores -o blurred
"""


def parser(called: str = "python -m bokeh_core.render") -> argparse.ArgumentParser:
    """The command line; `called` is how the user calls it."""
    command = argparse.ArgumentParser(
        prog=called,
        usage="%(prog)s IN --disparity {DEPTH | estimate} -o OUT [options]",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        description=EXAMPLES.format(called=called),
        epilog="Give the same command again to continue a stopped run; a finished one is not repeated.\n"
        "An existing file is never overwritten unless --overwrite says so.",
    )
    add = command.add_argument
    add("--version", action="version", version=f"bokeh {version()}", help="which version this is")
    add(
        "source",
        metavar="IN",
        help="video, folder of videos, or the pictures of a clip: a folder of OpenEXR, PNG or TIFF files, or "
        "one clip of several in it as shot.####.exr",
    )
    add("-o", "--output", metavar="OUT", required=True, help="file, or folder, to be made")
    add(
        "--overwrite",
        action="store_true",
        help="replace files of OUT that are not the result of this very command; sources never are replaced",
    )
    add(
        "--transfer",
        choices=TRANSFER_CHOICES,
        default=AS_TAGGED,
        help="how the numbers of IN mean light: as its tags say (default), display (gamma 2.2), linear, pq "
        "or hlg; for files whose tags are missing or wrong",
    )
    add(
        "--frame-rate",
        type=float,
        metavar="FPS",
        help=f"frames a second of pictures, default {DEFAULT_FRAME_RATE:g}; 23.976 is 24000/1001. Videos "
        "have their own",
    )
    add(
        "--bad-pixels",
        choices=BAD_PIXELS,
        help="NaN and infinite pixels of OpenEXR: replaced from around them (default), or refused at once",
    )
    add_depth(command)
    lens = command.add_argument_group("focus and strength; @FILE reads the text from a file")
    lens.add_argument(
        "--focus",
        help="auto (default: the subject of each shot), 0.8 (disparity), '0: 0.9, 24: 0.3' (keyframes), "
        "point (the centre), point:512,288, 'point: 0: 512,288; 24: 700,300', mask:FILE, @FILE (a focus "
        "script, for example) and point:@FILE",
    )
    lens.add_argument(
        "--focus-smoothing", type=float, default=2.0, metavar="FRAMES", help="default 2, 0 = off"
    )
    lens.add_argument("--focus-radius", type=int, default=8, metavar="PX", help="of the disk at a point")
    lens.add_argument(
        "--between-points",
        choices=BETWEEN_POINTS,
        default=DEFAULT_BETWEEN_POINTS,
        help=f"keyframes of points; default {DEFAULT_BETWEEN_POINTS}",
    )
    lens.add_argument("--easing", choices=EASINGS, default="linear", help="curve between keyframes")
    lens.add_argument(
        "--strength",
        metavar="K",
        help="blur radius in px on a frame 1024 px wide at a disparity 1 from the focus: 16 (default), or "
        "keyframes '0:8, 48:24'",
    )
    add_camera(command)
    add_lens(command)
    _add_model(command)
    output = command.add_argument_group("output")
    output.add_argument(
        "--codec",
        choices=list(ENCODINGS),
        default="h264",
        help="; ".join(f"{name}: {codec.summary}" for name, codec in ENCODINGS.items()),
    )
    output.add_argument(
        "--crf", type=int, default=DEFAULT_CRF, help=f"quality of H.264, default {DEFAULT_CRF}"
    )
    output.add_argument("--part-frames", type=int, default=PART_FRAMES, help="frames kept together; 8 n")
    output.add_argument("--device", default="auto", help="cpu, cuda, cuda:1, xpu, mps; default: any GPU")
    return command


def _add_model(command: argparse.ArgumentParser) -> None:
    model = command.add_argument_group("the paper's model")
    model.add_argument("--renderer", choices=("lens", "model"), default="lens")
    model.add_argument("--unet", help="U-Net: .safetensors or published folder; default: bokeh-small")
    model.add_argument("--vae", help="VAE: .safetensors or published folder")
    model.add_argument("--image-encoder", help="CLIP ViT-H/14: .safetensors or folder")
    model.add_argument("--dtype", choices=list(DTYPES), help="default: fp16 on a GPU, else fp32")
    model.add_argument("--mpi-mode", choices=MPI_MODES, help="default: what the file says")
    model.add_argument(
        "--overlap",
        type=int,
        help=f"frames that windows of {WINDOW_FRAMES} share; default: what the file says, or "
        f"{OVERLAP_FRAMES}",
    )
    model.add_argument("--working-size", choices=("auto", "native"), default="auto")
