"""A camera in millimetres and metres against the thin lens."""

import math
from typing import Any

import pytest
import torch

from bokeh_core.camera import SENSORS, Camera, breathe, disparity_at, distance_at, sensor_width_mm
from bokeh_core.camera.thin_lens import breathing_magnification


def radius_px(f_mm: float, n: float, sensor_mm: float, focus_m: float, z_m: float, width_px: int) -> float:
    """Radius of the cone of light where it meets the sensor, by where the lens forms the two images."""
    f = f_mm / 1000
    to_sensor = f * focus_m / (focus_m - f) if math.isfinite(focus_m) else f
    to_image = f * z_m / (z_m - f) if math.isfinite(z_m) else f
    on_sensor = (f / n) / 2 * abs(to_sensor - to_image) / to_image
    return on_sensor / (sensor_mm / 1000) * width_px


def test_an_object_at_infinity_has_the_radius_that_is_known():
    path = Camera(36, 50, 1.8, 2.0).along(1, 1.0, math.inf)
    # K times the distance in disparity from the focus to infinity, which is at 0.
    radius = path.blur_strength.item() * path.focal_disparity.item()
    assert radius == pytest.approx(10.13, abs=0.005)
    assert radius == pytest.approx(radius_px(50, 1.8, 36, 2, math.inf, 1024), rel=1e-6)


@pytest.mark.parametrize("z_m", [0.4, 0.9, 2.0, 3.7, 50.0])
@pytest.mark.parametrize(("near_m", "far_m"), [(0.4, 50.0), (0.3, math.inf)])
def test_every_distance_has_the_radius_of_the_thin_lens(z_m: float, near_m: float, far_m: float):
    camera = Camera(24.89, "0: 35, 2: 85", "1.4, 2, 4", "0: 0.8, 2: 5")
    path = camera.along(3, near_m, far_m)
    disparity = disparity_at(torch.full((3,), z_m), near_m, far_m)
    for t, (f, n, focus) in enumerate([(35, 1.4, 0.8), (60, 2, 2.9), (85, 4, 5)]):
        radius = path.blur_strength[t] * (disparity[t] - path.focal_disparity[t])
        expected = radius_px(f, n, 24.89, focus, z_m, 1024)
        assert abs(radius.item()) == pytest.approx(expected, rel=1e-5, abs=1e-5)
        # Positive in front of the focus.
        assert radius.item() == 0 or (radius.item() > 0) == (z_m < focus)


def test_a_given_focus_takes_the_place_of_the_distance():
    # Half-way in 1 / z between 1 m and 1 / 4 m is 1 / 1.6 m.
    path = Camera(focus_distance=3.0).along(2, 1.0, 4.0, torch.tensor([0.5]))
    assert path.focus_distance_m.tolist() == pytest.approx([1.6, 1.6])
    assert path.focal_disparity.tolist() == [0.5, 0.5]
    assert path.blur_strength[0].item() == pytest.approx(
        Camera(focus_distance=1.6).along(1, 1.0, 4.0).blur_strength.item()
    )


def test_a_focus_at_infinity():
    path = Camera(36, 50, 2, math.inf).along(1, 1.0, math.inf)
    assert path.focal_disparity.item() == 0
    assert path.blur_strength.item() == pytest.approx(radius_px(50, 2, 36, math.inf, 1.0, 1024))


def test_intrinsics_and_the_sensor_give_the_focal_length():
    intrinsics = torch.eye(3).repeat(2, 1, 1)
    intrinsics[:, 0, 0], intrinsics[:, :2, 2] = torch.tensor([1.0, 2.0]), 0.5
    path = Camera(20.0, focal_length=400).along(2, 1.0, 9.0, intrinsics=intrinsics)
    assert path.focal_length_mm.tolist() == [20, 40]


@pytest.mark.parametrize("name", ["focal_length", "focus_distance"])
def test_a_schedule_that_is_not_used_is_named(name: str):
    intrinsics = torch.eye(3)[None]
    intrinsics[:, :2, 2] = 0.5
    moving: dict[str, Any] = {name: "0: 2, 1: 3"}
    said = Camera(**moving).along(2, 1.0, 9.0, torch.tensor([0.5]), intrinsics).report
    assert f"{name} over time is not used" in said
    assert "not used" not in Camera(f_number="0: 2, 1: 3").along(2, 1.0, 9.0, None, intrinsics).report


def test_distances_and_disparities_are_inverse():
    disparity = torch.tensor([0.0, 0.25, 1.0])
    assert distance_at(disparity, 0.5, math.inf).tolist() == [math.inf, 2, 0.5]
    assert distance_at(disparity, 1.0, 5.0).tolist() == pytest.approx([5, 2.5, 1])
    for far_m in (math.inf, 5.0):
        assert disparity_at(distance_at(disparity, 0.5, far_m), 0.5, far_m).tolist() == pytest.approx(
            disparity.tolist()
        )


