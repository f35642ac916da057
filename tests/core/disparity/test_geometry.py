"""Geometry as the host's nodes for Depth Anything 3 and MoGe hand it on."""

import math
from typing import Any

import pytest
import torch

from bokeh_core.disparity.geometry import disparity_from_geometry

INF = math.inf
# Distances in metres of two frames, 2 x 3 px; the disparities are 1, 1/2, 1/4 and so on.
DEPTH = torch.tensor([[[1.0, 2.0, 4.0], [2.0, 4.0, 10.0]], [[2.0, 2.0, 4.0], [1.0, 4.0, 10.0]]])


def depth_anything(**fields: Any) -> dict[str, Any]:
    """A DA3_GEOMETRY: depth grows with distance, everything in main memory."""
    return {"depth": DEPTH, "image": torch.zeros(2, 2, 3, 3), "mode": "mono", **fields}


def moge(**fields: Any) -> dict[str, Any]:
    """A MOGE_GEOMETRY: infinite where it is masked."""
    mask = torch.tensor([[[True, True, True], [True, True, False]]] * 2)
    return {
        "depth": DEPTH.masked_fill(~mask, INF),
        "points": torch.zeros(2, 2, 3, 3),
        "mask": mask,
        "normal": torch.zeros(2, 2, 3, 3),
        "image": torch.zeros(2, 2, 3, 3),
        "intrinsics": torch.tensor([[0.8, 0.0, 0.5], [0.0, 1.2, 0.5], [0.0, 0.0, 1.0]]).expand(2, 3, 3),
        **fields,
    }


def test_disparity_is_one_over_depth_over_the_whole_clip():
    found = disparity_from_geometry(depth_anything())
    # From 1 / 10 to 1.
    expected = (1 / DEPTH - 0.1) / 0.9
    torch.testing.assert_close(found.disparity, expected)
    assert (found.nearest, found.farthest) == pytest.approx((1, 10))
    assert not found.sky.any() and bool((found.confidence == 1).all()) and found.intrinsics is None
    assert "Geometry of 2 frames, 3 x 2 px, mono." in found.report
    assert "its scale may drift" in found.report
    assert "drift" not in disparity_from_geometry(depth_anything(mode="multiview")).report


def test_sky_is_infinitely_far_whatever_its_depth_and_is_no_distance():
    sky = torch.zeros(2, 2, 3)
    sky[:, 1, 2] = 0.9
    sky[:, 0, 0] = 0.2
    found = disparity_from_geometry(depth_anything(sky=sky))
    # Sky is 1 / infinity, so that 4 m keeps a quarter of the disparity of 1 m.
    expected = (1 / DEPTH).clone()
    expected[:, 1, 2] = 0
    torch.testing.assert_close(found.disparity, expected)
    assert (found.nearest, found.farthest) == (1, math.inf)
    torch.testing.assert_close(found.sky, sky)
    assert "Sky: 16.7 % of all pixels; disparity 0." in found.report


def test_the_distances_are_those_of_disparity_1_and_0_whatever_the_normalisation():
    depth = torch.linspace(1, 9, 400).reshape(1, 20, 20)
    for normalisation in ("min-max", "robust percentiles"):
        found = disparity_from_geometry({"depth": depth}, normalisation=normalisation)
        inside = (found.disparity > 0.01) & (found.disparity < 0.99)
        ends = 1 / found.farthest + (1 / found.nearest - 1 / found.farthest) * found.disparity
        torch.testing.assert_close(1 / ends[inside], depth[inside])
    assert found.nearest > 1.01
    assert found.farthest < 8.99


def test_masked_depth_is_far_or_filled_or_refused():
    found = disparity_from_geometry(moge())
    assert found.disparity[0].tolist() == [[1, 0.5, 0.25], [0.5, 0.25, 0]]
    assert found.sky[:, 1, 2].tolist() == [1, 1] and found.sky.sum().item() == 2
    assert found.confidence[:, 1, 2].tolist() == [0, 0] and found.confidence.sum().item() == 10
    assert found.farthest == math.inf
    assert "Without depth: 16.7 % of all pixels; taken as infinitely far." in found.report
    filled = disparity_from_geometry(moge(), "fill from around")
    # Both neighbours of the corner are 4 m away, which is the farthest.
    assert filled.disparity[0].tolist() == [[1, pytest.approx(1 / 3), 0], [pytest.approx(1 / 3), 0, 0]]
    assert not filled.sky.any()
    with pytest.raises(ValueError, match=r"16.7 % .* no depth .* first in frame 0 at column 2, row 1"):
        disparity_from_geometry(moge(), "refuse")


