"""The image encoder of a CLIP_VISION of the host."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from ...bokeh_core.semantics import no_image_encoder

CLIP_SIDE_PX = 224


def image_encoder(unet: Any, clip_vision: Any) -> Callable[[Tensor], Tensor]:
    """Return what embeds images for a U-Net: the tower of a CLIP_VISION, or zeros where it reads none."""
    embed = vision_tower(clip_vision, unet.embedding_width)
    return embed if unet.reads_images else no_image_encoder(unet.embedding_width)


def vision_tower(clip_vision: Any, embedding_width: int) -> Callable[[Tensor], Tensor]:
    """Return the image encoder inside a CLIP_VISION, fed without the host's normalisation.

    Args:
        clip_vision: the host's; loaded by the caller through its `patcher`.
        embedding_width: what the U-Net reads.

    Returns:
        [N, 3, 224, 224] in [0, 1] -> [N, embedding_width].

    Raises:
        ValueError: when called, if it is another model than CLIP ViT-H/14.
    """

    def encode(images: Tensor) -> Tensor:
        side = getattr(clip_vision, "image_size", CLIP_SIDE_PX)
        if side != CLIP_SIDE_PX:
            raise ValueError(_wrong_clip(f"wants pictures of {side} px", embedding_width))
        pixels = images.to(clip_vision.load_device, torch.float32)
        # The host's own calls name a layer whose output they want beside the embedding.
        embeds: Tensor | None = clip_vision.model(pixel_values=pixels, intermediate_output=-2)[2]
        if embeds is None or embeds.ndim != 2:
            raise ValueError(_wrong_clip("gives no embedding of a whole picture", embedding_width))
        if embeds.shape[1] != embedding_width:
            raise ValueError(_wrong_clip(f"gives embeddings of width {embeds.shape[-1]}", embedding_width))
        return embeds

    return encode


def _wrong_clip(fault: str, embedding_width: int) -> str:
    return (
        f"This CLIP vision model {fault}; the bokeh model needs width {embedding_width} from pictures of "
        f"{CLIP_SIDE_PX} px. Choose clip_vision_h.safetensors (CLIP ViT-H/14) in Load CLIP Vision."
    )
