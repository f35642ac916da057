"""Ring, swirl, aperture image, colour fringe: a point becomes the stated profile with the same energy."""

import math
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from bokeh_core.lens import Aperture, LensSettings, lens_blur
from bokeh_core.lens.aperture import lens_kernel
from bokeh_core.lens.aperture_image import ApertureImage, aperture_image_of
from bokeh_core.lens.backend import ACCELERATOR, BACKENDS, CPU
from tests.core.lens.reference import clip_of, render

# Near the border a point counts for more: what lies outside is not known.
SIZE_PX = 101
# A slab of its own, so that a point's image is one kernel.
ON_SLAB_PX = 8.0


@pytest.fixture(params=[CPU, ACCELERATOR], ids=["cpu", "accelerator"])
def on_both(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Compute in the one way and in the other."""
    monkeypatch.setitem(BACKENDS, "cpu", request.param)


def point_of_light(radius_px: float, place: tuple[int, int] | None = None, **settings: Any) -> Tensor:
    """[H, W, 3] linear light of a white point."""
    frame = torch.zeros(SIZE_PX, SIZE_PX, 3)
    frame[place or (SIZE_PX // 2, SIZE_PX // 2)] = 1
    return render(frame, radius_px, gamma=1.0, **settings)


def distance_px() -> Tensor:
    axis = torch.arange(SIZE_PX) - SIZE_PX // 2
    return torch.hypot(axis[:, None].float(), axis.float())


@pytest.mark.usefixtures("on_both")
class TestRing:
    @pytest.mark.parametrize("ring", [1.0, 0.4, -0.7, -1.0])
    @pytest.mark.parametrize("side", [-1, 1])
    def test_a_point_becomes_the_profile(self, ring: float, side: int):
        light = point_of_light(side * ON_SLAB_PX, aperture=Aperture(ring=ring))[..., 0]
        assert light.sum().item() == pytest.approx(1, abs=1e-5)
        # Behind the focus b, in front of it -b; the mean of q^2 over a pixel is 1/6 px^2 above its middle.
        b = -side * ring
        q2 = (distance_px().square() + 1 / 6) / ON_SLAB_PX**2
        expected = (1 + b * (2 * q2 - 1)) / (math.pi * ON_SLAB_PX**2)
        inside = distance_px() < ON_SLAB_PX - 0.75
        assert (light - expected)[inside].abs().max() < 0.015 * 2 / (math.pi * ON_SLAB_PX**2)
        assert light[distance_px() > ON_SLAB_PX + 0.75].abs().max() < 1e-6

    @pytest.mark.parametrize("ring", [1.0, -1.0])
    def test_second_moment(self, ring: float):
        # The mean of q^2 under 1 + b (2 q^2 - 1) is 1/2 + b/6.
        light = point_of_light(-16.0, aperture=Aperture(ring=ring))[..., 0]
        moment = (light * distance_px().square()).sum().item()
        assert moment == pytest.approx((0.5 + ring / 6) * 256, rel=0.02)

    @pytest.mark.parametrize("ring", [1.0, -1.0])
    def test_evenly_lit_surfaces_stay_so(self, ring: float):
        frame = torch.full((40, 50, 3), 0.5)
        assert (render(frame, 9.0, aperture=Aperture(ring=ring)) - 0.5).abs().max() < 1e-5


class TestSwirl:
    @pytest.mark.parametrize("field", [(0.6, 0.0), (0.0, -0.9), (0.6, 0.8), (-0.5, 0.5), (0.0, 0.0)])
    @pytest.mark.parametrize("swirl", [0.5, 1.0])
    def test_the_spread_is_an_ellipse_along_the_tangent(self, swirl: float, field: tuple[float, float]):
        kernel = lens_kernel(Aperture(swirl=swirl), -20.0, field)
        distance = math.hypot(*field)
        away = (field[0] / distance, field[1] / distance) if distance else (1.0, 0.0)
        axis = np.arange(kernel.shape[0]) - kernel.shape[0] // 2
        along = axis * away[0] + axis[:, None] * away[1]
        across = -axis * away[1] + axis[:, None] * away[0]
        # Length over width 1 + 2 s f^2, the area kept; the variance along a half axis a is a^2 / 4.
        ratio = 1 + 2 * swirl * distance**2
        assert kernel.sum() == pytest.approx(1, abs=1e-5)
        assert (kernel * across**2).sum() == pytest.approx(100 * ratio, rel=0.01)
        assert (kernel * along**2).sum() == pytest.approx(100 / ratio, rel=0.01)
        assert 1 / kernel.max() == pytest.approx(math.pi * 400, rel=0.02)

    @pytest.mark.usefixtures("on_both")
    def test_points_turn_around_the_middle(self):
        # 13 places a side: on a frame of 60 px there is one every 5 px, so these points have a kernel each.
        size_px, radius_px = 60, 6.0
        for row, column in ((30, 5), (5, 30), (30, 55)):
            frame = torch.zeros(size_px, size_px, 3)
            frame[row, column] = 1
            light = render(frame, radius_px, gamma=1.0, aperture=Aperture(swirl=1.0))[..., 0]
            light = light / light.sum()
            axis = torch.arange(size_px)
            # Half a diagonal is 42.4 px; the kernel of the middle of the pixel is nearly that of its corner.
            ratio = 1 + 2 * (25 / 42.4) ** 2
            down = (light * (axis[:, None] - row) ** 2).sum().item()
            across = (light * (axis - column) ** 2).sum().item()
            tangential, radial = (down, across) if row == 30 else (across, down)
            assert tangential == pytest.approx(9 * ratio, rel=0.15)
            assert tangential > 1.8 * radial

    @pytest.mark.usefixtures("on_both")
    def test_evenly_lit_surfaces_stay_so(self):
        frame = torch.full((40, 60, 3), 0.5)
        blurred = render(frame, -9.0, aperture=Aperture(swirl=1.0, cat_eye=1.0, ring=1.0))
        assert (blurred - 0.5).abs().max() < 1e-4


# Two dots, twice as bright at the left: 9 px apart in their middles by 8 px.
DOTS = torch.tensor([[1.0, 0, 0, 0, 0, 0, 0, 0, 0.5]])


class TestApertureImage:
    @pytest.mark.usefixtures("on_both")
    @pytest.mark.parametrize("side", [1, -1])
    def test_two_dots(self, side: int):
        aperture = Aperture(image=aperture_image_of(torch.kron(DOTS, torch.ones(16, 16))))
        light = point_of_light(side * 20.0, aperture=aperture)[..., 0]
        assert light.sum().item() == pytest.approx(1, abs=1e-5)
        # Their light has its middle at (0.5 + 0.5 x 8.5) / 1.5 = 3.1667 px; the farthest corner is 5.8548 px
        # from there and lies at the radius. Slabs are up to 12 % from the radius.
        axis = (torch.arange(SIZE_PX) - SIZE_PX // 2).float()
        columns = light.sum(0).flip(0) if side < 0 else light.sum(0)
        left, right = columns[axis < 0], columns[axis > 0]
        # A thousandth leaks over the opening.
        assert left.sum().item() == pytest.approx(2 / 3, abs=2e-3)
        assert right.sum().item() == pytest.approx(1 / 3, abs=2e-3)
        mean = [
            (part * axis[where]).sum() / part.sum() for part, where in ((left, axis < 0), (right, axis > 0))
        ]
        assert mean[0].item() == pytest.approx(-20 * 2.6667 / 5.8548, rel=0.02)
        assert mean[1].item() == pytest.approx(20 * 5.3333 / 5.8548, rel=0.02)

    def test_upright_in_front_of_the_focus_and_upside_down_behind(self):
        quarters = torch.tensor([[1.0, 1.0], [1.0, 0.0]])
        image = aperture_image_of(torch.kron(quarters, torch.ones(32, 32)))
        front, behind = (lens_kernel(Aperture(image=image), radius_px) for radius_px in (15.0, -15.0))
        np.testing.assert_allclose(behind, front[::-1, ::-1], atol=1e-7)
        middle = len(front) // 2
        # Its light has its middle at 5/6 px of 2 from the top left, and the bottom right quarter is dark.
        assert front[middle + 4 :, middle + 4 :].sum() < 0.01
        assert front[: middle - 3, : middle - 3].sum() > 0.05

    def test_a_white_square_fills_the_round_opening_with_its_corners(self):
        # Side r sqrt(2): the variance along an axis is its square / 12, r^2 / 6.
        kernel = lens_kernel(Aperture(image=aperture_image_of(torch.ones(64, 64))), 30.0)
        axis = np.arange(kernel.shape[0]) - kernel.shape[0] // 2
        assert (kernel * axis**2).sum() == pytest.approx(150, rel=0.02)
        turned = lens_kernel(Aperture(image=aperture_image_of(torch.ones(64, 64)), rotation_deg=45.0), 30.0)
        middle = len(axis) // 2
        # Turned by half a quarter its corners lie on the axes.
        assert turned[middle, middle + 28] > 0.9 * turned[middle, middle]
        assert kernel[middle, middle + 28] < 0.01 * kernel[middle, middle]

    def test_it_turns_anticlockwise(self):
        bar = torch.zeros(9, 9)
        bar[4, 4:] = 1.0
        straight, turned = (
            lens_kernel(Aperture(image=aperture_image_of(bar), rotation_deg=angle), 12.0) for angle in (0, 90)
        )
        np.testing.assert_allclose(turned, np.rot90(straight), atol=0.02 * straight.max())

    @pytest.mark.parametrize("radius_px", [1.0, 2.5, 6.0, 40.0])
    def test_small_kernels_miss_nothing_of_a_fine_picture(self, radius_px: float):
        # A checkerboard of 1 px on 300 px is as good as grey, save that it is square.
        fine = aperture_image_of((torch.arange(300)[:, None] + torch.arange(300)) % 2)
        grey = aperture_image_of(torch.full((300, 300), 0.5))
        found, expected = (lens_kernel(Aperture(image=image), radius_px) for image in (fine, grey))
        np.testing.assert_allclose(found, expected, atol=0.05 * expected.max())

    @pytest.mark.usefixtures("on_both")
    def test_no_corner_of_a_frame_is_left_without_light(self):
        frame = torch.full((30, 40, 3), 0.5)
        diagonal = torch.eye(31)
        diagonal[3:28] = 0
        for picture in (diagonal, diagonal.flip(0)):
            image = aperture_image_of(picture)
            for lens in (Aperture(ring=1.0, image=image), Aperture(cat_eye=1.0, swirl=1.0, image=image)):
                assert (render(frame, -8.0, aperture=lens) - 0.5).abs().max() < 2e-3

    def test_brightness_counts_and_colour_does_not(self):
        colours = torch.tensor([[[1.0, 0, 0], [0, 1, 0], [0, 0, 1], [1, 1, 1]]])
        expected = np.array([[0.2126, 0.7152, 0.0722, 1]], np.float32)
        np.testing.assert_allclose(aperture_image_of(colours[None]).light, expected, atol=1e-6)
        see_through = torch.cat([colours, torch.tensor([[[1.0], [0.0], [0.5], [1.0]]])], dim=-1)
        expected = np.array([[0.2126, 0, 0.0361, 1]], np.float32)
        np.testing.assert_allclose(aperture_image_of(see_through[None]).light, expected, atol=1e-6)
        assert aperture_image_of(2 * colours[None]) == aperture_image_of(colours[None])

    def test_every_form_of_one_picture(self):
        picture = torch.tensor([[0.0, 1.0], [0.5, 1.0]])
        forms = [
            picture,
            picture[None],
            picture[None, ..., None],
            picture[None, ..., None].expand(1, 2, 2, 3),
        ]
        found = [aperture_image_of(form) for form in forms]
        assert [image.light.shape for image in found] == [(2, 2)] * 4
        for image in found[1:]:
            np.testing.assert_allclose(image.light, found[0].light, atol=1e-6)
        assert aperture_image_of((255 * picture).round().to(torch.uint8)).light[0, 1] == 1

    @pytest.mark.parametrize(
        ("shape", "kept"), [((3000, 40), (512, 7)), ((2, 6000), (1, 512)), ((1, 1), (1, 1))]
    )
    def test_sizes(self, shape: tuple[int, int], kept: tuple[int, int]):
        image = aperture_image_of(torch.ones(shape))
        assert image.light.shape == kept
        kernel = lens_kernel(Aperture(image=image), 9.0)
        assert kernel.sum() == pytest.approx(1, abs=1e-5)
        assert np.isfinite(kernel).all()

    def test_dim_noise_is_dark(self):
        noisy = torch.full((40, 40), 0.009)
        noisy[18:22, 18:22] = 1.0
        image = aperture_image_of(noisy)
        assert int((image.light > 0).sum()) == 16
        assert image.reach_px == pytest.approx(2 * math.sqrt(2))

    def test_equal_where_the_pixels_are(self):
        one, same, other = (
            aperture_image_of(DOTS),
            aperture_image_of(DOTS.clone()),
            aperture_image_of(DOTS.T),
        )
        assert one == same and hash(one) == hash(same) and repr(one) == repr(same)
        assert one != other and repr(one) != repr(other)
        assert len({Aperture(image=one), Aperture(image=same), Aperture(image=other), Aperture()}) == 3
        assert repr(one).startswith("ApertureImage(9 x 1 px, ")

    @pytest.mark.parametrize(
        ("picture", "said"),
        [
            (
                torch.zeros(1, 4, 4, 3),
                "The aperture image is black all over, so no light would pass; make white",
            ),
            (torch.cat([torch.ones(1, 4, 4, 3), torch.zeros(1, 4, 4, 1)], -1), "is black all over"),
            (torch.zeros(1, 4, 4), "is black all over"),
            (torch.ones(3, 4, 4, 3), "The aperture image is 3 pictures; give one, as a lens has one opening"),
            (torch.ones(2, 4, 4), "is 2 pictures; give one"),
            (torch.full((1, 4, 4), math.nan), "NaN"),
            (torch.full((1, 4, 4, 3), math.inf), "infinite"),
            (torch.zeros(1, 0, 4), "aperture image"),
            (torch.zeros(0, 4, 4, 3), "aperture image"),
            ("heart.png", "aperture image"),
            (None, "aperture image"),
        ],
    )
    def test_refused(self, picture: Any, said: str):
        with pytest.raises(ValueError, match=said):
            aperture_image_of(picture)


@pytest.mark.usefixtures("on_both")
class TestFringe:
    # K is 128 and the focus at 0.5, see `clip_of`: 1/32 of disparity is 4 px.
    FRINGE = 1 / 32

    @pytest.mark.parametrize(("radius_px", "red_and_blue_px"), [(8.0, 12.0), (-8.0, -4.0), (0.0, 4.0)])
    def test_red_and_blue_focus_behind_green(self, radius_px: float, red_and_blue_px: float):
        found = point_of_light(radius_px, fringe=self.FRINGE)
        torch.testing.assert_close(found[..., 1], point_of_light(radius_px)[..., 1], rtol=0, atol=1e-7)
        apart = point_of_light(red_and_blue_px)
        torch.testing.assert_close(found[..., 0::2], apart[..., 0::2], rtol=0, atol=1e-7)
        assert found.sum((0, 1)).tolist() == pytest.approx([1, 1, 1], abs=1e-5)

    def test_rims_are_magenta_in_front_of_the_focus_and_green_behind(self):
        front = point_of_light(8.0, fringe=self.FRINGE)[SIZE_PX // 2, SIZE_PX // 2 + 10]
        assert front[0] == front[2] > 1e-3 and front[1] < 1e-6
        behind = point_of_light(-8.0, fringe=self.FRINGE)[SIZE_PX // 2, SIZE_PX // 2 + 6]
        assert behind[1] > 1e-3 and behind[0] == behind[2] == 0

    def test_grey_and_alpha(self):
        frame = torch.rand(24, 30, 4, generator=torch.Generator().manual_seed(2))
        plain, fringed = render(frame, 6.0), render(frame, 6.0, fringe=self.FRINGE)
        torch.testing.assert_close(fringed[..., 1::2], plain[..., 1::2])
        assert (fringed[..., 0] - plain[..., 0]).abs().max() > 0.01
        grey = frame[..., :1].contiguous()
        assert torch.equal(render(grey, 6.0, fringe=self.FRINGE), render(grey, 6.0))

    def test_without_strength_the_frame_comes_back(self):
        frames = torch.rand(1, 8, 9, 3)
        still = {**clip_of(torch.zeros(1, 8, 9)), "blur_strength_px": torch.zeros(1)}
        assert torch.equal(lens_blur(frames, **still, lens=LensSettings(fringe=0.25)), frames)

    @pytest.mark.parametrize("fringe", [-0.1, 0.3, math.nan])
    def test_out_of_range(self, fringe: float):
        with pytest.raises(ValueError, match=r"fringe is .* of disparity; it must be 0 to 0\.25"):
            LensSettings(fringe=fringe)


def test_several_frames_a_pass_give_the_same(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(BACKENDS, "cpu", ACCELERATOR)
    generator = torch.Generator().manual_seed(6)
    frames, maps = torch.rand(3, 20, 26, 3, generator=generator), torch.rand(3, 20, 26, generator=generator)
    lens = LensSettings(Aperture(swirl=0.5, ring=0.5), fringe=0.1)
    # Nothing is to be done for the frame in the middle.
    given = (frames, maps, torch.tensor([0.4]), torch.tensor([6.0, 0.0, 9.0]), lens)
    one, several = (lens_blur(*given, workers=1, frames_a_pass=count) for count in (1, 3))
    torch.testing.assert_close(several, one, rtol=0, atol=1e-4)
    assert torch.equal(one[1], frames[1])
    assert (one[0] - frames[0]).abs().max() > 0.1


def test_a_protected_pixel_has_no_fringe():
    frame = torch.rand(20, 20, 3, generator=torch.Generator().manual_seed(4))
    protect = torch.ones(1, 20, 20)
    assert torch.equal(render(frame, 5.0, fringe=0.1, protect=protect), frame)


def test_an_image_is_taken_as_it_is():
    assert isinstance(aperture_image_of(torch.ones(4, 4)), ApertureImage)
