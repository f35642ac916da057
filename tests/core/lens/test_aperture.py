"""Shapes of the lens opening: polygons, roundness, anamorphic ratio, cat-eye."""

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from bokeh_core.lens import Aperture
from bokeh_core.lens.aperture import lens_kernel
from tests.core.lens.reference import disk, render


def point_light(radius_px: float, aperture: Aperture, size_px: int = 61) -> Tensor:
    frame = torch.zeros(size_px, size_px, 3)
    frame[size_px // 2, size_px // 2] = 1
    return render(frame, radius_px, gamma=1.0, aperture=aperture)[..., 0]


def extent(light: Tensor, axis: int) -> tuple[int, int]:
    """Reach of the shape from the middle, (up, down) or (left, right), pixels at least half covered."""
    where = (light > light.max() / 2).any(1 - axis).nonzero()
    middle = light.shape[axis] // 2
    return middle - int(where[0]), int(where[-1]) - middle


@pytest.mark.parametrize("radius_px", [8.0, 20.0])
def test_the_round_kernel_is_a_disk(radius_px: float):
    kernel = torch.from_numpy(lens_kernel(Aperture(), radius_px))
    expected = disk(radius_px)
    margin = (expected.shape[0] - kernel.shape[0]) // 2
    expected = expected[margin : margin + kernel.shape[0], margin : margin + kernel.shape[0]]
    # The rim is sampled on a grid of at least 4 x 4 a pixel.
    torch.testing.assert_close(kernel, expected, rtol=0, atol=0.15 / (math.pi * radius_px**2))


@pytest.mark.parametrize("blades", [3, 4, 5, 6, 7, 8, 9, 16])
@pytest.mark.parametrize("radius_px", [8.0, -8.0])
def test_a_polygon_has_the_area_of_its_corners_on_the_circle(blades: int, radius_px: float):
    light = point_light(radius_px, Aperture(blades=blades))
    area_px = blades / 2 * math.sin(2 * math.pi / blades) * radius_px**2
    assert light.sum().item() == pytest.approx(1, abs=1e-5)
    assert 1 / light.max().item() == pytest.approx(area_px, rel=0.02)


def test_a_triangle_points_up_in_front_of_the_focus_and_down_behind():
    # A corner 9 px from the middle, the edge opposite to it at 9 cos 60 = 4.5 px.
    up = point_light(9.0, Aperture(blades=3))
    assert extent(up, 0)[1] == 4
    assert 6 <= extent(up, 0)[0] <= 9
    down = point_light(-9.0, Aperture(blades=3))
    torch.testing.assert_close(down, up.flip(0), rtol=0, atol=1e-6)
    assert (up - down).abs().max() > 0.5 * up.max()


def test_rotation_is_anticlockwise_in_degrees():
    upright = point_light(9.0, Aperture(blades=3))
    turned = point_light(9.0, Aperture(blades=3, rotation_deg=90))
    # Anticlockwise the corner that pointed up points to the left.
    assert extent(turned, 1)[1] == 4
    assert 6 <= extent(turned, 1)[0] <= 9
    torch.testing.assert_close(turned, torch.rot90(upright), rtol=0, atol=1e-3 * float(upright.max()))


def test_a_turn_by_one_blade_changes_nothing():
    still = point_light(9.0, Aperture(blades=6))
    turned = point_light(9.0, Aperture(blades=6, rotation_deg=60))
    torch.testing.assert_close(turned, still, rtol=0, atol=0.2 * float(still.max()))
    assert (turned - still).abs().mean() < 1e-4
    assert (point_light(9.0, Aperture(blades=6, rotation_deg=30)) - still).abs().max() > 0.4 * still.max()


def test_full_roundness_is_a_disk_and_half_lies_between():
    areas = [
        1 / point_light(8.0, Aperture(blades=5, roundness=roundness)).max().item()
        for roundness in (0.0, 0.5, 1.0)
    ]
    assert areas[0] < 0.95 * areas[1] < 0.95**2 * areas[2]
    rounded = point_light(8.0, Aperture(blades=5, roundness=1.0))
    torch.testing.assert_close(rounded, point_light(8.0, Aperture()), rtol=0, atol=1e-7)


@pytest.mark.parametrize(("ratio", "height_px", "width_px"), [(2.0, 12.73, 6.36), (0.5, 6.36, 12.73)])
def test_anamorphic_is_height_over_width_with_the_area_kept(ratio: float, height_px: float, width_px: float):
    # r = 9: half axes 9 sqrt(2) = 12.73 and 9 / sqrt(2) = 6.36.
    light = point_light(9.0, Aperture(anamorphic_ratio=ratio))
    assert light.sum().item() == pytest.approx(1, abs=1e-5)
    assert 1 / light.max().item() == pytest.approx(math.pi * 81, rel=0.01)
    offsets = torch.arange(61) - 30.0
    # The variance of an ellipse along a half axis a is a^2 / 4.
    assert 2 * math.sqrt((light.sum(1) * offsets**2).sum()) == pytest.approx(height_px, rel=0.02)
    assert 2 * math.sqrt((light.sum(0) * offsets**2).sum()) == pytest.approx(width_px, rel=0.02)


def lens_area(displacement: float) -> float:
    """Area that two unit disks have in common, their middles `displacement` apart."""
    d = displacement
    return 2 * math.acos(d / 2) - d / 2 * math.sqrt(4 - d * d)


@pytest.mark.parametrize("cat_eye", [0.3, 1.0])
@pytest.mark.parametrize("field", [(0.0, 0.0), (0.7, 0.7), (-0.5, 0.0), (0.0, 0.9)])
@pytest.mark.parametrize("side", [-1, 1])
def test_the_cat_eye_kernel_is_what_two_disks_share(cat_eye: float, field: tuple[float, float], side: int):
    kernel = lens_kernel(Aperture(cat_eye=cat_eye), side * 12.0, field)
    off_axis = cat_eye * math.hypot(*field)
    assert kernel.sum() == pytest.approx(1, abs=1e-5)
    assert 1 / kernel.max() == pytest.approx(144 * lens_area(off_axis), rel=0.02)
    # By symmetry its centre lies halfway: behind the focus towards the middle of the frame, as the barrel in
    # front of the opening covers the other side of it; in front of the focus that is upside down.
    axis = np.arange(kernel.shape[0]) - kernel.shape[0] // 2
    assert (kernel.sum(0) * axis).sum() == pytest.approx(side * 6 * cat_eye * field[0], abs=0.1)
    assert (kernel.sum(1) * axis).sum() == pytest.approx(side * 6 * cat_eye * field[1], abs=0.1)


def test_the_cat_eye_narrows_towards_the_corner():
    size_px, radius_px, corner_px = 151, 8.0, 19
    frame = torch.zeros(size_px, size_px, 3)
    middle_px = size_px // 2
    for place in (middle_px, corner_px):
        frame[place, place] = 1
    light = render(frame, radius_px, gamma=1.0, aperture=Aperture(cat_eye=1.0))[..., 0]
    axis = torch.arange(-12, 13)

    def variances(place: int) -> tuple[float, float]:
        disk_light = light[place - 12 : place + 13, place - 12 : place + 13]
        disk_light = disk_light / disk_light.sum()
        spread = []
        for coordinate in (axis[:, None] + axis, axis[:, None] - axis):
            mean = (disk_light * coordinate).sum()
            spread.append(float((disk_light * (coordinate - mean) ** 2).sum() / 2))
        return spread[0], spread[1]

    towards_middle, around_middle = variances(middle_px)
    towards_corner, around_corner = variances(corner_px)
    assert towards_middle == pytest.approx(16, rel=0.05)  # r^2 / 4: a full disk
    assert around_middle == pytest.approx(towards_middle, rel=0.01)
    assert towards_corner < 0.75 * around_corner
    assert around_corner < around_middle


@pytest.mark.parametrize(("cat_eye", "place"), [(0.5, 30), (1.0, 45), (1.0, 120)])
@pytest.mark.parametrize("radius_px", [-8.0, 8.0])
def test_cat_eye_light_changes_only_by_the_contraction_of_the_field(
    cat_eye: float, place: int, radius_px: float
):
    # Centres move by cat_eye r field / 2: blurred, the frame grows by c = cat_eye r / diagonal in both
    # directions. Evenly lit areas stay evenly lit, so a point has (1 + c)^2 of its light. In the very middle,
    # where the field changes its direction, that is not all.
    size_px = 151
    frame = torch.zeros(size_px, size_px, 3)
    frame[place, place] = 1
    light = render(frame, radius_px, gamma=1.0, aperture=Aperture(cat_eye=cat_eye))[..., 0]
    expected = (1 + cat_eye * radius_px / (size_px * math.sqrt(2))) ** 2
    assert light.sum().item() == pytest.approx(expected, rel=0.02)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"blades": 2}, "blades is 2; use 0 for a round opening, or 3 or more"),
        ({"blades": 1}, "blades is 1; use 0"),
        ({"blades": -4}, "blades is -4; it must be 0 to 64 .0 = a round opening."),
        ({"rotation_deg": float("inf")}, "rotation_deg is inf degrees; it must be -36000 to 36000 degrees"),
        ({"roundness": 1.5}, "roundness is 1.5; it must be 0 to 1"),
        ({"anamorphic_ratio": 0.1}, "anamorphic_ratio is 0.1; it must be 0.25 to 4"),
        ({"anamorphic_ratio": float("nan")}, "anamorphic_ratio is nan; it must be"),
        ({"cat_eye": -0.5}, "cat_eye is -0.5; it must be 0 to 1"),
        ({"swirl": 1.5}, "swirl is 1.5; it must be 0 to 1"),
        ({"ring": -1.5}, "ring is -1.5; it must be -1 to 1"),
    ],
)
def test_impossible_openings_are_refused(options: dict, message: str):
    with pytest.raises(ValueError, match=message):
        Aperture(**options)
