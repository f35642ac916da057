"""Focus is set by clicking in the picture, in both kinds of nodes, and reaches prompt and saved file."""

from __future__ import annotations

import json
import re
import shutil
from typing import Any

import pytest
from playwright.sync_api import Locator, expect

from devtools.client import Prompt
from devtools.demo import BUNDLED_CLIP
from tests.browser.chromium import TIMEOUT_S
from tests.browser.clip import FRAME_COUNT, HEIGHT_PX, WIDTH_PX
from tests.browser.front_end import ON_BOTH, ON_NEWEST, FrontEnd
from tests.browser.test_run import press_run
from tests.browser.viewfinder_graph import POINT, VIEWFINDER, graph_with_viewfinders
from tests.host.harness import HostUnderTest

KIND = "AnyToBokehViewfinder"
ON_THE_NODE, ON_THE_POINT = 0, 1
# Only so that a hang ends at some time.
expect.set_options(timeout=1000 * TIMEOUT_S)
# Places in the small clip, as shares of it.
NEAR, FAR = (0.3, 0.6), (0.3, 0.1)


class Picture:
    """One of the pictures of the page, used as people use it."""

    def __init__(self, front_end: FrontEnd, index: int) -> None:
        self.root: Locator = front_end.page.locator(".atb-viewfinder").nth(index)
        self.frame = self.root.locator(".atb-frame")
        self.status = self.root.get_by_role("status")
        self._mouse = front_end.page.mouse

    def place(self, locator: Locator, x: float, y: float) -> tuple[float, float]:
        box = locator.bounding_box()
        assert box is not None
        return box["x"] + x * box["width"], box["y"] + y * box["height"]

    def click(self, x: float, y: float) -> None:
        self._mouse.click(*self.place(self.frame, x, y))

    def drag(self, locator: Locator, to: tuple[float, float]) -> None:
        self._mouse.move(*self.place(locator, 0.5, 0.5))
        self._mouse.down()
        self._mouse.move(*to, steps=4)
        self._mouse.up()

    def press(self, key: str) -> None:
        self.root.focus()
        self.root.press(key)

    def says_frame(self, frame: int) -> None:
        expect(self.root.locator(".atb-frame-number").first).to_have_text(
            f"frame {frame} of 0-{FRAME_COUNT - 1}"
        )

    def knows_depth(self) -> None:
        expect(self.root.get_by_role("button", name="Show the blur")).to_be_enabled()


def script_of(prompt: Prompt) -> Any:
    (node,) = [node for node in prompt.values() if node["class_type"] == KIND]
    return json.loads(node["inputs"]["script"])


@ON_BOTH
@pytest.mark.slow
def test_two_clicks_rack_focus(front_end: FrontEnd, host: HostUnderTest, request: pytest.FixtureRequest):
    front_end.load(graph_with_viewfinders())
    picture = Picture(front_end, ON_THE_NODE)
    expect(picture.frame).to_be_visible()
    picture.says_frame(0)
    expect(picture.status).to_contain_text("Press Run once")

    # Before any run.
    picture.click(*NEAR)
    (first,) = script_of(front_end.prompt())["focus"]
    assert (first["frame"], first["kind"]) == (0, "point")
    assert (first["x"], first["y"]) == pytest.approx(NEAR, abs=0.01)

    press_run(front_end, host)
    picture.knows_depth()
    picture.press("End")
    picture.says_frame(FRAME_COUNT - 1)
    picture.click(*FAR)
    timeline = picture.root.locator(".atb-timeline")
    picture.drag(
        picture.root.locator(".atb-of-focus").nth(1), picture.place(timeline, 3 / (FRAME_COUNT - 1), 0.3)
    )
    strength = picture.root.get_by_role("spinbutton", name="px of blur radius")
    strength.fill("24")
    strength.press("Enter")
    script = script_of(front_end.prompt())
    assert [decision["frame"] for decision in script["focus"]] == [0, 3]
    assert script["frames"] == FRAME_COUNT
    assert script["strength"] == [{"ease": "smooth", "frame": 0, "k": 24}]

    record = press_run(front_end, host)
    (report,) = record["outputs"][str(VIEWFINDER)]["any_to_bokeh_viewfinder"]
    assert json.loads(report["script"]) == script
    assert report["strength"] == [24] * FRAME_COUNT
    assert report["focal"][0] - report["focal"][3] > 0.2
    # Picture and node agree, and what comes after a decision holds it.
    picture.press("Home")
    expect(picture.status).to_contain_text(f"focus {report['focal'][0]:.3f}")
    expect(picture.status).to_contain_text("K 24")
    front_end.screenshot(f"{request.node.callspec.id}-viewfinder")
    assert front_end.complaints() == []


