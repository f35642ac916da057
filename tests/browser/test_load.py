"""Every workflow of the pack opens in the front end as it was saved."""

import pytest

from devtools.client import Prompt
from devtools.prompt import to_prompt
from tests.browser.front_end import HOSTS_OWN, NEWEST, FrontEnd
from tests.browser.workflows import NAMES, SAVED_NAMES, loads_models, workflow
from tests.host.harness import HostUnderTest


@pytest.mark.parametrize(
    ("host", "name"),
    [
        *((HOSTS_OWN, name) for name in [*NAMES, *SAVED_NAMES]),
        # The newest complains of models that are not there, as it should.
        *((NEWEST, name) for name in NAMES if not loads_models(name)),
    ],
    indirect=["host"],
)
def test_opens_as_it_was_saved_without_a_complaint(
    front_end: FrontEnd, host: HostUnderTest, name: str, request: pytest.FixtureRequest
):
    saved = workflow(name)
    front_end.load(saved)
    front_end.screenshot(f"{request.node.callspec.id}-loaded")
    nodes = front_end.call("nodes")
    assert front_end.complaints() == []
    assert [(node["id"], node["type"]) for node in nodes] == [
        (node["id"], node["type"]) for node in saved["nodes"]
    ]
    assert [node["type"] for node in nodes if not node["registered"]] == []
    assert {node["type"]: node["error_marks"] for node in nodes if node["error_marks"]} == {}
    for node, shown in zip(saved["nodes"], nodes, strict=True):
        # The file names the inputs that are widgets, in the order of its values.
        names = [socket["name"] for socket in node.get("inputs", []) if "widget" in socket]
        assert [widget for widget in shown["widgets"] if widget in names] == names, node["type"]
        values = node.get("widgets_values", [])
        # What was appended since an old file was saved has its default.
        assert shown["saved_values"][: len(values)] == values, node["type"]
        assert name in SAVED_NAMES or len(shown["saved_values"]) == len(values), node["type"]
    if name in NAMES:
        # Queued, it is what our converter makes of the file.
        assert without_front_end_widgets(front_end.prompt(), host) == to_prompt(saved, host.object_info())


def without_front_end_widgets(prompt: Prompt, host: HostUnderTest) -> Prompt:
    """Return a prompt less what the front end adds to it: titles, and widgets that are no input of a node."""
    schemas = host.object_info()
    bare: Prompt = {}
    for node_id, node in prompt.items():
        known = {name for section in schemas[node["class_type"]]["input"].values() for name in section}
        inputs = {name: value for name, value in node["inputs"].items() if name in known}
        bare[node_id] = {"class_type": node["class_type"], "inputs": inputs}
    return bare


def test_missing_node_is_noticed(front_end: FrontEnd):
    # Proves that the checks above can fail.
    saved = workflow("lens_blur")
    (renderer,) = [node for node in saved["nodes"] if node["type"] == "AnyToBokehLensBlur"]
    renderer["type"] = "AnyToBokehNoSuchNode"
    front_end.load(saved)
    front_end.wait("hasComplaints")
    assert any("AnyToBokehNoSuchNode" in complaint for complaint in front_end.complaints())
    (shown,) = [node for node in front_end.call("nodes") if node["id"] == renderer["id"]]
    assert not shown["registered"]
    assert shown["error_marks"] != []
