"""Between the numbers of frames and light, without losing what is brighter than white or below black."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from ..setting_checks import require_choice
from ..transfer import DISPLAY, DISPLAY_GAMMA, GAMMA_OF_LIGHT, MOST_LIGHT, TRANSFERS, odd, power

LUMA_WEIGHTS = (0.2126, 0.7152, 0.0722)
# From there on, in whites, rounding of float32 sums over a frame would be seen in its shadows.
_MOST_IN_FLOAT32 = 64.0


def gamma_of(light: str) -> float:
    """Exponent from display values to the named kind of light.

    Raises:
        ValueError: an unknown name.
    """
    require_choice("light", light, tuple(GAMMA_OF_LIGHT))
    return GAMMA_OF_LIGHT[light]


@dataclass(frozen=True)
class Scale:
    """How the numbers of a frame, or of the frames of a pass, become light, and how far they reach.

    Attributes:
        transfer: one of `transfer.TRANSFERS`.
        gamma: light = number ** gamma of display values; 1 blurs the numbers of any transfer as they are.
        lowest: the lowest number, 0 if none is below black; one, or [T, 1, 1] of the frames of a pass.
        highest: the highest one, 1 if none is brighter than white; likewise.
    """

    transfer: str
    gamma: float
    lowest: float | Tensor = 0.0
    highest: float | Tensor = 1.0

    @classmethod
    def of(cls, values: Tensor, transfer: str = DISPLAY, gamma: float = DISPLAY_GAMMA) -> Scale:
        """Look at the numbers of a frame [C, H, W], or of the frames of a pass [C, T, H, W]."""
        if values.ndim == 3:
            lowest, highest = (extreme.item() for extreme in values.aminmax())
            return cls(transfer, gamma, min(lowest, 0.0), max(highest, 1.0))
        low, high = (values.amin((0, 2, 3)), values.amax((0, 2, 3)))
        # A device waits at every such question.
        least, most = torch.stack([low, high]).tolist()
        return cls(
            transfer,
            gamma,
            low.clamp(max=0)[:, None, None] if min(least) < 0 else 0.0,
            high.clamp(min=1)[:, None, None] if max(most) > 1 else 1.0,
        )

    @property
    def needs_double(self) -> bool:
        """Whether there is so much light that sums over a frame need more than float32."""
        if isinstance(self.highest, float) and self.highest <= 1:
            return False
        highest = torch.as_tensor(self.highest, dtype=torch.float64)
        return bool((self._curve(highest, to_light=True) > _MOST_IN_FLOAT32).any())

    @property
    def beyond_white(self) -> bool:
        """Whether there may be light beyond black or white."""
        return not self._is_plain

    def to_light(self, values: Tensor) -> Tensor:
        """Numbers [C, ..., H, W] -> light; only what is beyond `transfer.MOST_LIGHT` is cut."""
        if self._is_plain:
            return self._curve(values.clamp(0, 1), to_light=True)
        return self._signed_light(values)

    def to_values(self, light: Tensor) -> Tensor:
        """Light [C, ..., H, W] -> numbers between the lowest and the highest of the frame."""
        if self._is_plain:
            return self._curve(light.clamp(0, 1), to_light=False)
        values = odd(lambda amounts: self._curve(amounts, to_light=False), light)
        if not isinstance(self.lowest, Tensor) and not isinstance(self.highest, Tensor):
            return values.clamp(self.lowest, self.highest)
        least, most = (torch.as_tensor(bound).to(values) for bound in (self.lowest, self.highest))
        return torch.minimum(torch.maximum(values, least), most)

    def to_picture(self, light: Tensor) -> Tensor:
        """Light [C, ..., H, W] -> display values of 0 or more, by which highlights are told."""
        return power(light.clamp(min=0), 1 / DISPLAY_GAMMA)

    @property
    def _is_plain(self) -> bool:
        """Whether these are display values of which none is beyond black or white."""
        if isinstance(self.lowest, Tensor) or isinstance(self.highest, Tensor):
            return False
        return self.transfer == DISPLAY and (self.lowest, self.highest) == (0, 1)

    def _signed_light(self, values: Tensor) -> Tensor:
        light = odd(lambda numbers: self._curve(numbers, to_light=True), values)
        return light.clamp(-MOST_LIGHT, MOST_LIGHT)

    def _curve(self, values: Tensor, to_light: bool) -> Tensor:
        """Numbers or light of 0 or more through the curve, in place where it can be."""
        if self.gamma == 1:
            return values
        if self.transfer == DISPLAY:
            return power(values, self.gamma if to_light else 1 / self.gamma)
        curves = TRANSFERS[self.transfer]
        return curves.to_light(values) if to_light else curves.to_values(values)
