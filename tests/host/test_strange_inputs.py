"""What other nodes may put into our sockets is refused in words that name the input and what to connect."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.host.harness import HostUnderTest

ONES = np.ones((2, 8, 12, 3), np.float32)


@pytest.mark.parametrize(
    ("node", "inputs", "says"),
    [
        ("AnyToBokehDisparityFromImages", {"images": ONES[0]}, "The depth map has shape (8, 12, 3)"),
        ("AnyToBokehDisparityFromImages", {"images": ONES, "frames": ONES[0]}, "frames has shape (8, 12, 3)"),
        ("AnyToBokehDisparityFromImages", {"images": ONES[:0]}, "The depth map has shape (0, 8, 12, 3)"),
        (
            "AnyToBokehAssembleWindows",
            {"windows": ONES},
            "windows got Tensor; connect One-Step Bokeh Sampler",
        ),
        (
            "AnyToBokehRefinedDecode",
            {"vae": ONES, "latent": ONES, "frames": ONES},
            "vae got Tensor; connect Load Bokeh Model",
        ),
        (
            "AnyToBokehSampler",
            {
                "model": ONES,
                "vae": ONES,
                "frames": ONES,
                "disparity": ONES[..., 0],
                "focus": ONES[:, 0, 0, 0],
                "blur_strength": ONES[:, 0, 0, 0],
            },
            "model got Tensor; connect Load Bokeh Model",
        ),
        (
            "AnyToBokehRefineDisparity",
            {"frames": ONES, "disparity": ONES[..., 0] * np.float32("nan")},
            "disparity holds NaN at frame 0",
        ),
        (
            "AnyToBokehRefineDisparity",
            {"frames": ONES, "disparity": ONES[..., 0], "subject": 0 * ONES[..., 0]},
            "nowhere above 0.5; check the segmenter",
        ),
        (
            "AnyToBokehLensBlur",
            {
                "frames": ONES[0],
                "disparity": ONES[..., 0],
                "focus": ONES[:, 0, 0, 0],
                "blur_strength": ONES[:, 0, 0, 0],
            },
            "frames have shape (8, 12, 3)",
        ),
        (
            "AnyToBokehFocusPreview",
            {"frames": ONES[0], "disparity": ONES[..., 0], "focus": ONES[:, 0, 0, 0]},
            "frames have shape (8, 12, 3)",
        ),
    ],
)
def test_refused_in_words(host: HostUnderTest, node: str, inputs: dict[str, Any], says: str):
    graph = host.graph()
    given = {name: host.load(graph, value) for name, value in inputs.items()}
    host.save(graph, graph.add(node, **given))
    assert says in host.expect_error(graph).message
