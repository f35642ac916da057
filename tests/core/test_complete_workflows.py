"""Saved workflows get the inputs that nodes have had since."""

from typing import Any

import pytest

from devtools.complete_workflows import complete

INFO = {
    "Blur": {
        "input": {
            "required": {"frames": ["IMAGE"], "k": ["FLOAT", {"default": 16.0}]},
            "optional": {
                "light": [["linear", "display"], {}],
                "lens": ["LENS", {}],
                "codec": ["COMBO", {"options": ["h264", "ffv1"], "default": "ffv1"}],
            },
        },
        "input_order": {"required": ["frames", "k"], "optional": ["light", "lens", "codec"]},
    }
}


def saved_graph(in_subgraph: bool) -> dict[str, Any]:
    """Links lead to frames and k of a node, which was saved before it had a light, lens and codec."""
    links: list[Any] = [[1, 7, 0, 3, 0, "IMAGE"], [2, 8, 0, 3, 1, "FLOAT"]]
    if in_subgraph:
        keys = ("id", "origin_id", "origin_slot", "target_id", "target_slot", "type")
        links = [dict(zip(keys, link, strict=True)) for link in links]
    inputs = [
        {"name": "frames", "type": "IMAGE", "link": 1},
        {"name": "k", "type": "FLOAT", "widget": {"name": "k"}, "link": 2},
    ]
    nodes = [{"id": 3, "type": "Blur", "inputs": inputs, "widgets_values": [9.0]}, {"id": 7, "type": "Other"}]
    return {"nodes": nodes, "links": links}


@pytest.mark.parametrize("in_subgraph", [False, True])
def test_what_is_missing_is_appended_and_links_end_where_they_did(in_subgraph: bool):
    graph = saved_graph(in_subgraph)
    workflow = graph
    if in_subgraph:
        workflow = {"nodes": [], "links": [], "definitions": {"subgraphs": [graph]}}
    assert complete(workflow, INFO)
    node, other = graph["nodes"]
    assert [saved["name"] for saved in node["inputs"]] == ["frames", "lens", "k", "light", "codec"]
    assert node["inputs"][1] == {"name": "lens", "shape": 7, "type": "LENS", "link": None}
    light = {"name": "light", "shape": 7, "type": "COMBO", "widget": {"name": "light"}, "link": None}
    assert node["inputs"][3] == light
    assert node["widgets_values"] == [9.0, "linear", "ffv1"]
    slots = [link["target_slot"] if in_subgraph else link[4] for link in graph["links"]]
    assert [node["inputs"][slot]["name"] for slot in slots] == ["frames", "k"]
    assert other == {"id": 7, "type": "Other"}
    # A second time there is nothing to do.
    assert not complete(workflow, INFO)
