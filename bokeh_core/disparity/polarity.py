"""Whether white looks near in a depth map, by how pictures are composed."""

import torch
from torch import Tensor


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
