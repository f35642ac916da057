"""Refine Disparity on a pretend accelerator: the CPU's maps, and few waits for an answer."""

from collections.abc import Sequence

import pytest
import torch
from torch import Tensor

from bokeh_core.disparity.refine import DisparityRefiner, RefineSettings, changes_view, refine_clip
from bokeh_core.disparity.refine.flicker import COURSE_FRAMES
from tests.core.disparity.refine.scenes import moving_square
from tests.device.pretend import PretendDevice

ROUNDING = 1e-4


def spoilt(count: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Frames and maps that flicker, with a band torn in one."""
    frames, disparity = moving_square(count, 1)
    disparity = disparity + 0.05 * torch.rand(count, 1, 1, generator=torch.Generator().manual_seed(0))
    disparity[2, 40:56][disparity[2, 40:56] > 0.5] = 0.2
    return frames, disparity


def no_float64(name: str, tensors: Sequence[Tensor]) -> None:
    if any(tensor.dtype == torch.float64 for tensor in tensors):
        raise TypeError(f"{name}: the device has no float64")


def test_maps_are_the_cpu_s(pretend: PretendDevice):
    frames, disparity = spoilt(5)
    masks = (disparity[:1] > 0.5).float()
    pretend.refuses = no_float64
    settings = RefineSettings(trained=True)
    on_cpu = refine_clip(frames, disparity, settings, subject=masks)
    found = refine_clip(frames.to(pretend.device), disparity.to(pretend.device), settings, subject=masks)
    assert found.disparity.device == pretend.device
    assert (found.disparity.cpu() - on_cpu.disparity).abs().max() < ROUNDING
    assert str(found.report) == str(on_cpu.report)
    assert (
        changes_view(disparity.to(pretend.device), found.disparity).cpu()
        - changes_view(disparity, on_cpu.disparity)
    ).abs().max() < 10 * ROUNDING


@pytest.mark.parametrize(("trained", "most"), [(False, 900), (True, 1400)])
def test_launches_and_questions_of_a_frame_are_few(pretend: PretendDevice, trained: bool, most: int):
    frames, disparity = (values.to(pretend.device) for values in spoilt(COURSE_FRAMES + 4))
    refiner = DisparityRefiner(RefineSettings(trained=trained))
    for frame, one in zip(frames[:-1], disparity[:-1], strict=True):
        refiner.add(frame, one)
    pretend.counts.kernels.clear()
    pretend.counts.questions.clear()
    refiner.add(frames[-1], disparity[-1])
    assert 0 < pretend.counts.kernels.total() < most
    assert 0 < pretend.counts.questions.total() < 40
