"""What Refine Disparity does, each part a switch."""

from dataclasses import dataclass, fields


@dataclass(frozen=True)
class RefineSettings:
    """Parts of the refinement.

    Attributes:
        outlines: softness that a map has all over is undone, and soft steps that are left become steps where
            the picture has its edges.
        steady: scale, shift and slow waves of a frame's map follow the course of the frames around it, and
            outlines that jump come to rest where those have them.
        limbs: a surface that a single frame lacks comes back from the frames around it.
        banding: steps of 8-bit maps, and the blocks of JPEG, are smoothed within surfaces.
        trained: a trained part of `limbs`: a network tells what pixels beside steps take over from the frames
            around.
    """

    outlines: bool = True
    steady: bool = True
    limbs: bool = True
    banding: bool = True
    trained: bool = True

    @property
    def parts(self) -> list[str]:
        """Names of what is on; `trained` counts with `limbs` alone."""
        on = [part.name for part in fields(self) if getattr(self, part.name)]
        return on if self.limbs else [name for name in on if name != "trained"]

    @property
    def looks_around(self) -> bool:
        """Whether other frames take part."""
        return self.steady or self.limbs

    @property
    def asks_network(self) -> bool:
        """Whether the trained network takes part."""
        return self.trained and self.limbs


PARTS = tuple(part.name for part in fields(RefineSettings))
"""Names of the parts."""


def settings_named(parts: str, setting: str) -> RefineSettings:
    """Those of names with commas, such as "outlines, steady"; what is not named is off.

    Args:
        parts: names of `PARTS`.
        setting: what it was typed into, for errors.

    Raises:
        ValueError: a name that is none, or `trained` without `limbs`, which it is a part of.
    """
    wanted = [name.strip() for name in parts.split(",")]
    for name in wanted:
        if name not in PARTS:
            raise ValueError(f"{setting} has {name!r:.60}; choose from {', '.join(PARTS)}, with commas.")
    if "trained" in wanted and "limbs" not in wanted:
        raise ValueError(f"{setting}: trained is a part of limbs; name limbs too, or leave out trained.")
    return RefineSettings(**{name: name in wanted for name in PARTS})
