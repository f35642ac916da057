"""What the command line says of depth: where it is, what it means, how it lies on the frames."""

from __future__ import annotations

import argparse

from ...clip.letterbox import BLACK_BARS
from ...disparity.conversion import NORMALISATIONS, POLARITIES, SOURCES, DepthMeaning
from ...disparity.fit import FITS, MapFit
from ...disparity.holes import HOLES


def add_depth(command: argparse.ArgumentParser) -> None:
    """Give a command line its options for depth."""
    depth = command.add_argument_group("depth")
    add = depth.add_argument
    add(
        "--disparity",
        metavar="D",
        required=True,
        help="maps of the video: folder, video, still, NPY or NPZ; for a folder of videos, a folder with "
        "those of each under its name",
    )
    add("--depth-source", choices=SOURCES, default=DepthMeaning.source, help="what the values are")
    add("--polarity", choices=POLARITIES, default=DepthMeaning.polarity, help="which end is near")
    add(
        "--normalisation",
        choices=NORMALISATIONS,
        default=DepthMeaning.normalisation,
        help="how values become 0 to 1",
    )
    add("--exponent", type=float, default=DepthMeaning.exponent, help="2 undoes maps stored as a square root")
    add(
        "--holes",
        choices=HOLES,
        default=DepthMeaning.holes,
        help="what becomes of pixels that are NaN, infinite or, in metric depth, 0 or less: an error "
        "(default), disparity 0, or that of the nearest pixel with depth",
    )
    add(
        "--fit",
        choices=FITS,
        default=MapFit.fit,
        help="maps of another shape are stretched to the frames (default), cut about the centre if they show "
        "more, put in the middle if they show less, or turned by a quarter",
    )
    add(
        "--frame-offset",
        type=int,
        default=MapFit.frame_offset,
        metavar="N",
        help="number of the map of the first frame, default 0; negative if the maps begin later",
    )
    add(
        "--frames-per-map",
        type=float,
        default=MapFit.frames_per_map,
        metavar="N",
        help="frames from one map to the next, default 1; 3 for 8 maps a second of 24 frames a second",
    )
    add(
        "--black-bars",
        choices=BLACK_BARS,
        default=BLACK_BARS[0],
        help="around the picture, where there are any: left out of the range of depth and of the blur "
        "(default), or blurred as a part of it",
    )


def meaning_of(arguments: argparse.Namespace) -> DepthMeaning:
    """What the values of maps are.

    Raises:
        ValueError: a setting out of range.
    """
    return DepthMeaning(
        arguments.depth_source,
        arguments.polarity,
        arguments.normalisation,
        arguments.exponent,
        arguments.holes,
    )


def fit_of(arguments: argparse.Namespace) -> MapFit:
    """How maps lie on the frames.

    Raises:
        ValueError: a setting out of range.
    """
    return MapFit(arguments.fit, arguments.frame_offset, arguments.frames_per_map)
