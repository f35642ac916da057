"""Viewfinder in a real host: what its script says is what comes out, and what its picture needs is served."""

import io
import json
import urllib.error
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.host.harness import Array, Graph, HostUnderTest, Node
from tests.host.schema import inputs_of

NODE = "AnyToBokehViewfinder"
NEAR, FAR = 0.8, 0.2
SCRIPT = {
    "version": 1,
    "frames": 6,
    "focus": [
        {"frame": 0, "kind": "point", "x": 0.25, "y": 0.5, "radius": 1},
        {"frame": 4, "kind": "point", "x": 0.75, "y": 0.5, "radius": 1, "transition": 4, "ease": "linear"},
    ],
    "strength": [{"frame": 0, "k": 8}, {"frame": 4, "k": 24, "ease": "linear"}],
}


def two_halves(num_frames: int = 6) -> tuple[Array, Array]:
    """Return frames [T, 8, 16, 3] and disparity [T, 8, 16], near on the left and far on the right."""
    frames = np.zeros((num_frames, 8, 16, 3), np.float32)
    frames[:, :, :8] = (1.0, 0.5, 0.0)
    disparity = np.full((num_frames, 8, 16), FAR, np.float32)
    disparity[:, :, :8] = NEAR
    return frames, disparity


def add(host: HostUnderTest, graph: Graph, script: Any = None, num_frames: int = 6) -> Node:
    frames, disparity = two_halves(num_frames)
    given = {} if script is None else {"script": script if isinstance(script, str) else json.dumps(script)}
    return graph.add(NODE, frames=host.load(graph, frames), disparity=host.load(graph, disparity), **given)


def test_a_script_racks_focus_and_strength(host: HostUnderTest):
    graph = host.graph()
    node = add(host, graph, SCRIPT)
    strength, preview, plot, values = host.values_of(graph, *(node[i] for i in range(1, 5)))
    expected = [0.8, 0.65, 0.5, 0.35, 0.2, 0.2]
    np.testing.assert_allclose(values, expected, atol=1e-6)
    np.testing.assert_allclose(strength, [8, 12, 16, 20, 24, 24], atol=1e-5)
    assert preview.shape == (6, 8, 16, 3)
    assert plot.shape == (1, 360, 960, 3)


def test_the_picture_gets_the_clip_and_its_depth(host: HostUnderTest):
    graph = host.graph()
    node = add(host, graph, SCRIPT)
    (report,) = host.run(graph).outputs[node.id]["any_to_bokeh_viewfinder"]
    assert (report["frames"], report["width"], report["height"]) == (6, 16, 8)
    assert report["shown"] == [0, 1, 2, 3, 4, 5]
    assert json.loads(report["script"]) == SCRIPT
    # Focus looks left until it is halfway to the right.
    assert report["points"][0] == [4, 4]
    assert report["points"][4] == [12, 4]
    np.testing.assert_allclose(report["focal"], [0.8, 0.65, 0.5, 0.35, 0.2, 0.2], atol=1e-4)
    depth = np.asarray(Image.open(io.BytesIO(host.client.download(report["disparity"][3]))))
    assert depth.shape == (8, 16)
    assert depth[4, 0] == round(255 * NEAR) and depth[4, 15] == round(255 * FAR)
    picture = np.asarray(Image.open(io.BytesIO(host.client.download(report["pictures"][3]))).convert("RGB"))
    assert np.abs(picture[4, 2].astype(int) - [255, 128, 0]).max() < 12


def test_without_a_decision_the_subject_is_in_focus(host: HostUnderTest):
    graph = host.graph()
    node = add(host, graph)
    # Of two halves the near one stands before the other.
    (values,) = host.values_of(graph, node[4])
    assert np.asarray(values).tolist() == pytest.approx([NEAR] * 6)


def test_lens_and_boxes_reach_the_picture_and_the_focus(host: HostUnderTest):
    graph = host.graph()
    frames, disparity = two_halves()
    lens = graph.add("AnyToBokehChooseLens", blades=6, cat_eye=0.5, near_strength=0.5)
    node = graph.add(
        NODE,
        frames=host.load(graph, frames),
        disparity=host.load(graph, disparity),
        lens=lens[0],
        boxes=graph.add("ProbeBoxes", text=json.dumps([{"x": 9, "y": 1, "width": 6, "height": 6}]))[0],
    )
    (values,) = host.values_of(graph, node[4])
    assert np.asarray(values).tolist() == pytest.approx([FAR] * 6)
    (report,) = host.run(graph).outputs[node.id]["any_to_bokeh_viewfinder"]
    assert {
        name: report["lens"][name] for name in ("blades", "near_strength", "largest_radius", "unseen")
    } == {
        "blades": 6,
        "near_strength": 0.5,
        "largest_radius": None,
        "unseen": ["cat_eye"],
    }


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("{not json", "no JSON"),
        ({**SCRIPT, "version": 2}, "version"),
        ({**SCRIPT, "focus": [{"frame": 0, "kind": "point", "x": 1.5}]}, "x is 1.5"),
        ({**SCRIPT, "focus": [{"frame": 0, "kind": "mask"}]}, "mask"),
    ],
)
def test_a_script_that_cannot_be_followed_is_refused(host: HostUnderTest, script: Any, said: str):
    graph = host.graph()
    host.save(graph, add(host, graph, script))
    assert said in host.expect_error(graph).message


def test_one_pixel_of_one_frame(host: HostUnderTest):
    graph = host.graph()
    frames, disparity = np.full((1, 1, 1, 3), 0.5, np.float32), np.ones((1, 1, 1), np.float32)
    node = graph.add(NODE, frames=host.load(graph, frames), disparity=host.load(graph, disparity))
    (values,) = host.values_of(graph, node[4])
    assert np.asarray(values).tolist() == [1.0]


def test_one_map_serves_the_clip(host: HostUnderTest):
    graph = host.graph()
    frames, disparity = two_halves()
    node = graph.add(NODE, frames=host.load(graph, frames), disparity=host.load(graph, disparity[:1]))
    (values,) = host.values_of(graph, node[4])
    assert len(values) == 6


@pytest.mark.parametrize("kind", ["input", "temp", "output"])
def test_files_outside_of_the_hosts_folders_are_refused(host: HostUnderTest, kind: str):
    """The picture asks for files by this route alone; the pack has none of its own that reads."""
    (host.input_dir.parent / "private.png").write_bytes(b"private")
    for name, subfolder in (
        ("../private.png", ""),
        ("private.png", ".."),
        ("private.png", str(host.input_dir.parent)),
        (str(host.input_dir.parent / "private.png"), ""),
    ):
        with pytest.raises(urllib.error.HTTPError) as refused:
            host.client.download({"filename": name, "subfolder": subfolder, "type": kind})
        assert refused.value.code in (400, 403, 404)


def test_the_script_is_a_widget_of_its_own_kind(host: HostUnderTest):
    kind, options = inputs_of(host, NODE)["script"]
    assert kind == "ANY_TO_BOKEH_VIEWFINDER"
    assert options["default"] == ""
    assert host.object_info()[NODE]["output_node"]
