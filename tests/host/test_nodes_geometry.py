"""Disparity from Geometry in a real host."""

from typing import Any

import numpy as np
import pytest

from bokeh_core.disparity.geometry import disparity_from_geometry
from tests.host.harness import Graph, HostUnderTest, Node
from tests.host.schema import function_defaults, inputs_of, schema_defaults

NODE = "AnyToBokehDisparityFromGeometry"
DEPTH = np.array([[[1.0, 2.0, 4.0], [2.0, 4.0, np.inf]]] * 2, np.float32)


def geometry_of(host: HostUnderTest, graph: Graph, **arrays: Any) -> Node:
    name = host.unique_name("geometry") + ".npz"
    np.savez(host.input_dir / name, **arrays)
    return graph.add("ProbeGeometry", file=name)


def test_schema_and_function_agree(host: HostUnderTest):
    function = function_defaults(disparity_from_geometry)
    assert schema_defaults(host, NODE).items() <= function.items()


def test_one_socket_takes_either_geometry(host: HostUnderTest):
    kind, _ = inputs_of(host, NODE)["geometry"]
    assert kind == "DA3_GEOMETRY,MOGE_GEOMETRY"


@pytest.mark.parametrize("slot", [0, 1])
def test_sky_distances_and_disparity(host: HostUnderTest, slot: int):
    graph = host.graph()
    matrix = np.array([[0.5, 0, 0.5], [0, 1, 0.5], [0, 0, 1]], np.float32)
    given = geometry_of(host, graph, depth=DEPTH, intrinsics=np.stack([matrix, matrix]))
    node = graph.add(NODE, geometry=given[slot])
    found = host.values_of(graph, *(node[i] for i in range(8)))
    disparity, image, report, sky, confidence, nearest, farthest, intrinsics = found
    expected = np.array([[[1, 0.5, 0.25], [0.5, 0.25, 0]]] * 2, np.float32)
    np.testing.assert_allclose(disparity, expected, atol=1e-6)
    np.testing.assert_array_equal(image, np.repeat(disparity[..., None], 3, axis=-1))
    np.testing.assert_array_equal(sky, np.isinf(DEPTH))
    assert confidence.shape == (2, 2, 3) and (nearest, farthest) == (1, np.inf)
    np.testing.assert_array_equal(intrinsics, np.stack([matrix, matrix]))
    # 2 atan(0.5 / 0.5).
    assert "sees 90.0 degrees" in report and "16.7 % of all pixels" in report


def test_the_frames_give_the_size(host: HostUnderTest):
    graph = host.graph()
    given = geometry_of(host, graph, depth=DEPTH[:1])
    frames = host.load(graph, np.zeros((3, 4, 6, 3), np.float32))
    node = graph.add(NODE, geometry=given, frames=frames)
    disparity, intrinsics = host.values_of(graph, node[0], node[7])
    assert disparity.shape == (3, 4, 6) and intrinsics is None


def test_what_is_no_geometry_is_said(host: HostUnderTest):
    graph = host.graph()
    node = graph.add(NODE, geometry=host.load(graph, np.zeros((1, 2, 3), np.float32)))
    host.save(graph, node)
    assert "of the type Tensor; connect the geometry output" in host.expect_error(graph).message
