"""Several stages one after another, each starting from what the one before it wrote."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from .config import Stage, TrainConfig
from .loop import Result, train


def phase_folder(output: str, number: int, stage: Stage) -> Path:
    """Folder of a phase below the recipe's own, numbered from 1."""
    return Path(output) / f"{number}-{stage}"


def run_recipe(
    phases: Sequence[tuple[Stage, TrainConfig]],
    on_phase: Callable[[int, Stage, Result], None] = lambda number, stage, result: None,
) -> TrainConfig:
    """Run phases in order; finished ones are skipped, and one that was cut off goes on.

    A phase starts from the files of the phases before it, unless its own `model` names others.

    Args:
        phases: stages with their configs; all have the same `output`, below which each has a folder.
        on_phase: called after each phase with its number from 1.

    Returns:
        The config of the last phase, with its output folder and the latest files in `model`.

    Raises:
        ValueError: see `train`; or no phases.
    """
    files: dict[str, Any] = {}
    last: TrainConfig | None = None
    for number, (stage, config) in enumerate(phases, start=1):
        own = config.model
        named = {name for name in ("unet", "vae", "layers") if getattr(own, name) is not None}
        begin = replace(own, **{name: path for name, path in files.items() if name not in named})
        folder = str(phase_folder(config.output, number, stage))
        result = train(replace(config, output=folder, model=begin), stage)
        files |= result.files
        last = replace(config, output=folder, model=replace(begin, **files))
        on_phase(number, stage, result)
    if last is None:
        raise ValueError("A recipe needs at least one phase.")
    return last
