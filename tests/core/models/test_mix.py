"""Gates by hand, against plain sums over the disk."""

import torch
from torch import Tensor

from bokeh_core.models.small.disks import RADII_PX
from bokeh_core.models.small.mix import GATES, mixed

from .disks import mean_over_disk

SIZE = 24


def pictures(count: int = 1) -> Tensor:
    return torch.rand(count, 3, SIZE, SIZE, generator=torch.Generator().manual_seed(0))


def mix(gates: Tensor, picture: Tensor, frames: Tensor, radius_px: float, scale: float = 1.0) -> Tensor:
    """With one radius everywhere, so that nothing is a contour."""
    count, _, height, width = frames.shape
    flat = {"small": torch.zeros(count, 1, *gates.shape[-2:]), "large": torch.zeros(count, 1, height, width)}
    return mixed(
        gates,
        picture,
        frames,
        radius_px=flat["large"] + radius_px,
        small_radius_px=flat["small"] + radius_px,
        seen=flat["large"],
        small_seen=flat["small"],
        scale=scale,
        beyond_frame=False,
    )


def test_without_gates_it_is_the_lens_picture():
    frames = pictures()
    assert torch.equal(mix(torch.zeros(1, GATES, SIZE, SIZE), frames.flip(-1), frames, 8.0), frames.flip(-1))


def test_each_disk_takes_the_place_of_the_lens_picture_by_its_gate():
    frames = pictures(2)
    picture, gates = frames.flip(-1), torch.zeros(2, GATES, SIZE, SIZE)
    gates[0, 0, :, :12] = 0.25
    gates[1, RADII_PX.index(3.2)] = 1.0
    gates[1, RADII_PX.index(4.5), 12:] = -0.5
    found = mix(gates, picture, frames, -8.0)
    torch.testing.assert_close(
        found[0, ..., :12], 0.75 * picture[0, ..., :12] + 0.25 * frames[0, ..., :12], rtol=0, atol=1e-6
    )
    assert torch.equal(found[0, ..., 12:], picture[0, ..., 12:])
    three, four = (mean_over_disk(frames[1], 13, 12, radius_px) for radius_px in (3.2, 4.5))
    expected = 0.5 * picture[1, :, 13, 12] + three - 0.5 * four
    assert torch.allclose(found[1, :, 13, 12], expected, atol=1e-5)


def test_what_all_pictures_agree_on_stays_and_light_above_white_too():
    bright = torch.full((1, 3, SIZE, SIZE), 40.0)
    gates = torch.randn(1, GATES, 9, 13, generator=torch.Generator().manual_seed(1))
    torch.testing.assert_close(mix(gates, bright, bright, 8.0, 2.0), bright, rtol=1e-5, atol=0)


def test_no_disk_is_far_wider_than_the_blur_of_the_frame():
    frames = pictures()
    picture, gates = frames.flip(-1), torch.zeros(1, GATES, SIZE, SIZE)
    gates[:, RADII_PX.index(4.5)] = 1.0
    assert torch.equal(mix(gates, picture, frames, 3.2), picture)
    # 3.85 px lies half way from 3.2 to 4.5.
    half = mix(gates, picture, frames, 3.85)
    whole = mix(gates, picture, frames, -6.0)
    torch.testing.assert_close(half, (picture + whole) / 2, rtol=0, atol=1e-6)
    # Nothing is blurred: nothing may become sharper than the lens picture.
    gates[:, 0] = 1.0
    assert torch.equal(mix(gates, picture, frames, 0.0), picture)


def test_disks_are_as_wide_in_the_frame_as_the_network_sees_them():
    frames, gates = pictures(), torch.zeros(1, GATES, SIZE // 2, SIZE // 2)
    gates[:, RADII_PX.index(2.2)] = 1.0
    found = mix(gates, frames.flip(-1), frames, 4.0, scale=2.0)
    assert torch.allclose(found[0, :, 12, 12], mean_over_disk(frames[0], 12, 12, 4.4), atol=1e-5)
