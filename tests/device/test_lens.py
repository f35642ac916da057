"""Lens Blur on a pretend accelerator: the CPU's pictures, in few launches, and few waits for an answer."""

from collections.abc import Sequence
from typing import Any

import pytest
import torch
from torch import Tensor

from bokeh_core.lens import Aperture, LensOverTime, lens_blur
from bokeh_core.lens.bars import blur_between_bars
from tests.device.pretend import PretendDevice

HEIGHT, WIDTH = 54, 96
ROUNDING = 1e-5


Clip = tuple[Tensor, Tensor, Tensor, Tensor]


def clip(num_frames: int, channels: int = 3) -> Clip:
    """A far wall, a slope and a near bar that moves, with focus and strength of each frame."""
    generator = torch.Generator().manual_seed(7)
    frames = torch.rand(num_frames, HEIGHT, WIDTH, 3, generator=generator)
    frames = torch.cat([frames, frames[..., :1].clamp(min=0.4)], dim=-1)[..., :channels]
    disparity = torch.linspace(0.1, 0.5, WIDTH).expand(num_frames, HEIGHT, WIDTH).clone()
    disparity[:, :18] = 0.0
    for t in range(num_frames):
        disparity[t, 10:45, 30 + 3 * t : 45 + 3 * t] = 0.95
    focus = torch.linspace(0.4, 0.5, num_frames)
    return frames, disparity, focus, torch.linspace(14.0, 10.0, num_frames)


def on_both(pretend: PretendDevice, values: Clip, **settings: Any) -> tuple[Tensor, Tensor]:
    """Pictures of the CPU and of the pretend device, which were asked for from the CPU."""
    on_cpu = lens_blur(*values, workers=1, **settings)
    return on_cpu, lens_blur(*values, device=pretend.device, **settings)


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"aperture": Aperture(6, 15, 0.3, 1.5)},
        {"aperture": Aperture(cat_eye=0.8)},
        {"gamma": 1.0, "highlight_gain": 2.0, "highlight_threshold": 0.5},
        {"near_strength": 0.5, "far_strength": 1.5},
        {"contour_reach_px": 0.0},
        {"contour_reach_px": 2.0},
    ],
    ids=["default", "blades", "cat_eye", "display_light_and_highlights", "sides", "no_contour", "contour"],
)
@pytest.mark.parametrize("num_frames", [1, 3])
def test_every_setting_gives_the_cpu_s_pictures(
    pretend: PretendDevice, settings: dict[str, Any], num_frames: int
):
    values = clip(num_frames)
    on_cpu, on_device = on_both(pretend, values, **settings)
    assert on_device.device.type == "cpu"
    assert (on_cpu - values[0]).abs().mean() > 0.02
    assert (on_device - on_cpu).abs().max() < ROUNDING


def test_grain_and_numbers_that_move(pretend: PretendDevice):
    noise = torch.randn(3, 72, 80, 3, generator=torch.Generator().manual_seed(3))
    values = (0.5 + 0.03 * noise, torch.zeros(1, 72, 80), torch.tensor([1.0]), torch.tensor([5.0]))
    lens = LensOverTime(schedules={"grain": "0: 0, 2: 1", "far_strength": "0: 1, 2: 0.5"}).at_frames(3)
    on_cpu = lens_blur(*values, lens, workers=1)
    on_device = lens_blur(*values, lens, device=pretend.device)
    assert (on_device - on_cpu).abs().max() < ROUNDING
    assert on_cpu[2].std() > 0.025 > 0.01 > on_cpu[0].std()


@pytest.mark.parametrize("channels", [1, 4])
def test_grey_and_alpha(pretend: PretendDevice, channels: int):
    on_cpu, on_device = on_both(pretend, clip(2, channels))
    assert (on_device - on_cpu).abs().max() < ROUNDING


