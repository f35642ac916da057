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
