"""Command line: python -m bokeh_lab.mend --help."""

from __future__ import annotations

import argparse
import logging
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import cv2
import torch

from bokeh_core.console import write_what_the_stream_can_show
from bokeh_core.disparity.refine.trained.weights import WEIGHTS_FILE, read_network

from ..scenes.library import SPLITS, AssetLibrary
from .loop import TrainingConfig, train
from .samples import files_in, write_samples
from .validation import errors

_log = logging.getLogger(__name__)


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the command line says; returns the exit status."""
    write_what_the_stream_can_show()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    options = _parser().parse_args(arguments)
    torch.set_num_threads(options.threads)
    cv2.setNumThreads(options.threads)
    try:
        options.run(options)
    except ValueError as error:
        _parser().exit(1, f"mend: {error}\n")
    return 0


def _samples(options: argparse.Namespace) -> None:
    library = AssetLibrary.load(options.pictures, split=options.split)
    seeds = range(options.seed_from, options.seed_from + options.clips * options.every, options.every)
    write_samples(options.to, seeds, library, options.size)


def _train(options: argparse.Namespace) -> None:
    if "RANK" in os.environ:
        torch.distributed.init_process_group("gloo")
    config = TrainingConfig(
        steps=options.steps,
        batch=options.batch,
        crop_px=options.crop,
        rate=options.rate,
        seed=options.seed,
        save_every=options.save_every,
    )
    held_out = files_in(options.held_out) if options.held_out else []
    train(files_in(options.samples), held_out, options.to, config)


def _errors(options: argparse.Namespace) -> None:
    _log.info("%s", errors(read_network(options.weights), files_in(options.samples)))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m bokeh_lab.mend",
        description="Train the network of Refine Depth. The same command continues where it stopped; several "
        "processes share the work: python -m torch.distributed.run --nproc-per-node 4 "
        "-m bokeh_lab.mend train ...",
    )
    parser.add_argument("--threads", type=int, default=1, help="of a process (default: 1)")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    samples = commands.add_parser("samples", help="film clips and spoil their depth: a file a clip")
    samples.add_argument("--to", type=Path, required=True, metavar="FOLDER", help="where the files go")
    samples.add_argument("--clips", type=int, required=True, help="how many")
    samples.add_argument("--seed-from", type=int, default=20000, help="seed of the first (default: 20000)")
    samples.add_argument("--every", type=int, default=1, help="step of seeds, to share them among processes")
    samples.add_argument("--pictures", type=Path, metavar="FOLDER", help="of bokeh_lab.scenes.fetch")
    samples.add_argument("--split", choices=SPLITS, default="training", help="of the pictures")
    samples.add_argument("--size", type=_size, metavar="WxH", help="of the clips; default: drawn")
    samples.set_defaults(run=_samples)

    learn = commands.add_parser("train", help="learn from samples")
    learn.add_argument("--samples", type=Path, required=True, metavar="FOLDER", help="to learn from")
    learn.add_argument("--held-out", type=Path, metavar="FOLDER", help="samples that errors are told of")
    learn.add_argument("--to", type=Path, required=True, metavar="FOLDER", help="checkpoint and weights")
    learn.add_argument("--steps", type=int, default=TrainingConfig.steps, help="in all")
    learn.add_argument("--batch", type=int, default=TrainingConfig.batch, help="crops a step")
    learn.add_argument("--crop", type=int, default=TrainingConfig.crop_px, help="side of a crop, px")
    learn.add_argument("--rate", type=float, default=TrainingConfig.rate, help="highest learning rate")
    learn.add_argument("--seed", type=int, default=TrainingConfig.seed, help="of weights and crops")
    learn.add_argument("--save-every", type=int, default=TrainingConfig.save_every, help="steps")
    learn.set_defaults(run=_train)

    told = commands.add_parser("errors", help="how far mended maps of samples are from the truth")
    told.add_argument("--samples", type=Path, required=True, metavar="FOLDER", help="of other clips")
    told.add_argument(
        "--weights", type=Path, default=WEIGHTS_FILE, metavar="FILE", help="default: the pack's"
    )
    told.set_defaults(run=_errors)
    return parser


def _size(text: str) -> tuple[int, int]:
    width, _, height = text.partition("x")
    return int(height), int(width)


if __name__ == "__main__":
    sys.exit(main())
