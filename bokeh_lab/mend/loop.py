"""Learning to mend: the same command continues where it stopped.

Under `torchrun` several processes share each batch.
"""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
import torch.distributed as dist
from safetensors.torch import save_file
from torch import Tensor

from bokeh_core.disk.whole_file import whole_file
from bokeh_core.disparity.refine.trained.evidence import shown
from bokeh_core.disparity.refine.trained.network import MenderNetwork

from .crops import Batch, CropSource
from .loss import loss
from .validation import Errors, errors

_log = logging.getLogger(__name__)

CHECKPOINT = "checkpoint.pt"
WEIGHTS = "mender.safetensors"
_WARMUP_STEPS = 100
_LEAST_RATE = 0.02
_CLIPPED_NORM = 1.0


@dataclass(frozen=True)
class TrainingConfig:
    """How long and how fast is learned.

    Attributes:
        steps: in all.
        batch: crops a step, shared among the processes.
        crop_px: their side.
        rate: the highest learning rate; half a cosine leads down from it.
        average: the weights' moving average keeps this part of itself a step.
        seed: of the weights and of the crops.
        half: compute in bfloat16, the weights kept in float32.
        save_every: steps between checkpoints.
    """

    steps: int = 6000
    batch: int = 16
    crop_px: int = 128
    rate: float = 2e-3
    average: float = 0.998
    seed: int = 0
    half: bool = True
    save_every: int = 200


def learning_rate(config: TrainingConfig, step: int) -> float:
    """Rate of a step, counted from 0."""
    rise = min(1.0, (step + 1) / _WARMUP_STEPS)
    fall = 0.5 * (1 + math.cos(math.pi * min(1.0, step / config.steps)))
    return config.rate * rise * max(fall, _LEAST_RATE)


def train(
    files: Sequence[Path], held_out: Sequence[Path], output: Path, config: TrainingConfig
) -> MenderNetwork:
    """Learn, or go on learning, and write the averaged weights.

    Args:
        files: samples to learn from.
        held_out: samples of other clips, that errors are told of; may be empty.
        output: folder for the checkpoint and `WEIGHTS`.
        config: how long and how fast.

    Returns:
        The averaged network.
    """
    output.mkdir(parents=True, exist_ok=True)
    rank, ranks = (dist.get_rank(), dist.get_world_size()) if dist.is_initialized() else (0, 1)
    torch.manual_seed(config.seed)
    network, averaged = MenderNetwork(), MenderNetwork()
    averaged.load_state_dict(network.state_dict())
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    optimiser = torch.optim.AdamW(network.parameters(), lr=config.rate, weight_decay=1e-4)
    first = _resume(output, network, averaged, optimiser)
    crops = CropSource(files, config.crop_px, config.seed)
    mean, begun = 0.0, time.monotonic()
    for step in range(first, config.steps):
        for group in optimiser.param_groups:
            group["lr"] = learning_rate(config, step)
        batch = crops.batch(step * ranks + rank, max(1, config.batch // ranks))
        value = _step(network, optimiser, batch, config.half)
        mean = value if step == first else 0.98 * mean + 0.02 * value
        _average(averaged, network, min(config.average, (1 + step) / (10 + step)))
        done = step + 1
        if done % 50 == 0 and rank == 0:
            _log.info(
                "step %d loss %.4f, %.2f s a step", done, mean, (time.monotonic() - begun) / (done - first)
            )
        if rank == 0 and (done % config.save_every == 0 or done == config.steps):
            _save(output, done, network, averaged, optimiser, config)
            _report(done, averaged, held_out)
    return averaged


def _step(network: MenderNetwork, optimiser: torch.optim.Optimizer, batch: Batch, half: bool) -> float:
    view = shown(batch.colours, batch.own, batch.soft, batch.witnesses)
    with torch.autocast("cpu", torch.bfloat16, enabled=half):
        told = network(view.planes)
    value = loss(told, view, batch.own, batch.witnesses, batch.wanted)
    optimiser.zero_grad(set_to_none=True)
    value.backward()
    if dist.is_initialized():
        _share_gradients(network)
    torch.nn.utils.clip_grad_norm_(network.parameters(), _CLIPPED_NORM)
    optimiser.step()
    return value.item()


def _share_gradients(network: MenderNetwork) -> None:
    """Give all processes the mean of their gradients."""
    gradients = [weight.grad for weight in network.parameters() if weight.grad is not None]
    together = torch.cat([gradient.flatten() for gradient in gradients])
    dist.all_reduce(together)
    together /= dist.get_world_size()
    for gradient, part in zip(gradients, together.split([g.numel() for g in gradients]), strict=True):
        gradient.copy_(part.view_as(gradient))


@torch.no_grad()
def _average(averaged: MenderNetwork, network: MenderNetwork, kept: float) -> None:
    for mean, weight in zip(averaged.parameters(), network.parameters(), strict=True):
        mean.lerp_(weight, 1 - kept)


def _save(
    output: Path,
    step: int,
    network: MenderNetwork,
    averaged: MenderNetwork,
    optimiser: torch.optim.Optimizer,
    config: TrainingConfig,
) -> None:
    state = {
        "step": step,
        "network": network.state_dict(),
        "averaged": averaged.state_dict(),
        "optimiser": optimiser.state_dict(),
        "config": asdict(config),
    }
    with whole_file(output / CHECKPOINT) as path:
        torch.save(state, path)
    write_weights(output / WEIGHTS, averaged)


def write_weights(path: Path, network: MenderNetwork) -> None:
    """Write the file that the product reads, whole or not at all."""
    tensors: dict[str, Tensor] = {
        name: value.detach().float().contiguous(memory_format=torch.contiguous_format)
        for name, value in network.state_dict().items()
    }
    with whole_file(path) as unfinished:
        save_file(tensors, unfinished)


def _resume(
    output: Path, network: MenderNetwork, averaged: MenderNetwork, optimiser: torch.optim.Optimizer
) -> int:
    path = output / CHECKPOINT
    if not path.exists():
        return 0
    state = torch.load(path, weights_only=True)
    network.load_state_dict(state["network"])
    averaged.load_state_dict(state["averaged"])
    optimiser.load_state_dict(state["optimiser"])
    return int(state["step"])


def _report(step: int, averaged: MenderNetwork, held_out: Sequence[Path]) -> None:
    if not held_out:
        return
    found: Errors = errors(averaged, held_out)
    _log.info("step %d %s", step, found)
