"""A depth model of a few weights, in the layout of the published ones."""

from pathlib import Path

import torch
from transformers import DepthAnythingConfig, DepthAnythingForDepthEstimation, Dinov2Config


def write_tiny_estimator(folder: Path, **settings: object) -> Path:
    """Write config.json and model.safetensors of a random model whose maps have contrast."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        backbone = Dinov2Config(
            hidden_size=16,
            num_hidden_layers=4,
            num_attention_heads=2,
            mlp_ratio=2,
            patch_size=14,
            image_size=56,
            out_indices=[1, 2, 3, 4],
            reshape_hidden_states=False,
            apply_layernorm=True,
        )
        config = DepthAnythingConfig(
            backbone_config=backbone,
            reassemble_hidden_size=16,
            patch_size=14,
            neck_hidden_sizes=[4, 4, 8, 8],
            fusion_hidden_size=8,
            head_hidden_size=4,
            **settings,
        )
        network = DepthAnythingForDepthEstimation(config)
        for weight in network.parameters():
            if weight.ndim > 1:
                torch.nn.init.normal_(weight, std=weight[0].numel() ** -0.5)
    # What random weights give is negative as often as not, and the head leaves nothing of that.
    torch.nn.init.constant_(network.head.conv3.bias, 3.0)
    network.save_pretrained(folder)
    return folder
