"""Command line of the training: python -m bokeh_lab.train --help."""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import torch

from bokeh_core.checkpoint.precision import DTYPES
from bokeh_core.checkpoint.write import require_destination
from bokeh_core.console import advance, progress_bar, write_what_the_stream_can_show

from .config import STAGES, Stage
from .config_file import CONFIGS, PHASES, apply_settings, phase_configs, read_yaml, stage_config, train_config
from .demo import DemoReport, run_demo
from .export import mpi_mode_of, training_facts, write_bundle
from .loop import Result, train
from .networks import build_network
from .recipe import run_recipe
from .shards import write_shards

_COLUMNS = ("psnr", "edge_psnr", "ssim", "rm")


def parse(argv: Sequence[str]) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m bokeh_lab.train",
        description="Train the model. The same command continues where it stopped. On many GPUs: "
        "accelerate launch -m bokeh_lab.train ...",
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    texts = {
        "stage0": "a VAE from nothing",
        "stage1": "the U-Net, on latents",
        "stage2": "the temporal blocks, with disturbed disparity",
        "stage3": "the VAE's decoder, in pixels",
        "pixels": "U-Net and decoder end to end in pixels (small models)",
        "recipe": "all phases of a file, each from the results of the last",
        "shards": "render the training clips of a config into tar files",
        "demo": "minutes on a CPU: see the loss fall and a clip before and after",
    }
    for name, text in texts.items():
        command = commands.add_parser(name, help=text, description=text[0].upper() + text[1:] + ".")
        command.add_argument(
            "--config",
            type=Path,
            required=name != "demo",
            default=CONFIGS / "demo.yaml",
            help=f"YAML file; examples are in {CONFIGS.parent.name}/{CONFIGS.name}",
        )
        command.add_argument(
            "--set", action="append", default=[], metavar="KEY=VALUE", help="replace one value; repeatable"
        )
    bundle = commands.add_parser("bundle", help="U-Net, VAE and layers as one file")
    bundle.add_argument("--config", type=Path, required=True, help="recipe or stage that was trained")
    bundle.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="replace one value")
    bundle.add_argument(
        "--to", type=Path, required=True, metavar="FILE", help="the .safetensors file to write"
    )
    bundle.add_argument(
        "--dtype", choices=sorted(DTYPES), default="fp16", help="of the weights (default: fp16)"
    )
    return parser.parse_args(argv)


def run(arguments: argparse.Namespace) -> None:
    """Do what the command line says.

    Raises:
        ValueError: anything a user can mend.
    """
    values = read_yaml(arguments.config)
    if arguments.set:
        # In a recipe a setting holds for every phase.
        if PHASES in values:
            phase_configs(values)  # before the settings, so that what is wrong in the file is named as such
            values = {**values, PHASES: [apply_settings(phase, arguments.set) for phase in values[PHASES]]}
        else:
            values = apply_settings(values, arguments.set)
    phases = phase_configs(values) if PHASES in values else None
    if arguments.command in STAGES:
        report(arguments.command, train(stage_config(values, arguments.command), arguments.command))
    elif arguments.command == "shards":
        config = phases[0][1] if phases else train_config(values)
        with progress_bar("shards", "shard", quiet_s=1) as bar:
            count = write_shards(
                config.data,
                config.seed,
                device=ray_device(config.data.device),
                workers=config.data.workers,
                progress=partial(advance, bar),
            )
        say(f"{config.data.shards}: {count} shards, {config.data.scenes} scenes")
    elif arguments.command == "bundle":
        write_trained_bundle(arguments, values)
    elif phases is None:
        raise ValueError(f"{arguments.config} has no {PHASES}; `{arguments.command}` needs a recipe.")
    elif arguments.command == "demo":
        report_demo(run_demo(phases, say))
    else:
        run_recipe(phases, lambda number, stage, result: report(f"{number}. {stage}", result))


def ray_device(wanted: str) -> str:
    """Where shards are ray-traced."""
    return "cuda" if wanted == "auto" and torch.cuda.is_available() else "cpu"


def write_trained_bundle(arguments: argparse.Namespace, values: dict[str, object]) -> None:
    """Join the results of a recipe, all of whose phases are finished, or the files that a config names."""
    require_destination(arguments.to)
    stage: Stage = "pixels"
    if PHASES in values:
        phases = phase_configs(values)
        stage, config = phases[-1][0], run_recipe(phases)
    else:
        config = train_config(values)
    network = build_network(config, stage, torch.device("cpu"))
    facts = training_facts(config, stage)
    write_bundle(network, mpi_mode_of(config), arguments.to, facts, DTYPES[arguments.dtype])
    say(f"{arguments.to}: {arguments.to.stat().st_size / 1e6:.1f} MB")


def say(text: str = "") -> None:
    """One line on standard output, at once."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def report(title: str, result: Result) -> None:
    """Print what a run left behind."""
    say(f"{title}: {', '.join(result.files.values())}")
    if result.validation:
        print_metrics({**result.baselines, "network": result.validation})


def report_demo(found: DemoReport) -> None:
    """Print the demo's findings."""
    say()
    for stage, (first, last) in found.losses.items():
        unit = " of the sharp frames' own" if stage == "pixels" else ""
        say(f"{stage:8} loss {first:.4f} -> {last:.4f}{unit}")
    say("\nHeld-out clips (unseen pictures):")
    print_metrics(found.metrics)
    say("\nLook at:")
    for file in found.files:
        say(f"  {file}")


def print_metrics(rows: dict[str, dict[str, float]]) -> None:
    """Print a table, a row a renderer."""
    say(f"{'':10}" + "".join(f"{name:>11}" for name in _COLUMNS))
    for name, row in rows.items():
        say(f"{name:10}" + "".join(f"{row[c]:11.4f}" if c in row else f"{'-':>11}" for c in _COLUMNS))


def main(argv: Sequence[str] | None = None) -> int:
    """Command line; 0 when all is done, 1 with the reason on stderr otherwise, 130 after Ctrl-C."""
    write_what_the_stream_can_show()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    logging.getLogger("accelerate").setLevel(logging.WARNING)
    try:
        run(parse(sys.argv[1:] if argv is None else argv))
    except (ValueError, RuntimeError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    except OSError as error:
        sys.stderr.write(f"The system says: {error}. The same command goes on from the latest checkpoint.\n")
        return 1
    except KeyboardInterrupt:
        sys.stderr.write("\nStopped; the same command goes on from the latest checkpoint.\n")
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
