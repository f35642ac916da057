"""Cancel takes effect in the middle of a render, and the host goes on afterwards."""

import numpy as np

from tests.host.harness import Graph, HostUnderTest, Node

FRAME_COUNT = 12


def lens_blur(host: HostUnderTest) -> tuple[Graph, Node]:
    """Return a graph that blurs a ramp focused at its near end, and its Lens Blur node."""
    graph = host.graph()
    ramp = np.linspace(0, 1, 64, dtype=np.float32)
    maps = np.broadcast_to(ramp, (FRAME_COUNT, 48, 64)).copy()
    disparity = host.load(graph, maps)
    focus = graph.add("AnyToBokehFocusAtValue", disparity=disparity, focal_disparity=1.0)
    strength = graph.add("AnyToBokehBlurStrength", mode="constant", strength=100.0)
    frames = host.load(graph, np.stack([maps] * 3, axis=-1))
    lens = graph.add(
        "AnyToBokehLensBlur", frames=frames, disparity=disparity, focus=focus, blur_strength=strength
    )
    host.save(graph, lens)
    return graph, lens


def test_lens_blur_stops_at_the_next_frame(host: HostUnderTest):
    graph, lens = lens_blur(host)
    interrupted, ticks = host.expect_interrupt(graph, lens, value=2)
    assert interrupted.node_id == lens.id
    assert ticks[-1].value == 2
    assert ticks[-1].maximum == FRAME_COUNT


def test_the_host_renders_after_a_cancel(host: HostUnderTest):
    graph, lens = lens_blur(host)
    host.expect_interrupt(graph, lens, value=1)
    graph, lens = lens_blur(host)
    result = host.run(graph)
    assert [tick.value for tick in result.progress if tick.node_id == lens.id][-1] == FRAME_COUNT
