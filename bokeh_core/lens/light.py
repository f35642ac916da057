"""Between display values and light, and the glow of highlights."""

import torch
from torch import Tensor

from ..setting_checks import require_choice

LUMA_WEIGHTS = (0.2126, 0.7152, 0.0722)
# Highlights are lifted in full once they are this much out of focus; in focus nothing changes.
_GLOW_FROM_PX, _GLOW_FULL_PX = 0.5, 2.0


GAMMA_OF_LIGHT = {"linear": 2.2, "display": 1.0}
DEFAULT_LIGHT = "linear"


def gamma_of(light: str) -> float:
    """Exponent from display values to the named kind of light.

    Raises:
        ValueError: an unknown name.
    """
    require_choice("light", light, tuple(GAMMA_OF_LIGHT))
    return GAMMA_OF_LIGHT[light]


BRIGHTEST = 64.0
"""Greatest display value that counts: 9400 times the light of white at gamma 2.2.

Float32 sums over a frame have to hold such a lamp and shadows at once.
"""


def brightest_of(display: Tensor) -> float | Tensor:
    """Display value at which a picture clips: 1, or what its brightest pixel has if that is more.

    Args:
        display: [C, H, W] display values, or [C, T, H, W] of the frames of a pass.

    Returns:
        One number, or if some frames of a pass are brighter than white [T, 1, 1].
    """
    if display.ndim == 3:
        return min(max(1.0, display.max().item()), BRIGHTEST)
    brightest = [min(max(1.0, value), BRIGHTEST) for value in display.amax((0, 2, 3)).tolist()]
    if max(brightest) == 1:
        return 1.0
    return torch.tensor(brightest, dtype=display.dtype, device=display.device)[:, None, None]


def to_light(display: Tensor, gamma: float, brightest: float | Tensor = 1.0) -> Tensor:
    """Display values -> linear light; below 0 is black, above `brightest` is cut."""
    return _power(_cut(display, brightest), gamma)


def to_display(light: Tensor, gamma: float, brightest: float | Tensor = 1.0) -> Tensor:
    """Linear light -> display values in [0, brightest]; brighter clips."""
    return _power(_cut(light, brightest**gamma), 1 / gamma)


def _cut(values: Tensor, most: float | Tensor) -> Tensor:
    """A copy of values cut to 0 and the greatest that is allowed."""
    if isinstance(most, Tensor):
        return values.clamp(min=0).clamp_(max=most)
    return values.clamp(0, most)


def _power(values: Tensor, exponent: float) -> Tensor:
    """Raise values of 0 or more to a power, in place."""
    if exponent == 1:
        return values
    # A third of the time of a power on a CPU.
    return values.log2_().mul_(exponent).exp2_()


def lift_highlights(
    light: Tensor, display: Tensor, radius_px: Tensor, gain: float, threshold: float
) -> Tensor:
    """Give clipped highlights back some of the light a display cannot show.

    Args:
        light: [3, ..., H, W] linear light.
        display: [3, ..., H, W] display values.
        radius_px: [..., H, W] signed blur radius.
        gain: extra light of a white pixel, 0 = none, 1 = twice as bright.
        threshold: display luma in [0, 1) above which pixels are highlights.

    Returns:
        [3, ..., H, W] linear light, unchanged in focus and below the threshold.
    """
    if gain == 0:
        return light
    luma = sum(weight * channel for weight, channel in zip(LUMA_WEIGHTS, display, strict=True))
    highlight = ((torch.as_tensor(luma) - threshold) / (1 - threshold)).clamp(0, 1)
    out_of_focus = ((radius_px.abs() - _GLOW_FROM_PX) / (_GLOW_FULL_PX - _GLOW_FROM_PX)).clamp(0, 1)
    return light * (1 + gain * highlight.square() * out_of_focus)