def test_frames_of_a_pass_need_nothing_in_common(pretend: PretendDevice):
    frames, disparity, focus, strength = clip(5)
    # One sharp, one flat, one brighter than white, one blurred by much less.
    strength[1] = 0.0
    disparity[2] = 0.7
    frames[3, 20:24, 60:64] = 5.0
    strength[4] = 2.0
    protect = torch.zeros(5, HEIGHT, WIDTH)
    protect[:, :, 40:60] = torch.linspace(0, 1, 20)
    values = (frames, disparity, focus, strength)
    on_cpu, on_device = on_both(pretend, values, protect=protect)
    assert torch.equal(on_device[1], frames[1])
    assert on_cpu[3].max() > 1.5
    scale = on_cpu.flatten(1).amax(1).clamp(min=1)[:, None, None, None]
    assert ((on_device - on_cpu).abs() / scale).max() < ROUNDING


def test_a_clip_on_the_device_stays_there(pretend: PretendDevice):
    values = clip(3)
    on_cpu = lens_blur(*values, workers=1)
    frames, disparity, focus, strength = (value.to(pretend.device) for value in values)
    on_device = lens_blur(frames, disparity, focus, strength)
    assert on_device.device.type == pretend.device.type
    assert (on_device.cpu() - on_cpu).abs().max() < ROUNDING


def test_a_pass_that_does_not_fit_is_cut(pretend: PretendDevice):
    values = clip(5)
    refused: list[str] = []

    def refuse(name: str, tensors: Sequence[Tensor]) -> None:
        if any(tensor.ndim == 4 and tensor.shape[1] > 2 and tensor.shape[0] == 10 for tensor in tensors):
            refused.append(name)
            raise torch.cuda.OutOfMemoryError("out of memory")

    whole = lens_blur(*values, device=pretend.device, frames_a_pass=5)
    ticks: list[int] = []
    # A canvas of ten planes for more than two frames is too much.
    pretend.refuses = refuse
    cut = lens_blur(
        *values, device=pretend.device, frames_a_pass=5, progress=lambda done, _total: ticks.append(done)
    )
    # First of five frames, then of the last three of them.
    assert len(refused) == 2
    assert ticks == [1, 2, 3, 4, 5]
    assert (cut - whole).abs().max() < ROUNDING


def test_a_frame_that_does_not_fit_is_not_hidden(pretend: PretendDevice):
    def refuse(name: str, _tensors: Sequence[Tensor]) -> None:
        if name == "avg_pool2d":
            raise torch.cuda.OutOfMemoryError("out of memory")

    pretend.refuses = refuse
    with pytest.raises(torch.cuda.OutOfMemoryError):
        lens_blur(*clip(3), device=pretend.device)


def test_launches_and_questions_do_not_creep(pretend: PretendDevice):
    lens_blur(*clip(8), device=pretend.device)
    counts = pretend.counts
    kernels, questions, uploads = (
        sum(counted.values()) for counted in (counts.kernels, counts.questions, counts.uploads)
    )
    # Of a pass of eight frames.
    assert kernels <= 3300
    assert questions <= 22
    assert uploads <= 35


def test_a_background_that_other_frames_have_seen(pretend: PretendDevice):
    squares = torch.rand(9, 16, 3, generator=torch.Generator().manual_seed(0))
    wall = squares.repeat_interleave(6, 0).repeat_interleave(6, 1)
    frames = wall.expand(5, -1, -1, -1).clone()
    disparity = torch.full((5, HEIGHT, WIDTH), 0.3)
    for t in range(5):
        frames[t, :, 20 + 5 * t : 45 + 5 * t] = torch.tensor([0.9, 0.1, 0.1])
        disparity[t, :, 20 + 5 * t : 45 + 5 * t] = 0.95
    values = (frames, disparity, torch.tensor([0.3]), torch.tensor([14.0]))
    alone = blur_between_bars(*values, workers=1)
    on_cpu = blur_between_bars(*values, workers=1, hidden_background="other frames")
    on_device = blur_between_bars(*values, device=pretend.device, hidden_background="other frames")
    assert (on_cpu - alone).abs().max() > 0.1
    assert (on_device - on_cpu).abs().max() < ROUNDING
    assert pretend.storages.live == 0
