"""MPI Focal-Plane Mask in a real host."""

from typing import Any

import numpy as np
import pytest

from bokeh_core.mpi import layer_colours, mpi_regions
from tests.host.harness import Array, HostUnderTest
from tests.host.schema import function_defaults, inputs_of, schema_defaults

NODE = "AnyToBokehMPIMask"


def regions(host: HostUnderTest, disparity: Array, focus: list[float], **options: Any) -> list[Any]:
    graph = host.graph()
    links = {
        "disparity": host.load(graph, disparity),
        "focus": host.load(graph, np.array(focus, np.float32)),
    }
    node = graph.add(NODE, **links, **options)
    return host.values_of(graph, node[0], node[1], node[2])


def test_schema_and_function_agree(host: HostUnderTest):
    assert schema_defaults(host, NODE) == function_defaults(mpi_regions)


def test_every_input_and_output_is_explained(host: HostUnderTest):
    assert [n for n, (_, options) in inputs_of(host, NODE).items() if not options.get("tooltip")] == []
    info = host.object_info()[NODE]
    assert info["output"] == ["MPI_REGIONS", "IMAGE", "MASK"]
    assert info["output_name"] == ["regions", "image", "in_focus"]
    assert all(info["output_tooltips"])


def test_regions_colours_and_mask(host: HostUnderTest):
    # Thresholds at d_f = 1: 1/4, 1/2, 3/4; a distance of exactly 1/4 is still in focus.
    disparity = np.array([[[1.0, 0.75, 0.5, 0.25, 0.0]]], np.float32)
    found, image, mask = regions(host, disparity, [1.0])
    assert found.dtype == np.uint8
    assert found.tolist() == [[[0, 0, 1, 2, 3]]]
    np.testing.assert_allclose(image[0, 0], layer_colours(4).numpy()[[0, 0, 1, 2, 3]], atol=1e-6)
    assert mask.tolist() == [[[1, 1, 0, 0, 0]]]


def test_one_focus_serves_the_clip_and_each_frame_may_have_its_own(host: HostUnderTest):
    disparity = np.full((2, 1, 1), 0.5, np.float32)
    assert regions(host, disparity, [0.5])[0].flatten().tolist() == [0, 0]
    assert regions(host, disparity, [0.5, 1.0])[0].flatten().tolist() == [0, 1]


def test_layers_and_alpha(host: HostUnderTest):
    # d_f = 1/2, alpha 2: thresholds are fourth powers, 1/16 for two layers.
    disparity = np.array([[[0.5625, 0.5635]]], np.float32)
    assert regions(host, disparity, [0.5], layers=2, alpha=2.0)[0].tolist() == [[[0, 1]]]


@pytest.mark.parametrize(("num_values", "num_frames"), [(2, 3), (3, 1)])
def test_another_length_is_refused(host: HostUnderTest, num_values: int, num_frames: int):
    graph = host.graph()
    links = {
        "disparity": host.load(graph, np.zeros((num_frames, 2, 2), np.float32)),
        "focus": host.load(graph, np.zeros(num_values, np.float32)),
    }
    host.save(graph, graph.add(NODE, **links))
    message = host.expect_error(graph).message
    assert f"{num_values} focus frames for {num_frames} video frames" in message
