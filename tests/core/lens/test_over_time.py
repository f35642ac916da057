"""A clip is its frames: no flicker, no state, no popping; ticks and stopping."""

from typing import Any

import pytest
import torch
from torch import Tensor

from bokeh_core.lens import Aperture, lens_blur
from tests.core.lens.reference import random_texture

HEIGHT_PX, WIDTH_PX = 40, 56


def scene() -> tuple[Tensor, Tensor]:
    """A textured ball, all at disparity 0.8, above a floor that rises from 0.2 to 0.5: frame, disparity."""
    rows, columns = torch.arange(HEIGHT_PX)[:, None], torch.arange(WIDTH_PX)
    ball = (columns - 24) ** 2 + (rows - 18) ** 2 < 11**2
    near, far = (
        random_texture(HEIGHT_PX, WIDTH_PX, seed, low, high, 4)
        for seed, low, high in ((1, 0, 0.6), (2, 0.3, 1))
    )
    frame = torch.where(ball[..., None], near, far)
    return frame, torch.where(ball, torch.tensor(0.8), 0.2 + 0.3 * rows / HEIGHT_PX)


def clip(num_frames: int) -> dict[str, Any]:
    frame, disparity = scene()
    return {
        "frames": torch.stack([frame.roll(t, 1) for t in range(num_frames)]),
        "disparity": torch.stack([disparity.roll(t, 1) for t in range(num_frames)]),
        "focal_disparity": torch.linspace(0.3, 0.8, num_frames),
        "blur_strength_px": torch.linspace(0, 14, num_frames),
    }


@pytest.mark.parametrize("aperture", [Aperture(), Aperture(blades=5, cat_eye=0.5)])
def test_frames_one_by_one_make_the_clip(aperture: Aperture):
    given = clip(4)
    whole = lens_blur(**given, aperture=aperture)
    for t in range(4):
        alone = lens_blur(**{name: value[t : t + 1] for name, value in given.items()}, aperture=aperture)
        assert torch.equal(alone[0], whole[t])


def test_a_still_clip_does_not_flicker():
    frame, disparity = scene()
    blurred = lens_blur(frame.repeat(3, 1, 1, 1), disparity[None], torch.tensor([0.8]), torch.tensor([10.0]))
    assert torch.equal(blurred[1], blurred[0])
    assert torch.equal(blurred[2], blurred[0])


def test_the_same_call_gives_the_same_result():
    given = clip(2)
    assert torch.equal(lens_blur(**given), lens_blur(**given))


def steps_of_a_focus_pull(low: float, high: float, num_frames: int) -> Tensor:
    """Change of every pixel from frame to frame [T - 1, H, W] while only the focus moves."""
    frame, disparity = scene()
    blurred = lens_blur(
        frame.expand(num_frames, -1, -1, -1),
        disparity[None],
        torch.linspace(low, high, num_frames),
        torch.tensor([16.0]),
        gamma=1.0,
    )
    return blurred.diff(dim=0).abs().amax(-1)


@pytest.mark.parametrize(("low", "high"), [(0.3, 0.7), (0.8, 1.0)])
def test_a_focus_pull_is_continuous(low: float, high: float):
    # Where the picture follows the focus without jumps, half the step makes half the change.
    coarse, fine = (steps_of_a_focus_pull(low, high, num_frames) for num_frames in (21, 41))
    assert coarse.mean((1, 2)).max() > 0.002
    assert fine.mean((1, 2)).max() < 0.65 * coarse.mean((1, 2)).max()
    assert fine.max() < 0.75 * coarse.max()
    # The centre weight of a disk, 1 / (pi r^2), falls from 1 to 1 / pi over the half pixel from 0.5 to 1: at
    # most 1.4 for each px that the radius changes, times the texture's contrast of 0.6.
    assert fine.max() < 16 * (high - low) / 40 * 1.4 * 0.6


def test_ticks_count_the_frames_in_order():
    ticks: list[tuple[int, int]] = []
    lens_blur(**clip(5), progress=lambda *tick: ticks.append(tick))
    assert ticks == [(1, 5), (2, 5), (3, 5), (4, 5), (5, 5)]


class Stop(BaseException):
    """What a cancelled host raises."""


def test_an_exception_in_a_check_stops_the_work_within_a_frame():
    ticks: list[tuple[int, int]] = []
    checks: list[None] = []

    def stop_at_the_third_check() -> None:
        checks.append(None)
        if len(checks) == 3:
            raise Stop

    given = {name: value[-1:] for name, value in clip(3).items()}
    with pytest.raises(Stop):
        lens_blur(**given, progress=lambda *tick: ticks.append(tick), check=stop_at_the_third_check)
    assert (len(checks), ticks) == (3, [])


def test_an_exception_in_a_tick_stops_the_work():
    ticks: list[int] = []

    def stop_at_two(done: int, _total: int) -> None:
        ticks.append(done)
        if done == 2:
            raise Stop

    with pytest.raises(Stop):
        lens_blur(**clip(5), progress=stop_at_two)
    assert ticks == [1, 2]
