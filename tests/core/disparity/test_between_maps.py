"""Maps at a lower rate than the frames: contours are where the picture has them at that time."""

from collections.abc import Iterator

import numpy as np
import pytest
import torch
from torch import Tensor

from bokeh_core.disparity.between_maps import MapsBetween
from bokeh_core.disparity.fit import MapFit
from bokeh_core.disparity.meaning import DepthMeaning
from bokeh_core.disparity.prepare import prepare_disparity
from bokeh_core.render import FileDepth
from bokeh_core.render.depth import DepthRequest
from tests.core.disparity.moving_pictures import FAR, HEIGHT, NEAR, WIDTH, square_before_wall, texture

# A map for every third frame.
FIT = MapFit(frames_per_map=3)
KEPT = DepthMeaning(polarity="near white", normalisation="none")


def between(frames: Tensor, maps: Tensor, fit: MapFit = FIT, start: int = 0) -> Tensor:
    def frames_from(first: int) -> Iterator[Tensor]:
        return iter(frames[first:])

    found = fit.in_time(lambda first: iter(maps[first:]), len(maps), start, len(frames), frames_from)
    return torch.stack(list(found))


@pytest.mark.parametrize(("square_px", "wall_px"), [(3, 0), (-2, 2), (0, 3)])
def test_contours_that_move_are_followed(square_px: int, wall_px: int):
    frames, truth = square_before_wall(7, square_px, wall_px)
    found = between(frames, truth[::3])
    mixed = torch.stack(list(FIT.in_time(lambda first: iter(truth[::3][first:]), 3, 0, 7)))
    assert torch.equal(found[::3], truth[::3])
    error, of_mixed = ((maps - truth).abs() for maps in (found, mixed))
    if square_px:
        # Mixing is wrong by a third of the step or more wherever the square was or will be.
        passed = of_mixed > 0.1
        assert int(passed.sum()) > 500
        assert error[passed].mean().item() < 0.35 * of_mixed[passed].mean().item()
        assert error.mean().item() < 0.5 * of_mixed.mean().item()
    else:
        assert error.mean().item() < 0.002


def test_where_nothing_moves_maps_are_mixed_in_proportion():
    frames = texture(HEIGHT, WIDTH, 0).expand(4, -1, -1, -1)
    maps = torch.stack([torch.full((HEIGHT, WIDTH), 0.2), torch.full((HEIGHT, WIDTH), 0.8)])
    found = between(frames, maps)
    # 0.2 and 0.8 by thirds.
    for t, value in enumerate((0.2, 0.4, 0.6, 0.8)):
        torch.testing.assert_close(found[t], torch.full((HEIGHT, WIDTH), value))


@pytest.mark.parametrize("cut", [1, 2])
def test_nothing_is_mixed_across_a_cut(cut: int):
    frames = torch.stack([texture(HEIGHT, WIDTH, 0 if t < cut else 9) for t in range(4)])
    maps = torch.stack([torch.full((HEIGHT, WIDTH), 0.25), torch.full((HEIGHT, WIDTH), 0.75)])
    found = between(frames, maps)
    assert found.flatten(1).amin(1).tolist() == [0.25 if t < cut else 0.75 for t in range(4)]
    assert found.flatten(1).amax(1).tolist() == found.flatten(1).amin(1).tolist()


@pytest.mark.parametrize(
    "fit", [FIT, MapFit(frames_per_map=2.5), MapFit(frame_offset=1, frames_per_map=3), MapFit("pad", -2, 3)]
)
def test_a_stream_may_begin_anywhere(fit: MapFit):
    frames, truth = square_before_wall(10, 2)
    maps = truth[::3]
    whole = between(frames, maps, fit)
    assert len(whole) == 10
    for start in (1, 4, 5, 8):
        assert torch.equal(between(frames, maps, fit, start), whole[start:])


def test_frames_are_read_once_and_let_go():
    frames, truth = square_before_wall(10, 1)
    read: list[int] = []

    def frames_from(first: int) -> Iterator[Tensor]:
        for number in range(first, len(frames)):
            read.append(number)
            yield frames[number]

    maps = truth[::3]
    held = MapsBetween(frames_from, 0)
    for t in range(9):
        first = t // 3
        if t % 3:
            held.carried(t, (3.0 * first, 3.0 * first + 3), (maps[first], maps[first + 1]))
            assert len(held._held) <= 4
    assert read == list(range(10))


def test_black_frames_and_a_fade_give_numbers():
    frames, truth = square_before_wall(7, 2)
    faded = frames * torch.linspace(0, 1, 7)[:, None, None, None]
    for pictures in (torch.zeros_like(frames), faded, frames[..., :1], frames[:, :8, :8]):
        height, width = pictures.shape[1:3]
        found = between(pictures, truth[::3, :height, :width])
        assert found.shape == (7, height, width)
        assert found.min().item() >= FAR - 1e-6 and found.max().item() <= NEAR + 1e-6


def test_the_report_says_what_is_between():
    frames, truth = square_before_wall(7, 2)
    followed = prepare_disparity(truth[::3], normalisation="none", frames_per_map=3, frames=frames)
    assert "in between they follow the motion of the picture" in followed.report
    assert torch.equal(followed.disparity, between(frames, truth[::3]))
    mixed = prepare_disparity(truth[::3], frames_per_map=3, num_frames=7)
    assert "mixed in proportion" in mixed.report and "connected frames" in mixed.report


def test_files_are_streamed_to_the_same_maps(tmp_path):
    frames, truth = square_before_wall(7, 2)
    np.save(tmp_path / "maps.npy", truth[::3].numpy())
    depth = FileDepth(tmp_path / "maps.npy", KEPT, FIT).prepare(
        DepthRequest(7, (HEIGHT, WIDTH), frames=lambda start: iter(frames[start:]))
    )
    assert torch.equal(torch.stack(list(depth.read(2))), between(frames, truth[::3])[2:])
    assert "follow the motion" in depth.report
