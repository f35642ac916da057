"""Tensors as other nodes hand them over: any type, layout, shape, size and content, against plain float32."""

import math
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from bokeh_core.focus import focus_at_point, focus_on_mask
from bokeh_core.lens import lens_blur
from bokeh_core.mpi import mpi_regions
from bokeh_core.pipeline.inputs import bokeh_inputs
from bokeh_core.preview import focus_preview

from .sentences import refusal

NAME = "tensors"
_STRANGE_VALUES = (math.nan, math.inf, -math.inf, 255.0, 1e30, -1e30, 5e4, -0.6, -1.0, 3.0)


@dataclass(frozen=True)
class Given:
    """What is handed over, and what it stands for: None where it must be refused."""

    value: Any
    meant: Tensor | None


def run(seed: int, count: int, folder: Path) -> Counter[str]:
    """See the package."""
    random_ = random.Random(seed)
    outcomes: Counter[str] = Counter()
    for number in range(count):
        try:
            outcomes[random_.choice([_lens, _preview, _regions, _point, _mask, _inputs])(random_)] += 1
        except AssertionError as error:
            raise AssertionError(f"seed {seed}, tensors {number}: {error}") from error
    return outcomes


def _lens(random_: random.Random) -> str:
    frames, disparity = _frames(random_, (2, 5, 7, random_.choice((1, 3, 4)))), _maps(random_, (2, 5, 7))
    focus, strength = _values(random_, 0, 1), _values(random_, 0, 9)

    def call(*given: Any) -> Tensor:
        return lens_blur(*given, workers=1)

    return "lens " + _compared(call, frames, disparity, focus, strength)


def _preview(random_: random.Random) -> str:
    frames, disparity = _frames(random_, (2, 5, 7, random_.choice((1, 3, 4)))), _maps(random_, (2, 5, 7))
    return "preview " + _compared(
        focus_preview, frames, disparity, _values(random_, 0, 1), _values(random_, 0, 9)
    )


def _regions(random_: random.Random) -> str:
    return "regions " + _compared(mpi_regions, _maps(random_, (2, 5, 7)), _values(random_, 0, 1, (2,)))


def _point(random_: random.Random) -> str:
    return "point " + _compared(focus_at_point, _maps(random_, (2, 5, 7)))


def _mask(random_: random.Random) -> str:
    # A bright pixel in every mask, or there may be nothing to focus on.
    mask = _maps(random_, (random_.choice((1, 2)), 5, 7), bright=True)
    return "mask " + _compared(focus_on_mask, _maps(random_, (2, 5, 7)), mask)


def _inputs(random_: random.Random) -> str:
    frames = _frames(random_, (2, 3, 64, 64), channels_last=False)

    def call(*given: Any) -> Tensor:
        inputs = bokeh_inputs(*given)
        return inputs.network_frames(0, 2, torch.device("cpu"))

    disparity = _maps(random_, (2, 64, 64))
    return "model " + _compared(call, frames, disparity, _values(random_, 0, 1), _values(random_, 0, 9))


def _compared(call: Callable[..., Tensor], *given: Given) -> str:
    """What is handed over gives what the plain tensors give, or is refused where one must be."""
    described = [_described(one.value) for one in given]
    meant = [one.meant for one in given]
    try:
        result = call(*(one.value for one in given))
    except ValueError as error:
        assert None in meant, f"refused ({error}): {described}"
        refusal(error)
        return "refused"
    except Exception as error:
        raise AssertionError(f"{type(error).__name__}: {error}: {described}") from error
    assert None not in meant, f"taken: {described}"
    assert bool(result.isfinite().all()), f"not finite: {described}"
    assert not result.requires_grad, described
    expected = call(*meant)
    assert torch.equal(result, expected), f"{(result - expected).abs().max()} off: {described}"
    return "right"


def _described(value: Any) -> str:
    if not isinstance(value, Tensor):
        return type(value).__name__
    return (
        f"{value.dtype} {tuple(value.shape)} {value.stride() if value.layout == torch.strided else 'sparse'}"
    )


def _generator(random_: random.Random) -> torch.Generator:
    return torch.Generator().manual_seed(random_.randrange(2**31))


