"""Saved workflows keep working: ids, inputs and outputs are only ever appended, and our own workflows fit."""

import json
from pathlib import Path
from typing import Any

import pytest

from bokeh_core.focus.script import parse_script
from devtools.complete_workflows import complete
from devtools.freeze import FROZEN_SCHEMA, frozen_view, nodes_of_pack
from devtools.prompt import ONLY_IN_FRONT_END, links_of, options_of, widget_inputs, widget_values
from tests.host.harness import HostUnderTest

PACK = Path(__file__).resolve().parents[2]
TEMPLATES = sorted((PACK / "example_workflows").glob("*.json"))
BLUEPRINTS = sorted((PACK / "subgraphs").glob("*.json"))
SAVED = sorted((PACK / "tests" / "host" / "saved_workflows").glob("*.json"))
WORKFLOWS = [*TEMPLATES, *SAVED]
FROZEN: dict[str, Any] = json.loads(FROZEN_SCHEMA.read_text(encoding="utf-8"))

REGENERATE = "run `python dev.py freeze` and commit the files"
ANY = "*"


@pytest.fixture(scope="module")
def object_info(host: HostUnderTest) -> dict[str, Any]:
    return host.object_info()


@pytest.mark.parametrize("node_id", FROZEN)
def test_inputs_and_outputs_are_only_appended(object_info: dict[str, Any], node_id: str):
    now = frozen_view(object_info).get(node_id)
    assert now is not None, f"{node_id} is gone; a renamed node ships its replacement rule"
    for kind in ("inputs", "outputs"):
        frozen = FROZEN[node_id][kind]
        assert now[kind][: len(frozen)] == frozen, f"{node_id}: {kind} that were saved have moved or changed"


def test_record_is_complete(object_info: dict[str, Any]):
    assert frozen_view(object_info) == FROZEN, f"nodes, inputs or outputs were added: {REGENERATE}"


@pytest.mark.parametrize("path", [*TEMPLATES, *BLUEPRINTS], ids=lambda path: path.stem)
def test_templates_and_blueprints_hold_every_input(object_info: dict[str, Any], path: Path):
    workflow = json.loads(path.read_text(encoding="utf-8"))
    assert not complete(workflow, nodes_of_pack(object_info)), f"inputs were added: {REGENERATE}"


def test_there_are_workflows():
    assert len(TEMPLATES) >= 4
    assert {path.stem for path in SAVED} == {
        "any_length",
        "any_to_bokeh",
        "any_to_bokeh_generated",
        "lens_blur",
    }


@pytest.fixture(params=WORKFLOWS, ids=lambda path: path.stem)
def workflow(request: pytest.FixtureRequest) -> dict[str, Any]:
    saved: dict[str, Any] = json.loads(request.param.read_text(encoding="utf-8"))
    return saved


