"""Camera in a real host."""

import math
from typing import Any

import numpy as np
import pytest

from bokeh_core.camera import SENSORS, Camera
from tests.host.harness import Array, HostUnderTest, Node
from tests.host.schema import choices_of, inputs_of, schema_defaults

NODE = "AnyToBokehCamera"
SIZE = (32, 48)


# From another node, which no widget's least value holds back.
LINKED_ZERO = "linked"


def camera(host: HostUnderTest, graph: Any, num_frames: int = 3, **options: Any) -> Node:
    disparity = np.linspace(0, 1, SIZE[1], dtype=np.float32)
    maps = host.load(graph, np.broadcast_to(disparity, (num_frames, *SIZE)).copy())
    node: Node = graph.add(NODE, disparity=maps, **{**schema_defaults(host, NODE), **options})
    return node


def test_schema_agrees_with_the_camera(host: HostUnderTest):
    assert schema_defaults(host, NODE) == {
        "sensor": "full frame",
        "sensor_width": Camera.sensor_width,
        "focal_length": Camera.focal_length,
        "f_number": Camera.f_number,
        "near_distance": 1.0,
        "far_distance": 0.0,
        "focus_distance": Camera.focus_distance,
        "breathing": Camera.breathing,
        "over_time": "",
        "easing": Camera.easing,
    }
    assert choices_of(host, NODE, "sensor") == [*SENSORS, "custom"]
    assert [n for n, (_, options) in inputs_of(host, NODE).items() if not options.get("tooltip")] == []
    assert host.object_info()[NODE]["output"] == ["BLUR_STRENGTH", "FOCUS", "STRING", "IMAGE"]


def test_millimetres_and_metres(host: HostUnderTest):
    graph = host.graph()
    options: dict[str, Any] = {
        "f_number": 1.8,
        "over_time": "focus_distance: 0: 2, 2: 4",
        "near_distance": 1.0,
    }
    node = camera(host, graph, **options)
    strength, report, plot = host.values_of(graph, node[0], node[2], node[3])
    # 50 mm, f/1.8 on 36 mm at 2 m: infinity has 10.13 px at a disparity of 0, and the focus is at 1 / 2.
    assert strength[0] * 0.5 == pytest.approx(10.13, abs=0.005)
    # The farther focus has z_f / (z_f - f) = 4 / 3.95 for 2 / 1.95.
    assert strength[2] / strength[0] == pytest.approx((4 / 3.95) / (2 / 1.95))
    assert "50 mm f/1.8" in report and "focus at 2 to 4 m" in report
    assert plot.shape[::3] == (1, 3) and plot.max() > 0.5


def test_a_focus_and_intrinsics_take_the_place_of_widgets(host: HostUnderTest):
    graph = host.graph()
    focus = graph.add(
        "AnyToBokehFocusAtValue",
        disparity=host.load(graph, np.zeros((3, *SIZE), np.float32)),
        focal_disparity=0.25,
    )
    matrix = np.array([[2.0, 0, 0.5], [0, 3, 0.5], [0, 0, 1]], np.float32)
    node = camera(
        host,
        graph,
        sensor="custom",
        sensor_width=20.0,
        focus=focus[0],
        intrinsics=host.load(graph, matrix[None]),
    )
    (report,) = host.values_of(graph, node[2])
    assert "40 mm f/2.8" in report and "a sensor 20 mm wide" in report and "focus at 4 m" in report


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"near_distance": 0.0}, "near_distance is 0: this depth does not say distances"),
        ({"near_distance": 3.0, "far_distance": 2.0}, "near_distance is 3 m and far_distance 2 m"),
        ({"focus_distance": 0.5}, "focus_distance is 0.5 m in frame 0, but the scene lies at 1 to inf m"),
        (
            {"focal_length": "100", "focus_distance": 0.09, "near_distance": 0.05},
            "nothing can be in focus there",
        ),
        ({"over_time": "sensor: 0: 3"}, "over_time names 'sensor', which does not move"),
        ({"over_time": "f_number: 0: 0"}, "f_number is 0; it must be 0.5 to 128"),
        ({"f_number": LINKED_ZERO}, "f_number is 0; it must be 0.5 to 128"),
        ({"focal_length": LINKED_ZERO}, "focal_length is 0 mm; it must be 1 to 2000 mm"),
        (
            {"sensor": "custom", "sensor_width": LINKED_ZERO},
            "sensor_width is 0 mm; it must be 1 to 300 mm",
        ),
    ],
)
def test_what_cannot_be_is_said(host: HostUnderTest, options: dict[str, Any], message: str):
    graph = host.graph()
    given: dict[str, Any] = {
        name: graph.add("PrimitiveFloat", value=0.0)[0] if value == LINKED_ZERO else value
        for name, value in options.items()
    }
    host.save(graph, camera(host, graph, **given)[3])
    assert message in host.expect_error(graph).message


def test_what_stays_needs_no_clip(host: HostUnderTest):
    graph = host.graph()
    (strength,) = host.values_of(graph, graph.add(NODE, **schema_defaults(host, NODE))[0])
    assert strength.shape == (1,)
    graph = host.graph()
    moving = {**schema_defaults(host, NODE), "over_time": "f_number: 0: 2, 9: 4"}
    host.save(graph, graph.add(NODE, **moving)[0])
    assert "Numbers over time need the length of the clip; connect" in host.expect_error(graph).message


class TestBreathing:
    def frames(self) -> Array:
        return np.random.default_rng(4).random((3, *SIZE, 3), np.float32)

    def through(self, host: HostUnderTest, **options: Any) -> Array:
        graph = host.graph()
        node = camera(host, graph, over_time="focus_distance: 0: 8, 2: 1", **options)
        disparity = host.load(graph, np.full((3, *SIZE), 0.125, np.float32))
        frames = host.load(graph, self.frames())
        blur = graph.add(
            "AnyToBokehLensBlur", frames=frames, disparity=disparity, focus=node[1], blur_strength=node[0]
        )
        (found,) = host.values_of(graph, blur[0])
        result: Array = found
        return result

    def test_the_blurred_picture_grows(self, host: HostUnderTest):
        still, breathing = (self.through(host, breathing=on, f_number=128.0) for on in (False, True))
        # Focused farthest, nothing breathes, and all at 8 m is sharp.
        np.testing.assert_array_equal(breathing[0], self.frames()[0])
        assert math.isclose(np.abs(still[2] - self.frames()[2]).max(), 0, abs_tol=0.2)
        assert np.abs(breathing[2] - still[2]).max() > 0.05

    def test_the_sampler_refuses_it(self, host: HostUnderTest):
        graph = host.graph()
        node = camera(host, graph, breathing=True)
        loaded = graph.add("AnyToBokehLoadModel", **schema_defaults(host, "AnyToBokehLoadModel"))
        sampler = graph.add(
            "AnyToBokehSampler",
            model=loaded[0],
            vae=loaded[1],
            frames=host.load(graph, self.frames()),
            disparity=host.load(graph, np.zeros((3, *SIZE), np.float32)),
            focus=node[1],
            blur_strength=node[0],
        )
        host.save(graph, sampler[1])
        assert "This Camera breathes, which the sampler cannot" in host.expect_error(graph).message
