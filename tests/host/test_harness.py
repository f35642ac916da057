"""The harness itself carries values exactly and reports failures; the other tests lean on it."""

import numpy as np
import pytest

from tests.host.harness import HostUnderTest


@pytest.mark.parametrize("dtype", ["float32", "uint8", "int64"])
def test_arrays_cross_the_host_bit_for_bit(host: HostUnderTest, dtype: str):
    array = np.arange(2 * 3 * 5).reshape(2, 3, 5).astype(dtype)
    graph = host.graph()
    (value,) = host.values_of(graph, host.load(graph, array))
    assert value.dtype == array.dtype
    np.testing.assert_array_equal(value, array)


def test_special_floats_cross_the_host(host: HostUnderTest):
    array = np.array([np.nan, np.inf, -0.0, np.nextafter(np.float32(0), np.float32(1))], dtype=np.float32)
    graph = host.graph()
    (value,) = host.values_of(graph, host.load(graph, array))
    assert value.tobytes() == array.tobytes()


def test_a_core_node_computes_on_the_array(host: HostUnderTest):
    frames = np.linspace(0, 1, 2 * 4 * 4 * 3, dtype=np.float32).reshape(2, 4, 4, 3)
    graph = host.graph()
    (inverted,) = host.values_of(graph, graph.add("ImageInvert", image=host.load(graph, frames)))
    np.testing.assert_array_equal(inverted, np.float32(1) - frames)


def test_pictures_of_an_output_node_are_loaded(host: HostUnderTest):
    frames = np.zeros((2, 6, 8, 3), dtype=np.float32)
    frames[1, :, :, 0] = 1.0
    graph = host.graph()
    preview = graph.add("PreviewImage", images=host.load(graph, frames))
    pictures = host.run(graph).images[preview.id]
    assert [picture.shape for picture in pictures] == [(6, 8, 3), (6, 8, 3)]
    assert pictures[1][0, 0].tolist() == [255, 0, 0]


def test_an_exception_in_a_node_names_the_node(host: HostUnderTest):
    graph = host.graph()
    load = graph.add("ProbeLoad", file="no_such_file.npy")
    host.save(graph, load)
    failure = host.expect_error(graph)
    assert (failure.node_id, failure.node_type) == (load.id, "ProbeLoad")
    assert "no_such_file.npy" in failure.message


def test_a_refused_prompt_names_the_node(host: HostUnderTest):
    graph = host.graph()
    empty = graph.add("EmptyImage", width=0, height=8, batch_size=1, color=0)
    graph.add("PreviewImage", images=empty)
    failure = host.expect_error(graph)
    assert (failure.node_id, failure.node_type) == (empty.id, "EmptyImage")
    assert "width" in failure.message


def test_a_second_run_is_cached(host: HostUnderTest):
    graph = host.graph()
    load = host.load(graph, np.zeros((1, 2, 2, 3), dtype=np.float32))
    graph.add("PreviewImage", images=load)
    host.run(graph)
    assert load.id in host.run(graph).cached
