"""The workflows that the pack ships."""

import json
from pathlib import Path

from tests.browser.front_end import Workflow

FOLDER = Path(__file__).resolve().parents[2] / "workflows"
NAMES = sorted(file.stem for file in FOLDER.glob("*.json"))
assert NAMES, f"no workflows in {FOLDER}; tests that run for each would pass by not running"


def workflow(name: str) -> Workflow:
    """Return a workflow as it is saved."""
    loaded: Workflow = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    return loaded


def loads_models(name: str) -> bool:
    """Whether a workflow has a node that loads a model."""
    types = [node["type"] for node in workflow(name)["nodes"]]
    return any("LoadModel" in kind or "Loader" in kind for kind in types)


assert not all(map(loads_models, NAMES)), "no workflow opens on the newest front end without models"
