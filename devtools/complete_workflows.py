"""Gives the nodes of saved workflows the inputs that they have had since: templates show every setting."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from .environment import PACK

FOLDERS = (PACK / "example_workflows", PACK / "subgraphs")
WIDGETS = ("INT", "FLOAT", "STRING", "BOOLEAN", "COMBO", "ANY_TO_BOKEH_VIEWFINDER")
# How front ends mark what may stay unconnected.
OPTIONAL_SHAPE = 7

Json = dict[str, Any]


def complete_files(object_info: Json) -> list[Path]:
    """Write the templates and blueprints that lack inputs anew; return which."""
    written = []
    for path in sorted(path for folder in FOLDERS for path in folder.glob("*.json")):
        workflow = json.loads(path.read_text(encoding="utf-8"))
        if complete(workflow, object_info):
            path.write_text(json.dumps(workflow, indent=2) + "\n", encoding="utf-8")
            written.append(path)
    return written


def complete(workflow: Json, object_info: Json) -> bool:
    """Append what nodes lack, with its default, where the host knows them; return whether anything was."""
    changed = False
    for graph in (workflow, *workflow.get("definitions", {}).get("subgraphs", [])):
        for node in graph["nodes"]:
            if node["type"] in object_info and _complete_node(node, object_info[node["type"]]):
                changed = True
                _renumber(graph, node)
    return changed


def _complete_node(node: Json, info: Json) -> bool:
    present = {saved["name"]: saved for saved in node.get("inputs", [])}
    # Sockets come first, as in what front ends save.
    wanted = sorted(_inputs_of(info), key=lambda entry: "widget" in entry[0])
    missing = [(saved, default) for saved, default in wanted if saved["name"] not in present]
    if not missing:
        return False
    node["inputs"] = [present.get(saved["name"], saved) for saved, _ in wanted]
    node.setdefault("widgets_values", []).extend(default for saved, default in missing if "widget" in saved)
    return True


def _inputs_of(info: Json) -> Iterator[tuple[Json, Any]]:
    """Each input as it is saved, and its default."""
    for section in ("required", "optional"):
        for name in info["input_order"].get(section, []):
            kind, *rest = info["input"][section][name]
            options = rest[0] if rest else {}
            choices = kind if isinstance(kind, list) else options.get("options", [None])
            type_name = "COMBO" if isinstance(kind, list) else kind
            saved: Json = {"name": name}
            if section == "optional":
                saved["shape"] = OPTIONAL_SHAPE
            saved["type"] = type_name
            if type_name in WIDGETS:
                saved["widget"] = {"name": name}
            yield {**saved, "link": None}, options.get("default", choices[0])


def _renumber(graph: Json, node: Json) -> None:
    """Let links that end at a node name the places that its inputs have."""
    slots = {saved["link"]: slot for slot, saved in enumerate(node["inputs"]) if saved["link"] is not None}
    for link in graph["links"]:
        # A list at the top, an object in a subgraph.
        number, slot_key = (link["id"], "target_slot") if isinstance(link, dict) else (link[0], 4)
        if number in slots:
            link[slot_key] = slots[number]
