"""Between the numbers that frames are stored as and the light they stand for: transfer functions by name.

Light is relative to white: 1 is what a white sheet of paper reflects, 203 cd/m2 in PQ and the signal 0.75 in
HLG (ITU-R BT.2408). Numbers below 0 stand for as much light below 0, as a wide gamut's colours have in a
smaller one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

Curve = Callable[[Tensor], Tensor]

DISPLAY, LINEAR, PQ, HLG = "display", "linear", "pq", "hlg"
DISPLAY_GAMMA = 2.2
GAMMA_OF_LIGHT = {"linear": DISPLAY_GAMMA, "display": 1.0}
"""What a lens adds up, as light = display ** gamma: light, or display values as they are."""

DEFAULT_LIGHT = "linear"
WHITE_CD_M2 = 203.0
"""Luminance of white in PQ and HLG."""

MOST_LIGHT = 1e6
"""Greatest light that counts, in whites: the sun's disk is 50,000 times as bright as paper under it."""

# SMPTE ST 2084.
_M1, _M2 = 2610 / 16384, 2523 / 4096 * 128
_C1, _C2, _C3 = 3424 / 4096, 2413 / 4096 * 32, 2392 / 4096 * 32
_PQ_CD_M2 = 10000.0
# ITU-R BT.2100, HLG.
_A, _B, _C = 0.17883277, 0.28466892, 0.55991073
_HLG_WHITE = 0.75
# The light of a scene -> that of a display with 1000 cd/m2, as people see HLG.
_HLG_CD_M2, _HLG_SYSTEM_GAMMA = 1000.0, 1.2


def power(values: Tensor, exponent: float) -> Tensor:
    """Raise values of 0 or more to a power, in place."""
    if exponent == 1:
        return values
    # A third of the time of a power on a CPU.
    return values.log2_().mul_(exponent).exp2_()


def odd(curve: Curve, values: Tensor) -> Tensor:
    """Apply a curve that is made for 0 and more to values of either sign."""
    return curve(values.abs()).copysign(values)


@dataclass(frozen=True)
class Transfer:
    """How numbers mean light.

    Attributes:
        name: for people.
        to_light: numbers of 0 or more -> light; may work in place.
        to_values: light of 0 or more -> numbers; may work in place.
        cd_m2: light -> cd/m2, None where numbers do not say how bright a display is.
    """

    name: str
    to_light: Curve
    to_values: Curve
    cd_m2: Callable[[float], float] | None = None


def _pq_to_light(values: Tensor) -> Tensor:
    root = values.clamp(max=_MOST_PQ) ** (1 / _M2)
    return ((root - _C1).clamp(min=0) / (_C2 - _C3 * root)) ** (1 / _M1) * (_PQ_CD_M2 / WHITE_CD_M2)


def _light_to_pq(light: Tensor) -> Tensor:
    root = (light * (WHITE_CD_M2 / _PQ_CD_M2)) ** _M1
    return ((_C1 + _C2 * root) / (1 + _C3 * root)) ** _M2


def _hlg_scene(values: Tensor) -> Tensor:
    """Numbers -> light of the scene, 1 at the signal 1."""
    return torch.where(values <= 0.5, values.square() / 3, (((values - _C) / _A).exp() + _B) / 12)


def _hlg_to_light(values: Tensor) -> Tensor:
    return _hlg_scene(values) / _HLG_WHITE_LIGHT


def _light_to_hlg(light: Tensor) -> Tensor:
    scene = 12 * _HLG_WHITE_LIGHT * light
    return torch.where(scene <= 1, scene.clamp(max=1).sqrt() / 2, _A * (scene.clamp(min=1) - _B).log() + _C)


# Beyond it no light is left to stand for: the curve's end.
_MOST_PQ = float(_light_to_pq(torch.tensor(MOST_LIGHT, dtype=torch.float64)))
_HLG_WHITE_LIGHT = float(_hlg_scene(torch.tensor(_HLG_WHITE, dtype=torch.float64)))

TRANSFERS: Mapping[str, Transfer] = {
    DISPLAY: Transfer(
        "display values, gamma 2.2",
        lambda values: power(values.clone(), DISPLAY_GAMMA),
        lambda light: power(light.clone(), 1 / DISPLAY_GAMMA),
    ),
    LINEAR: Transfer("linear light", lambda values: values, lambda light: light),
    PQ: Transfer("PQ", _pq_to_light, _light_to_pq, lambda light: WHITE_CD_M2 * light),
    HLG: Transfer(
        "HLG",
        _hlg_to_light,
        _light_to_hlg,
        lambda light: _HLG_CD_M2 * (light * _HLG_WHITE_LIGHT) ** _HLG_SYSTEM_GAMMA,
    ),
}
"""By the name that users choose."""


def light_of(values: Tensor, transfer: str) -> Tensor:
    """Numbers of any sign -> light of the same sign, 1 = white.

    Args:
        values: of any shape.
        transfer: one of `TRANSFERS`.
    """
    return odd(TRANSFERS[transfer].to_light, values)


def values_of(light: Tensor, transfer: str) -> Tensor:
    """Light of any sign, 1 = white -> the numbers that stand for it."""
    return odd(TRANSFERS[transfer].to_values, light)


def converted(frame: Tensor, source: str, target: str) -> Tensor:
    """A frame [H, W, C] with its colours in another transfer; alpha, the fourth channel, stays."""
    if source == target:
        return frame
    colours = values_of(light_of(frame[..., :3], source), target)
    return torch.cat([colours, frame[..., 3:]], dim=-1) if frame.shape[-1] > 3 else colours


def as_seen(frame: Tensor, transfer: str) -> Tensor:
    """A frame [H, W, C] in steps as the eye sees them: display values of linear light, others as they are.

    PQ and HLG are made to be looked at, so their numbers serve for measuring, if a little flat.
    """
    return converted(frame, LINEAR, DISPLAY) if transfer == LINEAR else frame


def as_picture(frame: Tensor, transfer: str) -> Tensor:
    """`as_seen`, of linear light only what lies from black to white."""
    return as_seen(frame, transfer).clamp(0, 1) if transfer == LINEAR else frame


def from_picture(picture: Tensor, transfer: str) -> Tensor:
    """The way back from `as_seen`."""
    return converted(picture, DISPLAY, LINEAR) if transfer == LINEAR else picture