@pytest.mark.parametrize(
    ("settings", "scene", "message"),
    [
        ({"f_number": 0.0}, (1, 9), "f_number is 0; it must be 0.5 to 128"),
        ({"f_number": "0: 2, 9: 0"}, (1, 9), "f_number is 0; it must be 0.5 to 128"),
        ({"f_number": math.nan}, (1, 9), "f_number is nan"),
        ({"focal_length": math.nan}, (1, 9), "focal_length is nan mm; it must be 1 to 2000 mm"),
        ({"sensor_width": 0.0}, (1, 9), "sensor_width is 0 mm; it must be 1 to 300 mm"),
        ({"focus_distance": 0.0}, (1, 9), "focus_distance is 0 m; it must be 0.001 to 1000000 m"),
        ({"focus_distance": math.nan}, (1, 9), "focus_distance is nan m"),
        (
            {"focal_length": 100.0, "focus_distance": 0.1},
            (0.05, 9),
            "0.1 m in frame 0, nearer than the focal l",
        ),
        ({"focal_length": 100.0, "focus_distance": 0.09}, (0.05, 9), "nothing can be in focus there"),
        ({"focus_distance": 0.5}, (1, 9), "0.5 m in frame 0, but the scene lies at 1 to 9 m"),
        ({"focus_distance": "0: 2, 4: 22"}, (1, 9), "12 m in frame 2, but the scene lies at 1 to 9 m"),
        ({}, (2, 2), "near_distance is 2 m and far_distance 2 m; near must be nearer"),
        ({}, (3, 2), "near_distance is 3 m and far_distance 2 m; near must be nearer"),
        ({}, (math.nan, 2), "near_distance is nan m"),
        ({}, (1, math.nan), "far_distance is nan m"),
        ({}, (0, 2), "near_distance is 0 m"),
        ({"focal_length": 135.0, "f_number": 1.8}, (0.5, 9), r"K is \d+ px in frame 0.* Stop down to f/"),
        ({"easing": "bouncy"}, (1, 9), "easing is 'bouncy'"),
        ({"focal_length": "24 mm"}, (1, 9), "'mm' is not a number"),
    ],
)
def test_what_cannot_be_is_said(settings: dict[str, Any], scene: tuple[float, float], message: str):
    with pytest.raises(ValueError, match=message):
        Camera(**settings).along(3, *scene)


def test_the_f_number_that_is_advised_is_enough():
    camera = Camera(focal_length=135.0, f_number=1.8)
    with pytest.raises(ValueError, match="Stop down") as error:
        camera.along(1, 0.5, 9.0)
    advised = float(str(error.value).split("f/")[1].split(",")[0])
    assert 1.8 < advised < 16
    assert Camera(focal_length=135.0, f_number=advised).along(1, 0.5, 9.0).blur_strength.item() <= 200


@pytest.mark.parametrize(
    ("matrix", "message"),
    [
        (torch.eye(3), r"\(3, 3\); they must be one 3 x 3 matrix a frame"),
        (torch.eye(3)[None] * 900, "fx is 900 and the principal point 0 in frame 0|focal length by the intr"),
        (torch.full((1, 3, 3), math.nan), "not those of a camera"),
    ],
)
def test_wrong_intrinsics_are_said(matrix: torch.Tensor, message: str):
    with pytest.raises(ValueError, match=message):
        Camera().along(1, 1.0, 9.0, intrinsics=matrix)


@pytest.mark.parametrize(
    ("text", "width"),
    [("Super 35", 24.89), ("super-35", 24.89), ("FULL_FRAME", 36), ("23.6", 23.6), (" 12 mm", 12)],
)
def test_sensors_by_name_and_by_width(text: str, width: float):
    assert sensor_width_mm(text) == width
    assert len({name.lower() for name in SENSORS}) == len(SENSORS)


@pytest.mark.parametrize(("text", "message"), [("huge", "no sensor 'huge'"), ("0", "sensor_width is 0 mm")])
def test_an_unknown_sensor_is_said(text: str, message: str):
    with pytest.raises(ValueError, match=message):
        sensor_width_mm(text)


class TestBreathing:
    def test_it_grows_from_the_farthest_focus(self):
        # 1 + 0.05 (1 / 1 - 1 / 5).
        grown = breathing_magnification(torch.tensor([50.0, 50.0]), torch.tensor([1.0, 5.0]))
        assert grown.tolist() == pytest.approx([1.04, 1.0])

    def test_the_blur_of_the_picture_that_breathed_is_the_thin_lens_s(self):
        still, breathing = (
            Camera(focus_distance="0: 1, 1: 5", breathing=on).along(2, 0.8, 9.0) for on in (False, True)
        )
        assert still.magnification is None
        assert breathing.magnification is not None
        torch.testing.assert_close(breathing.blur_strength * breathing.magnification, still.blur_strength)
        assert "breathes by up to 4 %" in breathing.report

    def test_a_frame_grows_about_its_middle(self):
        x = torch.arange(64.0)
        frame = (x[None, :, None] + 100 * x[:40, None, None]).expand(40, 64, 3).contiguous()
        grown = breathe(frame, 1.25)
        # A plane magnified has the slope 1 / 1.25.
        middle = (31.5, 19.5)
        expected = (middle[0] + (x[None, :] - middle[0]) / 1.25) + 100 * (
            middle[1] + (x[:40, None] - middle[1]) / 1.25
        )
        torch.testing.assert_close(grown[..., 0][4:-4, 4:-4], expected[4:-4, 4:-4], atol=2e-3, rtol=0)

    def test_nothing_to_do_gives_the_frame_back(self):
        frame = torch.rand(5, 6, 4)
        assert breathe(frame, 1.0) is frame

    def test_light_stays_in_its_range(self):
        frame = torch.zeros(16, 16, 3)
        frame[8:, :, :] = 40.0
        grown = breathe(frame, 1.1)
        assert grown.min() == 0
        assert grown.max() == 40

    @pytest.mark.parametrize("wrong", [0.9, 5.0, math.nan])
    def test_other_magnifications_are_refused(self, wrong: float):
        with pytest.raises(ValueError, match="magnification by breathing is"):
            breathe(torch.zeros(4, 4, 3), wrong)
