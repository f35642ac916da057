"""Which samples and which part beyond the border of the frame a target needs."""

from .areas import Area


def grown_beyond(source: Area, target: Area, reach_px: int, frame_size: tuple[int, int]) -> Area:
    """An area of samples, and what goes on beyond the border that it touches as far as a target needs it.

    Args:
        source: (rows, columns) within the frame.
        target: (rows, columns) within the frame, no farther from the source than the reach.
        reach_px: how far samples spread.
        frame_size: (H, W).

    Returns:
        (rows, columns); it may begin before the frame and end behind it.
    """
    rows, columns = (
        slice(
            part.start if part.start > 0 else min(0, to.start - reach_px),
            part.stop if part.stop < length else max(length, to.stop + reach_px),
        )
        for part, to, length in zip(source, target, frame_size, strict=True)
    )
    return rows, columns
