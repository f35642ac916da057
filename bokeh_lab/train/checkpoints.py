"""Checkpoints of a run: complete or not there, and enough to go on as if nothing had happened."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bokeh_core.disk.whole_file import UNFINISHED

from .config import Stage, TrainConfig

if TYPE_CHECKING:
    from accelerate import Accelerator  # type: ignore[import-untyped]

FOLDER = "checkpoints"
_PROGRESS = "progress.json"
_NAME = re.compile(r"step-(\d{8})")
# What may change between two starts of a run: it does not touch what is learnt.
_FREE = {
    "run": ("log_every", "checkpoint_every", "keep_checkpoints", "cpu", "gradient_checkpointing"),
    "data": ("workers", "prefetch", "device"),
}


class Checkpoints:
    """The numbered checkpoints of one run.

    Each is a folder that `Accelerator.save_state` fills: weights, optimiser, moving average, random states.
    It is filled under another name and renamed when it is complete.
    """

    def __init__(self, output: Path, config: TrainConfig, stage: Stage) -> None:
        self._folder = output / FOLDER
        self._keep = config.run.keep_checkpoints
        self._settings = settings_learnt_with(config, stage)

    def steps(self) -> list[int]:
        """Steps of the complete checkpoints, ascending."""
        if not self._folder.is_dir():
            return []
        found = (_NAME.fullmatch(path.name) for path in self._folder.iterdir())
        return sorted(int(match[1]) for match in found if match)

    def path(self, step: int) -> Path:
        """Folder of a checkpoint."""
        return self._folder / f"step-{step:08d}"

    def save(self, accelerator: Accelerator, step: int) -> None:
        """Write the state after `step` steps and drop the oldest; every process calls this."""
        part = self._folder / f"step-{step:08d}{UNFINISHED}"
        if accelerator.is_main_process:
            self._remove_unfinished()
            part.mkdir(parents=True)
        accelerator.wait_for_everyone()
        accelerator.save_state(str(part))
        accelerator.wait_for_everyone()
        if accelerator.is_main_process:
            progress = {"step": step, "config": self._settings}
            (part / _PROGRESS).write_text(json.dumps(progress), encoding="utf-8")
            shutil.rmtree(self.path(step), ignore_errors=True)
            os.replace(part, self.path(step))
            for old in self.steps()[: -self._keep]:
                shutil.rmtree(self.path(old))
        accelerator.wait_for_everyone()

    def resume(self, accelerator: Accelerator) -> int:
        """Load the latest checkpoint and return its step; 0 where there is none.

        Raises:
            ValueError: it belongs to a run with another config.
        """
        steps = self.steps()
        if not steps:
            return 0
        path = self.path(steps[-1])
        found = json.loads((path / _PROGRESS).read_text(encoding="utf-8"))["config"]
        changed = _differences(found, self._settings)
        if changed:
            raise ValueError(
                f"{self._folder} holds checkpoints of a run with other values of {', '.join(changed)}; "
                "name another folder in output, or delete it."
            )
        accelerator.load_state(str(path))
        return steps[-1]

    def _remove_unfinished(self) -> None:
        for part in self._folder.glob(f"step-*{UNFINISHED}"):
            shutil.rmtree(part)


def settings_learnt_with(config: TrainConfig, stage: Stage) -> dict[str, Any]:
    """All values of a config that decide what is learnt, by dotted key."""
    values = asdict(config)
    for section, names in _FREE.items():
        for name in names:
            del values[section][name]
    del values["output"], values["validation"]
    return json.loads(json.dumps(_flat(values) | {"stage": stage}))


def _flat(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in values.items():
        if isinstance(value, Mapping):
            flat |= _flat(value, f"{prefix}{key}.")
        else:
            flat[prefix + key] = value
    return flat


def _differences(found: Mapping[str, Any], wanted: Mapping[str, Any]) -> list[str]:
    return sorted(key for key in found.keys() | wanted.keys() if found.get(key) != wanted.get(key))
