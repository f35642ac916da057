"""Whether maps and frames can show the same picture, judged by their shapes."""

from collections.abc import Sequence

# Beyond this the two may fit when turned: upright frames and maps that lie on their side.
_MOST_TURNED_STRETCH = 1.1
# Square maps of 16:9 frames, as some networks give them, are stretched by 1.78.
_MOST_STRETCH = 2.0


def horizontal_stretch(from_size: Sequence[int], to_size: Sequence[int]) -> float:
    """By how much resizing from one (height, width) to another makes things wider than high."""
    (source_height, source_width), (height, width) = from_size, to_size
    return (width / height) / (source_width / source_height)


def require_same_picture(
    from_size: Sequence[int],
    to_size: Sequence[int],
    name: str = "maps",
    turned: str = "Turn them, or make them from frames turned as players show them.",
    unlike: str = "Make them from the same picture, uncropped.",
) -> None:
    """Check that maps of one (height, width) may be resized to frames of another.

    Args:
        from_size: of the maps.
        to_size: of the frames.
        name: what the maps are.
        turned: what helps where they lie and the frames stand.
        unlike: what helps where they have another shape.

    Raises:
        ValueError: the maps lie where the frames stand, or the other way round, or would be stretched by more
            than 2.
    """
    (source_height, source_width), (height, width) = from_size, to_size
    stretch = horizontal_stretch(from_size, to_size)
    stretch_turned = horizontal_stretch((source_width, source_height), to_size)
    distortion, distortion_turned = (max(ratio, 1 / ratio) for ratio in (stretch, stretch_turned))
    sizes = f"The {name} are {source_width} x {source_height} px and the frames {width} x {height} px: they"
    if distortion > _MOST_TURNED_STRETCH and distortion_turned < distortion:
        raise ValueError(f"{sizes} fit when turned by a quarter. {turned}")
    if distortion > _MOST_STRETCH:
        raise ValueError(
            f"{sizes} would be stretched by {stretch:.3f} horizontally; at most {_MOST_STRETCH:g} is "
            f"allowed. {unlike}"
        )
