"""Single pixels that stay between two surfaces where a noisy slope was made a step."""

import torch
from torch import Tensor

from bokeh_core.lens.loose_pixels import narrow_things, without_loose_pixels

HEIGHT, WIDTH = 12, 16


def step() -> tuple[Tensor, Tensor]:
    """A far surface at -9 px, a near one at 3 px from column 8 on, and the map that a slope was before."""
    sharpened = torch.full((HEIGHT, WIDTH), -9.0)
    sharpened[:, 8:] = 3.0
    return sharpened, torch.full((HEIGHT, WIDTH), -3.0)


def test_pixels_and_lines_that_were_moved_go_to_the_surface_around_them():
    expected, given = step()
    sharpened = expected.clone()
    sharpened[4, 3], sharpened[8, 12], sharpened[7, 2:6] = 1.0, -6.0, -1.5
    dark = torch.full((3, HEIGHT, WIDTH), 0.002)
    assert torch.equal(without_loose_pixels(sharpened, given, dark), expected)


def test_a_slanted_chain_goes_however_the_cloth_is_shaded():
    expected, given = step()
    sharpened = expected.clone()
    sharpened[[3, 4, 5, 6, 7], [1, 2, 3, 4, 5]] = 1.0
    # From black to a grey that is told from it only side by side.
    color = torch.linspace(0, 0.2, HEIGHT * WIDTH).view(WIDTH, HEIGHT).T.square().expand(3, -1, -1)
    assert torch.equal(without_loose_pixels(sharpened, given, color), expected)


def test_what_the_map_says_stays():
    sharpened, given = step()
    sharpened[4, 3] = given[4, 3] = 1.0
    assert torch.equal(without_loose_pixels(sharpened, given, torch.zeros(3, HEIGHT, WIDTH)), sharpened)


def test_a_strand_of_its_own_colour_stays():
    sharpened, given = step()
    sharpened[:, 3] = 2.0
    color = torch.full((3, HEIGHT, WIDTH), 0.1)
    color[:, :, 3] = 0.4
    assert torch.equal(without_loose_pixels(sharpened, given, color), sharpened)


def test_what_is_to_be_kept_stays():
    sharpened, given = step()
    sharpened[4, 3] = sharpened[9, 3] = 1.0
    kept = torch.zeros(HEIGHT, WIDTH, dtype=torch.bool)
    kept[4, 3] = True
    found = without_loose_pixels(sharpened, given, torch.zeros(3, HEIGHT, WIDTH), kept)
    assert found[4, 3] == 1.0
    assert found[9, 3] == -9.0


def test_strands_and_gaps_of_the_map_are_narrow_and_slopes_and_steps_are_not():
    given = torch.zeros(2, 30, 60)
    given[0] = torch.linspace(-6, 6, 60)
    given[1, :, 30:] = 4.0
    expected = torch.zeros(2, 30, 60, dtype=torch.bool)
    # Six pixels wide and one, and one that is no thing of its own.
    for first, last, by_px, is_narrow in ((10, 16, 1.0, True), (22, 23, -0.8, True), (40, 41, 0.4, False)):
        given[1, :, first:last] += by_px
        expected[1, :, first:last] = is_narrow
    # At the border of the frame a slope has one side only.
    assert torch.equal(narrow_things(given)[..., 3:-3], expected[..., 3:-3])


def test_frames_of_a_pass_are_as_they_are_alone():
    sharpened, given = step()
    other = sharpened.clone()
    other[5, 5] = 0.0
    both, maps = torch.stack([sharpened, other]), torch.stack([given, given])
    found = without_loose_pixels(both, maps, torch.zeros(3, 2, HEIGHT, WIDTH))
    assert torch.equal(found, torch.stack([sharpened, sharpened]))
