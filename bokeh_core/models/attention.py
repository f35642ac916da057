"""The MPI spatial block (Fig. 2b, Eq. 3) and the transformer around it.

Order in a spatial block: self-attention, MPI fuser, semantic cross-attention, feed-forward. A temporal block
of Stable Video Diffusion follows each.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from diffusers.models.attention import BasicTransformerBlock, FeedForward, TemporalBasicTransformerBlock
from diffusers.models.attention_processor import Attention
from diffusers.models.transformers.transformer_temporal import TransformerSpatioTemporalModel
from einops import rearrange, repeat
from torch import Tensor, nn

from .k_embedding import FEATURES
from .object_tokens import ObjectTokens


@dataclass(frozen=True)
class Conditions:
    """What every block of one U-Net pass reads.

    Attributes:
        blur_features: [B*F, 1, 32], E(K) of each frame.
        frame_semantics: [B*F, 1, D], CLIP embedding of each frame.
        window_semantics: [B, 1, D], CLIP embedding of each window's first frame.
        image_only: [B, F], zeros: every frame is part of a video, which is what the mixers ask.
    """

    blur_features: Tensor
    frame_semantics: Tensor
    window_semantics: Tensor
    image_only: Tensor


def multi_head_attention(
    layer: Attention, queries: Tensor, context: Tensor, counts: Sequence[int] | None = None
) -> Tensor:
    """Attention of `queries` [B, N, C] over the first `counts` of `context` [B, M, C]; None is all of it.

    Keys beyond a count are cut off, not masked: without a mask the fused kernels run that store no weights.
    """
    q = rearrange(layer.to_q(queries), "b n (h c) -> b h n c", h=layer.heads)
    k = rearrange(layer.to_k(context), "b m (h c) -> b h m c", h=layer.heads)
    v = rearrange(layer.to_v(context), "b m (h c) -> b h m c", h=layer.heads)
    if counts is None or min(counts) == context.shape[1]:
        out = F.scaled_dot_product_attention(q, k, v)
    else:
        out = torch.cat(
            [
                F.scaled_dot_product_attention(q[i : i + 1], k[i : i + 1, :, :n], v[i : i + 1, :, :n])
                for i, n in enumerate(counts)
            ]
        )
    return layer.to_out[0](rearrange(out, "b h n c -> b n (h c)"))


def attend_one_token(layer: Attention, token: Tensor) -> Tensor:
    """Attention over a context of one token [B, 1, D]: its value, whatever the query -> [B, 1, C]."""
    return layer.to_out[0](layer.to_v(token))


class MPIFuser(nn.Module):
    """MPI attention with blur strength injected (Eq. 3, Fig. 2b), for tokens of `channels` [B*F, N, C]."""

    def __init__(
        self, channels: int, heads: int, head_channels: int, object_channels: int, keep_ff_k: bool
    ) -> None:
        super().__init__()
        self.linear = nn.Linear(object_channels, channels)
        self.mpi_attn = Attention(query_dim=channels, heads=heads, dim_head=head_channels)
        self.ff = FeedForward(channels, activation_fn="geglu")
        if keep_ff_k:
            # In the published files, but read by no published computation: both feed-forwards are `ff`.
            self.ff_k = FeedForward(channels, activation_fn="geglu")
        self.k_encoder = nn.Linear(FEATURES, channels)
        self.norm1 = nn.LayerNorm(channels)
        self.norm2 = nn.LayerNorm(channels)
        self.norm_k = nn.LayerNorm(channels)
        self.alpha_attn = nn.Parameter(torch.tensor(0.0))
        self.alpha_dense = nn.Parameter(torch.tensor(0.0))

    def forward(self, x: Tensor, blur_features: Tensor, objects: ObjectTokens | None) -> Tensor:
        """Tokens [B*F, N, C] with E(K) [B*F, 1, 32] and, unless None, the object tokens of this level."""
        x = x + self.k_encoder(blur_features)
        x = x + torch.tanh(self.alpha_attn) * self._attend(self.norm1(x), objects)
        return x + torch.tanh(self.alpha_dense) * self._feed_forward(self.norm2(x), self.norm_k(x))

    def _attend(self, tokens: Tensor, objects: ObjectTokens | None) -> Tensor:
        if objects is None:
            return multi_head_attention(self.mpi_attn, tokens, tokens)
        context = torch.cat((tokens, self.norm1(self.linear(objects.features))), dim=1)
        counts = [tokens.shape[1] + count for count in objects.counts]
        return multi_head_attention(self.mpi_attn, tokens, context, counts)

    def _feed_forward(self, a: Tensor, b: Tensor) -> Tensor:
        """ff(a) + ff(b): half the sum passes the second linear, and doubling counts its bias twice."""
        gate, _, project = self.ff.net
        return 2 * project((gate(a) + gate(b)) / 2)


class MPISpatialBlock(BasicTransformerBlock):  # type: ignore[misc]  # diffusers ships no types
    """Stable Video Diffusion's spatial block with the MPI fuser after its self-attention (Fig. 2b)."""

    def __init__(
        self, channels: int, heads: int, head_channels: int, context_channels: int, fuser: MPIFuser
    ) -> None:
        super().__init__(channels, heads, head_channels, cross_attention_dim=context_channels)
        self.fuser = fuser

    def forward(self, x: Tensor, conditions: Conditions, objects: ObjectTokens | None) -> Tensor:
        """Tokens of single frames, [B*F, N, C] -> same."""
        tokens = self.norm1(x)
        x = x + multi_head_attention(self.attn1, tokens, tokens)
        x = self.fuser(x, conditions.blur_features, objects)
        x = x + attend_one_token(self.attn2, conditions.frame_semantics)
        return x + self.ff(self.norm3(x))


