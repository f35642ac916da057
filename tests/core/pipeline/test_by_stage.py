"""The stages one at a time: the pipeline's result, smaller pieces when memory is short, sizes, channels."""

from typing import Any

import pytest
import torch
from torch import Tensor

from bokeh_core.clip.channels import to_rgb, with_channels_of
from bokeh_core.memory.batches import batches
from bokeh_core.pipeline.by_stage import (
    BokehWindows,
    encode_clip,
    geometry_between,
    predict_windows,
    refined_decode,
)
from bokeh_core.pipeline.inputs import bokeh_inputs
from bokeh_core.pipeline.report import sampling_report, strength_warning
from bokeh_core.pipeline.streaming import BokehPipeline
from bokeh_core.pipeline.working_size import WorkingGeometry, working_geometry
from bokeh_core.progress import Progress
from bokeh_core.windows import Window, plan_windows

CPU = torch.device("cpu")


class ShortOfMemory:
    """A VAE on a device that holds a given number of frames at a time while encoding."""

    def __init__(self, vae: Any, room: int) -> None:
        self._vae = vae
        self._room = room
        self.encoded: list[int] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._vae, name)

    def encode(self, frames: Tensor, *, compact: bool = False) -> Any:
        self._take(frames)
        return self._vae.encode(frames, compact=compact)

    def skips(self, frames: Tensor) -> Any:
        self._take(frames)
        return self._vae.skips(frames)

    def _take(self, frames: Tensor) -> None:
        if len(frames) > self._room:
            raise torch.cuda.OutOfMemoryError("no room")
        self.encoded.append(len(frames))


@pytest.fixture(scope="module")
def clip() -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(0)
    return {
        "frames": torch.rand(10, 3, 64, 80, generator=generator),
        "disparity": torch.rand(10, 64, 80, generator=generator),
        "focal": torch.linspace(0.2, 0.8, 10),
        "strength": torch.tensor([16.0]),
    }


@pytest.mark.parametrize("room", [2, 1])
def test_stages_give_what_the_pipeline_gives(clip, small_unet, small_vae, small_image_encoder, room):
    whole = BokehPipeline(small_unet, small_vae, small_image_encoder)(*clip.values())
    vae: Any = ShortOfMemory(small_vae, room)
    inputs = bokeh_inputs(*clip.values())
    plan = plan_windows(10)
    told: dict[str, list[tuple[int, int]]] = {"encode": [], "predict": [], "decode": []}

    latents_shown: list[torch.Tensor] = []
    frames_shown: list[torch.Tensor] = []

    def tell(stage: str) -> Progress:
        return lambda *tick: told[stage].append(tick)

    encoded = encode_clip(vae, small_image_encoder, inputs, device=CPU, progress=tell("encode"))
    latents = predict_windows(
        small_unet,
        encoded,
        inputs,
        plan,
        mpi_mode="released",
        device=CPU,
        progress=tell("predict"),
        show_latents=latents_shown.append,
    )
    windows = BokehWindows(latents, plan, inputs.geometry, 0.18215)
    # 10 frames: windows 0-7 and 2-9.
    assert windows.overlaps == [6]
    decoded = refined_decode(
        vae,
        windows.fused(),
        clip["frames"],
        inputs.geometry,
        device=CPU,
        encode_batch=4,
        progress=tell("decode"),
        show=frames_shown.append,
    )
    # Frames are encoded in other batches, whose rounding these random weights magnify to about 3e-5.
    assert (decoded - whole).abs().max() < 1e-3
    assert set(vae.encoded) == {room}
    assert told["encode"][-1] == (10, 10)
    assert told["predict"] == [(0, 16), (8, 16), (16, 16)]
    # Two calls of 8 frames, each frame encoded and decoded.
    assert told["decode"][-1] == (32, 32)
    assert all(series == sorted(series) for series in told.values())
    # The last frame of each window, and of each call: 0-7, then 2-9.
    assert all(torch.equal(shown, window[7]) for shown, window in zip(latents_shown, latents, strict=True))
    assert len(frames_shown) == 2
    for shown, t in zip(frames_shown, (7, 9), strict=True):
        assert torch.equal(shown, decoded[t].permute(1, 2, 0))


NO_ROOM = [
    torch.cuda.OutOfMemoryError("no room"),
    RuntimeError("MPS backend out of memory (MPS allocated: 8.00 GB)."),
]


