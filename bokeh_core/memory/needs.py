"""How much memory the network needs while it computes, besides its weights, in bytes.

Every peak is a number of feature maps as wide as the first level and as large as the level's frames, alive at
the same time. The counts are measured (`tests/core/memory/test_needs.py` measures them again).
"""

import torch

# Frames that are encoded together.
ENCODE_BATCH = 2
# Numbers of one feature map that a decode works on together; 134 MB in half precision.
PIECE_ELEMENTS = 2**26
# Where the decode stops trying with smaller pieces: what is alive is then almost all outside them.
SMALLEST_PIECE_ELEMENTS = PIECE_ELEMENTS // 64
# Feature maps of `block_out_channels[0]` channels at full resolution, per frame, alive at the peak.
ENCODE_MAPS = 3.1
# Skips at 1/2, 1/4 and 1/8 resolution (1/4 + 1/8 + 1/16), and the frames that stand for the one at full.
SKIP_MAPS = 0.5
# While the last enlargement runs: its result and its input for all frames, five maps for a group of frames.
ENLARGING_MAPS, ENLARGING_GROUP_MAPS, ENLARGED_WIDTH = 1.5, 5, 2
# While the temporal layers run: input and first convolution for all frames, and two bands of rows.
TEMPORAL_MAPS, TEMPORAL_BANDS = 2, 2
# Feature maps of `block_out_channels[0]` channels at latent resolution, per frame; most in `paper` mode.
UNET_MAPS = 37.0
# Workspaces of convolutions and attention, and what an allocator loses between blocks.
MARGIN = 1.3


def encode_bytes(num_frames: int, height: int, width: int, channels: int, dtype: torch.dtype) -> int:
    """Peak of encoding frames together: 1.3 x 3.1 maps [num_frames, channels, height, width].

    Args:
        num_frames: frames in one call.
        height: of the frames in pixels, as the network sees them.
        width: likewise.
        channels: `block_out_channels[0]` of the VAE, 128 as published.
        dtype: of the encoder's weights.
    """
    return round(MARGIN * ENCODE_MAPS * num_frames * channels * height * width * dtype.itemsize)


def decode_bytes(
    num_frames: int,
    height: int,
    width: int,
    channels: int,
    dtype: torch.dtype,
    *,
    piece_elements: int = PIECE_ELEMENTS,
) -> int:
    """Peak of one refined decode, skips included, times 1.3.

    Arguments as `encode_bytes`, `dtype` that of the decoder; `piece_elements` as `RefinedVAE.decode` has it.
    """
    frame = channels * height * width
    group = min(max(piece_elements // (ENLARGED_WIDTH * frame), 1), num_frames)
    band = min(piece_elements / frame, num_frames)
    working = max(
        ENLARGING_MAPS * num_frames + ENLARGING_GROUP_MAPS * group,
        TEMPORAL_MAPS * num_frames + TEMPORAL_BANDS * band,
    )
    return round(MARGIN * (working + SKIP_MAPS * num_frames) * frame * dtype.itemsize)


def unet_bytes(num_frames: int, height: int, width: int, channels: int, dtype: torch.dtype) -> int:
    """Peak of one window through the U-Net: 1.3 x 37 maps [num_frames, channels, height / 8, width / 8].

    Attention is taken to run without storing its weights, as it does on every accelerator of the last years.
    `channels` is `block_out_channels[0]` of the U-Net, 320 as published; other arguments as `encode_bytes`.
    """
    cells = (height // 8) * (width // 8)
    return round(MARGIN * UNET_MAPS * num_frames * channels * cells * dtype.itemsize)