class TemporalBlock(TemporalBasicTransformerBlock):  # type: ignore[misc]  # diffusers ships no types
    """Stable Video Diffusion's temporal block: a cell attends to itself in its window's other frames."""

    def forward(self, x: Tensor, window_semantics: Tensor) -> Tensor:
        """[B*F, N, C] with one embedding a window [B, 1, D] -> [B*F, N, C]."""
        windows, cells = window_semantics.shape[0], x.shape[1]
        frames = x.shape[0] // windows
        x = rearrange(x, "(b f) n c -> (b n) f c", f=frames)
        x = x + self.ff_in(self.norm_in(x))
        tokens = self.norm1(x)
        x = x + multi_head_attention(self.attn1, tokens, tokens)
        semantics = attend_one_token(self.attn2, window_semantics)
        x = (rearrange(x, "(b n) f c -> b (n f) c", n=cells) + semantics).view(windows * cells, frames, -1)
        x = x + self.ff(self.norm3(x))
        return rearrange(x, "(b n) f c -> (b f) n c", n=cells)


class MPITransformer(TransformerSpatioTemporalModel):  # type: ignore[misc]  # diffusers ships no types
    """Pairs of MPI spatial and temporal blocks on a feature map, mixed by a learned weight."""

    def __init__(self, stock: TransformerSpatioTemporalModel, object_channels: int, keep_ff_k: bool) -> None:
        heads, head_channels = stock.num_attention_heads, stock.attention_head_dim
        channels, layers = stock.inner_dim, len(stock.transformer_blocks)
        context_channels = stock.transformer_blocks[0].attn2.cross_attention_dim
        super().__init__(
            heads,
            head_channels,
            in_channels=stock.in_channels,
            num_layers=layers,
            cross_attention_dim=context_channels,
        )
        self.context_channels: int = context_channels
        self.transformer_blocks = nn.ModuleList(
            MPISpatialBlock(
                channels,
                heads,
                head_channels,
                context_channels,
                MPIFuser(channels, heads, head_channels, object_channels, keep_ff_k),
            )
            for _ in range(layers)
        )
        self.temporal_transformer_blocks = nn.ModuleList(
            TemporalBlock(channels, channels, heads, head_channels, cross_attention_dim=context_channels)
            for _ in range(layers)
        )

    def forward(self, x: Tensor, conditions: Conditions, objects: ObjectTokens | None) -> Tensor:
        """Feature map [B*F, C, h, w] -> same."""
        windows, frames = conditions.image_only.shape
        height, width = x.shape[-2:]
        tokens = self.proj_in(rearrange(self.norm(x), "f c h w -> f (h w) c"))
        frame_index = self.time_proj(torch.arange(frames, device=x.device)).to(tokens.dtype)
        position = repeat(self.time_pos_embed(frame_index), "f c -> (b f) 1 c", b=windows)
        for spatial, temporal in zip(self.transformer_blocks, self.temporal_transformer_blocks, strict=True):
            tokens = spatial(tokens, conditions, objects)
            tokens = self.time_mixer(
                x_spatial=tokens,
                x_temporal=temporal(tokens + position, conditions.window_semantics),
                image_only_indicator=conditions.image_only,
            )
        return x + rearrange(self.proj_out(tokens), "f (h w) c -> f c h w", h=height, w=width)