@pytest.mark.parametrize("error", NO_ROOM, ids=["cuda", "mps"])
def test_pieces_halve_until_they_fit_and_cover_everything(error: Exception):
    tried: list[tuple[int, int]] = []

    def run(start: int, stop: int) -> int:
        tried.append((start, stop))
        if stop - start > 1:
            raise error
        return start

    assert list(batches(3, 8, run)) == [(1, 0), (2, 1), (3, 2)]
    assert tried == [(0, 3), (0, 1), (1, 2), (2, 3)]


@pytest.mark.parametrize("error", NO_ROOM, ids=["cuda", "mps"])
def test_no_room_for_one_item_is_out_of_memory(error: Exception):
    def run(start: int, stop: int) -> None:
        raise error

    with pytest.raises(type(error), match=r"no room|MPS backend"):
        list(batches(4, 4, run))


def test_another_error_is_not_tried_again():
    tried: list[int] = []

    def run(start: int, stop: int) -> None:
        tried.append(start)
        raise RuntimeError("sizes do not match")

    with pytest.raises(RuntimeError, match="sizes do not match"):
        list(batches(4, 4, run))
    assert tried == [0]


def test_half_precision_decoder_takes_float32_skips(small_vae, clip):
    import copy

    vae = copy.deepcopy(small_vae)
    vae.decoder.to(torch.bfloat16)
    assert vae.dtype == torch.bfloat16
    latents, skips = vae.encode(clip["frames"][:2, ..., :64] * 2 - 1)
    assert latents.dtype == skips[0].dtype == torch.float32
    assert vae.decode(latents, skips).dtype == torch.bfloat16


def test_geometry_is_the_recorded_one_or_found_by_its_size():
    recorded = WorkingGeometry((100, 180), (128, 128))
    assert geometry_between((100, 180), (16, 16), recorded) == recorded
    assert geometry_between((100, 180), (16, 24)) == WorkingGeometry((100, 180), (100, 180))
    # 2048 x 1152 works at 1024 x 576, or natively.
    assert geometry_between((1152, 2048), (72, 128)) == working_geometry(1152, 2048, "auto")
    assert geometry_between((1152, 2048), (144, 256)) == working_geometry(1152, 2048, "native")


def test_geometry_of_other_frames_is_refused_with_both_sizes():
    with pytest.raises(ValueError, match="is for 128 x 64 px, and frames of 180 x 100 work at 192 x 128"):
        geometry_between((100, 180), (8, 16), WorkingGeometry((64, 128), (64, 128)))


def test_latents_and_frames_of_different_length_are_refused(small_vae):
    with pytest.raises(ValueError, match="3 latent frames for 2 video frames"):
        refined_decode(
            small_vae,
            torch.zeros(3, 4, 8, 8),
            torch.zeros(2, 3, 64, 64),
            working_geometry(64, 64),
            device=CPU,
        )


def test_channels_come_back_as_they_were():
    colour = torch.rand(2, 4, 5, 3)
    grey, with_alpha = colour[..., :1], torch.cat([colour, torch.rand(2, 4, 5, 1)], dim=-1)
    assert torch.equal(with_channels_of(to_rgb(colour), colour), colour)
    assert torch.equal(with_channels_of(to_rgb(with_alpha), with_alpha), with_alpha)
    assert to_rgb(grey).shape == (2, 3, 4, 5)
    assert torch.allclose(with_channels_of(to_rgb(grey), grey), grey)
    with pytest.raises(ValueError, match=r"\(2, 4, 5, 2\); expected \[T, H, W, C\]"):
        to_rgb(torch.rand(2, 4, 5, 2))


@pytest.mark.parametrize(
    ("values", "shown"), [([1.0, 32.0], ""), ([0.5], "K is 0.5 px"), ([4.0, 40.0], "K is 4 to 40 px")]
)
def test_strength_warning(values, shown):
    warning = strength_warning(torch.tensor(values))
    assert shown in warning
    assert bool(warning) == bool(shown)


def test_strength_warning_of_a_model_with_a_range_of_its_own():
    assert strength_warning(torch.tensor([0.5, 14.0]), (0.5, 14.0)) == ""
    warning = strength_warning(torch.tensor([16.0]), (0.5, 14.0))
    assert "K is 16 px" in warning and "trained for 0.5 to 14 px" in warning


def test_report_of_one_short_window():
    report = sampling_report(
        working_geometry(64, 100), [Window(0, 5)], torch.tensor([2.0]), "paper", "float16 on cuda:0"
    )
    assert report.splitlines() == [
        "5 frames of 100 x 64 px, worked on at 100 x 64 (with border 128 x 64).",
        "1 window of 5 frames.",
        "K 2 px at the working size.",
        "MPI mode paper; float16 on cuda:0.",
    ]
