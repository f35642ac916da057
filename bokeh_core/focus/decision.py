"""One decision of a focus script: what is sharp from a frame on, or how strong the blur is there."""

from dataclasses import dataclass

from ..schedule.text import MOST_FRAME
from ..setting_checks import require_choice, require_number, require_whole_number
from ..strength import MAX_STRENGTH

KINDS = ("point", "lock", "follow", "mask")
EASES = ("smooth", "linear", "cut")
DEFAULT_TRANSITION_FRAMES = 12
MOST_RADIUS_PX = 65_536
"""Greatest radius of a disk that is measured: no frame is as wide."""


@dataclass(frozen=True)
class FocusDecision:
    """What is sharp from a frame on, until the next decision.

    Attributes:
        frame: from 0; what is decided is in focus in its picture.
        kind: "point": what lies at the place in each frame; "lock": one disparity; "follow": the subject at
            the place, tracked; "mask": the subject of the connected mask.
        x: place in the width of the picture, 0 = left edge, 1 = right edge.
        y: place in the height, 0 = top edge, 1 = bottom edge.
        radius: of the disk that is measured at the place, in px of the disparity.
        disparity: of a lock, in [0, 1], 1 = near.
        transition: frames that the focus takes to get here, ending at `frame`; 0 = at once.
        ease: curve of the transition, one of `EASES`.

    Raises:
        ValueError: a value of another type or out of range.
    """

    frame: int
    kind: str
    x: float = 0.5
    y: float = 0.5
    radius: int = 8
    disparity: float | None = None
    transition: int = DEFAULT_TRANSITION_FRAMES
    ease: str = "smooth"

    def __post_init__(self) -> None:
        require_whole_number("frame", self.frame, 0, MOST_FRAME, meaning="frames count from 0")
        require_choice("kind", self.kind, KINDS)
        require_number("x", self.x, 0, 1, meaning="0 = left edge, 1 = right edge of the picture")
        require_number("y", self.y, 0, 1, meaning="0 = top edge, 1 = bottom edge of the picture")
        require_whole_number("radius", self.radius, 0, MOST_RADIUS_PX, "px", "0 = the pixel alone")
        require_whole_number("transition", self.transition, 0, MOST_FRAME, "frames", "0 = at once")
        require_choice("ease", self.ease, EASES)
        if self.kind != "lock":
            if self.disparity is not None:
                raise ValueError(
                    f"disparity is {self.disparity!r:.60} in a decision of the kind {self.kind}; only a lock "
                    "has one. Leave it out, or write the kind lock."
                )
        elif self.disparity is None:
            raise ValueError("disparity is missing; a lock needs one, 0 to 1 (0 = farthest, 1 = nearest).")
        else:
            require_number("disparity", self.disparity, 0, 1, meaning="0 = farthest, 1 = nearest")

    def pixel(self, height: int, width: int) -> tuple[int, int]:
        """(column, row) of the place in a picture of that size."""
        return min(int(self.x * width), width - 1), min(int(self.y * height), height - 1)


@dataclass(frozen=True)
class StrengthKey:
    """Blur strength at a frame; between two keys it eases as the second says.

    Attributes:
        frame: from 0.
        k: K, 0 to `strength.MAX_STRENGTH` px of blur radius per unit of disparity on a frame 1024 px wide.
        ease: curve from the key before, one of `EASES`.

    Raises:
        ValueError: a value of another type or out of range.
    """

    frame: int
    k: float
    ease: str = "smooth"

    def __post_init__(self) -> None:
        require_whole_number("frame", self.frame, 0, MOST_FRAME, meaning="frames count from 0")
        require_number("k", self.k, 0, MAX_STRENGTH, "px", "0 = no blur")
        require_choice("ease", self.ease, EASES)
