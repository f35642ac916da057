"""Which models lie in a user's model folders, under the names a dropdown shows."""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from .files import FOLDER_WEIGHTS, SAFETENSORS, Component, find_model, read_json, read_safetensors_header

CONFIG = "config.json"
# The key that only this model's config has.
CONFIG_MARKS: dict[Component, str] = {"unet": "cross_attention_dim", "vae": "latent_channels"}
# What the converter's instructions call its results; shown where a user has no model yet.
EXPECTED_NAMES: dict[Component, str] = {
    "unet": "any_to_bokeh_unet.safetensors",
    "vae": "any_to_bokeh_vae.safetensors",
}


def models_in(root: Path, component: Component) -> list[str]:
    """Files and published folders below `root` that can be the wanted model, as relative paths with slashes.

    A .safetensors file of its own is listed for both models: only reading it tells which it is.
    """
    found: list[str] = []
    for folder, below, names in os.walk(root, followlinks=True):
        below.sort()
        here = Path(folder)
        if CONFIG in names and any(name in names for name in FOLDER_WEIGHTS):
            below.clear()
            if is_config_of(here / CONFIG, component):
                found.append(here.relative_to(root).as_posix())
        else:
            found += [
                (here / n).relative_to(root).as_posix() for n in sorted(names) if n.endswith(SAFETENSORS)
            ]
    return [name for name in found if name != "."]


def is_config_of(path: Path, component: Component) -> bool:
    """Tell whether a config.json is the wanted model's; an unreadable one is nobody's."""
    try:
        return CONFIG_MARKS[component] in read_json(path)
    except (OSError, ValueError):
        return False


def choices(shared: Iterable[str], own: Iterable[str], component: Component) -> list[str]:
    """Names for a dropdown, those of the shared folder first; the expected file where there is none."""
    names = [name for name in shared if name.endswith(SAFETENSORS)]
    return list(dict.fromkeys([*names, *own])) or [EXPECTED_NAMES[component]]


def best_choice(names: Sequence[str]) -> str:
    """The first name that speaks of bokeh, else the first."""
    return next((name for name in names if "bokeh" in name.lower()), names[0])


def state_of_model(path: Path, component: Component) -> str:
    """Name, size and time of a model's files; changes when they do.

    Raises:
        ValueError: see `find_model`.
    """
    files = find_model(path, component)
    stats = [(file.name, file.stat().st_size, file.stat().st_mtime_ns) for file in files.weights]
    return repr(stats)


def count_parameters(path: Path, component: Component) -> int:
    """Number of weights in a model's files, read from their headers; 0 where those are pickles.

    Raises:
        ValueError: see `find_model` and `read_safetensors_header`.
    """
    files = find_model(path, component)
    if not files.is_safetensors:
        return 0
    shapes, _ = read_safetensors_header(files.weights)
    return sum(math.prod(shape) for shape in shapes.values())
