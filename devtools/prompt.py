"""A workflow as the front end saves it (litegraph JSON) -> a prompt as the host's API takes it."""

from __future__ import annotations

from typing import Any

from .client import Prompt

# Modes of a node in the front end.
MUTED, BYPASSED = 2, 4
ONLY_IN_FRONT_END = {"Note", "MarkdownNote"}
WIDGET_TYPES = {"INT", "FLOAT", "STRING", "BOOLEAN", "COMBO", "ANY_TO_BOKEH_VIEWFINDER"}
UPLOAD_FLAGS = ("image_upload", "video_upload", "audio_upload", "file_upload", "animated_image_upload")

Schema = dict[str, Any]
# Where a value comes from: (node id, output slot).
Source = tuple[str, int]


class WorkflowError(Exception):
    """The workflow cannot be turned into a prompt; the message names the node."""


def to_prompt(workflow: dict[str, Any], object_info: dict[str, Schema]) -> Prompt:
    """Convert a saved workflow to an API prompt, the way the front end does when it queues.

    Args:
        workflow: litegraph JSON, format 0.4 or 1.0, without subgraphs.
        object_info: the host's schema of every node.

    Raises:
        WorkflowError: a node the host does not have, or values that do not fit its schema.
    """
    nodes = {str(node["id"]): node for node in workflow["nodes"]}
    links = {link_id: source for link_id, source, _ in links_of(workflow)}
    prompt: Prompt = {}
    for node_id, node in nodes.items():
        if node["type"] in ONLY_IN_FRONT_END | {"Reroute"} or node.get("mode", 0) in (MUTED, BYPASSED):
            continue
        if node["type"] not in object_info:
            raise WorkflowError(f"The host has no node {node['type']} (node {node_id} of the workflow).")
        inputs = widget_values(node, object_info[node["type"]])
        for socket in node.get("inputs", []):
            source = follow(links.get(socket.get("link")), nodes, links)
            if source is not None:
                inputs[socket["name"]] = list(source)
        prompt[node_id] = {"class_type": node["type"], "inputs": inputs}
    return prompt


def links_of(workflow: dict[str, Any]) -> list[tuple[int, Source, Source]]:
    """Return every link as (id, (origin node, output slot), (target node, input slot))."""
    found = []
    for link in workflow["links"]:
        if isinstance(link, dict):
            fields = [link[k] for k in ("id", "origin_id", "origin_slot", "target_id", "target_slot")]
        else:
            fields = link[:5]
        link_id, origin, out_slot, target, in_slot = fields
        found.append((link_id, (str(origin), out_slot), (str(target), in_slot)))
    return found


def follow(
    source: Source | None, nodes: dict[str, dict[str, Any]], links: dict[int, Source]
) -> Source | None:
    """Trace a link back through reroutes and bypassed nodes to a node that runs; None if there is none."""
    while source is not None:
        node = nodes[source[0]]
        if node.get("mode", 0) == MUTED:
            return None
        if node["type"] != "Reroute" and node.get("mode", 0) != BYPASSED:
            return source
        wanted = node["outputs"][source[1]]["type"]
        # A reroute has one input; a bypassed node passes on its first input of the same type.
        through = [s for s in node.get("inputs", []) if node["type"] == "Reroute" or s["type"] == wanted]
        source = links.get(through[0].get("link")) if through else None
    return None


def widget_inputs(schema: Schema) -> list[tuple[str, list[Any]]]:
    """Return the inputs of a node that the front end draws as widgets, in the order it draws them."""
    found = []
    for section in ("required", "optional"):
        inputs = schema["input"].get(section, {})
        order = schema.get("input_order", {}).get(section, list(inputs))
        found += [(name, inputs[name]) for name in order if is_widget(inputs[name])]
    return found


def is_widget(spec: list[Any]) -> bool:
    """Tell whether an input is a widget: a plain type or a list of choices that is not forced to a socket."""
    return (isinstance(spec[0], list) or spec[0] in WIDGET_TYPES) and not options_of(spec).get("forceInput")


def options_of(spec: list[Any]) -> dict[str, Any]:
    """Return the options of an input: range, default, flags."""
    return spec[1] if len(spec) > 1 else {}


def widget_values(node: dict[str, Any], schema: Schema) -> dict[str, Any]:
    """Return a saved node's widget values by input name.

    Raises:
        WorkflowError: the node stores more values than its schema has widgets, or fewer than it requires.
    """
    saved = node.get("widgets_values", [])
    widgets = widget_inputs(schema)
    if isinstance(saved, dict):
        return {name: saved[name] for name, _ in widgets if name in saved}
    slots = widget_slots(widgets)
    # The upload button is drawn but is no input; older and newer front ends differ in saving it.
    if len(saved) == len(slots) - 1 and None in slots:
        slots.remove(None)
    if len(saved) > len(slots) or any(name in schema["input"]["required"] for name in slots[len(saved) :]):
        raise WorkflowError(
            f"{node['type']} (node {node['id']}) stores {len(saved)} widget values, "
            f"its schema has {len(slots)}."
        )
    # Optional widgets may have been appended since it was saved; the host has their defaults.
    return {name: value for name, value in zip(slots, saved, strict=False) if name is not None}


def widget_slots(widgets: list[tuple[str, list[Any]]]) -> list[str | None]:
    """Return the input name each saved value belongs to; None for values that are no input."""
    slots: list[str | None] = []
    uploads = False
    for name, spec in widgets:
        slots.append(name)
        if options_of(spec).get("control_after_generate"):
            slots.append(None)
        uploads = uploads or any(options_of(spec).get(flag) for flag in UPLOAD_FLAGS)
    return [*slots, None] if uploads else slots
