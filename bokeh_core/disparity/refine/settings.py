"""What Refine Disparity does, each part a switch."""

from dataclasses import dataclass


@dataclass(frozen=True)
class RefineSettings:
    """Parts of the refinement.

    Attributes:
        steady: scale, shift and slow waves of a frame's map follow the course of the frames around it.
        limbs: a surface that a single frame lacks comes back from the frames around it.
    """

    steady: bool = True
    limbs: bool = True

    @property
    def looks_around(self) -> bool:
        """Whether other frames take part."""
        return self.steady or self.limbs
