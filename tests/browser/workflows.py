"""The workflows that the pack ships, and those saved with earlier states of it."""

import json
from pathlib import Path

from tests.browser.front_end import Workflow

FOLDER = Path(__file__).resolve().parents[2] / "example_workflows"
SAVED = FOLDER.parent / "tests" / "host" / "saved_workflows"
# Front ends that know apps open this one as a form.
APP = "5_app_your_clip_and_depth"
NAMES = sorted(file.stem for file in FOLDER.glob("*.json") if file.stem != APP)
SAVED_NAMES = sorted(file.stem for file in SAVED.glob("*.json"))
assert NAMES and SAVED_NAMES, f"no workflows in {FOLDER}; tests that run for each would pass by not running"


def workflow(name: str) -> Workflow:
    """Return a workflow as it is saved."""
    folder = FOLDER if name in [*NAMES, APP] else SAVED
    loaded: Workflow = json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))
    return loaded


def loads_models(name: str) -> bool:
    """Whether a workflow has a node that loads a model."""
    types = [node["type"] for node in workflow(name)["nodes"]]
    return any("LoadModel" in kind or "Loader" in kind for kind in types)


assert not all(map(loads_models, NAMES)), "no workflow opens on the newest front end without models"
