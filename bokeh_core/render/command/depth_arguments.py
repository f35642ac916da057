"""What the command line says of depth: where it is, what it means, how it lies on the frames."""

from __future__ import annotations

import argparse
from pathlib import Path

import torch

from ...clip.letterbox import BLACK_BARS
from ...disk.typed_paths import typed_path
from ...disparity.estimator import (
    REPOSITORIES,
    SMALL,
    DepthEstimator,
    EstimatorFiles,
    cached,
    fetched,
    suited_to,
)
from ...disparity.fit import FITS, MapFit
from ...disparity.holes import HOLES
from ...disparity.meaning import NORMALISATIONS, POLARITIES, SOURCES, DepthMeaning
from ...disparity.refine.settings import PARTS, RefineSettings, settings_named
from ..estimated import EstimatedDepth

ESTIMATE = "estimate"
_NAMED = ", ".join(f"{name} ({licence})" for name, licence in REPOSITORIES.items())


def add_depth(command: argparse.ArgumentParser) -> None:
    """Give a command line its options for depth."""
    depth = command.add_argument_group("depth")
    add = depth.add_argument
    add(
        "--disparity",
        metavar="D",
        required=True,
        help="maps of the video: folder, video, still, NPY or NPZ; for a folder of videos, a folder with "
        "those of each under its name; or the word estimate, for Depth Anything V2",
    )
    add(
        "--depth-model",
        metavar="M",
        help="for estimate: a folder with config.json and model.safetensors, or the name of a repository, "
        f"which is downloaded where it is not in the cache yet: {_NAMED}. Default: {SMALL} from the cache",
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
    add(
        "--refine",
        action=argparse.BooleanOptionalAction,
        default=None,
        help="mend the maps by the frames: flicker, soft outlines and torn limbs; about 0.3 s a frame of "
        "1024 x 576; default: on for estimate and for bokeh-small, off for maps through others",
    )
    add(
        "--refine-parts",
        metavar="PARTS",
        help=f"refine, and only these, with commas: {', '.join(PARTS)}; --refine alone is all of them",
    )


def refine_of(arguments: argparse.Namespace) -> RefineSettings | None:
    """What is refined: estimated maps, which waver, unless they shall not be, and others where they shall.

    Raises:
        ValueError: a part that is none, or parts of nothing.
    """
    if arguments.refine_parts is not None:
        if arguments.refine is False:
            raise ValueError(
                "--refine-parts says what is refined, and --no-refine nothing; leave one of them out."
            )
        return settings_named(arguments.refine_parts, "--refine-parts")
    refine = arguments.disparity == ESTIMATE if arguments.refine is None else arguments.refine
    return RefineSettings() if refine else None


def estimated_depth(arguments: argparse.Namespace, device: torch.device) -> EstimatedDepth | None:
    """Depth by the model of a command line, in half precision on a GPU; None where maps are named.

    Raises:
        ValueError: no model, or one for maps that are named. Only a repository that is named is fetched.
    """
    if arguments.disparity != ESTIMATE:
        if arguments.depth_model is not None:
            raise ValueError("--depth-model goes with --disparity estimate; leave it out for maps.")
        return None

    def load(files: EstimatorFiles) -> tuple[DepthEstimator, int]:
        dtype, at_once = suited_to(device)
        estimator = files.load(dtype)
        estimator.network.to(device)
        return estimator, at_once

    return EstimatedDepth(_chosen_model(arguments.depth_model), load, arguments.normalisation)


def _chosen_model(named: str | None) -> EstimatorFiles:
    if named is not None:
        folder = typed_path(named, Path.cwd())
        return EstimatorFiles(folder) if folder.is_dir() else fetched(named)
    found = cached(SMALL)
    if found is None:
        raise ValueError(
            f"There is no depth model in the cache. --depth-model {SMALL} downloads it "
            f"({REPOSITORIES[SMALL]}); or name a folder that holds one, or maps."
        )
    return found


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
