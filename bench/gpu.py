"""Seconds and memory a frame on this machine: the published order of work against ours, and options tried.

Weights are random and made on the device, so nothing has to be fetched. Every run is the middle of a clip
that lies in main memory, as a user's does; the first 8 frames, in which libraries warm up, are not timed.

Run from the repository's root: python -m bench.gpu            (full size; about 5 minutes on one GPU)
                                python -m bench.gpu --device cpu --small
"""

import argparse
import contextlib
import importlib.util
import math
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, replace
from typing import Any
from unittest import mock

import torch
import torch.nn.functional as F
from torch import Tensor, nn

if importlib.util.find_spec("diffusers") is None:
    raise SystemExit("bench.gpu needs diffusers and einops: pip install diffusers einops opencv-python")

from bench import published
from bench.device import default_device, device_name, forget_peak, peak_bytes, wait
from bench.live_bytes import LiveBytes
from bench.vision_tower import VisionTower
from bokeh_core.checkpoint.precision import DTYPES
from bokeh_core.memory.needs import ENCODE_BATCH, PIECE_ELEMENTS
from bokeh_core.models import BokehUNet, RefinedVAE, UNetConfig, VAEConfig
from bokeh_core.pipeline import steps
from bokeh_core.pipeline.inputs import BokehInputs, bokeh_inputs
from bokeh_core.pipeline.streaming import BokehPipeline
from bokeh_core.published import K_DTYPE, PUBLISHED_MPI_MODE

# Two pieces of 8 frames after the one that warms up, and half a window, so that no piece is short of windows.
FULL_FRAMES, SMALL_FRAMES = 28, 20
BUDGET_S = 250
GATE = 0.5
Pieces = Iterator[tuple[int, Tensor]]


@dataclass(frozen=True)
class Setup:
    """A network with random weights on its device, and a clip."""

    unet: BokehUNet
    vae: RefinedVAE
    image_encoder: VisionTower
    inputs: BokehInputs
    device: torch.device
    piece_elements: int = PIECE_ELEMENTS

    def ours(self, encode_batch: int = ENCODE_BATCH) -> Pieces:
        """Render the clip with the streaming pipeline, piece by piece."""
        with mock.patch.object(steps, "PIECE_ELEMENTS", self.piece_elements):
            run = BokehPipeline(self.unet, self.vae, self.image_encoder, device=self.device)
            yield from run.stream(self.inputs, encode_batch=encode_batch)

    def published(self) -> Pieces:
        """The published order of work."""
        return published.render(
            self.unet,
            self.vae,
            self.image_encoder,
            self.inputs,
            mpi_mode=PUBLISHED_MPI_MODE,
            device=self.device,
        )


@dataclass(frozen=True)
class Measured:
    """One run: seconds and bytes, and the pictures it made."""

    seconds_a_frame: float
    peak_bytes: int
    pictures: Tensor

    def difference(self, other: Tensor) -> tuple[float, float]:
        """Largest difference of a pixel, and PSNR in dB."""
        error = self.pictures - other
        mean_square = error.square().mean().item()
        psnr = math.inf if mean_square == 0 else -10 * math.log10(mean_square)
        return error.abs().max().item(), psnr


def _random(network: nn.Module, dtype: torch.dtype, device: torch.device, seed: int) -> nn.Module:
    """Fill a network of the meta device with random weights, made on `device` so that nothing is copied."""
    # The mixers' parameters are made on the CPU whatever the default device.
    network = network.to("meta").to(dtype).to_empty(device=device).eval().requires_grad_(False)
    generator = torch.Generator(device).manual_seed(seed)
    for name, parameter in network.named_parameters():
        if parameter.ndim >= 2:
            parameter.normal_(0, 0.5 / math.sqrt(parameter[0].numel()), generator=generator)
        elif "alpha_" in name or "mix_factor" in name:
            parameter.fill_(GATE)
        else:
            parameter.fill_(float("norm" in name and name.endswith("weight")))
    return network


def _setup(
    networks: tuple[nn.Module, nn.Module, nn.Module],
    dtype: torch.dtype,
    device: torch.device,
    frames: int,
    height: int,
    width: int,
) -> Setup:
    unet, vae, image_encoder = (_random(part, dtype, device, seed) for seed, part in enumerate(networks))
    assert isinstance(unet, BokehUNet)
    assert isinstance(vae, RefinedVAE)
    assert isinstance(image_encoder, VisionTower)
    # The encoder keeps float32, as published.
    vae.encoder.float()
    vae.quant_conv.float()
    coarse = torch.rand(frames, 4, 9, 16, generator=torch.Generator().manual_seed(3))
    smooth = F.interpolate(coarse, (height, width), mode="bilinear")
    inputs = bokeh_inputs(
        smooth[:, :3],
        smooth[:, 3],
        torch.full((frames,), 0.5),
        torch.full((frames,), 16.0),
        working_size="native",
    )
    return Setup(unet, vae, image_encoder, inputs, device)


