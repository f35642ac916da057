"""A training run so small that a step takes a fraction of a second."""

from pathlib import Path
from typing import Any

import pytest
import torch

UNET_SIZES: dict[str, Any] = {
    "block_out_channels": [32, 32, 32, 32],
    "layers_per_block": 1,
    "num_attention_heads": [1, 1, 1, 1],
    "cross_attention_dim": 32,
    "addition_time_embed_dim": 8,
    "projection_class_embeddings_input_dim": 24,
}
# Two levels, so that 8 x 8 latents end as 4 x 4. With four they end as 1 x 1, where a group norm sees one or
# two values and its gradient is what rounding left of them: right for a network that only has to run, but no
# two ways of computing it agree.
SHALLOW_SIZES: dict[str, Any] = {
    **UNET_SIZES,
    "block_out_channels": [32, 32],
    "down_block_types": ["CrossAttnDownBlockSpatioTemporal", "DownBlockSpatioTemporal"],
    "up_block_types": ["UpBlockSpatioTemporal", "CrossAttnUpBlockSpatioTemporal"],
    "num_attention_heads": [1, 1],
}
VAE_SIZES: dict[str, Any] = {
    "block_out_channels": [32, 32, 32, 32],
    "down_block_types": ["DownEncoderBlock2D"] * 4,
    "layers_per_block": 1,
}


@pytest.fixture(scope="session")
def tiny_sizes() -> dict[str, dict[str, Any]]:
    """Configs of the smallest U-Net and VAE."""
    return {"unet": UNET_SIZES, "vae": VAE_SIZES}


@pytest.fixture(scope="session")
def shallow_unet() -> dict[str, Any]:
    """Config of a U-Net whose gradients do not hang on rounding."""
    return SHALLOW_SIZES


@pytest.fixture
def tiny_run(tmp_path: Path) -> dict[str, Any]:
    """Values of a config: clips of 2 frames of 64 x 64 px, random networks."""
    return {
        "output": str(tmp_path / "run"),
        "model": {"unet_config": UNET_SIZES, "vae_config": VAE_SIZES},
        "data": {
            "size": [64, 64],
            "scene_frames": 3,
            "frames": 2,
            "rays_across": 3,
            "scenes": 4,
            "shard_scenes": 3,
            "strengths": [64],
        },
        "optimiser": {"lr": 1e-3},
        "run": {"steps": 4, "checkpoint_every": 2, "log_every": 1, "ema_decay": 0.9, "cpu": True},
    }


@pytest.fixture(autouse=True)
def _one_thread():
    """The order in which numbers are added up depends on the number of threads."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
