"""Which parameters each stage moves (paper section 3.4), told from the types of modules."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import nn

from bokeh_core.models import RefinedVAE
from bokeh_core.models.attention import MPIFuser, MPISpatialBlock, TemporalBlock

from .config import AblationConfig, Stage
from .layers_over_time import blocks_over_time
from .network import BokehNetwork


def set_trainable(
    network: BokehNetwork,
    stage: Stage,
    ablation: AblationConfig,
    *,
    train_encoder: bool = False,
    still: bool = False,
) -> list[str]:
    """Let the stage's parameters learn and freeze all others.

    Args:
        network: whose `requires_grad` is set.
        stage: see `stage_parameters`.
        ablation: parts that are taken away stay frozen.
        train_encoder: of `pixels`.
        still: residual blocks over time are left out, and stay as they are.

    Returns:
        Names of the parameters that learn, in the network's order.
    """
    chosen = stage_parameters(network, stage, train_encoder)
    chosen -= parameters_without_effect(network, ablation)
    if still:
        chosen -= {name for block in blocks_over_time(network) for name in _names(network, block)}
    names = []
    for name, parameter in network.named_parameters():
        parameter.requires_grad_(name in chosen)
        if name in chosen:
            names.append(name)
    return names


def stage_parameters(network: BokehNetwork, stage: Stage, train_encoder: bool = False) -> set[str]:
    """Names of what a stage trains.

    stage0: the VAE without its skip convolutions. stage1: the whole U-Net with its adapters, and the options'
    encoder of the defocus. stage2: the temporal transformer blocks. stage3: the VAE's decoder with its skip
    convolutions, and the options' layers around it. pixels: what stages 1 and 3 train.
    """
    if stage == "stage0":
        return {
            name for name in _names(network, network.vae) if not name.startswith("vae.decoder.skip_conv_")
        }
    if stage == "stage2":
        blocks = (module for module in network.unet.modules() if isinstance(module, TemporalBlock))
        return {name for block in blocks for name in _names(network, block)}
    layers = network.layers
    before_unet = _names(network, network.unet) | _names(network, layers.defocus_encoder)
    after_unet = (
        _names(network, network.vae.decoder)
        | _names(network, layers.image_skip)
        | _names(network, layers.defocus_skips)
    )
    if stage == "stage1":
        return before_unet
    if stage == "stage3":
        return after_unet
    encoder = _names(network, network.vae.encoder) | _names(network, network.vae.quant_conv)
    # The log-variance half of quant_conv has no gradient here, but the mean's half does.
    return before_unet | after_unet | (encoder if train_encoder else set())


def parameters_without_effect(network: BokehNetwork, ablation: AblationConfig) -> set[str]:
    """Names of parameters that no output depends on.

    Attention over a context of one token is the same for every query and key, so cross-attention has no use
    for them, nor for the norm before the query. `ff_k` is in the published layout and never read.
    """
    modules: list[nn.Module | None] = []
    for module in network.unet.modules():
        if isinstance(module, (MPISpatialBlock, TemporalBlock)):
            modules += [module.attn2.to_q, module.attn2.to_k, module.norm2]
        elif isinstance(module, MPIFuser):
            modules.append(getattr(module, "ff_k", None))
            if not ablation.mpi:
                modules += [part for name, part in module.named_children() if name != "k_encoder"]
    middle = network.vae.decoder.mid_block
    if len(middle.resnets) == 1:
        # diffusers' decoder has an attention between two residual blocks, and makes it without a second too.
        modules.append(middle.attentions)
    if not ablation.mpi:
        modules.append(network.unet.conv_in_mpi)
    if not ablation.refine:
        modules += list(skip_convolutions(network.vae))
        modules.append(network.layers.defocus_skips)
    names = {name for module in modules for name in _names(network, module)}
    if not ablation.mpi:
        names |= {
            f"unet.{name}.{gate}"
            for name, module in network.unet.named_modules()
            if isinstance(module, MPIFuser)
            for gate in ("alpha_attn", "alpha_dense")
        }
    return names


def remove_ablated(network: BokehNetwork, ablation: AblationConfig) -> None:
    """Make the parts that an ablation takes away compute nothing: gates and skip convolutions to zero.

    Without MPI the spatial block is then the original one plus the embedding of K, as in Tab. 3.
    """
    with torch.no_grad():
        if not ablation.mpi:
            for module in network.unet.modules():
                if isinstance(module, MPIFuser):
                    module.alpha_attn.zero_()
                    module.alpha_dense.zero_()
        if not ablation.refine:
            for convolution in skip_convolutions(network.vae):
                for parameter in convolution.parameters():
                    parameter.zero_()


def skip_convolutions(vae: RefinedVAE) -> Iterator[nn.Module]:
    """The convolutions through which the decoder sees the encoder."""
    for name, module in vae.decoder.named_children():
        if name.startswith("skip_conv_"):
            yield module


def _names(network: BokehNetwork, module: nn.Module | None) -> set[str]:
    """Names, in the network, of a module's parameters."""
    if module is None:
        return set()
    wanted = {id(parameter) for parameter in module.parameters()}
    return {name for name, parameter in network.named_parameters() if id(parameter) in wanted}
