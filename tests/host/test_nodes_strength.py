"""Blur Strength in a real host."""

from typing import Any

import numpy as np

from bokeh_core.schedule.values import EASINGS
from bokeh_core.strength import MODES, blur_strength
from tests.host.harness import HostUnderTest
from tests.host.schema import choices_of, function_defaults, inputs_of, schema_defaults

NODE = "AnyToBokehBlurStrength"


def inputs(
    host: HostUnderTest, graph: Any, num_frames: int | None, options: dict[str, Any]
) -> dict[str, Any]:
    given: dict[str, Any] = {"mode": "constant", "strength": 16.0, **options}
    if num_frames is not None:
        given["disparity"] = host.load(graph, np.zeros((num_frames, 2, 3), np.float32))
    return given


def strength(host: HostUnderTest, num_frames: int | None = None, **options: Any) -> list[Any]:
    graph = host.graph()
    node = graph.add(NODE, **inputs(host, graph, num_frames, options))
    return host.values_of(graph, node[0], node[1])


def strength_error(host: HostUnderTest, num_frames: int | None = None, **options: Any) -> str:
    graph = host.graph()
    host.save(graph, graph.add(NODE, **inputs(host, graph, num_frames, options)))
    return host.expect_error(graph).message


def test_schema_and_function_agree(host: HostUnderTest):
    function = function_defaults(blur_strength)
    assert function.pop("num_frames") is None
    assert schema_defaults(host, NODE) == function
    assert choices_of(host, NODE, "mode") == list(MODES)
    assert choices_of(host, NODE, "easing") == list(EASINGS)


def test_every_input_and_output_is_explained(host: HostUnderTest):
    assert [n for n, (_, options) in inputs_of(host, NODE).items() if not options.get("tooltip")] == []
    info = host.object_info()[NODE]
    assert info["output"] == ["BLUR_STRENGTH", "STRING", "IMAGE"]
    assert all(info["output_tooltips"])


def test_a_constant_needs_no_clip(host: HostUnderTest):
    values, label = strength(host, strength=8.0)
    assert values.dtype == np.float32
    assert values.tolist() == [8.0]
    assert label.startswith("about f/5.6 (relative")


def test_a_ramp_covers_the_clip(host: HostUnderTest):
    values, label = strength(host, 5, mode="ramp", strength=0.0, end_strength=16.0)
    assert values.tolist() == [0, 4, 8, 12, 16]
    assert label.startswith("no blur to f/2.8")


def test_a_schedule_is_read(host: HostUnderTest):
    values, _ = strength(host, 4, mode="schedule", schedule="0: 0\n2: 16", easing="linear")
    assert values.tolist() == [0, 8, 16, 16]


def test_negative_strength_is_refused(host: HostUnderTest):
    assert "strength" in strength_error(host, strength=-1.0)
    message = strength_error(host, 3, mode="schedule", schedule="4\n-2\n4")
    assert "blur_strength is -2 at frame 1; it must be 0 to 200" in message


def test_a_schedule_shorter_than_the_clip_is_refused(host: HostUnderTest):
    assert "has 2 values for 3 video frames" in strength_error(host, 3, mode="schedule", schedule="4\n5")


def test_a_ramp_without_a_clip_is_refused(host: HostUnderTest):
    assert "A ramp needs the length of the clip; connect the disparity" in strength_error(host, mode="ramp")
