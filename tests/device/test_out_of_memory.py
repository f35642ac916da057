"""Memory runs out at an allocation: smaller steps or the error itself, nothing left, the next call works.

With the environment variable EVERY_ALLOCATION set it runs out at each one in turn, which takes minutes.
"""

import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from bokeh_core.disparity.refine import refine_clip
from bokeh_core.lens import lens_blur
from bokeh_core.models import BokehUNet, RefinedVAE
from bokeh_core.pipeline.streaming import BokehPipeline
from bokeh_core.preview.focus_colours import focus_preview
from bokeh_core.render import (
    FileClip,
    GivenDepth,
    GivenFocus,
    GivenStrength,
    LensRenderer,
    RenderJob,
    run_job,
)
from bokeh_core.semantics import no_image_encoder
from bokeh_core.video_io import Encoding
from tests.core.render.clips import moving_pictures, write_video
from tests.device import test_model, test_refine
from tests.device.pretend import PretendDevice, on_device

ROUNDING = 1e-5


def clip(num_frames: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """A slope and a near bar in frames with alpha."""
    generator = torch.Generator().manual_seed(5)
    frames = torch.rand(num_frames, 16, 24, 4, generator=generator)
    disparity = torch.linspace(0.1, 0.5, 24).expand(num_frames, 16, 24).clone()
    disparity[:, 5:, 10:16] = 0.95
    return frames, disparity, torch.tensor([0.4]), torch.tensor([1.5])


def one_of_each(places: list[str]) -> list[int]:
    """Numbers, from 1, of the first allocation by each file of the product, and of the last of all."""
    if os.environ.get("EVERY_ALLOCATION"):
        return list(range(1, len(places) + 1))
    first: dict[str, int] = {}
    for number, place in enumerate(places, 1):
        first.setdefault(place.split(":")[0], number)
    return [*first.values(), len(places)]


def sweep(pretend: PretendDevice, run: Callable[[], Any]) -> list[Any]:
    """Run out of memory once in each file, and at the very end; what is returned all the same.

    Nothing stays on the device but what was there before.
    """
    before = pretend.storages.live
    pretend.allocations.clear()
    run()
    places = list(pretend.allocations)
    assert places
    survived = []
    for number in one_of_each(places):
        pretend.allocations.clear()
        pretend.fails_at = number
        with suppress(torch.OutOfMemoryError):
            survived.append(run())
            continue
        # Only here the error no longer holds what was on the device.
        assert pretend.storages.live == before, places[number - 1]
    pretend.fails_at = None
    return survived


def test_a_frame_of_lens_blur(pretend: PretendDevice):
    expected = lens_blur(*clip(1), workers=1)
    # A single frame cannot be halved.
    assert sweep(pretend, lambda: lens_blur(*clip(1), device=pretend.device)) == []
    assert (lens_blur(*clip(1), device=pretend.device) - expected).abs().max() < ROUNDING
    assert pretend.storages.live == 0


def test_a_pass_of_lens_blur(pretend: PretendDevice):
    expected = lens_blur(*clip(2), workers=1)
    lens_blur(*clip(2), device=pretend.device)
    count = len(pretend.allocations)
    for part in (0.3, 0.9):
        pretend.allocations.clear()
        pretend.fails_at = int(part * count)
        # The frames are rendered one by one then.
        assert (lens_blur(*clip(2), device=pretend.device) - expected).abs().max() < ROUNDING
        assert len(pretend.allocations) > count
    assert pretend.storages.live == 0


def test_a_device_that_holds_one_frame(pretend: PretendDevice):
    values = clip(3)
    expected = lens_blur(*values, workers=1)
    lens_blur(*values, device=pretend.device, frames_a_pass=1)
    # The frames of a pass take what a single one takes, each.
    pretend.capacity = int(1.5 * pretend.storages.peak)
    ticks: list[int] = []
    pictures = lens_blur(*values, device=pretend.device, progress=lambda done, _: ticks.append(done))
    assert (pictures - expected).abs().max() < ROUNDING
    assert ticks == [1, 2, 3]
    pretend.capacity = pretend.storages.peak // 4
    with pytest.raises(torch.OutOfMemoryError):
        lens_blur(*values, device=pretend.device)


def test_refined_maps(pretend: PretendDevice):
    frames, disparity = (values.to(pretend.device) for values in test_refine.spoilt(3))
    # The trained network stays on the device.
    refine_clip(frames, disparity)
    # A map refined from another window is another map.
    assert sweep(pretend, lambda: refine_clip(frames, disparity).disparity) == []
    refine_clip(frames, disparity)


def test_the_focus_in_colours(pretend: PretendDevice):
    expected = focus_preview(*clip(2))
    values = [value.to(pretend.device) for value in clip(2)]
    assert sweep(pretend, lambda: focus_preview(*values)) == []
    assert torch.equal(focus_preview(*values), expected)


def test_the_model(pretend: PretendDevice, small_unet: BokehUNet, small_vae: RefinedVAE):
    unet, vae = on_device(small_unet, pretend.device), on_device(small_vae, pretend.device)
    values, encoder = test_model.clip(1), no_image_encoder(small_unet.embedding_width)

    def run() -> Tensor:
        with torch.no_grad():
            return BokehPipeline(unet, vae, encoder)(*values, mpi_mode="paper")

    expected = run()
    # Only the decode has smaller pieces.
    for pictures in sweep(pretend, run):
        assert (pictures - expected).abs().max() < 1e-3


def test_a_video(pretend: PretendDevice, tmp_path: Path):
    source = write_video(tmp_path / "in.mkv", moving_pictures(10, 24, 32))

    def job(name: str) -> RenderJob:
        return RenderJob(
            FileClip(source),
            GivenDepth(torch.linspace(0, 1, 32).expand(10, 24, 32)),
            GivenFocus(torch.full((10,), 0.5)),
            GivenStrength(torch.full((10,), 64.0)),
            LensRenderer(device=pretend.device),
            tmp_path / name,
            Encoding("h264", 18),
            8,
        )

    run_job(job("whole.mp4"))
    whole = len(pretend.allocations)
    pretend.allocations.clear()
    # The second part has two frames; halved, there is still none for the first of them.
    stopped = job("stopped.mp4")
    refused = []

    def refuse(name: str, tensors: Sequence[Tensor]) -> None:
        if len(pretend.allocations) > 0.9 * whole:
            refused.append(name)
            raise torch.OutOfMemoryError("out of memory")

    pretend.refuses = refuse
    with pytest.raises(torch.OutOfMemoryError):
        run_job(stopped)
    assert len(refused) == 2
    assert pretend.storages.live == 0
    assert not stopped.output.exists()
    pretend.refuses = None
    assert run_job(stopped).rendered_frames == 2
    assert stopped.output.read_bytes() == (tmp_path / "whole.mp4").read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.mkv", "stopped.mp4", "whole.mp4"]