def full_setup(dtype: torch.dtype, device: torch.device) -> Setup:
    """The published sizes at 1024 x 576."""
    with torch.device("meta"):
        networks = BokehUNet(UNetConfig(keep_ff_k=False)), RefinedVAE(), VisionTower()
    return _setup(networks, dtype, device, FULL_FRAMES, 576, 1024)


def small_setup(
    dtype: torch.dtype,
    device: torch.device,
    height: int = 64,
    width: int = 128,
    frames: int = SMALL_FRAMES,
) -> Setup:
    """The published shape with a tenth of the channels in the U-Net, a quarter in the VAE."""
    with torch.device("meta"):
        networks = (
            BokehUNet(
                UNetConfig(
                    block_out_channels=(32, 64, 128, 128),
                    num_attention_heads=(1, 2, 4, 4),
                    cross_attention_dim=64,
                    addition_time_embed_dim=32,
                    projection_class_embeddings_input_dim=96,
                    keep_ff_k=False,
                )
            ),
            RefinedVAE(VAEConfig(block_out_channels=(32, 64, 128, 128))),
            VisionTower(width=64, layers=4, heads=2, projection=64),
        )
    setup = _setup(networks, dtype, device, frames, height, width)
    # About one map of a frame, as PIECE_ELEMENTS is at 1024 x 576.
    return replace(setup, piece_elements=setup.vae.config.block_out_channels[0] * height * width)


def _clock(device: torch.device) -> float:
    """Seconds; on a CPU those that this process computed, whatever else the machine was doing."""
    return time.process_time() if device.type == "cpu" else time.perf_counter()


def measure(run: Callable[[], Pieces], setup: Setup) -> Measured:
    """Time a run after its first piece, and find its peak memory, weights included where a GPU counts it.

    On a CPU the peak is that of the tensors beside the weights, from a run of its own, which it would slow.
    """
    forget_peak(setup.device)
    pieces, ready = [], []
    for _, piece in run():
        wait(setup.device)
        pieces.append(piece.cpu())
        ready.append((_clock(setup.device), sum(map(len, pieces))))
    # A last piece of half a window comes with the one before it.
    (begin, first), (end, last) = ready[0], ready[-2]
    peak = _live_peak(run, setup) if setup.device.type == "cpu" else peak_bytes(setup.device)
    return Measured((end - begin) / (last - first), peak, torch.cat(pieces))


def _live_peak(run: Callable[[], Pieces], setup: Setup) -> int:
    networks = (setup.unet, setup.vae, setup.image_encoder)
    known = [parameter for network in networks for parameter in network.parameters()]
    inputs = setup.inputs
    with LiveBytes([*known, inputs.frames, inputs.disparity]) as live:
        # As many frames are in flight at the first piece as ever.
        next(run())
    return live.peak


# --- options ----------------------------------------------------------------------------------------------


@contextmanager
def _channels_last(setup: Setup) -> Iterator[None]:
    convolutions = [layer for layer in setup.vae.modules() if isinstance(layer, nn.Conv2d)]
    for layer in convolutions:
        layer.weight.data = layer.weight.data.contiguous(memory_format=torch.channels_last)
    try:
        yield
    finally:
        for layer in convolutions:
            layer.weight.data = layer.weight.data.contiguous()


@contextmanager
def _half_encoder(setup: Setup) -> Iterator[None]:
    encoder, quant_conv = setup.vae.encoder, setup.vae.quant_conv
    kept = [parameter.data for part in (encoder, quant_conv) for parameter in part.parameters()]
    for part in (encoder, quant_conv):
        part.to(torch.bfloat16)
    try:
        yield
    finally:
        parameters = (parameter for part in (encoder, quant_conv) for parameter in part.parameters())
        for parameter, data in zip(parameters, kept, strict=True):
            parameter.data = data


@contextmanager
def _compiled(setup: Setup) -> Iterator[None]:
    forward = setup.unet.forward
    setup.unet.forward = torch.compile(forward, mode="reduce-overhead")  # type: ignore[method-assign]
    try:
        yield
    finally:
        del setup.unet.forward
        torch.compiler.reset()


@dataclass(frozen=True)
class Option:
    """A way to run ours otherwise, and whether its numbers are those of ours up to rounding."""

    name: str
    exact: bool
    prepare: Callable[[Setup], AbstractContextManager[Any]] = lambda _: nullcontext()
    encode_batch: int = ENCODE_BATCH
    frames_on_device: bool = False
    piece_elements: int | None = None


OPTIONS = (
    Option("VAE convolutions in channels_last", True, _channels_last),
    Option("decode in one piece", True, piece_elements=2**62),
    Option("frames encoded one at a time", True, encode_batch=1),
    Option("frames encoded four at a time", True, encode_batch=4),
    Option("clip on the device already: what overlapping transfers could save", True, frames_on_device=True),
    Option("VAE encoder in bf16", False, _half_encoder),
)
COMPILED = Option("torch.compile with CUDA graphs, U-Net", True, _compiled)


