"""Draws the planes of a synthetic scene: sizes, depths and tracks that keep every plane apart in depth."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from bokeh_core.reference_width import in_frame_px

from .cutouts import draw_background, draw_library_cutout, draw_matte, sprinkle
from .draws import Draws
from .library import AssetLibrary
from .placement import planes_over_clip
from .scene import Plane
from .trajectories import (
    AUTHORS_STEP_PX,
    Track,
    random_walk,
    scale_with_depth,
    smooth_path,
    tilt_towards,
)

_DEPTHS = (1.0, 7 / 3, 11 / 3, 5.0)  # linspace(1, 5, 4)
_DEPTH_JITTER = 0.25
_BACKGROUND_DEPTH = (100.0, 200.0)
_SIZE = (0.5, 0.8)
_ROTATION = math.radians(10)
# Shares of half the gap to the next depth: together below 1, so that no two planes can meet.
_MOTION_SHARE = 0.5
_TILT_SHARE = 0.3
# How far 1 / z of the nearest object may rise, which has nothing in front of it.
_FREE_RISE = 0.35
_GROUND_SHARE = 0.8


@dataclass(frozen=True)
class SceneDistribution:
    """What a preset draws from.

    Attributes:
        cutouts, backgrounds: kinds and their probabilities.
        objects: fewest and most cut-outs.
        slanted_background: probability of a ground or wall that comes near.
        highlights: probability of specular highlights on the background; half of it on each object.
        travel: of the objects, in fractions of the frame's width.
        period_frames: of their movements.
        spread: of the objects' places, 1 = over the whole frame.
        authors_motion: a random walk, and depths drawn anew for every frame.
    """

    cutouts: dict[str, float]
    backgrounds: dict[str, float]
    objects: tuple[int, int]
    slanted_background: float
    highlights: float
    travel: float
    period_frames: tuple[float, float]
    spread: float
    authors_motion: bool = False


class PlaneMaker:
    """Draws the planes of one scene; every part has a stream of random numbers of its own."""

    def __init__(
        self,
        distribution: SceneDistribution,
        names: tuple[str, int],
        num_frames: int,
        height: int,
        width: int,
        library: AssetLibrary,
    ) -> None:
        self.distribution = distribution
        self.names = names
        self.num_frames = num_frames
        self.height = height
        self.width = width
        self.library = library

    def draws(self, *part: object) -> Draws:
        """The random numbers of a named part of the scene; other parts do not move them."""
        return Draws.named(*self.names, *part)

    def planes(self) -> tuple[Plane, ...]:
        """Foregrounds, nearest first, then the background."""
        draws = self.draws("layout")
        slanted = draws.chance(self.distribution.slanted_background)
        # A ground that comes near leaves room for near objects only.
        fewest, most = self.distribution.objects
        count = draws.integer(min(fewest, 2), 2) if slanted else draws.integer(fewest, most)
        chosen = sorted(draws.order(2 if slanted else 4)[:count])
        jitter = 2 * draws.numbers(4) - 1
        inverse_depths = [1 / (_DEPTHS[i] + _DEPTH_JITTER * float(jitter[i])) for i in chosen]
        far = 1 / _BACKGROUND_DEPTH[0]
        if slanted:
            far = _GROUND_SHARE * inverse_depths[-1] * draws.uniform(0.55, 1.0)
        places = self._places(draws, count)
        textures, tracks = [], []
        for i, inverse_depth in enumerate(inverse_depths):
            room = _room(inverse_depths, i, far)
            texture, track = self._foreground(i, _DEPTHS[chosen[i]], inverse_depth, room, places[i])
            textures.append(texture)
            tracks.append(track)
        texture, track = self._background(far if slanted else None)
        return planes_over_clip([*textures, texture], [*tracks, track], self.height, self.width)

    def _places(self, draws: Draws, count: int) -> list[tuple[float, float]]:
        """Middles of the foregrounds in fractions of the frame, side by side as far as `spread` goes."""
        spread = self.distribution.spread
        order = draws.order(count)
        places = []
        for slot in order:
            across = (slot + draws.uniform(0.15, 0.85)) / count if count > 1 else draws.uniform(0.25, 0.75)
            places.append((0.5 + spread * (across - 0.5), 0.5 + spread * draws.uniform(-0.2, 0.2)))
        return places

    def _foreground(
        self, index: int, depth: float, inverse_depth: float, room: float, place: tuple[float, float]
    ) -> tuple[Tensor, Track]:
        draws = self.draws("object", index)
        size = draws.uniform(*_SIZE)
        kind = _drawn(self.distribution.cutouts, draws)
        rise = 0.0 if self.distribution.authors_motion else _MOTION_SHARE * room
        nearest = inverse_depth + rise
        box = (size * self.height * nearest / inverse_depth, size * self.width * nearest / inverse_depth)
        if kind == "library":
            texture = draw_library_cutout(self.library, draws, *box)
        else:
            texture = draw_matte(kind, draws, *box)
        if draws.chance(0.5 * self.distribution.highlights):
            texture = sprinkle(texture, draws, 400)
        motion = self.draws("motion", index)
        if self.distribution.authors_motion:
            return texture, self._walking(motion, depth, place)
        return texture, self._smooth(motion, texture, inverse_depth, room, place)

    def _smooth(
        self, draws: Draws, texture: Tensor, inverse_depth: float, room: float, place: tuple[float, float]
    ) -> Track:
        travel = self.distribution.travel * self.width
        x, y = (
            smooth_path(
                draws,
                self.num_frames,
                middle=fraction * extent - 0.5,
                amplitude=travel * draws.uniform(0.3, 1.0),
                period_frames=self.distribution.period_frames,
            )
            for fraction, extent in zip(place, (self.width, self.height), strict=True)
        )
        rise = _MOTION_SHARE * room
        depths = smooth_path(
            draws,
            self.num_frames,
            middle=inverse_depth,
            amplitude=rise * draws.uniform(0.4, 1.0),
            period_frames=self.distribution.period_frames,
        )
        rotation = smooth_path(
            draws,
            self.num_frames,
            middle=draws.uniform(-_ROTATION, _ROTATION),
            amplitude=math.radians(draws.uniform(0, 5)),
            period_frames=self.distribution.period_frames,
        )
        scale = scale_with_depth(depths, inverse_depth + rise)
        deviation = _TILT_SHARE * room * draws.uniform(0.3, 1.0) if draws.chance(0.6) else 0.0
        direction = smooth_path(
            draws,
            self.num_frames,
            middle=draws.uniform(0, 2 * math.pi),
            amplitude=0.4,
            period_frames=self.distribution.period_frames,
        )
        reach = scale * math.hypot(*texture.shape[-2:]) / 2
        tilt = tilt_towards(direction, deviation, depths, reach, inverse_depth)
        return Track(x, y, depths, tilt, rotation, scale)

    def _walking(self, draws: Draws, depth: float, place: tuple[float, float]) -> Track:
        step = in_frame_px(AUTHORS_STEP_PX, self.width)
        x, y = (
            random_walk(draws, self.num_frames, start=fraction * extent - 0.5, step=step)
            for fraction, extent in zip(place, (self.width, self.height), strict=True)
        )
        depths = depth + _DEPTH_JITTER * (2 * draws.numbers(self.num_frames) - 1)
        rotation = torch.full_like(x, draws.uniform(-_ROTATION, _ROTATION))
        return Track(x, y, 1 / depths, torch.zeros(self.num_frames, 2).double(), rotation, torch.ones_like(x))

    def _background(self, nearest_ground: float | None) -> tuple[Tensor, Track]:
        """A texture larger than the frame, and a camera that never shows its border."""
        draws = self.draws("camera")
        authors = self.distribution.authors_motion
        track = self._still(draws) if authors else self._panned(draws, nearest_ground)
        height, width = _covering_size(track, self.height, self.width)
        look = self.draws("background")
        kind = _drawn(self.distribution.backgrounds, look)
        picture = draw_background(self.library, look, kind, height, width)
        if look.chance(self.distribution.highlights):
            picture = sprinkle(picture, look, 150)
        return torch.cat([picture, torch.ones(1, height, width)]), track

    def _still(self, draws: Draws) -> Track:
        ones = torch.ones(self.num_frames, dtype=torch.float64)
        low, high = _BACKGROUND_DEPTH
        depths = low + (high - low) * draws.numbers(self.num_frames)
        x, y = (ones * (extent - 1) / 2 for extent in (self.width, self.height))
        return Track(x, y, 1 / depths, torch.zeros(self.num_frames, 2).double(), 0 * ones, ones)

    def _panned(self, draws: Draws, nearest_ground: float | None) -> Track:
        def path(middle: float, amplitude: float) -> Tensor:
            return smooth_path(
                draws, self.num_frames, middle=middle, amplitude=amplitude, period_frames=(40, 100)
            )

        x = path((self.width - 1) / 2, 0.035 * self.width * draws.uniform(0.2, 1))
        y = path((self.height - 1) / 2, 0.02 * self.width * draws.uniform(0.2, 1))
        rotation = path(0.0, math.radians(draws.uniform(0, 0.8)))
        zoom = path(1.0, draws.uniform(0, 0.03))
        low, high = _BACKGROUND_DEPTH
        farthest = 1 / draws.uniform(low * 1.05, high * 0.95)
        if nearest_ground is None:
            # The zoom is a movement along z: size and 1 / z change together.
            return Track(x, y, farthest * zoom, torch.zeros(self.num_frames, 2).double(), rotation, zoom)
        downwards = math.pi / 2 + draws.uniform(-0.15, 0.15)
        sideways = draws.choice((0.0, math.pi)) + draws.uniform(-0.3, 0.3)
        towards = torch.full_like(x, downwards if draws.chance(0.6) else sideways)
        direction = torch.stack([towards.cos(), towards.sin()], dim=1)
        # From corner to corner of the frame, 1 / z goes from the farthest to the nearest.
        half = torch.tensor([self.width - 1, self.height - 1], dtype=torch.float64) / 2
        reach = (direction.abs() * half).sum(1)
        nearest = nearest_ground * path(0.92, 0.08)
        tilt = ((nearest - farthest) / (2 * reach))[:, None] * direction
        middle_of_frame = (nearest + farthest) / 2
        offset = torch.stack([x, y], 1) - half
        return Track(x, y, middle_of_frame + (tilt * offset).sum(1), tilt, rotation, zoom)


def _room(inverse_depths: Sequence[float], index: int, far: float) -> float:
    """Half the distance in 1 / z to the nearest neighbour in depth: what an object has for itself."""
    own = inverse_depths[index]
    behind = inverse_depths[index + 1] if index + 1 < len(inverse_depths) else far
    before = inverse_depths[index - 1] if index > 0 else own + 2 * _FREE_RISE * own
    return min(own - behind, before - own) / 2


def _covering_size(track: Track, height: int, width: int) -> tuple[int, int]:
    """Height and width in px of the smallest texture that covers the frame in every frame of a track."""
    half_x = (width - 1) / 2 + (track.x - (width - 1) / 2).abs()
    half_y = (height - 1) / 2 + (track.y - (height - 1) / 2).abs()
    cos, sin = track.rotation.cos().abs(), track.rotation.sin().abs()
    reach_x = float(((half_x * cos + half_y * sin) / track.scale).max())
    reach_y = float(((half_x * sin + half_y * cos) / track.scale).max())
    # One pixel more on every side: bilinear sampling mixes with the outside beyond the last centre.
    return 2 * math.ceil(reach_y) + 3, 2 * math.ceil(reach_x) + 3


def _drawn(probabilities: dict[str, float], draws: Draws) -> str:
    level = draws.uniform(0, sum(probabilities.values()))
    for name, probability in probabilities.items():
        level -= probability
        if level < 0:
            return name
    return name
