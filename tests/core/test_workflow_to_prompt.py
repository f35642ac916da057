"""A saved workflow becomes the prompt that the front end would queue; expected prompts written by hand."""

from typing import Any

import pytest

from devtools.prompt import WorkflowError, to_prompt

OBJECT_INFO: dict[str, Any] = {
    "LoadVideo": {
        "input": {"required": {"file": ["COMBO", {"options": ["a.mp4"], "video_upload": True}]}},
        "input_order": {"required": ["file"]},
    },
    "Blur": {
        "input": {
            "required": {
                "frames": ["IMAGE", {}],
                "seed": ["INT", {"default": 0, "control_after_generate": True}],
                "shape": [["disk", "hexagon"], {}],
            },
            "optional": {
                "mask": ["MASK", {}],
                "gain": ["FLOAT", {}],
                "forced": ["FLOAT", {"forceInput": True}],
            },
        },
        "input_order": {"required": ["frames", "seed", "shape"], "optional": ["mask", "gain", "forced"]},
    },
    "Save": {"input": {"required": {"frames": ["IMAGE"]}}, "input_order": {"required": ["frames"]}},
}


def node(
    node_id: int, node_type: str, links: dict[str, int | None], values: list[Any], **more: Any
) -> dict[str, Any]:
    inputs = [{"name": name, "type": "IMAGE", "link": link} for name, link in links.items()]
    outputs = [{"name": "frames", "type": "IMAGE"}]
    found = {"id": node_id, "type": node_type, "inputs": inputs, "outputs": outputs, "widgets_values": values}
    return {**found, **more}


def chain(middle: dict[str, Any]) -> dict[str, Any]:
    """Return LoadVideo 1 -> `middle` 2 -> Save 3."""
    nodes = [node(1, "LoadVideo", {}, ["a.mp4", "image"]), middle, node(3, "Save", {"frames": 11}, [])]
    return {"nodes": nodes, "links": [[10, 1, 0, 2, 0, "IMAGE"], [11, 2, 0, 3, 0, "IMAGE"]]}


def blur(**more: Any) -> dict[str, Any]:
    return node(2, "Blur", {"frames": 10, "mask": None}, [7, "randomize", "disk", 1.5], **more)


def test_widgets_are_named_and_front_end_values_are_left_out():
    assert to_prompt(chain(blur()), OBJECT_INFO) == {
        "1": {"class_type": "LoadVideo", "inputs": {"file": "a.mp4"}},
        "2": {
            "class_type": "Blur",
            "inputs": {"frames": ["1", 0], "seed": 7, "shape": "disk", "gain": 1.5},
        },
        "3": {"class_type": "Save", "inputs": {"frames": ["2", 0]}},
    }


def test_upload_button_may_be_unsaved():
    workflow = chain(blur())
    workflow["nodes"][0]["widgets_values"] = ["a.mp4"]
    assert to_prompt(workflow, OBJECT_INFO)["1"]["inputs"] == {"file": "a.mp4"}


def test_a_linked_widget_takes_the_link():
    workflow = chain(node(2, "Blur", {"frames": 10, "gain": 12}, [7, "fixed", "disk", 1.5]))
    workflow["links"].append([12, 1, 2, 2, 1, "FLOAT"])
    assert to_prompt(workflow, OBJECT_INFO)["2"]["inputs"]["gain"] == ["1", 2]


def test_links_may_be_objects():
    workflow = chain(blur())
    keys = ("id", "origin_id", "origin_slot", "target_id", "target_slot", "type")
    workflow["links"] = [dict(zip(keys, link, strict=True)) for link in workflow["links"]]
    assert to_prompt(workflow, OBJECT_INFO) == to_prompt(chain(blur()), OBJECT_INFO)


def test_notes_are_left_out():
    workflow = chain(blur())
    workflow["nodes"].append({"id": 9, "type": "MarkdownNote", "widgets_values": ["read me"]})
    assert set(to_prompt(workflow, OBJECT_INFO)) == {"1", "2", "3"}


def test_a_bypassed_node_passes_its_input_on():
    prompt = to_prompt(chain(blur(mode=4)), OBJECT_INFO)
    assert set(prompt) == {"1", "3"}
    assert prompt["3"]["inputs"] == {"frames": ["1", 0]}


def test_a_muted_node_passes_nothing_on():
    prompt = to_prompt(chain(blur(mode=2)), OBJECT_INFO)
    assert set(prompt) == {"1", "3"}
    assert prompt["3"]["inputs"] == {}


def test_a_reroute_is_followed():
    assert to_prompt(chain(node(2, "Reroute", {"": 10}, [])), OBJECT_INFO)["3"]["inputs"] == {
        "frames": ["1", 0]
    }


def test_a_missing_node_is_named():
    with pytest.raises(WorkflowError, match="no node Sharpen"):
        to_prompt(chain(node(2, "Sharpen", {"frames": 10}, [])), OBJECT_INFO)


def test_too_many_values_are_an_error():
    with pytest.raises(WorkflowError, match="stores 5 widget values, its schema has 4"):
        to_prompt(chain(node(2, "Blur", {"frames": 10}, [7, "fixed", "disk", 1.5, 2])), OBJECT_INFO)