def with_option(option: Option, setup: Setup) -> Measured:
    """Measure ours with one option."""
    if option.frames_on_device:
        inputs = setup.inputs
        moved = {name: getattr(inputs, name).to(setup.device) for name in ("frames", "disparity")}
        setup = replace(setup, inputs=replace(inputs, **moved))
    if option.piece_elements is not None:
        setup = replace(setup, piece_elements=option.piece_elements)
    with option.prepare(setup):
        return measure(lambda: setup.ours(option.encode_batch), setup)


def window_seconds(setup: Setup, repeats: int = 3) -> tuple[float, float]:
    """Seconds a window takes in the U-Net: alone, and two in one pass."""
    size = setup.inputs.geometry.padded
    sample = torch.rand(2, 8, 8, size[0] // 8, size[1] // 8, device=setup.device)
    strength = torch.full((2, 8), 16.0, dtype=K_DTYPE, device=setup.device)
    embeds = torch.rand(2, 8, setup.image_encoder.projection.out_features, device=setup.device)

    def seconds(windows: int) -> float:
        times = []
        for _ in range(repeats + 1):
            begin = _clock(setup.device)
            with torch.no_grad():
                # Read back, which waits for the device.
                setup.unet(sample[:windows], strength[:windows], embeds[:windows]).sum().item()
            times.append(_clock(setup.device) - begin)
        return min(times[1:]) / windows

    return seconds(1), seconds(2)


# --- report -----------------------------------------------------------------------------------------------


def rows(setup: Setup, options: tuple[Option, ...], budget_s: float = BUDGET_S) -> Iterator[tuple[str, Any]]:
    """Measure everything that fits the time: (name, Measured or why not)."""
    begin = time.perf_counter()
    yield "published order of work", measure(setup.published, setup)
    longest = time.perf_counter() - begin
    yield "**ours**", measure(setup.ours, setup)
    for option in options:
        if time.perf_counter() - begin + longest > budget_s:
            yield option.name, "left out, no time"
            continue
        name = option.name + ("" if option.exact else " (inexact)")
        try:
            yield name, with_option(option, setup)
        except torch.OutOfMemoryError:
            yield name, "out of memory"


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--device", default=default_device())
    parser.add_argument("--small", action="store_true", help="a tenth of the channels at 128 x 64")
    parser.add_argument("--dtype", choices=DTYPES, help="fp16 on a GPU, fp32 on a CPU")
    parser.add_argument("--compile", action="store_true", help="also try torch.compile; takes minutes")
    return parser.parse_args()


def main() -> None:
    """Measure and print the table of seconds and peak memory."""
    arguments = _arguments()
    device = torch.device(arguments.device)
    if device.type == "cpu" and not arguments.small:
        raise SystemExit("No GPU: the full size would take hours on a CPU. Add --small, or a --device.")
    if device.type == "cpu":
        # Threads that wait for each other would count as computing.
        torch.set_num_threads(1)
    on_cpu = device.type == "cpu"
    dtype = DTYPES[arguments.dtype or ("fp32" if on_cpu else "fp16")]
    setup = (small_setup if arguments.small else full_setup)(dtype, device)
    options: tuple[Option, ...] = OPTIONS
    if arguments.compile and importlib.util.find_spec("triton") is None:
        print("torch.compile is left out: Triton is not installed.")
    elif arguments.compile:
        options = (*OPTIONS, COMPILED)

    height, width = setup.inputs.geometry.padded
    size = "small network" if arguments.small else "full-size network"
    memory = "peak GB beside the weights" if on_cpu else "peak GB, weights included"
    name = device_name(device) + (", one thread, CPU seconds" if on_cpu else "")
    print(f"{name}, torch {torch.__version__}, {size}, {width} x {height}, {dtype}\n")
    print(f"| | s a frame | {memory} | times faster than published | largest difference | PSNR, dB |")
    print("|---|---|---|---|---|---|")
    reference: Measured | None = None
    exact: Tensor | None = None
    for name, result in rows(setup, options):
        if not isinstance(result, Measured):
            print(f"| {name} | {result} | | | | |")
            continue
        reference = reference or result
        # Ours is compared to the published order of work, each option to ours.
        exact = result.pictures if exact is None else exact
        largest, psnr = result.difference(exact)
        if name == "**ours**":
            exact = result.pictures
        faster = reference.seconds_a_frame / result.seconds_a_frame
        print(
            f"| {name} | {result.seconds_a_frame:.4f} | {result.peak_bytes / 1e9:.3f} | {faster:.2f} | "
            f"{largest:.1e} | {psnr:.0f} |",
            flush=True,
        )
    with contextlib.suppress(torch.OutOfMemoryError):
        alone, together = window_seconds(setup)
        print(f"\nU-Net: {alone:.3f} s a window alone, {together:.3f} s where two share a pass.")


if __name__ == "__main__":
    main()
