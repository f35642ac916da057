"""The memory estimates against what small networks really hold at their peak."""

import weakref
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_iter

from bokeh_core.memory import MARGIN, decode_bytes, encode_bytes, unet_bytes
from bokeh_core.models import BokehUNet, RefinedVAE, UNetConfig, VAEConfig

CHANNELS = 32
HEIGHT, WIDTH = 64, 128
DTYPES = [torch.float32, torch.bfloat16]


class LiveBytes(TorchDispatchMode):
    """Follows the bytes of all tensors that operations return, and remembers their peak."""

    def __init__(self, known: Any) -> None:
        super().__init__()
        self._live: dict[int, int] = {}
        self._known = {tensor.untyped_storage()._cdata for tensor in known}
        self.peak = 0

    def __torch_dispatch__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = function(*args, **(kwargs or {}))
        for value in tree_iter(result):
            if isinstance(value, torch.Tensor):
                self._follow(value.untyped_storage())
        return result

    def _follow(self, storage: Any) -> None:
        key = storage._cdata
        if key not in self._live and key not in self._known:
            self._live[key] = storage.nbytes()
            self.peak = max(self.peak, sum(self._live.values()))
            weakref.finalize(storage, self._live.pop, key, None)


def peak_of(run: Callable[[], Any], network: torch.nn.Module) -> int:
    with torch.no_grad(), LiveBytes(network.parameters()) as live:
        run()
    return live.peak


def vae_in(dtype: torch.dtype) -> RefinedVAE:
    return RefinedVAE(VAEConfig(block_out_channels=(CHANNELS, 64, 128, 128))).to(dtype)


def close_above(estimate: int, peak: int) -> None:
    assert 0.8 * estimate / MARGIN < peak < estimate


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("frames", [1, 3])
def test_encode(frames: int, dtype: torch.dtype):
    vae = vae_in(dtype)
    images = torch.rand(frames, 3, HEIGHT, WIDTH)
    close_above(
        encode_bytes(frames, HEIGHT, WIDTH, CHANNELS, dtype), peak_of(lambda: vae.encode(images), vae)
    )


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("frames", [2, 8])
def test_decode_with_its_skips(frames: int, dtype: torch.dtype):
    vae = vae_in(dtype)
    latents = torch.rand(frames, 4, HEIGHT // 8, WIDTH // 8)
    skips = [
        torch.rand(frames, width, HEIGHT >> level, WIDTH >> level).to(dtype)
        for level, width in enumerate((CHANNELS, CHANNELS, 64, 128))
    ]
    held = sum(skip.nbytes for skip in skips)
    close_above(
        decode_bytes(frames, HEIGHT, WIDTH, CHANNELS, dtype),
        peak_of(lambda: vae.decode(latents, skips), vae) + held,
    )


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
    # 1.3 x 9.5 maps of 8 frames, 128 channels, 576 x 1024 px, 2 bytes.
    assert decode_bytes(8, 576, 1024, 128, torch.float16) == round(1.3 * 9.5 * 8 * 128 * 576 * 1024 * 2)
    # 1.3 x 37 maps of 8 frames, 320 channels, 72 x 128 cells, 2 bytes.
    assert unet_bytes(8, 576, 1024, 320, torch.float16) == round(1.3 * 37 * 8 * 320 * 72 * 128 * 2)
