"""The run button takes the workflow from a clip to an mp4, and a user sees how it goes."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import av
import pytest

from devtools.demo import BUNDLED_CLIP
from tests.browser.chromium import TIMEOUT_S, Chromium
from tests.browser.clip import FRAME_COUNT, HEIGHT_PX, WIDTH_PX
from tests.browser.front_end import ON_BOTH, FrontEnd
from tests.browser.workflows import workflow
from tests.host.harness import HostUnderTest

RENDERER = "AnyToBokehLensBlur"


def press_run(front_end: FrontEnd, host: HostUnderTest) -> dict[str, Any]:
    """Press the run button; return the host's record of the prompt once the queue is empty again."""
    before = set(host.client.get_json("/history"))
    front_end.click("queue-button")
    deadline = time.monotonic() + TIMEOUT_S
    while time.monotonic() < deadline:
        queue = host.client.get_json("/queue")
        history = host.client.get_json("/history")
        new = set(history) - before
        if new and not queue["queue_running"] and not queue["queue_pending"]:
            (prompt_id,) = new
            record: dict[str, Any] = history[prompt_id]
            return record
        time.sleep(0.2)
    raise TimeoutError(f"Nothing ran to its end; the front end says: {front_end.complaints()}")


def run_lens_blur(front_end: FrontEnd, host: HostUnderTest) -> Path:
    """Open the workflow and run it; return the mp4 it saved."""
    # The host keeps results; it reads a clip again when the file is newer.
    os.utime(host.input_dir / BUNDLED_CLIP.name)
    front_end.load(workflow("lens_blur"))
    front_end.call("recordProgress", RENDERER)
    before = set(host.output_dir.rglob("*.mp4"))
    record = press_run(front_end, host)
    assert record["status"]["status_str"] == "success"
    (video,) = set(host.output_dir.rglob("*.mp4")) - before
    return video


@ON_BOTH
@pytest.mark.slow
def test_run_button_makes_the_mp4(front_end: FrontEnd, host: HostUnderTest, request: pytest.FixtureRequest):
    video = run_lens_blur(front_end, host)
    with av.open(str(video)) as container:
        sizes = [(frame.width, frame.height) for frame in container.decode(video=0)]
    assert sizes == [(WIDTH_PX, HEIGHT_PX)] * FRAME_COUNT
    front_end.wait("showsResults", [BUNDLED_CLIP.name, video.name], ["PreviewImage"])
    front_end.screenshot(f"{request.node.callspec.id}-lens_blur-finished")
    previews = [str(node["id"]) for node in workflow("lens_blur")["nodes"] if node["type"] == "PreviewImage"]
    outputs = front_end.call("outputs")
    assert [len(outputs[node_id]["images"]) for node_id in previews] == [FRAME_COUNT] * len(previews)
    assert front_end.complaints() == []


@ON_BOTH
def test_the_focus_preview_is_shown_as_a_video(front_end: FrontEnd):
    front_end.call("addOnly", "AnyToBokehFocusPreview")
    video = {"filename": BUNDLED_CLIP.name, "subfolder": "", "type": "input"}
    front_end.call("receive", "AnyToBokehFocusPreview", {"images": [video], "animated": [True]})
    front_end.wait("showsResults", [BUNDLED_CLIP.name], [])


@pytest.mark.slow
@ON_BOTH
def test_rendered_video_dropped_on_the_canvas_opens_its_graph(chromium: Chromium, host: HostUnderTest):
    saved = workflow("any_length")
    types = [node["type"] for node in saved["nodes"]]
    front_end = FrontEnd(chromium, host, vue_nodes=False)
    front_end.load(saved)
    front_end.call("setWidget", "AnyToBokehVideo", "crf", 40)
    before = set(host.output_dir.rglob("*.mp4"))
    record = press_run(front_end, host)
    assert record["status"]["status_str"] == "success"
    videos = set(host.output_dir.rglob("*.mp4")) - before
    (video,) = [path for path in videos if path.parent.name == "any_to_bokeh"]
    front_end.call("clearGraph")
    front_end.wait("hasNodes", [])
    front_end.call("drop", f"/view?filename={video.name}&subfolder=any_to_bokeh&type=output")
    front_end.wait("hasNodes", types)
    (renderer,) = [node for node in front_end.call("nodes") if node["type"] == "AnyToBokehVideo"]
    assert 40 in renderer["saved_values"]


@pytest.mark.slow
def test_progress_of_the_renderer_is_shown(front_end: FrontEnd, host: HostUnderTest):
    run_lens_blur(front_end, host)
    shown = [fraction for fraction in front_end.call("recordedProgress", RENDERER) if fraction]
    assert shown == sorted(shown)
    assert any(0 < fraction < 1 for fraction in shown)


def test_error_of_a_node_is_shown_at_the_node(front_end: FrontEnd, host: HostUnderTest):
    front_end.load(workflow("lens_blur"))
    front_end.call("setWidget", "AnyToBokehFocusAtPoint", "x", 5000)
    record = press_run(front_end, host)
    assert record["status"]["status_str"] == "error"
    front_end.wait("hasComplaints")
    assert any("(5000, 90) is outside the frame" in complaint for complaint in front_end.complaints())
    marked = [node["type"] for node in front_end.call("nodes") if node["error_marks"]]
    assert marked == ["AnyToBokehFocusAtPoint"]
