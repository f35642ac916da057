"""The VideoMAE V2 encoder, a plain vision transformer over space and time, for features of FVD.

Wang et al., "VideoMAE V2: Scaling Video Masked Autoencoders with Dual Masking", 2023. Modules are named as in
the published checkpoint, so it loads as it is.
"""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

TRAINED_FRAMES = 16
# The one size that shapes do not tell: ViT-g has 16 heads over 1,408 channels.
HEAD_CHANNELS = 88
# A whole number of frames must not be rounded down when the table is stretched.
_STRETCH_MARGIN = 0.1


class VideoMAE(nn.Module):
    """Clips [N, 3, F, 224, 224] in [0, 1] -> features [N, D], the normalised mean over all tokens.

    Args:
        channels: width D, a multiple of 88 (1,408 in ViT-g).
        depth: number of blocks (40).
        hidden_channels: of the feed-forward layers (6,144).
        patch_px: side of a patch (14).
        tubelet_frames: frames of a patch (2).
    """

    def __init__(
        self, channels: int, depth: int, hidden_channels: int, patch_px: int, tubelet_frames: int
    ) -> None:
        super().__init__()
        self.tubelet_frames = tubelet_frames
        self.patch_embed = _PatchEmbed(channels, patch_px, tubelet_frames)
        self.blocks = nn.ModuleList(_Block(channels, hidden_channels) for _ in range(depth))
        self.fc_norm = nn.LayerNorm(channels, eps=1e-6)

    def forward(self, frames: Tensor) -> Tensor:
        """Features [N, D] of clips [N, 3, F, 224, 224] in [0, 1]: the normalised mean over all tokens."""
        patches = self.patch_embed.proj(frames)
        position = _position_table(patches.shape[1:], TRAINED_FRAMES // self.tubelet_frames)
        tokens = (patches + position.to(patches)).flatten(2).transpose(1, 2)
        for block in self.blocks:
            tokens = block(tokens)
        return self.fc_norm(tokens.mean(dim=1))


class _PatchEmbed(nn.Module):
    """Only holds the projection under its published name."""

    def __init__(self, channels: int, patch_px: int, tubelet_frames: int) -> None:
        super().__init__()
        patch = (tubelet_frames, patch_px, patch_px)
        self.proj = nn.Conv3d(3, channels, kernel_size=patch, stride=patch)


class _Attention(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.qkv = nn.Linear(channels, 3 * channels, bias=False)
        # Keys have no bias.
        self.q_bias = nn.Parameter(torch.zeros(channels))
        self.v_bias = nn.Parameter(torch.zeros(channels))
        self.proj = nn.Linear(channels, channels)

    def forward(self, tokens: Tensor) -> Tensor:
        bias = torch.cat((self.q_bias, torch.zeros_like(self.v_bias), self.v_bias))
        mixed = F.linear(tokens, self.qkv.weight, bias).unflatten(-1, (3, -1, HEAD_CHANNELS))
        query, key, value = mixed.permute(2, 0, 3, 1, 4)
        attended = F.scaled_dot_product_attention(query, key, value)
        return self.proj(attended.transpose(1, 2).flatten(2))


class _FeedForward(nn.Module):
    def __init__(self, channels: int, hidden_channels: int) -> None:
        super().__init__()
        self.fc1 = nn.Linear(channels, hidden_channels)
        self.fc2 = nn.Linear(hidden_channels, channels)

    def forward(self, tokens: Tensor) -> Tensor:
        return self.fc2(F.gelu(self.fc1(tokens)))


class _Block(nn.Module):
    def __init__(self, channels: int, hidden_channels: int) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(channels, eps=1e-6)
        self.attn = _Attention(channels)
        self.norm2 = nn.LayerNorm(channels, eps=1e-6)
        self.mlp = _FeedForward(channels, hidden_channels)

    def forward(self, tokens: Tensor) -> Tensor:
        tokens = tokens + self.attn(self.norm1(tokens))
        return tokens + self.mlp(self.norm2(tokens))


def videomae_from_state(checkpoint: dict[str, Any]) -> VideoMAE:
    """Make the encoder from a published checkpoint; its sizes are read from the shapes.

    Args:
        checkpoint: state dict of the fine-tuned classifier, bare or under "model" or "module".

    Raises:
        KeyError: it is no such checkpoint.
        RuntimeError: parameters are missing or of other shapes.
    """
    state = checkpoint.get("model", checkpoint.get("module", checkpoint))
    channels, _, tubelet_frames, patch_px, _ = state["patch_embed.proj.weight"].shape
    depth = sum(name.endswith(".attn.q_bias") for name in state)
    # Made without memory of its own: ViT-g has a billion parameters.
    with torch.device("meta"):
        network = VideoMAE(channels, depth, len(state["blocks.0.mlp.fc1.bias"]), patch_px, tubelet_frames)
    encoder = {name: value for name, value in state.items() if not name.startswith("head.")}
    network.load_state_dict(encoder, assign=True)
    return network.float()


def _position_table(shape: torch.Size, trained_steps: int) -> Tensor:
    """Sine and cosine of the token's index, stretched over time where the clip is longer: [1, D, t, h, w].

    Stretching trilinearly by (t + 0.1) / trained_steps is what content-debiased FVD does.
    """
    channels, steps, rows, columns = shape
    index = torch.arange(trained_steps * rows * columns, dtype=torch.float64)[:, None]
    rate = 10_000 ** (-2 * torch.arange(channels // 2, dtype=torch.float64) / channels)
    angle = index * rate
    table = torch.stack((angle.sin(), angle.cos()), dim=-1).flatten(1).T.float()
    table = table.reshape(1, channels, trained_steps, rows, columns)
    if steps == trained_steps:
        return table
    return F.interpolate(
        table, scale_factor=((steps + _STRETCH_MARGIN) / trained_steps, 1, 1), mode="trilinear"
    )
