"""Where a clip cuts to another shot, told from its maps and, where they are given, its pictures."""

from ..motion.map_cuts import MapCutFinder
from .maps import FrameMaps


def picture_cuts(frames: FrameMaps | None) -> list[int]:
    """First frame of each shot, told from pictures [T, H, W, C] in [0, 1]; 0 alone where there are none."""
    if frames is None:
        return [0]
    from ..motion.cuts import shot_starts  # only for pictures: the nodes start without OpenCV

    return shot_starts(frames)


def shots_by_both(map_cuts: MapCutFinder, of_pictures: list[int]) -> list[int]:
    """First frame of each shot: whatever jumps, picture or map, is not to be smoothed across."""
    return sorted({*map_cuts.starts(), *of_pictures})
