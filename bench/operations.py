"""Floating-point operations of one output frame, by part: the published order of work beside ours.

Counted by torch on its meta device at full size, 1024 x 576, in the middle of a long clip: windows of 8
frames share 4, so each stands for 4 output frames; 8 frames are decoded in a call. One multiply-add is two
operations.

Run from the repository's root: python -m bench.operations
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode

from bench import published
from bench.vision_tower import CLIP_SIDE_PX, VisionTower
from bokeh_core.models import BokehUNet, RefinedVAE, UNetConfig
from bokeh_core.mpi import mpi_regions
from bokeh_core.published import (
    DECODE_FRAMES,
    K_DTYPE,
    OVERLAP_FRAMES,
    PUBLISHED_MPI_MODE,
    WINDOW_FRAMES,
    MPIMode,
)

HEIGHT, WIDTH = 576, 1024
WINDOW, STRIDE, DECODE_CALL = WINDOW_FRAMES, WINDOW_FRAMES - OVERLAP_FRAMES, DECODE_FRAMES
UNET_PARTS = ("residual blocks", "MPI fusers", "rest of the spatial transformers", "temporal transformers")
Counts = dict[str, float]


@dataclass(frozen=True)
class Network:
    """The full-size network as shapes without numbers."""

    unet: BokehUNet
    vae: RefinedVAE
    image_encoder: VisionTower

    @property
    def num_parameters(self) -> tuple[int, int, int]:
        """Of the U-Net, the VAE and the image encoder."""
        unet, vae, clip = (
            sum(parameter.numel() for parameter in part.parameters())
            for part in (self.unet, self.vae, self.image_encoder)
        )
        return unet, vae, clip


def full_size_network() -> Network:
    """Build it on the meta device, with everything the published files hold."""
    with torch.device("meta"):
        network = Network(BokehUNet(UNetConfig()), RefinedVAE(), VisionTower())
    for part in (network.unet, network.vae, network.image_encoder):
        # The mixers' parameters are made on the CPU whatever the default device.
        part.to("meta").eval().requires_grad_(False)
    return network


def _count(run: Callable[[], Any]) -> Mapping[str, int]:
    """Operations by module, as `Global` all of them."""
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        run()
    return {name: sum(ops.values()) for name, ops in counter.get_flop_counts().items()}


def _total(run: Callable[[], Any]) -> int:
    return _count(run).get("Global", 0)


def _images(count: int, height: int = HEIGHT, width: int = WIDTH) -> Tensor:
    return torch.empty(count, 3, height, width, device="meta")


def _unet_parts(counts: Mapping[str, int]) -> Counts:
    """A U-Net's operations by kind of layer, from those of its modules."""
    parts: Counts = dict.fromkeys(UNET_PARTS, 0)
    for name, operations in counts.items():
        *owner, last = name.split(".")
        if last in ("spatial_res_block", "temporal_res_block"):
            parts["residual blocks"] += operations
        elif last == "fuser":
            parts["MPI fusers"] += operations
            parts["rest of the spatial transformers"] -= operations
        elif last.isdigit() and owner[-1] == "transformer_blocks":
            parts["rest of the spatial transformers"] += operations
        elif last.isdigit() and owner[-1] == "temporal_transformer_blocks":
            parts["temporal transformers"] += operations
    return parts


