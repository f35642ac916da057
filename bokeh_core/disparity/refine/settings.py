"""What Refine Disparity does, each part a switch."""

from dataclasses import dataclass


@dataclass(frozen=True)
class RefineSettings:
    """Parts of the refinement.

    Attributes:
        outlines: softness that a map has all over is undone, and soft steps that are left become steps where
            the picture has its edges.
        steady: scale, shift and slow waves of a frame's map follow the course of the frames around it.
        limbs: a surface that a single frame lacks comes back from the frames around it.
        banding: steps of 8-bit maps, and the blocks of JPEG, are smoothed within surfaces.
        trained: a trained part of `limbs`: a network tells what pixels beside steps take over from the frames
            around.
    """

    outlines: bool = True
    steady: bool = True
    limbs: bool = True
    banding: bool = True
    trained: bool = False

    @property
    def looks_around(self) -> bool:
        """Whether other frames take part."""
        return self.steady or self.limbs

    @property
    def asks_network(self) -> bool:
        """Whether the trained network takes part."""
        return self.trained and self.limbs
