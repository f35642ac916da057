"""Whether white is near in maps that do not say it: by what estimators give, by motion, by composition."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from ..clip.letterbox import PictureArea
from .fit import MapFit
from .meaning import DepthMeaning

if TYPE_CHECKING:
    from .contour_motion import ContourVotes, ContourWitness

# Below this the composition of a picture speaks against white being near.
_DOUBTFUL_NEARNESS = -0.05
_SWAPPED = "If near and far are swapped in the preview, set polarity to"


def contour_witness(
    meaning: DepthMeaning,
    frames: Callable[[int], Iterator[Tensor]] | None,
    num_frames: int,
    size: tuple[int, int],
    placing: MapFit,
    first_map: int = 0,
    area: PictureArea | None = None,
) -> ContourWitness | None:
    """Make what looks at contours that move, where it is not said which end is near and frames are at hand.

    Args:
        meaning: of the maps.
        frames: given the first frame wanted, yields frames [H, W, C] in [0, 1] from there on; None if there
            are none.
        num_frames: of the clip.
        size: (height, width) of the frames in px.
        placing: how the maps lie on them.
        first_map: number of the map that `placing` counts as 0.
        area: of the frames, which alone is looked at; None is all.

    Returns:
        None too where OpenCV, which finds the motion, is missing.
    """
    if frames is None or meaning.is_distance or meaning.polarity != "auto":
        return None
    try:
        from .contour_motion import ContourWitness
    except ImportError:
        return None
    return ContourWitness(frames, num_frames, size, placing, first_map, area)


def automatic_polarity(mean_map: Tensor, votes: ContourVotes | None) -> tuple[str, str]:
    """Choose a polarity for a clip.

    All current depth estimators give near white, so that is the answer unless motion proves the opposite: the
    composition of a picture is no proof.

    Args:
        mean_map: mean of the raw maps [H, W].
        votes: of the contours that move; None where nobody looked.

    Returns:
        "near white" or "near black", and what was decided, with a warning where it is doubtful.
    """
    if votes is not None and votes.prove_black_near:
        return "near black", (
            f"Polarity: near black (auto): {votes.report()}, and contours move with what is in front."
            f"\nWarning: depth estimators give near white. {_SWAPPED} near white."
        )
    decided = "Polarity: near white (auto, as depth estimators give it)."
    if votes is not None and votes.prove_white_near:
        return "near white", (
            f"Polarity: near white (auto, as depth estimators give it; {votes.report()}, and contours move "
            "with what is in front)."
        )
    nearness, composed = nearness_of_white(mean_map)
    reasons = [f"white looks far in this picture ({composed})"] if nearness < _DOUBTFUL_NEARNESS else []
    if votes is not None and votes.doubt_white_near:
        reasons.append(f"{votes.report()}, as if that were in front")
    if reasons:
        decided += f"\nWarning: {'; '.join(reasons)}. {_SWAPPED} near black."
    return "near white", decided


def nearness_of_white(mean_map: Tensor) -> tuple[float, str]:
    """Tell how much the white of a map [H, W] looks near, by how pictures are composed.

    Two cues, each a difference of mean values in units of the map's range: the bottom third is nearer than
    the top third (weight 0.6), the middle is nearer than the top, left and right borders (weight 0.4). Many
    good pictures speak against both: a doorway, leaves that hang in from above, a table seen from above.

    Returns:
        a number in [-1, 1], positive where white looks near, and the reason in words. Maps with fewer than 3
        rows or columns, or without contrast, give 0.
    """
    height, width = mean_map.shape
    contrast = (mean_map.max() - mean_map.min()).item()
    if min(height, width) < 3 or contrast == 0:
        return 0.0, "no cue in the picture"
    third_h, third_w = height // 3, width // 3
    border_h, border_w = max(height // 8, 1), max(width // 8, 1)
    vertical = (mean_map[-third_h:].mean() - mean_map[:third_h].mean()).item() / contrast
    border = torch.cat(
        [mean_map[:border_h].flatten(), mean_map[:, :border_w].flatten(), mean_map[:, -border_w:].flatten()]
    )
    middle = mean_map[third_h : height - third_h, third_w : width - third_w]
    central = (middle.mean() - border.mean()).item() / contrast
    reason = f"bottom minus top {vertical:+.2f}, middle minus borders {central:+.2f} of the range"
    return 0.6 * vertical + 0.4 * central, reason
