"""Memory that runs out in one of our nodes: the host is told, and so is the user."""

from __future__ import annotations

import numpy as np
import pytest

from devtools.client import PromptFailed
from tests.host.harness import HostUnderTest


def failed(host: HostUnderTest, kind: str) -> PromptFailed:
    """Lens Blur on frames that fail as soon as something is computed with them."""
    graph = host.graph()
    frames = host.load(graph, np.random.default_rng(1).random((2, 16, 24, 3), np.float32))
    disparity = host.load(graph, np.full((2, 16, 24), 0.5, np.float32))
    blurred = graph.add(
        "AnyToBokehLensBlur",
        frames=graph.add("ProbeOutOfMemory", value=frames, kind=kind),
        disparity=disparity,
        focus=graph.add("AnyToBokehFocusAtValue", disparity=disparity, focal_disparity=1.0),
        blur_strength=graph.add("AnyToBokehBlurStrength", mode="constant", strength=40.0),
    )
    host.save(graph, blurred)
    return host.expect_error(graph)


def unloads(host: HostUnderTest) -> int:
    graph = host.graph()
    (count,) = host.values_of(graph, graph.add("ProbeUnloads", when=host.unique_name()))
    return int(count)


@pytest.mark.parametrize(
    ("kind", "says", "unloaded"),
    [
        ("device", "Out of memory on", 1),
        ("accelerator", "Out of memory on", 1),
        ("main", "Out of main memory", 0),
    ],
)
def test_the_host_unloads_its_models_for_the_device_only(
    host: HostUnderTest, kind: str, says: str, unloaded: int
):
    before = unloads(host)
    message = failed(host, kind).message
    assert message.splitlines()[0].startswith(says)
    assert "smaller frames, a lower strength or cat_eye 0" in message
    assert unloads(host) - before == unloaded
