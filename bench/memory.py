"""Peak memory of each stage at full size beside its weights, counted on torch's meta device.

Counted are the bytes of all tensors alive at once. A GPU adds the workspaces of its convolutions and what its
allocator loses; `bokeh_core.memory` has a margin for both. Attention is taken to store no weights.

Run from the repository's root: python -m bench.memory
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from bench import published
from bench.live_bytes import LiveBytes
from bench.operations import DECODE_CALL, HEIGHT, WIDTH, WINDOW, Network, full_size_network
from bokeh_core.memory.needs import ENCODE_BATCH, decode_bytes, encode_bytes, unet_bytes

GB = 1e9
HALF = torch.float16
# The first call decodes 8 frames when the second window is done, and that one has seen 12.
FRAMES_IN_FLIGHT = 12


def peak_of(run: Callable[[], Any], network: nn.Module, inputs: Iterable[Tensor] = ()) -> int:
    """Bytes alive at the peak of `run`, without the parameters of the network and without the inputs."""
    with torch.no_grad(), LiveBytes([*network.parameters(), *inputs]) as live:
        run()
    return live.peak


@contextmanager
def _fused_attention() -> Iterator[None]:
    """The meta device spells attention out; an accelerator keeps nothing of it but the result."""
    stock = F.scaled_dot_product_attention

    def fused(query: Tensor, key: Tensor, value: Tensor, *_: Any, **__: Any) -> Tensor:  # noqa: ARG001
        return query.new_empty(*query.shape[:-1], value.shape[-1])

    F.scaled_dot_product_attention = fused
    try:
        yield
    finally:
        F.scaled_dot_product_attention = stock


def bytes_of(tensors: Iterable[Tensor]) -> int:
    """Bytes of the tensors' numbers."""
    return sum(tensor.nbytes for tensor in tensors)


def as_shipped(network: Network) -> Network:
    """Half precision but for the encoder; without `ff_k`, which the loader drops."""
    network.unet.to(HALF)
    for module in network.unet.modules():
        if hasattr(module, "ff_k"):
            del module.ff_k
    network.vae.decoder.to(HALF)
    network.image_encoder.to(HALF)
    return network


def stage_peaks(network: Network) -> dict[str, tuple[int, int, int]]:
    """Bytes by stage at 1024 x 576: (whole layers at once, ours, what the host is told)."""
    unet, vae = network.unet, network.vae
    images = torch.empty(ENCODE_BATCH, 3, HEIGHT, WIDTH, device="meta")
    clip = torch.empty(DECODE_CALL, 3, HEIGHT, WIDTH, device="meta")
    latents = torch.empty(DECODE_CALL, 4, HEIGHT // 8, WIDTH // 8, device="meta")
    sample = torch.empty(1, WINDOW, 8, HEIGHT // 8, WIDTH // 8, device="meta")
    strength = torch.empty(1, WINDOW, dtype=HALF, device="meta")
    embeds = torch.empty(1, WINDOW, 1024, device="meta")
    all_skips = [skip.to(HALF) for skip in published.encode(vae, clip)[1]]
    skips = vae.skips(clip)
    size, vae_width = (HEIGHT, WIDTH), vae.config.block_out_channels[0]

    with _fused_attention():
        with published.in_published_order(unet):
            window = peak_of(lambda: unet(sample, strength, embeds), unet)
        return {
            f"VAE encode, {ENCODE_BATCH} frames, float32": (
                peak_of(lambda: published.encode(vae, images), vae),
                peak_of(lambda: vae.encode(images, compact=True), vae),
                encode_bytes(ENCODE_BATCH, *size, vae_width, torch.float32),
            ),
            "U-Net, a window of 8 frames": (
                window,
                peak_of(lambda: unet(sample, strength, embeds), unet),
                unet_bytes(WINDOW, *size, unet.config.block_out_channels[0], HALF),
            ),
            "refined decode, 8 frames and their skips": (
                peak_of(lambda: published.decode(vae, latents, all_skips), vae, all_skips)
                + bytes_of(all_skips),
                peak_of(lambda: vae.decode(latents, skips), vae, skips) + bytes_of(skips),
                decode_bytes(DECODE_CALL, *size, vae_width, HALF),
            ),
        }


def main() -> None:
    """Measure and print the tables of peak bytes by stage."""
    network = as_shipped(full_size_network())
    weights = {
        "U-Net": bytes_of(network.unet.parameters()),
        "VAE, encoder in float32": bytes_of(network.vae.parameters()),
        "CLIP": bytes_of(network.image_encoder.parameters()),
    }
    peaks = stage_peaks(network)
    skip_bytes = bytes_of(network.vae.skips(torch.empty(1, 3, HEIGHT, WIDTH, device="meta")))
    print("| weights, float16 | GB |\n|---|---|")
    for name, size in weights.items():
        print(f"| {name} | {size / GB:.2f} |")
    print("\n| peak beside the weights, GB | whole layers at once | ours | told to the host |")
    print("|---|---|---|---|")
    for stage, sizes in peaks.items():
        print(f"| {stage} | " + " | ".join(f"{size / GB:.2f}" for size in sizes) + " |")
    encode, unet, decode = (ours for _, ours, _ in peaks.values())
    held = FRAMES_IN_FLIGHT * skip_bytes
    streaming = sum(weights.values()) + max(encode + held, unet + held, decode + held - 8 * skip_bytes)
    print(f"\nA frame's skips, kept while it is in flight: {skip_bytes / 1e6:.0f} MB.")
    print(f"All weights resident, {FRAMES_IN_FLIGHT} frames in flight: {streaming / GB:.2f} GB at the peak.")


if __name__ == "__main__":
    main()
