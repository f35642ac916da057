"""How crisp a picture is, by its pixels along edges, and what that says of the shares in them."""

import torch
import torch.nn.functional as F
from torch import Tensor

from bokeh_core.lens.convolve import gaussian
from bokeh_core.lens.matte import EdgeMatte, edge_matte
from bokeh_core.lens.mixture import Side
from bokeh_core.lens.neighbourhood import Surroundings
from bokeh_core.lens.pixel_shares import MapShares

SIZE, FINE = 72, 8
NEAR = 0.1


def a_disk() -> tuple[Tensor, Tensor]:
    """Coverage [H, W] of the pixels by a disk, and the map's radii at their centres."""
    fine = (torch.arange(SIZE * FINE) + 0.5) / FINE - 35.3
    covers = F.avg_pool2d((torch.hypot(fine[:, None], fine) < 21.6).float()[None], FINE)[0]
    centre = torch.arange(SIZE) + 0.5 - 35.3
    return covers, torch.where(torch.hypot(centre[:, None], centre) < 21.6, 8.0, 0.0)


def a_picture(covers: Tensor) -> Tensor:
    """Light [3, H, W] of a dark disk on a background of specks, which tell shares badly."""
    specks = 0.5 + 0.3 * torch.rand(1, SIZE, SIZE, generator=torch.Generator().manual_seed(1))
    return torch.lerp(specks, torch.tensor(NEAR), covers).expand(3, SIZE, SIZE).contiguous()


def matte_of(color: Tensor, radius_px: Tensor) -> EdgeMatte:
    around = Surroundings(radius_px).within(1)
    return edge_matte(color, radius_px, around, around.step() > 1)


def soft_coverage(covers: Tensor) -> Tensor:
    return gaussian(covers[None], 0.7)[0]


def test_pixels_of_a_crisp_picture_beside_a_contour_show_one_surface():
    covers, radius_px = a_disk()

    crisp = matte_of(a_picture(covers), radius_px)
    soft = matte_of(a_picture(soft_coverage(covers)), radius_px)

    inside = covers.flatten() == 1
    assert crisp.prior.share[inside[crisp.index]].mean() > 0.94
    assert soft.prior.share[inside[soft.index]].mean() < 0.88
    # 0.09 by the shares of a soft step.
    assert (crisp.alpha - covers.flatten()[crisp.index]).square().mean().sqrt() < 0.07


def test_a_soft_picture_keeps_the_shares_of_a_soft_step():
    covers, radius_px = a_disk()

    matte = matte_of(a_picture(soft_coverage(covers)), radius_px)

    step = soft_coverage((radius_px > 4).float()).flatten()[matte.index]
    assert (matte.prior.share - step).abs().max() < 0.01
    assert torch.equal(matte.prior.width, torch.full_like(matte.alpha, 0.15))


def test_each_frame_of_a_pass_is_crisp_or_soft_by_itself():
    # Beside a straight contour a Gaussian of 0.7 px has 0.215 of the light from beyond it, a square 1/8.
    shape = torch.Size([2, 20, 20])
    beyond = torch.cat([torch.full((400,), 0.09), torch.full((400,), 0.215)])
    white, black = torch.ones(3, 800), torch.zeros(3, 800)
    little, known = torch.full((800,), 1e-3), torch.ones(800, dtype=torch.bool)
    near, far = Side(white, little, little, known), Side(black, little, little, known)
    shares = MapShares(known, torch.full((800,), 0.215))

    softness = shares.softness(white * (1 - beyond), near, far, known, torch.arange(800), shape)

    assert torch.equal(softness, torch.cat([torch.zeros(400), torch.ones(400)]))


def test_a_picture_whose_two_surfaces_look_alike_counts_as_soft():
    covers, radius_px = a_disk()
    picture = torch.lerp(a_picture(torch.zeros_like(covers)), torch.tensor(0.65), covers)

    matte = matte_of(picture, radius_px)

    assert torch.equal(matte.prior.width, torch.full_like(matte.alpha, 0.15))
