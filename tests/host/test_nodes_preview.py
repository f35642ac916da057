"""Focus Preview in a real host."""

import math
from typing import Any

import av
import numpy as np
import pytest

from bokeh_core.coc import EQ_1
from bokeh_core.preview import focus_preview
from bokeh_core.progress import no_progress
from tests.host.harness import Array, Graph, HostUnderTest, Node
from tests.host.schema import function_defaults, inputs_of, schema_defaults

NODE = "AnyToBokehFocusPreview"
NEAR_RGB = np.array([0.16, 0.42, 1.0])


def add(
    host: HostUnderTest,
    graph: Graph,
    frames: Array,
    disparity: Array,
    strength: float | None = None,
    **options: Any,
) -> Node:
    if strength is not None:
        options["blur_strength"] = host.load(graph, np.array([strength], np.float32))
    focus = host.load(graph, np.array([0.5], np.float32))
    return graph.add(
        NODE, frames=host.load(graph, frames), disparity=host.load(graph, disparity), focus=focus, **options
    )


def preview(
    host: HostUnderTest, frames: Array, disparity: Array, show_radius: bool = False, **options: Any
) -> Array:
    graph = host.graph()
    node = add(host, graph, frames, disparity, show_radius=show_radius, **options)
    (image,) = host.values_of(graph, node)
    return np.asarray(image)


def test_schema_and_function_agree(host: HostUnderTest):
    function = function_defaults(focus_preview)
    assert function.pop("progress") is no_progress
    # Comes with the focus.
    assert function.pop("points_px") is None
    # The node shows whole clips.
    assert function.pop("frame_numbers") is None
    assert function.pop("falloff") == EQ_1
    assert schema_defaults(host, NODE) == function


def test_every_input_and_output_is_explained(host: HostUnderTest):
    assert [n for n, (_, options) in inputs_of(host, NODE).items() if not options.get("tooltip")] == []
    info = host.object_info()[NODE]
    assert info["output"] == ["IMAGE"]
    assert all(info["output_tooltips"])


@pytest.mark.parametrize("strength", [None, 16.0])
def test_without_a_strength_16_is_shown(host: HostUnderTest, strength: float | None):
    # White, 0.375 nearer than the focus, K 16 at 1024 wide: radius 6 px, whatever the width.
    frames = np.ones((1, 2, 4, 3), np.float32)
    image = preview(host, frames, np.full((1, 2, 4), 0.875, np.float32), strength=strength)
    opacity = 0.6 * (1 - math.exp(-1.1))
    np.testing.assert_allclose(image[0, 0, 0], 1 - opacity * (1 - NEAR_RGB), atol=1e-5)


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_grey_and_rgba_frames_give_rgb(host: HostUnderTest, channels: int):
    frames = np.full((2, 3, 5, channels), 0.5, np.float32)
    image = preview(host, frames, np.full((1, 3, 5), 0.5, np.float32))
    assert image.shape == (2, 3, 5, 3)
    np.testing.assert_allclose(image, 0.5, atol=1e-6)


def test_radius_lines_are_drawn(host: HostUnderTest):
    frames = np.zeros((1, 90, 160, 3), np.float32)
    disparity = np.broadcast_to(np.linspace(0, 1, 160, dtype=np.float32), (1, 90, 160)).copy()
    options: dict[str, Any] = {"strength": 64.0, "tint": 0.0}
    assert preview(host, frames, disparity, **options).max() == 0
    assert preview(host, frames, disparity, show_radius=True, **options).max() > 0.5


@pytest.mark.parametrize("node_id", ["AnyToBokehFocusAtPoint", "AnyToBokehFocusOnMask"])
def test_the_focus_brings_the_point_that_it_was_measured_at(host: HostUnderTest, node_id: str):
    graph = host.graph()
    frames = host.load(graph, np.zeros((2, 60, 80, 3), np.float32))
    disparity = host.load(graph, np.full((2, 60, 80), 0.5, np.float32))
    if node_id == "AnyToBokehFocusOnMask":
        mask = np.zeros((1, 60, 80), np.float32)
        mask[:, 30:51, 55:66] = 1
        focus = graph.add(node_id, disparity=disparity, mask=host.load(graph, mask))
    else:
        focus = graph.add(node_id, disparity=disparity, x=60, y=40)
    without = host.load(graph, np.array([0.5], np.float32))
    pictures = [graph.add(NODE, frames=frames, disparity=disparity, focus=one) for one in (focus, without)]
    marked, plain = host.values_of(graph, *pictures)
    change = np.abs(marked - plain).sum(-1)
    for frame in change:
        rows, columns = frame.nonzero()
        assert (rows.min() + rows.max(), columns.min() + columns.max()) == (80, 120)


def test_one_pixel_works(host: HostUnderTest):
    image = preview(
        host, np.full((1, 1, 1, 3), 0.25, np.float32), np.ones((1, 1, 1), np.float32), show_radius=True
    )
    assert image.shape == (1, 1, 1, 3)


def test_the_clip_plays_on_the_node_with_nothing_behind_it(host: HostUnderTest):
    graph = host.graph()
    frames = np.zeros((5, 60, 81, 3), np.float32)
    frames[:, :, :40] = np.linspace(0.2, 0.8, 5, dtype=np.float32)[:, None, None, None]
    node = add(host, graph, frames, np.full((1, 60, 81), 0.5, np.float32), show_radius=False)
    result = host.run(graph)
    shown = result.outputs[node.id]
    assert shown["animated"] == [True]
    (place,) = shown["images"]
    assert (place["type"], place["subfolder"]) == ("temp", "any_to_bokeh")
    (file,) = result.files[node.id]
    with av.open(str(file)) as container:
        rate = container.streams.video[0].average_rate
        pictures = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    # An even width, for players.
    assert (rate, [picture.shape for picture in pictures]) == (24, [(60, 82, 3)] * 5)
    levels = [picture[:, 4:36].mean() / 255 for picture in pictures]
    np.testing.assert_allclose(levels, np.linspace(0.2, 0.8, 5), atol=0.02)


def test_progress_is_shown(host: HostUnderTest):
    graph = host.graph()
    node = add(host, graph, np.zeros((3, 4, 4, 3), np.float32), np.zeros((3, 4, 4), np.float32))
    host.save(graph, node)
    ticks = [(tick.value, tick.maximum) for tick in host.run(graph).progress if tick.node_id == node.id]
    assert (3, 3) in ticks


def test_sizes_that_differ_are_refused(host: HostUnderTest):
    graph = host.graph()
    host.save(graph, add(host, graph, np.zeros((1, 4, 4, 3), np.float32), np.zeros((1, 2, 2), np.float32)))
    assert "disparity is 2 x 2 px but the frames are 4 x 4 px" in host.expect_error(graph).message
