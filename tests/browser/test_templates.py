"""Templates, blueprints and the app open as people see them, and what goes wrong in a run is said."""

import re
from itertools import product
from pathlib import Path

import pytest

from devtools.host import PACK_NAME
from tests.browser.chromium import Chromium
from tests.browser.front_end import HOSTS_OWN, NEWEST, ON_BOTH, ON_NEWEST, FrontEnd
from tests.browser.test_run import press_run
from tests.browser.workflows import APP, NAMES, workflow
from tests.host.harness import HostUnderTest

PACK = Path(__file__).resolve().parents[2]
SCREEN_PX = (1440, 900)
# Below this, texts of canvas nodes turn into bars.
LEAST_ZOOM = 0.6
# A title lies above the place of its node. Some front ends draw Load Video as tall as this below it.
TITLE_PX, TALL_CLIP_PX = 30, 420
UPLOADS = ("upload depth file", "upload folder of maps")
# Values of the two blueprints that stand on the node, and the first of its sockets.
BLUEPRINTS = {
    "Blur a Video by Its Depth": (["video", "depth"], ["focus_at", "strength", "preset", "polarity"]),
    "Rack Focus": (["frames", "disparity"], ["keyframes", "easing", "strength", "preset"]),
}


def opened(chromium: Chromium, host: HostUnderTest, vue_nodes: bool, name: str) -> FrontEnd:
    """Open a template as the templates' page does."""
    address = f"/?template={name}&source={PACK_NAME}"
    front_end = FrontEnd(chromium, host, vue_nodes, viewport_px=SCREEN_PX, address=address)
    front_end.wait("hasNodes", [node["type"] for node in workflow(name)["nodes"]])
    return front_end


@pytest.mark.parametrize(
    ("host", "vue_nodes"), [*product([HOSTS_OWN, NEWEST], [False, True])], indirect=["host"]
)
def test_templates_open_legible_and_nothing_is_hidden(
    chromium: Chromium, host: HostUnderTest, vue_nodes: bool
):
    front_end = opened(chromium, host, vue_nodes, NAMES[0])
    for name in NAMES:
        front_end.call("load", workflow(name))
        front_end.wait("hasVueNodes", len(workflow(name)["nodes"]) if vue_nodes else 0)
        front_end.wait("isStill")
        assert front_end.call("zoom") >= LEAST_ZOOM, name
        assert front_end.call("collisions") == [], name
        assert front_end.call("outOfView") == [], name
    if not vue_nodes:
        require_that_faults_are_noticed(front_end)


def require_that_faults_are_noticed(front_end: FrontEnd) -> None:
    """Prove that the checks of how templates open can fail."""
    saved = workflow(NAMES[0])
    example = next(node for node in saved["nodes"] if node["type"] == "AnyToBokehExampleClip")
    report = next(node for node in saved["nodes"] if node["type"] == "PreviewAny")
    report["pos"], example["pos"] = example["pos"], [example["pos"][0] + 20, example["pos"][1] + 20]
    front_end.load(saved)
    found = front_end.call("collisions")
    assert "Example Clip (with Depth) lies on Report: depth and warnings" in found
    assert any("passes behind" in each for each in found)
    front_end.call("moveView", 600)
    assert "How to use it" in front_end.call("outOfView")


def test_notes_are_in_both_languages():
    for name in [*NAMES, APP]:
        notes = [node for node in workflow(name)["nodes"] if node["type"] == "MarkdownNote"]
        english, chinese = (node["widgets_values"][0] for node in notes)
        assert english.isascii(), name
        assert re.search("[\u4e00-\u9fff]", chinese), name
        assert english.count("```") == chinese.count("```"), name
        assert [note["flags"] for note in notes] == [{}, {"collapsed": True}], name


def test_the_clip_of_the_app_has_room_to_be_tall():
    nodes = workflow(APP)["nodes"]
    (clip,) = [node for node in nodes if node["type"] == "LoadVideo"]
    (left, top), width = clip["pos"], clip["size"][0]
    column = [
        node
        for node in nodes
        if node is not clip
        and left - node["size"][0] < node["pos"][0] < left + width
        and node["pos"][1] >= top
    ]
    assert [node["type"] for node in column] == ["AnyToBokehChooseLens"]
    assert column[0]["pos"][1] - TITLE_PX >= top + TALL_CLIP_PX


@ON_BOTH
def test_sockets_of_the_pack_have_colours(front_end: FrontEnd):
    sockets = (PACK / "nodes" / "sockets.py").read_text(encoding="utf-8")
    types = re.findall(r'io\.Custom\("(\w+)"\)', sockets)
    colours = front_end.call("linkColours", types)
    assert all(re.fullmatch("#[0-9A-F]{6}", colour) for colour in colours), dict(
        zip(types, colours, strict=True)
    )
    assert front_end.call("dotColours", types) == colours
    assert len(set(colours)) == len(types)


@ON_BOTH
def test_blueprints_are_found_and_open(chromium: Chromium, host: HostUnderTest):
    front_end = FrontEnd(chromium, host, vue_nodes=False)
    front_end.call("clearGraph")
    for number, (name, (sockets, widgets)) in enumerate(BLUEPRINTS.items()):
        front_end.search(name)
        front_end.wait("findsFirst", name, None)
        front_end.page.keyboard.press("Enter")
        # The newest front end carries the node on the pointer until a click.
        front_end.page.mouse.click(900 + 500 * number, 500)
        front_end.wait("hasTitle", name)
        shown = front_end.call("ports", name)
        assert shown["sockets"] == sockets
        assert shown["widgets"] == widgets


@ON_NEWEST
def test_the_app_opens_as_a_form(chromium: Chromium, host: HostUnderTest):
    front_end = opened(chromium, host, True, APP)
    labels = [
        "clip",
        "depth",
        "upload depth file",
        "upload folder of maps",
        "focus",
        "strength (K)",
        "preset",
    ]
    assert len(workflow(APP)["extra"]["linearData"]["inputs"]) == len(labels)
    front_end.wait("showsExactly", labels)
    # Notes are held back until the front end's own introduction is closed.
    front_end.page.get_by_text("Skip", exact=True).click()
    front_end.call("fail", "AnyToBokehVideo", "What went wrong")
    front_end.wait("isLeftOf", "What went wrong", "clip")


@ON_NEWEST
def test_the_sentence_of_an_error_is_shown_at_once(chromium: Chromium, host: HostUnderTest):
    front_end = FrontEnd(chromium, host, vue_nodes=True)
    front_end.load(workflow("lens_blur"))
    front_end.call("setWidget", "AnyToBokehFocusAtPoint", "x", 5000)
    assert press_run(front_end, host)["status"]["status_str"] == "error"
    front_end.wait("shows", "(5000, 90) is outside the frame")