def working_nodes(workflow: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {str(n["id"]): n for n in workflow["nodes"] if n["type"] not in ONLY_IN_FRONT_END}


def test_workflow_has_a_thumbnail():
    assert [path.stem for path in TEMPLATES if not path.with_suffix(".jpg").is_file()] == []


def test_workflow_uses_nodes_that_exist(workflow: dict[str, Any], object_info: dict[str, Any]):
    assert [n["type"] for n in working_nodes(workflow).values() if n["type"] not in object_info] == []


def test_workflow_sockets_match_the_schema(workflow: dict[str, Any], object_info: dict[str, Any]):
    for node in working_nodes(workflow).values():
        info = object_info[node["type"]]
        specs = {**info["input"].get("required", {}), **info["input"].get("optional", {})}
        for socket in node.get("inputs", []):
            assert socket["name"] in specs, f"{node['type']} has no input {socket['name']}"
        saved = [socket["type"] for socket in node.get("outputs", [])]
        assert saved == info["output"][: len(saved)], f"{node['type']}: outputs"


def test_workflow_fills_every_required_socket(workflow: dict[str, Any], object_info: dict[str, Any]):
    for node in working_nodes(workflow).values():
        info = object_info[node["type"]]
        widgets = {name for name, _ in widget_inputs(info)}
        linked = {socket["name"] for socket in node.get("inputs", []) if socket.get("link") is not None}
        assert set(info["input"].get("required", {})) <= widgets | linked, node["type"]


def test_workflow_links_agree_on_their_type(workflow: dict[str, Any]):
    nodes = {str(node["id"]): node for node in workflow["nodes"]}
    for link_id, (origin, out_slot), (target, in_slot) in links_of(workflow):
        output = nodes[origin]["outputs"][out_slot]
        socket = nodes[target]["inputs"][in_slot]
        assert output["type"] == socket["type"] or ANY in (output["type"], socket["type"])
        assert link_id in output["links"]
        assert socket["link"] == link_id


def test_workflow_widget_values_are_valid(workflow: dict[str, Any], object_info: dict[str, Any]):
    for node in working_nodes(workflow).values():
        info = object_info[node["type"]]
        specs = dict(widget_inputs(info))
        for name, value in widget_values(node, info).items():
            problem = widget_problem(specs[name], value)
            assert problem == "", f"{node['type']}.{name} = {value!r}: {problem}"


@pytest.mark.parametrize("path", BLUEPRINTS, ids=lambda path: path.stem)
def test_widget_values_of_a_blueprint_are_valid(path: Path, object_info: dict[str, Any]):
    saved = json.loads(path.read_text(encoding="utf-8"))
    definitions = saved["definitions"]["subgraphs"]
    nodes = [node for definition in definitions for node in definition["nodes"]]
    ours = [node for node in nodes if node["type"] in FROZEN]
    assert len(ours) >= 2
    for node in ours:
        info = object_info[node["type"]]
        specs = dict(widget_inputs(info))
        for name, value in widget_values(node, info).items():
            problem = widget_problem(specs[name], value)
            assert problem == "", f"{node['type']}.{name} = {value!r}: {problem}"


@pytest.mark.parametrize("path", [*TEMPLATES, *BLUEPRINTS], ids=lambda path: path.stem)
def test_saved_nodes_have_every_socket_before_their_settings(path: Path, object_info: dict[str, Any]):
    """What a host adds to a node that it opens moves the places that links of a subgraph count by."""
    saved = json.loads(path.read_text(encoding="utf-8"))
    graphs = [saved, *saved.get("definitions", {}).get("subgraphs", [])]
    for graph in graphs:
        ours = {str(node["id"]): node for node in graph["nodes"] if node["type"] in FROZEN}
        for node in ours.values():
            info = object_info[node["type"]]["input"]
            settings = {name for name, _ in widget_inputs(object_info[node["type"]])}
            sockets = [name for section in ("required", "optional") for name in info.get(section, {})]
            expected = [name for name in sockets if name not in settings]
            names = [socket["name"] for socket in node["inputs"]]
            assert names[: len(expected)] == expected, node["type"]
            assert set(names[len(expected) :]) <= settings, node["type"]
        for link_id, _, (target, slot) in links_of(graph):
            if target in ours:
                assert ours[target]["inputs"][slot]["link"] == link_id, ours[target]["type"]


def widget_problem(spec: list[Any], value: Any) -> str:
    """Return what is wrong with a saved widget value, nothing if it is valid."""
    options = options_of(spec)
    kind = spec[0]
    if isinstance(kind, list) or kind == "COMBO":
        choices = kind if isinstance(kind, list) else options["options"]
        # What an upload list holds depends on the user's input folder.
        uploads = any(flag.endswith("_upload") and on for flag, on in options.items())
        # Likewise a list of model files.
        is_model = str(value).endswith(".safetensors")
        return "" if uploads or is_model or value in choices else f"not among {choices}"
    if kind == "ANY_TO_BOKEH_VIEWFINDER":
        # Raises where it cannot be read.
        return "" if parse_script(value).focus else "decides nothing"
    python_types: dict[str, tuple[type, ...]]
    python_types = {"INT": (int,), "FLOAT": (int, float), "STRING": (str,), "BOOLEAN": (bool,)}
    # type(), not isinstance: True would pass for a number.
    if type(value) not in python_types[kind]:
        return f"not {kind}"
    if kind in ("INT", "FLOAT") and not options.get("min", value) <= value <= options.get("max", value):
        return f"outside {options['min']}..{options['max']}"
    return ""
