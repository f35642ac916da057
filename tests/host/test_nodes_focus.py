"""Focus at Value, Focus at Point and Focus on Mask in a real host."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from bokeh_core.focus import BETWEEN_POINTS, focus_at_point, focus_at_value, focus_on_mask
from bokeh_core.schedule.values import EASINGS
from tests.host.harness import Array, HostUnderTest
from tests.host.schema import choices_of, function_defaults, inputs_of, schema_defaults

AT_VALUE = "AnyToBokehFocusAtValue"
AT_POINT = "AnyToBokehFocusAtPoint"
ON_MASK = "AnyToBokehFocusOnMask"
FUNCTIONS: dict[str, Callable[..., Any]] = {
    AT_VALUE: focus_at_value,
    AT_POINT: focus_at_point,
    ON_MASK: focus_on_mask,
}
RENAMED = {"x_px": "x", "y_px": "y", "radius_px": "radius", "smoothing_frames": "smoothing"}


def halves(num_frames: int, height: int = 9, width: int = 20) -> Array:
    """Left half at 0.25, right half at 0.75."""
    disparity = np.full((num_frames, height, width), 0.25, np.float32)
    disparity[..., width // 2 :] = 0.75
    return disparity


def focus(
    host: HostUnderTest, node_id: str, disparity: Array, mask: Array | None = None, **options: Any
) -> list[Any]:
    graph = host.graph()
    if mask is not None:
        options["mask"] = host.load(graph, mask)
    node = graph.add(node_id, disparity=host.load(graph, disparity), **options)
    return host.values_of(graph, node[0], node[1])


def focus_error(
    host: HostUnderTest, node_id: str, disparity: Array, mask: Array | None = None, **options: Any
) -> str:
    graph = host.graph()
    if mask is not None:
        options["mask"] = host.load(graph, mask)
    node = graph.add(node_id, disparity=host.load(graph, disparity), **options)
    host.save(graph, node)
    failure = host.expect_error(graph)
    assert failure.node_id == node.id
    return failure.message


@pytest.mark.parametrize("node_id", FUNCTIONS)
def test_schema_and_function_agree(host: HostUnderTest, node_id: str):
    defaults = function_defaults(FUNCTIONS[node_id], RENAMED)
    # Frames are a socket, which has none.
    defaults.pop("frames", None)
    assert schema_defaults(host, node_id) == defaults


@pytest.mark.parametrize("node_id", FUNCTIONS)
def test_every_input_and_output_is_explained(host: HostUnderTest, node_id: str):
    assert [n for n, (_, options) in inputs_of(host, node_id).items() if not options.get("tooltip")] == []
    info = host.object_info()[node_id]
    assert info["output"] == ["FOCUS", "FLOAT"]
    assert info["output_name"] == ["focus", "focal_disparity"]
    assert all(info["output_tooltips"])


def test_dropdowns_offer_what_the_functions_take(host: HostUnderTest):
    assert choices_of(host, AT_VALUE, "easing") == list(EASINGS)
    assert choices_of(host, AT_POINT, "easing") == list(EASINGS)
    assert choices_of(host, AT_POINT, "between_keyframes") == list(BETWEEN_POINTS)


def test_a_value_is_repeated_over_the_clip(host: HostUnderTest):
    values, first = focus(host, AT_VALUE, halves(3), focal_disparity=0.25)
    assert values.dtype == np.float32
    assert values.tolist() == [0.25, 0.25, 0.25]
    assert first == 0.25


def test_keyframes_rack_the_focus(host: HostUnderTest):
    values, first = focus(host, AT_VALUE, halves(5), focal_disparity=0.1, keyframes="0: 0.75\n4: 0.25")
    assert values.tolist() == [0.75, 0.625, 0.5, 0.375, 0.25]
    assert first == 0.75


def test_a_schedule_shorter_than_the_clip_is_refused(host: HostUnderTest):
    message = focus_error(host, AT_VALUE, halves(5), focal_disparity=0.5, keyframes="0.1\n0.2\n0.3")
    assert "has 3 values for 5 video frames" in message


def test_a_value_outside_is_refused_by_the_host(host: HostUnderTest):
    assert "focal_disparity" in focus_error(host, AT_VALUE, halves(1), focal_disparity=1.5)


def test_the_default_point_is_the_centre(host: HostUnderTest):
    values, _ = focus(host, AT_POINT, halves(2), x=-1, y=-1, radius=0)
    assert values.tolist() == [0.75, 0.75]


def test_a_point_is_measured_in_every_frame(host: HostUnderTest):
    disparity = halves(4)
    disparity[2:, :, :10] = 0.5
    values, _ = focus(host, AT_POINT, disparity, x=3, y=4, smoothing=0.0)
    assert values.tolist() == [0.25, 0.25, 0.5, 0.5]


def test_points_can_be_racked(host: HostUnderTest):
    values, _ = focus(
        host,
        AT_POINT,
        halves(5),
        x=0,
        y=0,
        radius=1,
        smoothing=0.0,
        keyframes="0: 3, 4\n4: 16, 4",
        between_keyframes="rack focus",
    )
    assert values.tolist() == [0.25, 0.375, 0.5, 0.625, 0.75]


def test_a_subject_is_tracked_in_the_frames(host: HostUnderTest):
    random = np.random.default_rng(3)
    frames = np.repeat(random.random((1, 60, 100, 3), np.float32), 8, 0)
    disparity = np.full((8, 60, 100), 0.25, np.float32)
    subject = random.random((30, 30, 3), np.float32)
    for t in range(8):
        frames[t, 15:45, 5 + 4 * t : 35 + 4 * t] = subject
        disparity[t, 15:45, 5 + 4 * t : 35 + 4 * t] = 0.75
    graph = host.graph()
    links = {"disparity": host.load(graph, disparity), "frames": host.load(graph, frames)}
    how = {"between_keyframes": "track the subject", "smoothing": 0.0, "radius": 2}
    tracked = graph.add(AT_POINT, **links, x=12, y=30, **how)
    (focal,) = host.values_of(graph, tracked[0])
    assert np.asarray(focal).tolist() == pytest.approx([0.75] * 8)
    assert "track the subject, which needs the frames" in focus_error(
        host, AT_POINT, disparity, x=12, y=30, between_keyframes="track the subject"
    )


def test_a_point_outside_is_refused(host: HostUnderTest):
    message = focus_error(host, AT_POINT, halves(1), x=20, y=4)
    assert "The point (20, 4) is outside the frame of 20 x 9 px" in message


def test_a_mask_is_followed_and_gaps_are_held(host: HostUnderTest):
    mask = np.zeros((4, 9, 20), np.float32)
    mask[1, :, :10] = 1
    mask[3, :, 10:] = 1
    values, first = focus(host, ON_MASK, halves(4), mask, smoothing=0.0)
    assert values.tolist() == [0.25, 0.25, 0.25, 0.75]
    assert first == 0.25


def test_one_mask_of_another_size_serves_the_clip(host: HostUnderTest):
    mask = np.zeros((1, 18, 40), np.float32)
    mask[:, :, 24:] = 1
    values, _ = focus(host, ON_MASK, halves(3), mask)
    np.testing.assert_allclose(values, [0.75] * 3, atol=1e-6)


def test_empty_masks_everywhere_are_refused(host: HostUnderTest):
    message = focus_error(host, ON_MASK, halves(3), np.zeros((3, 9, 20), np.float32))
    assert "The mask is empty in all 3 frames" in message


@pytest.mark.parametrize("node_id", [AT_VALUE, AT_POINT, ON_MASK])
def test_one_pixel_works(host: HostUnderTest, node_id: str):
    disparity = np.full((1, 1, 1), 0.5, np.float32)
    inputs: dict[str, dict[str, Any]] = {
        AT_VALUE: {"focal_disparity": 0.5},
        AT_POINT: {"x": -1, "y": -1},
        ON_MASK: {"mask": np.ones((1, 1, 1), np.float32)},
    }
    values, first = focus(host, node_id, disparity, **inputs[node_id])
    assert (values.tolist(), first) == ([0.5], 0.5)
