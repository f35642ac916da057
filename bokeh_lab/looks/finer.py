"""Truth by area: a pixel is the light of its square, as in a camera."""

from dataclasses import replace

import torch
import torch.nn.functional as F
from torch import Tensor

from bokeh_core.coc import signed_circle_of_confusion_px

from ..ground_truth import IN_FOCUS_DISPARITY, GroundTruthClip, near_occlusion_edges
from ..scenes.scene import Scene


def finer(scene: Scene, times: int) -> Scene:
    """The same scene on frames of so many times as many rows and columns."""
    # The middle of the first fine pixel lies (1 / times - 1) / 2 px from that of the coarse one.
    offset = (1 / times - 1) / 2
    to_coarse = torch.tensor([[1 / times, 0, offset], [0, 1 / times, offset], [0, 0, 1]], dtype=torch.float64)
    planes = []
    for plane in scene.planes:
        d_0, d_x, d_y = plane.disparity.unbind(1)
        disparity = torch.stack([d_0 + offset * (d_x + d_y), d_x / times, d_y / times], 1)
        planes.append(replace(plane, placement=plane.placement @ to_coarse, disparity=disparity))
    return replace(
        scene,
        planes=tuple(planes),
        height=scene.height * times,
        width=scene.width * times,
        blur_strength_px=scene.blur_strength_px * times,
    )


def by_area(clip: GroundTruthClip, times: int) -> GroundTruthClip:
    """A clip whose pixels are the mean light of times x times of another's; depth is that at their middle.

    Args:
        clip: of a scene that is so many times as fine.
        times: odd.
    """

    def mean(frames: Tensor) -> Tensor:
        light = frames.permute(0, 3, 1, 2) ** clip.gamma  # [T, H, W, 3] -> [T, 3, H, W]
        return (F.avg_pool2d(light, times) ** (1 / clip.gamma)).permute(0, 2, 3, 1).contiguous()

    middle = slice(times // 2, None, times)
    disparity = clip.disparity[:, middle, middle].contiguous()
    strength_px = clip.blur_strength_px / times
    radius_px = signed_circle_of_confusion_px(disparity, clip.focal_disparity, strength_px)
    return replace(
        clip,
        frames=mean(clip.frames),
        disparity=disparity,
        blur_strength_px=strength_px,
        bokeh=mean(clip.bokeh),
        in_focus=(disparity - clip.focal_disparity[:, None, None]).abs() <= IN_FOCUS_DISPARITY,
        edges=torch.stack([near_occlusion_edges(frame) for frame in radius_px]),
    )
