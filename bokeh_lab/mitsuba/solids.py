"""Solid things as triangles: sheets, tubes, blades and bodies, with a picture on each.

Coordinates are those of the camera at rest: x to the right, y downwards, z into the picture; the unit is
free. Pictures are placed by (u, v) in [0, 1], v downwards.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from torch import Tensor

Place = Sequence[float] | np.ndarray
"""(x, y, z)."""


@dataclass(frozen=True)
class Solid:
    """Triangles that shine with a picture, whatever light falls on them.

    Attributes:
        points: float32 [N, 3].
        places: float32 [N, 2], where in the picture each point lies.
        faces: uint32 [M, 3]; each shines to the side of the camera.
        picture: [3, h, w] display values in [0, 1].
        roughness: of lacquer that mirrors panels and other solids, > 0; None = it mirrors nothing.
    """

    points: np.ndarray
    places: np.ndarray
    faces: np.ndarray
    picture: Tensor
    roughness: float | None = None


@dataclass(frozen=True)
class Panel:
    """A square light beside the frame, to be seen in what mirrors it; it shines to one side.

    Attributes:
        middle: its place.
        target: the place that it faces.
        side: its length, in the unit of the scene.
        light: linear, 1 = white.
    """

    middle: tuple[float, float, float]
    target: tuple[float, float, float]
    side: float
    light: float


@dataclass(frozen=True)
class Lamp:
    """A small sphere that shines, brighter than white where `light` is above 1.

    Attributes:
        middle: its place.
        radius: in the unit of the scene.
        light: linear RGB.
    """

    middle: tuple[float, float, float]
    radius: float
    light: tuple[float, float, float]


def grid(corner_points: np.ndarray, picture: Tensor) -> Solid:
    """A surface through points [rows, columns, 3]; the picture covers it once."""
    rows, columns = corner_points.shape[:2]
    v, u = np.meshgrid(np.linspace(0, 1, rows), np.linspace(0, 1, columns), indexing="ij")
    index = np.arange(rows * columns).reshape(rows, columns)
    first = np.stack([index[:-1, :-1], index[:-1, 1:], index[1:, 1:]], -1).reshape(-1, 3)
    second = np.stack([index[:-1, :-1], index[1:, 1:], index[1:, :-1]], -1).reshape(-1, 3)
    return _facing_camera(
        corner_points.reshape(-1, 3),
        np.stack([u, v], -1).reshape(-1, 2),
        np.concatenate([first, second]),
        picture,
    )


def sheet(corner: Place, across: Place, down: Place, picture: Tensor) -> Solid:
    """A parallelogram from its upper left corner."""
    origin, x, y = (np.asarray(part, np.float64) for part in (corner, across, down))
    return grid(np.stack([[origin, origin + x], [origin + y, origin + x + y]]), picture)


def tube(path: np.ndarray, radii: np.ndarray, picture: Tensor, *, sides: int = 12) -> Solid:
    """A round body along a path [N, 3] with radii [N]; the picture's rows go along it, columns around."""
    along = np.gradient(path, axis=0)
    along /= np.linalg.norm(along, axis=1, keepdims=True)
    # Any direction that is not that of the path.
    other = np.where(np.abs(along[:, 2:]) > 0.9, [[1.0, 0.0, 0.0]], [[0.0, 0.0, 1.0]])
    first = np.cross(along, other)
    first /= np.linalg.norm(first, axis=1, keepdims=True)
    second = np.cross(along, first)
    angle = np.linspace(0, 2 * np.pi, sides + 1)[None, :, None]
    rim = np.cos(angle) * first[:, None] + np.sin(angle) * second[:, None]
    return grid(path[:, None] + radii[:, None, None] * rim, picture)


def ball(middle: Place, radius: float, picture: Tensor, *, steps: int = 48) -> Solid:
    """A sphere; the picture's upper border is drawn together at its top."""
    latitude = np.linspace(0, np.pi, steps + 1)[:, None]
    longitude = np.linspace(0, 2 * np.pi, 2 * steps + 1)[None]
    unit = np.stack(
        [
            np.sin(latitude) * np.sin(longitude),
            np.broadcast_to(-np.cos(latitude), (steps + 1, 2 * steps + 1)),
            np.sin(latitude) * np.cos(longitude),
        ],
        -1,
    )
    return grid(np.asarray(middle, np.float64) + radius * unit, picture)


def blade(path: np.ndarray, widths: np.ndarray, picture: Tensor) -> Solid:
    """A flat strip along a path [N, 3] that is `widths` [N] wide, turned to the camera."""
    along = np.gradient(path, axis=0)
    across = np.cross(along, path)
    across /= np.maximum(np.linalg.norm(across, axis=1, keepdims=True), 1e-9)
    half = across * widths[:, None] / 2
    return grid(np.stack([path - half, path + half], 1), picture)


def box(low: Place, high: Place, picture: Tensor) -> list[Solid]:
    """The faces of a box that can be seen from the origin."""
    (x0, y0, z0), (x1, y1, z1) = low, high
    width, height, depth = x1 - x0, y1 - y0, z1 - z0
    faces = [sheet((x0, y0, z0), (width, 0, 0), (0, height, 0), picture)]
    if x0 > 0:
        faces.append(sheet((x0, y0, z1), (0, 0, -depth), (0, height, 0), picture))
    if x1 < 0:
        faces.append(sheet((x1, y0, z0), (0, 0, depth), (0, height, 0), picture))
    if y0 > 0:
        faces.append(sheet((x0, y0, z1), (width, 0, 0), (0, 0, -depth), picture))
    return faces


def together(solids: Sequence[Solid]) -> Solid:
    """Several solids that bear the same picture as one."""
    starts = np.cumsum([0, *(len(solid.points) for solid in solids[:-1])])
    return Solid(
        np.concatenate([solid.points for solid in solids]),
        np.concatenate([solid.places for solid in solids]),
        np.concatenate([solid.faces + np.uint32(start) for solid, start in zip(solids, starts, strict=True)]),
        solids[0].picture,
    )


def _facing_camera(points: np.ndarray, places: np.ndarray, faces: np.ndarray, picture: Tensor) -> Solid:
    corners = points[faces]
    normal = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    # A point of no area, as at the pole of a ball, may have any.
    away = (normal * corners.mean(axis=1)).sum(axis=1) > 0
    faces = np.where(away[:, None], faces[:, ::-1], faces)
    return Solid(points.astype(np.float32), places.astype(np.float32), faces.astype(np.uint32), picture)