def test_sky_stays_far_where_holes_are_filled():
    depth = DEPTH.clone()
    depth[0, 0, 0] = 0
    sky = torch.zeros(2, 2, 3)
    sky[0, 0, 1] = sky[0, 1, 0] = 1
    found = disparity_from_geometry(depth_anything(depth=depth, sky=sky), "fill from around")
    assert found.disparity[0, 0, :2].tolist() == [0, 0]


def test_a_mask_counts_without_infinite_depth():
    found = disparity_from_geometry(moge(depth=DEPTH))
    assert found.disparity[:, 1, 2].tolist() == [0, 0] and found.farthest == math.inf


def test_confidence_is_kept_over_the_clip():
    confidence = torch.tensor([[[1.0, 2, 3], [4, 5, 6]], [[1, 1, 1], [1, 1, 11]]])
    found = disparity_from_geometry(depth_anything(confidence=confidence))
    torch.testing.assert_close(found.confidence, (confidence - 1) / 10)


def test_intrinsics_are_parts_of_the_picture():
    normalised = disparity_from_geometry(moge()).intrinsics
    assert normalised is not None
    torch.testing.assert_close(normalised, moge()["intrinsics"])
    # [1, S, 3, 3] in pixels, of pictures 3 px wide and 2 px high.
    pixels = torch.tensor([[3.0, 0.0, 1.5], [0.0, 3.0, 1.0], [0.0, 0.0, 1.0]])
    depth = torch.ones(2, 200, 300) + torch.arange(300)
    large = pixels.clone()
    large[:2] *= 100
    given = depth_anything(depth=depth, mode="multiview", intrinsics=large.expand(1, 2, 3, 3))
    found = disparity_from_geometry(given)
    expected = torch.tensor([[1.0, 0.0, 0.5], [0.0, 1.5, 0.5], [0.0, 0.0, 1.0]]).expand(2, 3, 3)
    torch.testing.assert_close(found.intrinsics, expected)
    # Half the width at the distance of the focal length.
    assert f"sees {2 * math.degrees(math.atan(0.5)):.1f} degrees" in found.report


def test_foreign_intrinsics_are_left_out():
    wrong = torch.tensor([[400.0, 0.0, 252.0], [0.0, 400.0, 140.0], [0.0, 0.0, 1.0]])
    found = disparity_from_geometry(depth_anything(intrinsics=wrong.expand(1, 2, 3, 3)))
    assert found.intrinsics is None and "are left out" in found.report


def test_the_clip_s_size_and_length():
    one = {"depth": DEPTH[:1], "mode": "mono", "intrinsics": moge()["intrinsics"][:1]}
    found = disparity_from_geometry(one, num_frames=4, height=4, width=6)
    assert found.disparity.shape == found.sky.shape == found.confidence.shape == (4, 4, 6)
    assert found.intrinsics is not None and found.intrinsics.shape == (4, 3, 3)
    with pytest.raises(ValueError, match="2 disparity frames for 3 video frames"):
        disparity_from_geometry(depth_anything(), num_frames=3)


@pytest.mark.parametrize(
    ("geometry", "message"),
    [
        (None, "of the type NoneType; connect the geometry output of ComfyUI's Depth Anything 3 or MoGe"),
        ({"mode": "mono"}, "has no depth; connect"),
        ({"depth": torch.zeros(2, 2, 3, 4)}, r"depth of the geometry has the shape \(2, 2, 3, 4\)"),
        (depth_anything(sky=torch.zeros(1, 2, 3)), r"sky of the geometry has the shape .* \(2, 2, 3\)"),
        (depth_anything(depth=torch.full((1, 2, 3), INF)), "no depth in any pixel"),
        (depth_anything(intrinsics=torch.eye(4)), "intrinsics of the geometry have the shape"),
    ],
)
def test_what_is_no_geometry_is_said(geometry: Any, message: str):
    with pytest.raises(ValueError, match=message):
        disparity_from_geometry(geometry)


def test_half_precision_and_a_channel_axis():
    found = disparity_from_geometry({"depth": DEPTH.half()[..., None]})
    torch.testing.assert_close(found.disparity, (1 / DEPTH - 0.1) / 0.9, atol=1e-3, rtol=0)


def test_a_frame_without_depth_cannot_be_filled():
    depth = DEPTH.clone()
    depth[1] = INF
    assert not disparity_from_geometry({"depth": depth}).disparity[1].any()
    with pytest.raises(ValueError, match="Frame 1 has no depth at all"):
        disparity_from_geometry({"depth": depth}, "fill from around")


def test_a_few_pixels_of_many_are_not_said_to_be_none():
    depth = torch.ones(1, 100, 100)
    depth[0, 50:] = 2
    depth[0, 0, 0] = INF
    assert "Without depth: under 0.1 % of all pixels" in disparity_from_geometry({"depth": depth}).report