def _window(
    unet: BokehUNet, mode: MPIMode = PUBLISHED_MPI_MODE, regions: Tensor | None = None, windows: int = 1
) -> Mapping[str, int]:
    sample = torch.empty(windows, WINDOW, 8, HEIGHT // 8, WIDTH // 8, device="meta")
    strength = torch.empty(windows, WINDOW, dtype=K_DTYPE, device="meta")
    embeds = torch.empty(windows, WINDOW, 1024, device="meta")
    return _count(lambda: unet(sample, strength, embeds, regions, mode))


def _a_frame(clip: float, frames: float, defocus: float, unet: Mapping[str, int], decode: float) -> Counts:
    """Operations an output frame, from those of one frame, one window and one decode call."""
    parts = {name: operations / STRIDE for name, operations in _unet_parts(unet).items()}
    whole = unet["Global"] / STRIDE
    return {
        "CLIP": clip,
        "VAE encode, frames": frames,
        "VAE encode, defocus": defocus,
        "U-Net": whole,
        **{f"- {name}": operations for name, operations in parts.items()},
        "- the rest": whole - sum(parts.values()),
        "VAE decode": decode / DECODE_CALL,
    }


def total(counts: Counts) -> float:
    """Sum of the parts, without the parts of parts."""
    return sum(operations for name, operations in counts.items() if not name.startswith("- "))


def published_counts(network: Network) -> Counts:
    """The published order of work: each of a window's 8 frames is embedded and encoded in it."""
    vae, again = network.vae, WINDOW / STRIDE
    clip = _total(lambda: network.image_encoder(_images(1, CLIP_SIDE_PX, CLIP_SIDE_PX)))
    encode = _total(lambda: published.encode(vae, _images(1)))
    with published.in_published_order(network.unet) as unet:
        window = _window(unet)
    _, skips = published.encode(vae, _images(DECODE_CALL))
    decode = _total(lambda: published.decode(vae, _latents(), skips))
    return _a_frame(again * clip, again * encode, again * encode, window, decode)


def our_counts(network: Network) -> Counts:
    """The streaming pipeline, `released` mode: each frame embedded and encoded once."""
    vae = network.vae
    clip = _total(lambda: network.image_encoder(_images(1, CLIP_SIDE_PX, CLIP_SIDE_PX)))
    encode = _total(lambda: vae.encode(_images(1), compact=True))
    skips = vae.skips(_images(DECODE_CALL))
    decode = _total(lambda: vae.decode(_latents(), skips))
    return _a_frame(clip, encode, encode, _window(network.unet), decode)


def skips_again(network: Network) -> int:
    """What Refined VAE Decode adds a frame as a node of its own: the frames' skips are computed again."""
    return _total(lambda: network.vae.skips(_images(1)))


def paper_mode_counts(network: Network) -> dict[str, float]:
    """U-Net operations an output frame in `paper` mode, on a slanted plane whose focus is racked.

    Disparity falls from 1 at the bottom to 0 at the top; the focal disparity goes from 0.3 to 0.7.
    """
    disparity = torch.linspace(0, 1, HEIGHT)[None, :, None].expand(WINDOW, -1, WIDTH)
    regions = mpi_regions(disparity, torch.linspace(0.3, 0.7, WINDOW))[None]
    everything = torch.zeros_like(regions)
    with published.in_published_order(network.unet) as unet:
        masked = _window(unet, "paper", regions.to("meta"))["Global"]
    counts = {
        "object tokens as queries and masked keys, as published": masked,
        "as keys only, were all of them visible": _window(network.unet, "paper", everything)["Global"],
        "as keys only, the visible ones (ours)": _window(network.unet, "paper", regions)["Global"],
        "none (`released` mode)": _window(network.unet)["Global"],
    }
    return {name: operations / STRIDE for name, operations in counts.items()}


def _latents() -> Tensor:
    return torch.empty(DECODE_CALL, 4, HEIGHT // 8, WIDTH // 8, device="meta")


def main() -> None:
    """Count and print the tables of operations by part and by order of work."""
    network = full_size_network()
    theirs, ours = published_counts(network), our_counts(network)
    print("| 1e12 operations an output frame | published order of work | ours | ratio |\n|---|---|---|---|")
    rows = [(name, theirs[name], ours[name]) for name in theirs]
    for name, before, after in [*rows, ("**all**", total(theirs), total(ours))]:
        print(f"| {name} | {before / 1e12:.3f} | {after / 1e12:.3f} | {before / max(after, 1):.2f} |")
    again = skips_again(network)
    print(
        f"\nRefined VAE Decode as a node of its own adds {again / 1e12:.3f}: "
        f"{(total(ours) + again) / 1e12:.3f} through the nodes.\n"
    )
    print("| `paper` mode: object tokens | U-Net, 1e12 operations an output frame |\n|---|---|")
    for name, operations in paper_mode_counts(network).items():
        print(f"| {name} | {operations / 1e12:.3f} |")


if __name__ == "__main__":
    main()
