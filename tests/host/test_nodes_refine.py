"""Refine Depth in a real host."""

import numpy as np

from bokeh_core.disparity.refine import RefineSettings, changes_view, refine_clip
from tests.core.disparity.refine.scenes import moving_square
from tests.host.harness import HostUnderTest
from tests.host.schema import function_defaults, schema_defaults

NODE = "AnyToBokehRefineDisparity"
BRING = "AnyToBokehDisparityFromImages"


def test_everything_is_on_by_default(host: HostUnderTest):
    assert schema_defaults(host, NODE) == function_defaults(RefineSettings)


def test_a_torn_limb_comes_back_and_is_shown(host: HostUnderTest):
    frames, disparity = moving_square(5, 2)
    disparity[2, 40:56][disparity[2, 40:56] > 0.5] = 0.2
    graph = host.graph()
    given = host.load(graph, frames.numpy())
    maps = host.load(graph, disparity[..., None].expand(-1, -1, -1, 3).numpy())
    brought = graph.add(BRING, images=maps, normalisation="none", polarity="near white")
    node = graph.add(NODE, frames=given, disparity=brought[0])
    found, changes, report = host.values_of(graph, node[0], node[1], node[2])
    expected = refine_clip(frames, disparity)
    np.testing.assert_allclose(found, expected.disparity.numpy(), atol=1e-3)
    np.testing.assert_allclose(changes, changes_view(disparity, expected.disparity).numpy(), atol=0.02)
    assert report == str(expected.report) and "restored in 1 " in report and "In all " in report


def test_switched_off_it_hands_the_maps_back(host: HostUnderTest):
    frames, disparity = moving_square(2)
    graph = host.graph()
    given = host.load(graph, frames.numpy())
    maps = host.load(graph, disparity[..., None].expand(-1, -1, -1, 3).numpy())
    brought = graph.add(BRING, images=maps, normalisation="none", polarity="near white")
    off = dict.fromkeys(("outlines", "steady", "limbs", "banding"), False)
    node = graph.add(NODE, frames=given, disparity=brought[0], **off)
    before, after = host.values_of(graph, brought[0], node[0])
    np.testing.assert_array_equal(before, after)


def test_a_mask_makes_the_subject_whole_in_every_frame(host: HostUnderTest):
    frames, disparity = moving_square(2)
    whole = disparity.clone()
    disparity[:, 40:56][disparity[:, 40:56] > 0.5] = 0.2
    graph = host.graph()
    given = host.load(graph, frames.numpy())
    maps = host.load(graph, disparity[..., None].expand(-1, -1, -1, 3).numpy())
    shapes = host.load(graph, (whole > 0.5).float()[..., None].expand(-1, -1, -1, 3).numpy())
    subject = graph.add("ImageToMask", image=shapes, channel="red")
    brought = graph.add(BRING, images=maps, normalisation="none", polarity="near white")
    node = graph.add(NODE, frames=given, disparity=brought[0], subject=subject[0])
    found, report = host.values_of(graph, node[0], node[2])
    np.testing.assert_allclose(found, whole.numpy(), atol=5e-3)
    assert "the subject made whole in 2" in report
