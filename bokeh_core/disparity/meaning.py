"""What the numbers in a depth map say."""

from __future__ import annotations

from dataclasses import dataclass

from ..setting_checks import require_choice, require_number
from .holes import HOLES

SOURCES = ("disparity", "metric depth")
POLARITIES = ("auto", "near white", "near black")
NORMALISATIONS = ("min-max", "robust percentiles", "none")
# Beyond these every map becomes black or white.
_EXPONENTS = (0.01, 100.0)
_REFUSE, _, _FILL = HOLES


@dataclass(frozen=True)
class DepthMeaning:
    """How to read raw maps; see `disparity.prepare.prepare_disparity` for each field.

    Raises:
        ValueError: an unknown choice, or an exponent outside of 0.01 to 100.
    """

    source: str = "disparity"
    polarity: str = "auto"
    normalisation: str = "min-max"
    exponent: float = 1.0
    holes: str = _REFUSE

    def __post_init__(self) -> None:
        require_choice("source", self.source, SOURCES)
        require_choice("polarity", self.polarity, POLARITIES)
        require_choice("normalisation", self.normalisation, NORMALISATIONS)
        require_number(
            "exponent", self.exponent, *_EXPONENTS, meaning="1 = unchanged, 2 undoes a square root"
        )
        require_choice("holes", self.holes, HOLES)

    @property
    def is_distance(self) -> bool:
        """Whether values grow with distance, so that disparity is their inverse."""
        return self.source == "metric depth"

    @property
    def says_distances(self) -> bool:
        """Whether distances keep their unit; stored as 1 - v or to a power they have lost it."""
        return (
            self.is_distance
            and not self.stored_as_one_minus
            and self.exponent == 1
            and self.normalisation != "none"
        )

    @property
    def stored_as_one_minus(self) -> bool:
        """Whether distances are stored as 1 - v."""
        return self.is_distance and self.polarity == "near white"

    @property
    def zero_is_a_hole(self) -> bool:
        """Whether 0 says that there is no depth: in maps of disparity it is the farthest point otherwise."""
        return self.holes == _FILL and not self.is_distance and self.polarity != "near black"
