"""Maps are enlarged within a surface, and a map of one value keeps it."""

import torch

from bokeh_core.models.small.along_contours import AlongContours


def test_a_map_of_one_value_keeps_it_in_any_size():
    generator = torch.Generator().manual_seed(0)
    for size in ((8, 8), (19, 23), (5, 64)):
        enlarge = AlongContours(torch.rand(2, 2, 8, 8, generator=generator), torch.rand(2, 2, *size))
        found = enlarge(torch.full((2, 3, 8, 8), 0.3))
        torch.testing.assert_close(found, torch.full((2, 3, *size), 0.3), rtol=0, atol=1e-6)


def test_maps_of_the_size_come_back_as_they_are():
    guide, maps = torch.rand(1, 1, 6, 9), torch.rand(1, 4, 6, 9)
    assert AlongContours(guide, guide)(maps) is maps


def test_without_contours_it_is_bilinear():
    maps = torch.rand(1, 2, 7, 9, generator=torch.Generator().manual_seed(0))
    found = AlongContours(torch.zeros(1, 1, 7, 9), torch.zeros(1, 1, 21, 20))(maps)
    expected = torch.nn.functional.interpolate(maps, (21, 20), mode="bilinear", align_corners=False)
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-6)


def test_nothing_crosses_a_contour_of_the_guide():
    # The contour lies between the pixels 9 and 10 of 16: in the middle of the third cell of four.
    surface = torch.zeros(1, 1, 4, 4)
    surface[..., 3:] = 10.0
    surface[..., 2] = 0.0
    large = torch.zeros(1, 1, 16, 16)
    large[..., 10:] = 10.0
    maps = (surface > 0).float()
    found = AlongContours(surface, large)(maps)
    expected = (large > 0).float()
    # Left of it a pixel of the last cell would give bilinear interpolation up to 3/8.
    assert float((found - expected)[..., :10].abs().max()) < 1e-3
    assert float((found - expected)[..., 11:].abs().max()) < 1e-3