def _frames(random_: random.Random, shape: tuple[int, ...], channels_last: bool = True) -> Given:
    plain = torch.rand(shape, generator=_generator(random_))
    choice = random_.random()
    if choice < 0.1:
        strange = random_.choice(_STRANGE_VALUES)
        spoiled = plain.clone()
        spoiled[0, 0, 0, 0] = strange
        # A lamp is light as long as the picture is no brighter than eight whites on average.
        frame = spoiled[0]
        bright = math.isfinite(strange) and frame.double().mean().item() <= 8
        dark = frame.min().item() < -0.5 * max(1.0, frame.max().item())
        return Given(spoiled, spoiled if bright and not dark else None)
    if choice < 0.15:
        factor = random_.choice((255.0, 65535.0))
        return Given(plain * factor, None)
    if choice < 0.2:
        wrong: tuple[Any, ...] = (plain[0], plain[:0], plain[..., :2, None], plain[:, :0], plain.flatten())
        if channels_last:
            wrong += (torch.rand(2, 5, 7, 2), torch.rand(2, 5, 7, 5), torch.rand(2, 3, 5, 7))
        return Given(random_.choice(wrong), None)
    if choice < 0.3:
        levels = (plain * 255).round()
        kind = random_.choice((torch.uint8, torch.int64, torch.int16))
        # Whole numbers of another type than 8 bit do not say what white is.
        return Given(levels.to(kind), levels / 255 if kind == torch.uint8 else None)
    return _odd(random_, plain)


def _maps(random_: random.Random, shape: tuple[int, ...], bright: bool = False) -> Given:
    plain = torch.rand(shape, generator=_generator(random_))
    if bright:
        plain[:, 2, 3] = 1
    choice = random_.random()
    if choice < 0.1:
        strange = random_.choice(_STRANGE_VALUES)
        spoiled = plain.clone()
        spoiled[-1, 1, 2] = strange
        return Given(spoiled, None)
    if choice < 0.2:
        binary = plain.round()
        kind = random_.choice((torch.uint8, torch.int64, torch.bool))
        return Given(binary.to(kind), binary)
    if choice < 0.25:
        levels = (plain * 255).round()
        return Given(levels.to(torch.uint8), levels / 255)
    if choice < 0.3:
        return Given(random_.choice((plain[:0], plain.flatten(), plain[..., None, None])), None)
    return _odd(random_, plain)


def _values(random_: random.Random, least: float, most: float, shape: tuple[int, ...] | None = None) -> Given:
    count = shape or (random_.choice((1, 2)),)
    plain = least + (most - least) * torch.rand(count, generator=_generator(random_))
    choice = random_.random()
    if choice < 0.1:
        spoiled = plain.clone()
        spoiled[-1] = random_.choice((math.nan, math.inf, -math.inf, -1.0, 1e30, 300.0))
        return Given(spoiled, None)
    if choice < 0.15:
        return Given(random_.choice((plain[:0], plain.repeat(5), plain[:, None], 0.5, "0.5", None)), None)
    return _odd(random_, plain)


def _odd(random_: random.Random, plain: Tensor) -> Given:
    """The same values in another guise, or in one without values."""
    kind = random_.randrange(16)
    if kind == 0:
        half = plain.to(random_.choice((torch.float16, torch.bfloat16)))
        return Given(half, half.float())
    if kind == 1:
        return Given(plain.double(), plain)
    if kind == 2:
        return Given(plain.clone().requires_grad_(), plain)
    if kind == 3:
        order = torch.randperm(plain.ndim).tolist() if plain.ndim > 1 else [0]
        shuffled = plain.permute(order).contiguous().permute([order.index(i) for i in range(plain.ndim)])
        return Given(shuffled, plain)
    if kind == 4:
        one = plain[:1].expand(plain.shape)
        return Given(one, one.contiguous())
    if kind == 5:
        spaced = torch.full((*plain.shape[:-1], 2 * plain.shape[-1]), math.nan)
        spaced[..., ::2] = plain
        return Given(spaced[..., ::2], plain)
    if kind == 6:
        with torch.inference_mode():
            return Given(plain.clone(), plain)
    if kind == 7:
        wrong = (
            plain.to("meta"),
            plain.to_sparse(),
            plain.to(torch.complex64),
            plain.numpy(),
            plain.tolist(),
            None,
        )
        value = random_.choice(wrong)
        return Given(np.array(value) if isinstance(value, np.ndarray) else value, None)
    return Given(plain, plain)
