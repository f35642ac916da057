"""The VAE's layers piece by piece, for inference: frames in groups, rows in bands, activations in place.

The numbers are those of the whole layers up to rounding. Spatial layers do not look at other frames, so a few
frames at a time pass through them. Temporal convolutions (3 x 1 x 1) do not look at other pixels, so bands of
rows pass through them, all frames at once; only their group norms look at everything, and get the moments of
the whole clip, which are added up band by band.
"""

from collections.abc import Callable, Iterable, Iterator
from functools import partial

import torch
import torch.nn.functional as F
from diffusers.models.autoencoders.autoencoder_kl_temporal_decoder import TemporalDecoder
from diffusers.models.resnet import ResnetBlock2D, SpatioTemporalResBlock
from diffusers.models.unets.unet_2d_blocks import DownEncoderBlock2D, UNetMidBlock2D
from torch import Tensor, nn

FramesOf = Callable[[int, int], Tensor]
SkipOf = Callable[[int, int, int], Tensor]


def runs(count: int, elements_each: int, most_elements: int) -> Iterator[tuple[int, int]]:
    """Cut `count` items into runs [start, stop) of at most `most_elements` numbers, one item at least."""
    step = max(most_elements // elements_each, 1)
    return ((start, min(start + step, count)) for start in range(0, count, step))


class GroupMoments:
    """Mean and variance of each group of channels over pieces that arrive one after another.

    Merged as Chan, Golub and LeVeque do, which loses no digits where the mean is large. Own code, since
    torch's group norm wants the whole clip at once, and its running statistics are those of batch norm.
    """

    def __init__(self, groups: int) -> None:
        self._groups = groups
        self._count = 0
        self._mean = torch.zeros(())
        self._squares = torch.zeros(())

    def add(self, piece: Tensor) -> None:
        """Take in [n, C, ...], in at least float32."""
        values = piece.reshape(piece.shape[0], self._groups, -1)
        values = values.to(torch.promote_types(values.dtype, torch.float32))
        count = values.shape[0] * values.shape[2]
        variance, mean = torch.var_mean(values, dim=(0, 2), correction=0)
        if self._count == 0:
            self._count, self._mean, self._squares = count, mean, variance * count
            return
        total = self._count + count
        step = mean - self._mean
        self._mean = self._mean + step * (count / total)
        self._squares = self._squares + variance * count + step.square() * (self._count * count / total)
        self._count = total

    def normalise(self, norm: nn.GroupNorm, piece: Tensor) -> Tensor:
        """SiLU of the group norm of [n, C, ...], with the moments of all that was added."""
        repeats = piece.shape[1] // self._groups
        mean, variance = (m.repeat_interleave(repeats) for m in (self._mean, self._squares / self._count))
        # Metal's batch norm takes one dtype only; elsewhere half-precision values meet float32 moments.
        values = piece.to(mean.dtype) if piece.device.type == "mps" else piece
        weight, bias = norm.weight.to(mean.dtype), norm.bias.to(mean.dtype)
        normed = F.batch_norm(values, mean, variance, weight, bias, eps=norm.eps)
        return F.silu(normed, inplace=True).to(piece.dtype)


def spatial_resnet(block: ResnetBlock2D, x: Tensor) -> Tensor:
    """A residual block without time embedding, [n, C, h, w] -> [n, D, h, w]; x is left as it is."""
    h = F.silu(block.norm1(x), inplace=True)
    h = block.conv1(h)
    h = F.silu(block.norm2(h), inplace=True)
    h = block.conv2(h)
    return h.add_(x if block.conv_shortcut is None else block.conv_shortcut(x))


def encoder_layers(block: nn.Module) -> list[Callable[[Tensor], Tensor]]:
    """The layers of one of the encoder's down blocks or of its middle block, in order.

    Run one after another by a caller who lets go of each one's input.
    """
    if isinstance(block, DownEncoderBlock2D):
        return [*(partial(spatial_resnet, resnet) for resnet in block.resnets), *(block.downsamplers or ())]
    if isinstance(block, UNetMidBlock2D):
        first, *others = (partial(spatial_resnet, resnet) for resnet in block.resnets)
        pairs = zip(block.attentions, others, strict=True)
        return [first, *(layer for pair in pairs for layer in pair if layer is not None)]
    return [block]


def _frame_by_frame(
    layer: Callable[[Tensor], Tensor],
    frames_of: FramesOf,
    groups: list[tuple[int, int]],
    out: Tensor | None = None,
    watch: Callable[[Tensor], None] = lambda _: None,
) -> Tensor:
    """Apply a layer to groups of frames; into `out` where it is given, which may be where they come from."""
    for start, stop in groups:
        piece = layer(frames_of(start, stop))
        watch(piece)
        if out is None:
            if len(groups) == 1:
                return piece
            out = piece.new_empty(groups[-1][1], *piece.shape[1:])
        out[start:stop] = piece
        # Freed before the next one is made.
        del piece
    assert out is not None
    return out


def _temporal_half(block: SpatioTemporalResBlock, x: Tensor, moments: GroupMoments, most: int) -> None:
    """The temporal half of a block and its mixing, on [N, C, h, w] of one clip, in place.

    Args:
        block: the decoder's, whose mixer gives the temporal residual the share sigmoid(mix_factor).
        x: output of the spatial half.
        moments: of x.
        most: numbers in a band.
    """
    layers = block.temporal_res_block
    clip = x.transpose(0, 1)[None]
    bands = list(runs(x.shape[2], x[:, :, 0].numel(), most))
    second = GroupMoments(layers.norm2.num_groups)
    hidden = []
    for top, bottom in bands:
        hidden.append(layers.conv1(moments.normalise(layers.norm1, clip[..., top:bottom, :])))
        second.add(hidden[-1])
    share = torch.sigmoid(block.time_mixer.mix_factor).to(x.dtype)
    for top, bottom in bands:
        residual = layers.conv2(second.normalise(layers.norm2, hidden.pop(0)))
        clip[..., top:bottom, :].add_(residual.mul_(share))


def _spatial_half(
    block: SpatioTemporalResBlock,
    frames_of: FramesOf,
    groups: list[tuple[int, int]],
    out: Tensor | None = None,
) -> tuple[Tensor, GroupMoments]:
    moments = GroupMoments(block.temporal_res_block.norm1.num_groups)
    layer = partial(spatial_resnet, block.spatial_res_block)
    return _frame_by_frame(layer, frames_of, groups, out, moments.add), moments


def _resnets(blocks: Iterable[SpatioTemporalResBlock], x: Tensor, most: int) -> None:
    """Blocks that keep the number of channels, in place."""
    groups = list(runs(len(x), x[0].numel(), most))
    for block in blocks:
        _, moments = _spatial_half(block, lambda start, stop: x[start:stop], groups, out=x)
        _temporal_half(block, x, moments, most)


def _middle(decoder: TemporalDecoder, latents: Tensor, most: int) -> Tensor:
    x = decoder.conv_in(latents)
    first, *others = decoder.mid_block.resnets
    _resnets([first], x, most)
    # One attention stands between two blocks; the stock layer, too, leaves blocks beyond that out.
    for attention, block in zip(decoder.mid_block.attentions, others, strict=False):
        single = list(runs(len(x), 1, 1))
        _frame_by_frame(attention, lambda start, stop: x[start:stop], single, out=x)
        _resnets([block], x, most)
    return x


def _enter_up_block(
    decoder: TemporalDecoder, j: int, x: Tensor, skip_of: SkipOf, groups: list[tuple[int, int]]
) -> tuple[Tensor, GroupMoments]:
    """What up block j - 1 left to do, its enlargement; the skip; and the spatial half of block j's first."""
    upsamplers = decoder.up_blocks[j - 1].upsamplers if j else None
    skip_conv = decoder.get_submodule(f"skip_conv_{j + 1}")

    def frames_of(start: int, stop: int) -> Tensor:
        piece = x[start:stop]
        for upsample in upsamplers or ():
            piece = upsample(piece)
        return skip_conv(skip_of(j, start, stop)).add_(piece)

    return _spatial_half(decoder.up_blocks[j].resnets[0], frames_of, groups)


def decode_in_pieces(decoder: TemporalDecoder, latents: Tensor, skip_of: SkipOf, most: int) -> Tensor:
    """The refined decoder on one clip (section 3.4).

    Args:
        decoder: with `skip_conv_1` .. before its up blocks.
        latents: [N, 4, h, w], not scaled.
        skip_of: (j, start, stop) -> skip features of frames [start, stop) before up block j = 0, 1, ..., in
            the decoder's dtype.
        most: numbers that a group of frames or a band may hold; at least one frame and one row are taken.

    Returns:
        [N, 3, 8h, 8w], not clamped.
    """
    x = _middle(decoder, latents, most)
    for j, block in enumerate(decoder.up_blocks):
        cells = latents[0, 0].numel() * 4**j
        groups = list(runs(len(x), block.resnets[0].spatial_res_block.in_channels * cells, most))
        # The smaller x is freed here, before the temporal half, where memory peaks.
        x, moments = _enter_up_block(decoder, j, x, skip_of, groups)
        _temporal_half(block.resnets[0], x, moments, most)
        _resnets(block.resnets[1:], x, most)

    def to_pixels(piece: Tensor) -> Tensor:
        return decoder.conv_out(F.silu(decoder.conv_norm_out(piece), inplace=True))

    groups = list(runs(len(x), x[0].numel(), most))
    pixels = _frame_by_frame(to_pixels, lambda start, stop: x[start:stop], groups)
    # [N, 3, H, W] -> [1, 3, N, H, W] and back: the last convolution runs over time.
    return decoder.time_conv_out(pixels.transpose(0, 1)[None])[0].transpose(0, 1)
