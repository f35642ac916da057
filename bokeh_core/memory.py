"""How much memory the network needs while it computes, beside its weights, in bytes.

Every peak is a number of feature maps as wide as the first level and as large as the level's frames, alive at
the same time. The counts are measured (`tests/core/test_memory.py` measures them again).
"""

import torch

# Feature maps of `block_out_channels[0]` channels at full resolution, per frame, alive at the peak.
ENCODE_MAPS = 5.1
# Eight while decoding, and the skips at 1, 1/2, 1/4 and 1/8 resolution (1 + 1/4 + 1/8 + 1/16).
DECODE_MAPS = 9.5
# Feature maps of `block_out_channels[0]` channels at latent resolution, per frame; most in `paper` mode.
UNET_MAPS = 37.0
# Workspaces of convolutions and attention, and what an allocator loses between blocks.
MARGIN = 1.3


def encode_bytes(num_frames: int, height: int, width: int, channels: int, dtype: torch.dtype) -> int:
    """Peak of encoding frames together: 1.3 x 5.1 maps [num_frames, channels, height, width].

    Args:
        num_frames: frames in one call.
        height: of the frames in pixels, as the network sees them.
        width: likewise.
        channels: `block_out_channels[0]` of the VAE, 128 as published.
        dtype: of the encoder's weights.
    """
    return round(MARGIN * ENCODE_MAPS * num_frames * channels * height * width * dtype.itemsize)


def decode_bytes(num_frames: int, height: int, width: int, channels: int, dtype: torch.dtype) -> int:
    """Peak of one refined decode, skips included: 1.3 x 9.5 maps; arguments as `encode_bytes`."""
    return round(MARGIN * DECODE_MAPS * num_frames * channels * height * width * dtype.itemsize)


def unet_bytes(num_frames: int, height: int, width: int, channels: int, dtype: torch.dtype) -> int:
    """Peak of one window through the U-Net: 1.3 x 37 maps [num_frames, channels, height / 8, width / 8].

    Attention is taken to run without storing its weights, as it does on every accelerator of the last years.
    `channels` is `block_out_channels[0]` of the U-Net, 320 as published; other arguments as `encode_bytes`.
    """
    cells = (height // 8) * (width // 8)
    return round(MARGIN * UNET_MAPS * num_frames * channels * cells * dtype.itemsize)
