"""What Refine Disparity does, each part a switch."""

from dataclasses import dataclass

from ...setting_checks import require_whole_number

MOST_REACH_FRAMES = 8


@dataclass(frozen=True)
class RefineSettings:
    """Parts of the refinement.

    Attributes:
        steady: one scale and shift a frame against its neighbours in time.
        restore: what a frame shows otherwise than most of its neighbours in time comes from them.
        reach_frames: neighbours before and after each frame, 1 to 8; each costs two optical flows.

    Raises:
        ValueError: a reach out of range.
    """

    steady: bool = True
    restore: bool = True
    reach_frames: int = 3

    def __post_init__(self) -> None:
        require_whole_number("reach_frames", self.reach_frames, 1, MOST_REACH_FRAMES, "frames")

    @property
    def looks_around(self) -> bool:
        """Whether neighbours in time take part."""
        return self.steady or self.restore