@ON_BOTH
@pytest.mark.slow
def test_saved_copied_undone_and_in_a_subgraph(front_end: FrontEnd):
    front_end.load(graph_with_viewfinders())
    picture = Picture(front_end, ON_THE_NODE)
    expect(picture.frame).to_be_visible()
    picture.click(0.25, 0.75)
    (text,) = front_end.call("valuesOf", KIND, "script")
    picture.click(0.5, 0.5)
    assert front_end.call("valuesOf", KIND, "script") != [text]
    front_end.call("undo")
    assert front_end.call("valuesOf", KIND, "script") == [text]

    saved = front_end.call("saved")
    front_end.load(saved)
    assert front_end.call("valuesOf", KIND, "script") == [text]
    assert script_of(front_end.prompt()) == json.loads(text)
    expect(picture.frame).to_be_visible()
    assert front_end.call("copyAndPaste", KIND) == KIND
    assert front_end.call("valuesOf", KIND, "script") == [text, text]

    front_end.call("load", saved)
    front_end.call("intoSubgraph", KIND)
    assert script_of(front_end.prompt()) == json.loads(text)
    assert front_end.complaints() == []


@ON_NEWEST
def test_focus_at_point_keeps_its_own_widgets(front_end: FrontEnd):
    front_end.load(graph_with_viewfinders())
    picture = Picture(front_end, ON_THE_POINT)
    expect(picture.frame).to_be_visible()
    picture.click(0.25, 0.5)
    inputs = front_end.prompt()[str(POINT)]["inputs"]
    assert (inputs["x"], inputs["y"]) == (pytest.approx(60, abs=2), pytest.approx(90, abs=2))
    assert inputs["keyframes"] == ""
    assert "viewfinder" not in inputs
    picture.press("End")
    picture.click(0.75, 0.5)
    keyframes = front_end.prompt()[str(POINT)]["inputs"]["keyframes"]
    found = re.fullmatch(r"0: (\d+), (\d+)\n5: (\d+), (\d+)", keyframes)
    assert found
    assert int(found[1]) == inputs["x"] and int(found[3]) == pytest.approx(180, abs=2)
    # Text that somebody types is what the picture shows.
    front_end.call("setWidget", "AnyToBokehFocusAtPoint", "keyframes", "2: 10, 10")
    expect(picture.root.locator(".atb-of-focus")).to_have_count(1)
    front_end.call("setWidget", "AnyToBokehFocusAtPoint", "keyframes", "2 = 10, 10")
    expect(picture.status).to_contain_text("Line 1 of keyframes")
    picture.click(0.75, 0.5)
    assert front_end.prompt()[str(POINT)]["inputs"]["keyframes"] == "2 = 10, 10"


ON_CANVAS = pytest.mark.parametrize("front_end", [False], ids=["canvas_nodes"], indirect=True)
BY_VUE = pytest.mark.parametrize("front_end", [True], ids=["vue_nodes"], indirect=True)


@ON_CANVAS
def test_a_script_that_cannot_be_read_is_left_as_it_is(front_end: FrontEnd):
    for text, said in [("{", "no JSON"), ('{"version": 7}', "version 7")]:
        front_end.load(graph_with_viewfinders(script=text))
        picture = Picture(front_end, ON_THE_NODE)
        expect(picture.status).to_contain_text(said)
        expect(picture.frame).to_be_visible()
        picture.click(0.5, 0.5)
        assert front_end.call("valuesOf", KIND, "script") == [text]
    picture.status.get_by_role("button").click()
    picture.click(0.5, 0.5)
    assert len(script_of(front_end.prompt())["focus"]) == 1


