"""Short clips with exact depth, and where each frame's pixels lie in the frames around it."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from bokeh_core.disparity.refine.small_frame import small_frame
from bokeh_core.disparity.refine.window import REACH_FRAMES
from bokeh_core.motion.flow import Match, flow_between, judged_match

from ..ground_truth import layers_of
from ..raytrace import sharp_frame, visible_disparity
from ..scenes.library import AssetLibrary
from ..scenes.presets import make_scene


@dataclass(frozen=True)
class FilmedClip:
    """A synthetic clip, all in focus.

    Attributes:
        frames: [T, H, W, 3] in [0, 1], of 8 bits as a video has them.
        disparity: [T, H, W] in [0, 1], exact.
    """

    frames: Tensor
    disparity: Tensor

    def matches(self, frame: int) -> dict[int, Match]:
        """By place in time, where a frame's pixels lie in the frames within the refinement's reach."""
        own = small_frame(self.frames[frame])
        found = {}
        for place in range(-REACH_FRAMES, REACH_FRAMES + 1):
            if place != 0 and 0 <= frame + place < len(self.frames):
                other = small_frame(self.frames[frame + place])
                flows = flow_between(own.grey, other.grey), flow_between(other.grey, own.grey)
                found[place] = judged_match(own.colours, other.colours, *flows)
        return found


def filmed_clip(
    preset: str, seed: int, num_frames: int, height: int, width: int, library: AssetLibrary
) -> FilmedClip:
    """Draw a scene of `make_scene` and film it through a pinhole.

    Raises:
        ValueError: see `make_scene`.
    """
    scene = make_scene(preset, seed, num_frames, height, width, library)
    frames, maps = [], []
    for layers in layers_of(scene):
        frames.append(sharp_frame(layers, 1.0).movedim(0, -1).clamp(0, 1))
        maps.append(visible_disparity(layers).clamp(0, 1))
    return FilmedClip(torch.stack(frames).mul(255).round().div(255), torch.stack(maps))
