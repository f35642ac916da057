"""The dtype in which each part of the model computes, for nodes, command line and evaluation alike."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import torch

if TYPE_CHECKING:
    from ..models import RefinedVAE

    VAE = TypeVar("VAE", bound=RefinedVAE)

DTYPES = {"fp32": torch.float32, "fp16": torch.float16, "bf16": torch.bfloat16}
"""By the names that widgets and command lines have for them."""
ENCODER_DTYPE = torch.float32
"""Of both encoders, on every device: as published, and float16 overflows in the VAE's."""


def default_dtype(device: torch.device) -> torch.dtype:
    """Dtype of U-Net and VAE decoder where the user names none: float16 on an accelerator, else float32."""
    return torch.float32 if device.type == "cpu" else torch.float16


def with_decoder_in(vae: VAE, dtype: torch.dtype) -> VAE:
    """The same VAE with its decoder in `dtype` and all that comes before it in `ENCODER_DTYPE`."""
    vae.to(ENCODER_DTYPE)
    vae.decoder.to(dtype)
    return vae