@ON_CANVAS
def test_a_clip_that_is_swapped_is_seen(front_end: FrontEnd, host: HostUnderTest):
    other = "other.mp4"
    shutil.copy(host.input_dir / BUNDLED_CLIP.name, host.input_dir / other)
    front_end.load(graph_with_viewfinders())
    picture = Picture(front_end, ON_THE_NODE)
    expect(picture.frame).to_be_visible()
    # It stands where it stood in this clip before.
    picture.press("Home")
    picture.says_frame(0)
    picture.click(*NEAR)
    press_run(front_end, host)
    picture.knows_depth()
    front_end.call("setWidget", "LoadVideo", "file", other)
    expect(picture.status).to_contain_text("The clip has changed")
    # What the run knew is not that of this clip; clicks go on.
    expect(picture.root.get_by_role("button", name="Show the blur")).to_be_disabled()
    picture.click(*FAR)
    (decision,) = script_of(front_end.prompt())["focus"]
    assert (decision["x"], decision["y"]) == pytest.approx(FAR, abs=0.01)
    front_end.call("setWidget", "LoadVideo", "file", BUNDLED_CLIP.name)
    picture.knows_depth()


@ON_CANVAS
def test_what_is_missing_or_fails_is_said(front_end: FrontEnd, host: HostUnderTest):
    late = json.dumps({"version": 1, "focus": [{"frame": 99, "kind": "point"}]})
    graph = graph_with_viewfinders(script=late)
    front_end.load(graph)
    picture = Picture(front_end, ON_THE_NODE)
    expect(picture.status).to_contain_text(f"past the last frame {FRAME_COUNT - 1}")
    masked = json.dumps({"version": 1, "focus": [{"frame": 0, "kind": "mask"}]})
    front_end.load(graph_with_viewfinders(script=masked))
    press_run(front_end, host)
    expect(picture.status).to_contain_text("no mask is connected")
    graph["links"] = [link for link in graph["links"] if link[3] != VIEWFINDER]
    for socket in graph["nodes"][3]["inputs"]:
        socket["link"] = None
    front_end.load(graph)
    expect(picture.root.locator(".atb-message")).to_contain_text("Connect frames")


@ON_NEWEST
@BY_VUE
def test_the_picture_works_in_app_mode(
    front_end: FrontEnd, host: HostUnderTest, request: pytest.FixtureRequest
):
    graph = graph_with_viewfinders()
    app = {"inputs": [[VIEWFINDER, "script"]], "outputs": [VIEWFINDER]}
    graph["extra"] = {"linearMode": True, "linearData": app}
    front_end.call("load", graph)
    # The first time there is a welcome.
    front_end.page.get_by_role("button", name="Skip").click()
    root = front_end.page.locator(".atb-viewfinder:visible")
    frame = root.locator(".atb-frame")
    expect(frame).to_be_visible()
    box, around = frame.bounding_box(), root.bounding_box()
    assert box is not None
    assert around is not None
    frame.click(position={"x": 0.25 * box["width"], "y": 0.5 * box["height"]})
    (decision,) = script_of(front_end.prompt())["focus"]
    assert (decision["x"], decision["y"]) == pytest.approx((0.25, 0.5), abs=0.02)
    # The clip is 4:3; nothing but the picture gives it its height.
    assert box["width"] / box["height"] == pytest.approx(WIDTH_PX / HEIGHT_PX, rel=0.02)
    assert box["width"] > 0.9 * around["width"]
    front_end.page.get_by_role("button", name="Run", exact=True).click()
    expect(root.get_by_role("button", name="Show the blur")).to_be_enabled()
    front_end.page.screenshot(path=host.output_dir / "screenshots" / f"{request.node.callspec.id}-app.png")
    assert front_end.complaints() == []
    # Out of it again.
    front_end.load(graph_with_viewfinders())
