"""The memory estimates against what small networks really hold at their peak."""

from typing import Any

import pytest
import torch

from bench import memory, published
from bench.memory import peak_of
from bench.operations import full_size_network
from bokeh_core.memory.needs import MARGIN, decode_bytes, encode_bytes, unet_bytes
from bokeh_core.models import BokehUNet, RefinedVAE, UNetConfig, VAEConfig

CHANNELS = 32
HEIGHT, WIDTH = 64, 128
DTYPES = [torch.float32, torch.bfloat16]


def vae_in(dtype: torch.dtype) -> RefinedVAE:
    return RefinedVAE(VAEConfig(block_out_channels=(CHANNELS, 64, 128, 128))).to(dtype)


def close_above(estimate: int, peak: int) -> None:
    assert 0.8 * estimate / MARGIN < peak < estimate


def frames_of(count: int) -> torch.Tensor:
    return torch.rand(count, 3, HEIGHT, WIDTH)


def encode_peak(frames: int, dtype: torch.dtype, device: str) -> int:
    with torch.device(device):
        vae, images = vae_in(dtype), frames_of(frames)
        return peak_of(lambda: vae.encode(images, compact=True), vae, [images])


def decode_peak(frames: int, piece: int, dtype: torch.dtype, device: str) -> int:
    with torch.device(device):
        vae = vae_in(dtype)
        latents = torch.rand(frames, 4, HEIGHT // 8, WIDTH // 8)
        skips = vae.skips(frames_of(frames))
        held = sum(skip.nbytes for skip in skips)
        return peak_of(lambda: vae.decode(latents, skips, piece_elements=piece), vae, skips) + held


# On the meta device, which holds the same tensors and computes nothing: a processor without instructions for
# bfloat16 takes minutes for this.
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("frames", [1, 3])
def test_encode(frames: int, dtype: torch.dtype):
    told = encode_bytes(frames, HEIGHT, WIDTH, CHANNELS, dtype)
    close_above(told, encode_peak(frames, dtype, "meta"))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("frames", [2, 8])
# Pieces of one full-size map of a frame, as at 1024 x 576; of two rows; and everything at once.
@pytest.mark.parametrize("piece", [CHANNELS * HEIGHT * WIDTH, 2 * CHANNELS * WIDTH, 2**30])
def test_decode_with_its_skips(frames: int, piece: int, dtype: torch.dtype):
    told = decode_bytes(frames, HEIGHT, WIDTH, CHANNELS, dtype, piece_elements=piece)
    close_above(told, decode_peak(frames, piece, dtype, "meta"))


def test_the_meta_device_holds_what_a_processor_holds():
    piece = CHANNELS * HEIGHT * WIDTH
    pairs = [(encode_peak(1, torch.float32, device), decode_peak(2, piece, torch.float32, device))
             for device in ("meta", "cpu")]  # fmt: skip
    assert pairs[0] == pytest.approx(pairs[1], rel=1e-3)


def test_pieces_need_less_than_a_third_of_the_whole():
    vae = vae_in(torch.float32)
    latents, frames = torch.rand(8, 4, HEIGHT // 8, WIDTH // 8), frames_of(8)
    skips, whole_skips = vae.skips(frames), published.encode(vae, frames)[1]
    pieces = peak_of(lambda: vae.decode(latents, skips, piece_elements=CHANNELS * HEIGHT * WIDTH), vae, skips)
    whole = peak_of(lambda: published.decode(vae, latents, whole_skips), vae, whole_skips)
    assert 3 * pieces < whole


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("mode", ["released", "paper"])
def test_unet(mode: Any, dtype: torch.dtype):
    frames, height, width = 8, 128, 192
    config = UNetConfig(
        block_out_channels=(CHANNELS, 64, 128, 128),
        num_attention_heads=(1, 2, 4, 4),
        cross_attention_dim=32,
        addition_time_embed_dim=16,
        projection_class_embeddings_input_dim=48,
        keep_ff_k=False,
    )
    unet = BokehUNet(config).to(dtype)
    sample = torch.rand(1, frames, 8, height // 8, width // 8)
    strength = torch.full((1, frames), 16.0, dtype=torch.float16)
    # Everything in focus: every object token is visible, which holds the most.
    regions = torch.zeros(1, frames, height, width, dtype=torch.uint8)
    peak = peak_of(lambda: unet(sample, strength, torch.rand(1, frames, 32), regions, mode), unet)
    close_above(unet_bytes(frames, height, width, CHANNELS, dtype), peak)


def test_the_published_network_at_its_size():
    # 1.3 x 3.1 maps of 2 frames, 128 channels, 576 x 1024 px, 4 bytes.
    assert encode_bytes(2, 576, 1024, 128, torch.float32) == round(1.3 * 3.1 * 2 * 128 * 576 * 1024 * 4)
    # For each of 8 frames 2 maps and half a map of skips, and 2 bands of 2^26 numbers; 2 bytes.
    maps = 8 * 2.5 * 128 * 576 * 1024 + 2 * 2**26
    assert decode_bytes(8, 576, 1024, 128, torch.float16) == round(1.3 * maps * 2)
    # 1.3 x 37 maps of 8 frames, 320 channels, 72 x 128 cells, 2 bytes.
    assert unet_bytes(8, 576, 1024, 320, torch.float16) == round(1.3 * 37 * 8 * 320 * 72 * 128 * 2)


def test_every_stage_at_full_size_keeps_to_what_the_host_is_told():
    network = memory.as_shipped(full_size_network())
    peaks = memory.stage_peaks(network)
    assert len(peaks) == 3
    for _, ours, told in peaks.values():
        close_above(told, ours)
        # A card of 6 GB holds the largest of them; weights of the U-Net then wait in main memory.
        assert told < 4.5e9
    parts = (network.unet, network.vae, network.image_encoder)
    weights = sum(memory.bytes_of(part.parameters()) for part in parts)
    assert weights + max(ours for _, ours, _ in peaks.values()) < 9e9
