"""The depth model of `dev.py demo`: found where people keep it, lent to the host, never downloaded."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path

from .host import link_folder

MODEL_TYPE = "depth_anything"
REPOSITORY = "depth-anything/Depth-Anything-V2-Small-hf"
# Where a host looks for depth models, below its base directory.
HOST_FOLDER = Path("models") / "depth_anything"


def hub_cache(environment: Mapping[str, str]) -> Path:
    """The folder in which the hub's library keeps models, as it finds it itself."""
    if chosen := environment.get("HF_HUB_CACHE"):
        return Path(chosen)
    home = environment.get("HF_HOME")
    return (Path(home) if home else Path.home() / ".cache" / "huggingface") / "hub"


def depth_model_in_place(base: Path, cache: Path) -> Path | None:
    """A folder with a depth model: one of the host, else the Small one in the hub's cache; else None.

    Args:
        base: directory of the host.
        cache: see `hub_cache`.
    """
    snapshots = cache / f"models--{REPOSITORY.replace('/', '--')}" / "snapshots"
    folders = [*sorted((base / HOST_FOLDER).glob("*/")), *sorted(snapshots.glob("*/"))]
    return next((folder for folder in folders if _is_depth_model(folder)), None)


def lend_depth_model(base: Path) -> bool:
    """Let the host in a base directory find a depth model of this machine; False if there is none."""
    found = depth_model_in_place(base, hub_cache(os.environ))
    if found is None:
        return False
    if (base / HOST_FOLDER) not in found.parents:
        (base / HOST_FOLDER).mkdir(parents=True, exist_ok=True)
        link_folder(found, base / HOST_FOLDER / REPOSITORY.rpartition("/")[2])
    return True


def _is_depth_model(folder: Path) -> bool:
    try:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    known = isinstance(config, dict) and config.get("model_type") == MODEL_TYPE
    return known and any(folder.glob("*.safetensors"))
