"""From tracks to planes: texture placement, and disparity normalised over the clip."""

from collections.abc import Sequence

import cv2
import numpy as np
import torch
from torch import Tensor

from .scene import TRANSPARENT, Plane
from .trajectories import Track


def placement(track: Track, texture_height: int, texture_width: int) -> Tensor:
    """Affine maps from frame px (x, y, 1) to texture px: float64 [T, 2, 3].

    p_texture = R(-rotation) (p_frame - (x, y)) / scale + middle of the texture.
    """
    cos, sin = track.rotation.cos() / track.scale, track.rotation.sin() / track.scale
    linear = torch.stack([torch.stack([cos, sin], 1), torch.stack([-sin, cos], 1)], 1)  # [T, 2, 2]
    middle = torch.tensor([(texture_width - 1) / 2, (texture_height - 1) / 2], dtype=torch.float64)
    at = torch.stack([track.x, track.y], 1)[:, :, None]
    return torch.cat([linear, middle[:, None] - linear @ at], dim=2)


def inverse_depth_plane(track: Track) -> Tensor:
    """1 / z as a function of frame px, q_0 + q_x x + q_y y: float64 [T, 3] of (q_0, q_x, q_y)."""
    q_0 = track.inverse_depth - track.tilt[:, 0] * track.x - track.tilt[:, 1] * track.y
    return torch.cat([q_0[:, None], track.tilt], dim=1)


def planes_over_clip(
    textures: Sequence[Tensor], tracks: Sequence[Track], height: int, width: int
) -> tuple[Plane, ...]:
    """Place textures [4, h, w] on their tracks; disparity is min-max normalised over all of the clip.

    The extremes are those of the parts inside the frame: of each texture's visible hull, in every frame.

    Raises:
        ValueError: nothing is inside the frame, or everything visible has the same depth.
    """
    placements = [
        placement(track, *texture.shape[-2:]) for texture, track in zip(textures, tracks, strict=True)
    ]
    inverse_depths = [inverse_depth_plane(track) for track in tracks]
    low, high = float("inf"), -float("inf")
    for texture, place, inverse_depth in zip(textures, placements, inverse_depths, strict=True):
        hull = opaque_hull(texture)
        for frame in range(len(place)):
            inside = visible_hull(hull, place[frame].numpy(), height, width)
            if len(inside):
                values = inverse_depth[frame].numpy() @ np.stack([np.ones(len(inside)), *inside.T])
                low, high = min(low, float(values.min())), max(high, float(values.max()))
    if not low < high:
        raise ValueError("No two depths are visible in the clip, so that disparity cannot be normalised.")
    offset = torch.tensor([low, 0, 0], dtype=torch.float64)
    return tuple(
        Plane(texture, place, (inverse_depth - offset) / (high - low))
        for texture, place, inverse_depth in zip(textures, placements, inverse_depths, strict=True)
    )


def opaque_hull(texture: Tensor) -> np.ndarray:
    """Convex hull [N, 2] in texture px of where a texture [4, h, w] is not transparent when sampled."""
    points = cv2.findNonZero((texture[3] > TRANSPARENT).numpy().astype(np.uint8))
    if points is None:
        return np.zeros((0, 2))
    hull = cv2.convexHull(points)
    # Bilinear sampling sees a pixel up to one pixel away from its centre.
    around = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]], np.int32)
    return cv2.convexHull((hull + around).reshape(-1, 1, 2))[:, 0].astype(np.float64)


def visible_hull(hull: np.ndarray, place: np.ndarray, height: int, width: int) -> np.ndarray:
    """Corners [N, 2] in frame px of the part of a hull [M, 2] in texture px that lies inside the frame.

    Args:
        place: [2, 3], affine map from frame px to texture px.
    """
    polygon = list(np.linalg.solve(place[:, :2], (hull - place[:, 2]).T).T)
    # Sutherland-Hodgman: cut off what is beyond each side of the frame.
    for axis, limit, sign in ((0, 0, 1), (0, width - 1, -1), (1, 0, 1), (1, height - 1, -1)):
        cut = []
        for start, end in zip(polygon, polygon[1:] + polygon[:1], strict=True):
            before, after = sign * (start[axis] - limit), sign * (end[axis] - limit)
            if before >= 0:
                cut.append(start)
            if before * after < 0:
                cut.append(start + (end - start) * before / (before - after))
        polygon = cut
    return np.array(polygon).reshape(-1, 2)
