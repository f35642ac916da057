"""The one-step video bokeh U-Net (Fig. 2a): Stable Video Diffusion's, with MPI spatial blocks."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

import torch
from diffusers.models.unets.unet_spatio_temporal_condition import UNetSpatioTemporalConditionModel
from einops import rearrange, repeat
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from ..published import ADDED_TIME_IDS, MPI_MODES, PUBLISHED_MPI_MODE, TIMESTEP, MPIMode
from .attention import Conditions, MPITransformer
from .config import (
    BLOCK_TYPES,
    MOST_CHANNELS,
    MOST_HEADS,
    MOST_LAYERS,
    read_config,
    require_by_level,
    require_types,
    require_whole,
    require_widths,
)
from .k_embedding import fourier_features
from .object_tokens import FARTHEST_REGION, ObjectTokens, object_tokens

PIXELS_PER_CELL = 8


@dataclass(frozen=True)
class UNetConfig:
    """Sizes of the U-Net as its published config.json names them; the defaults are the published ones."""

    in_channels: int = 8
    out_channels: int = 4
    down_block_types: tuple[str, ...] = ("CrossAttnDownBlockSpatioTemporal",) * 3 + (
        "DownBlockSpatioTemporal",
    )
    up_block_types: tuple[str, ...] = ("UpBlockSpatioTemporal",) + ("CrossAttnUpBlockSpatioTemporal",) * 3
    block_out_channels: tuple[int, ...] = (320, 640, 1280, 1280)
    addition_time_embed_dim: int = 256
    projection_class_embeddings_input_dim: int = 768
    layers_per_block: int | tuple[int, ...] = 2
    cross_attention_dim: int | tuple[int, ...] = 1024
    transformer_layers_per_block: int | tuple[Any, ...] = 1
    num_attention_heads: int | tuple[int, ...] = (5, 10, 20, 20)
    keep_ff_k: bool = True

    def check(self) -> None:
        """Check that the values make a network.

        Raises:
            ValueError: they do not; names the key, its value and the rule.
        """
        require_whole("in_channels", self.in_channels, 8, 8)
        require_whole("out_channels", self.out_channels, 4, 4)
        levels = require_widths("block_out_channels", self.block_out_channels)
        require_types("down_block_types", self.down_block_types, levels, BLOCK_TYPES["unet.down"])
        require_types("up_block_types", self.up_block_types, levels, BLOCK_TYPES["unet.up"])
        require_by_level("layers_per_block", self.layers_per_block, levels, 1, MOST_LAYERS)
        require_by_level("cross_attention_dim", self.cross_attention_dim, levels, 1, MOST_CHANNELS)
        # Lists in this list: layers one by one.
        for i, layers in enumerate(as_tuple(self.transformer_layers_per_block)):
            for item in as_tuple(layers):
                require_whole(f"transformer_layers_per_block[{i}]", item, 1, MOST_LAYERS)
        heads = require_by_level("num_attention_heads", self.num_attention_heads, levels, 1, MOST_HEADS)
        for i, (width, count) in enumerate(zip(self.block_out_channels, heads, strict=True)):
            if width % count:
                raise ValueError(
                    f"num_attention_heads[{i}] is {count}; it must divide block_out_channels[{i}], {width}."
                )
        require_whole("addition_time_embed_dim", self.addition_time_embed_dim, 2, MOST_CHANNELS)
        found, wanted = (
            self.projection_class_embeddings_input_dim,
            len(ADDED_TIME_IDS) * self.addition_time_embed_dim,
        )
        if found != wanted:
            raise ValueError(
                f"projection_class_embeddings_input_dim is {found!r:.80}; it must be {len(ADDED_TIME_IDS)} "
                f"times addition_time_embed_dim, {wanted}."
            )


def as_tuple(value: Any) -> tuple[Any, ...]:
    """A value of its own as the only one."""
    return value if isinstance(value, tuple) else (value,)


class _ObjectTokenLevels:
    """Object tokens by level, each made once a pass; nothing at all in `released` mode."""

    def __init__(self, mpi_features: Tensor | None, mpi_regions: Tensor | None) -> None:
        self._inputs = None if mpi_features is None or mpi_regions is None else (mpi_features, mpi_regions)
        self._levels: dict[tuple[int, int], ObjectTokens | None] = {}

    def at(self, x: Tensor, farthest_region: int) -> ObjectTokens | None:
        if self._inputs is None:
            return None
        key = (farthest_region, x.shape[-2] * x.shape[-1])
        if key not in self._levels:
            self._levels[key] = object_tokens(*self._inputs, *key)
        return self._levels[key]


class BokehUNet(nn.Module):
    """Latents of frames and of their defocus -> latents of the bokeh video, in one pass (Fig. 2a).

    Attributes:
        reads_images: whether image embeddings have an effect; as published they have.
    """

    reads_images = True

    def __init__(self, config: UNetConfig | None = None) -> None:
        super().__init__()
        self.config = config = config or UNetConfig()
        stock = UNetSpatioTemporalConditionModel(
            in_channels=config.in_channels,
            out_channels=config.out_channels,
            down_block_types=config.down_block_types,
            up_block_types=config.up_block_types,
            block_out_channels=config.block_out_channels,
            addition_time_embed_dim=config.addition_time_embed_dim,
            projection_class_embeddings_input_dim=config.projection_class_embeddings_input_dim,
            layers_per_block=config.layers_per_block,
            cross_attention_dim=config.cross_attention_dim,
            transformer_layers_per_block=config.transformer_layers_per_block,
            num_attention_heads=config.num_attention_heads,
        )
        width = config.block_out_channels[0]
        self.conv_in = stock.conv_in
        self.conv_in_mpi = nn.Conv2d(config.in_channels // 2, width, kernel_size=3, padding=1)
        self.time_proj = stock.time_proj
        self.time_embedding = stock.time_embedding
        self.add_time_proj = stock.add_time_proj
        self.add_embedding = stock.add_embedding
        self.down_blocks = stock.down_blocks
        self.mid_block = stock.mid_block
        self.up_blocks = stock.up_blocks
        self.conv_norm_out = stock.conv_norm_out
        self.conv_act = stock.conv_act
        self.conv_out = stock.conv_out
        for block in (*self.down_blocks, self.mid_block, *self.up_blocks):
            if hasattr(block, "attentions"):
                block.attentions = nn.ModuleList(
                    MPITransformer(layer, width, config.keep_ff_k) for layer in block.attentions
                )
        self.gradient_checkpointing = False

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> "BokehUNet":
        """Build from the dictionary in the published config.json.

        Raises:
            ValueError: the dictionary is a VAE's, or no model's.
        """
        if "latent_channels" in config:
            raise ValueError("This config.json is a VAE's (it has latent_channels); give the U-Net's.")
        return cls(read_config(UNetConfig, config))

    @property
    def embedding_width(self) -> int:
        """Length of the image embedding that `forward` takes."""
        width: int = self.mid_block.attentions[0].context_channels
        return width

    def forward(
        self,
        sample: Tensor,
        blur_strength_px: Tensor,
        image_embeds: Tensor,
        mpi_regions: Tensor | None = None,
        mpi_mode: MPIMode = PUBLISHED_MPI_MODE,
    ) -> Tensor:
        """Predict the latents of the bokeh frames of B windows (section 3.2).

        Args:
            sample: [B, F, 8, h, w], latents of the frames and of their defocus maps, concatenated; h and w
                divisible by 8 (pixels by 64).
            blur_strength_px: [B, F], K in px of the frames, embedded in the dtype it arrives in, float16 as
                published.
            image_embeds: [B, F, D], CLIP embedding of every frame.
            mpi_regions: uint8 [B, F, 8h, 8w], 0 = in focus .. 3 = farthest (Eq. 2); read in `paper` mode.
            mpi_mode: `released` hides every object token, as when the published weights were trained; `paper`
                shows those of Eq. 2 and 3.

        Returns:
            [B, F, 4, h, w] in the dtype of the weights.

        Raises:
            ValueError: a shape, a dtype or the mode does not fit.
        """
        self._check(sample, blur_strength_px, image_embeds, mpi_regions, mpi_mode)
        windows, frames = sample.shape[:2]
        dtype = self.conv_in.weight.dtype
        x = rearrange(sample, "b f c h w -> (b f) c h w").to(dtype)
        image_embeds = image_embeds.to(x)
        conditions = Conditions(
            blur_features=rearrange(fourier_features(blur_strength_px), "b f c -> (b f) 1 c").to(x),
            frame_semantics=rearrange(image_embeds, "b f c -> (b f) 1 c"),
            window_semantics=image_embeds[:, :1],
            image_only=torch.zeros(windows, frames, dtype=dtype, device=x.device),
        )
        regions = None
        if mpi_mode == "paper" and mpi_regions is not None:
            regions = rearrange(mpi_regions, "b f h w -> (b f) h w")
        levels = self._object_levels(x[:, : self.conv_in_mpi.in_channels], regions)
        x = self._run(x, self._time_embedding(x), conditions, levels)
        return rearrange(x, "(b f) c h w -> b f c h w", b=windows)

    def _object_levels(self, frame_latents: Tensor, mpi_regions: Tensor | None) -> _ObjectTokenLevels:
        if mpi_regions is None:
            return _ObjectTokenLevels(None, None)
        return _ObjectTokenLevels(self.conv_in_mpi(frame_latents), mpi_regions)

    def _run(self, x: Tensor, time: Tensor, conditions: Conditions, levels: _ObjectTokenLevels) -> Tensor:
        x = self.conv_in(x)
        skips = [x]
        for level, block in enumerate(self.down_blocks):
            objects = levels.at(x, level) if hasattr(block, "attentions") else None
            for resnet, attention in zip_longest(block.resnets, getattr(block, "attentions", ())):
                x = self._layer(resnet, attention, x, time, conditions, objects)
                skips.append(x)
            for downsample in block.downsamplers or ():
                x = downsample(x)
                skips.append(x)

        first, *resnets = self.mid_block.resnets
        objects = levels.at(x, FARTHEST_REGION)
        x = self._resnet(first, x, time, conditions)
        for attention, resnet in zip(self.mid_block.attentions, resnets, strict=True):
            x = self._attention(attention, x, conditions, objects)
            x = self._resnet(resnet, x, time, conditions)

        for level, block in enumerate(self.up_blocks):
            objects = levels.at(x, FARTHEST_REGION - level) if hasattr(block, "attentions") else None
            for resnet, attention in zip_longest(block.resnets, getattr(block, "attentions", ())):
                x = torch.cat((x, skips.pop()), dim=1)
                x = self._layer(resnet, attention, x, time, conditions, objects)
            for upsample in block.upsamplers or ():
                x = upsample(x)
        return self.conv_out(self.conv_act(self.conv_norm_out(x)))

    def _layer(
        self,
        resnet: nn.Module,
        attention: nn.Module | None,
        x: Tensor,
        time: Tensor,
        conditions: Conditions,
        objects: ObjectTokens | None,
    ) -> Tensor:
        x = self._resnet(resnet, x, time, conditions)
        return x if attention is None else self._attention(attention, x, conditions, objects)

    def _resnet(self, resnet: nn.Module, x: Tensor, time: Tensor, conditions: Conditions) -> Tensor:
        return self._call(resnet, x, time, conditions.image_only)

    def _attention(
        self, attention: nn.Module, x: Tensor, conditions: Conditions, objects: ObjectTokens | None
    ) -> Tensor:
        return self._call(attention, x, conditions, objects)

    def _call(self, layer: nn.Module, *inputs: Any) -> Tensor:
        if self.gradient_checkpointing and torch.is_grad_enabled():
            return checkpoint(layer, *inputs, use_reentrant=False)
        return layer(*inputs)

    def _time_embedding(self, x: Tensor) -> Tensor:
        """Embedding of the constant timestep and time ids, one row a frame: [B*F, 4 C0]."""
        step = self.time_proj(torch.tensor([TIMESTEP], device=x.device)).to(x.dtype)
        ids = self.add_time_proj(torch.tensor(ADDED_TIME_IDS, device=x.device)).to(x.dtype)
        embedding = self.time_embedding(step) + self.add_embedding(ids.reshape(1, -1))
        return repeat(embedding, "1 c -> f c", f=x.shape[0])

    def _check(
        self,
        sample: Tensor,
        blur_strength_px: Tensor,
        image_embeds: Tensor,
        mpi_regions: Tensor | None,
        mpi_mode: str,
    ) -> None:
        if sample.ndim != 5 or sample.shape[2] != self.config.in_channels:
            raise ValueError(
                f"sample has shape {tuple(sample.shape)}; it must be [B, F, {self.config.in_channels}, h, w]."
            )
        windows, frames, _, height, width = sample.shape
        divisor = 2 ** (len(self.config.block_out_channels) - 1)
        if height % divisor or width % divisor:
            raise ValueError(
                f"sample is {width} x {height} latent cells; both sides must be divisible by {divisor} "
                f"(frames by {divisor * PIXELS_PER_CELL} pixels)."
            )
        if blur_strength_px.shape != (windows, frames):
            raise ValueError(
                f"blur_strength_px has shape {tuple(blur_strength_px.shape)}; "
                f"it must be {(windows, frames)}, one K a frame."
            )
        context = self.embedding_width
        if image_embeds.shape != (windows, frames, context):
            raise ValueError(
                f"image_embeds has shape {tuple(image_embeds.shape)}; "
                f"this U-Net needs {(windows, frames, context)}: "
                f"one CLIP embedding of width {context} a frame."
            )
        if mpi_mode not in MPI_MODES:
            raise ValueError(f"mpi_mode is {mpi_mode!r}; it must be {' or '.join(map(repr, MPI_MODES))}.")
        if mpi_mode == "paper":
            size = (windows, frames, height * PIXELS_PER_CELL, width * PIXELS_PER_CELL)
            if mpi_regions is None:
                raise ValueError("mpi_mode 'paper' needs mpi_regions, the region of Eq. 2 at every pixel.")
            if mpi_regions.shape != size:
                raise ValueError(f"mpi_regions has shape {tuple(mpi_regions.shape)}; it must be {size}.")
