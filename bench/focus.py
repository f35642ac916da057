"""How well the focus finds and follows subjects, and how surely cuts are told, on synthetic clips with truth.

Run from the repository's root: python -m bench.focus            (about 10 minutes on one core)
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np
import torch
from torch import Tensor

from bokeh_core.focus.automatic import focus_on_subject
from bokeh_core.focus.boxes import Box
from bokeh_core.focus.track import SubjectTracker
from bokeh_core.focus.view import View, median_around, view_of
from bokeh_core.motion.cuts import shot_starts
from bokeh_core.motion.map_cuts import MapCutFinder
from bokeh_lab.ground_truth import IN_FOCUS_DISPARITY, layers_of
from bokeh_lab.raytrace import sharp_frame, visible_disparity
from bokeh_lab.scenes.presets import make_scene
from bokeh_lab.scenes.scene import Scene

SIZE = (270, 480)
FRAMES = 48
# A place is followed if it lies at least this far inside of what is seen of its subject.
INSIDE_PX = 4
# Of the disk that is measured.
RADIUS_PX = 4
# Farther off, a focus is wrong.
WITHIN = 0.02
# A subject has at least this share of the pixels that the largest one has.
LEAST_OF_LARGEST = 0.6


@dataclass(frozen=True)
class Clip:
    """A scene, frames [T, H, W, 3], maps [T, H, W], and what is seen of each plane, bool [T, P, H, W]."""

    scene: Scene
    frames: Tensor
    maps: Tensor
    seen: Tensor


def clip_of(preset: str, seed: int, num_frames: int, size: tuple[int, int]) -> Clip:
    """Draw a clip of the laboratory."""
    scene = make_scene(preset, seed, num_frames, *size)
    frames, maps, seen = [], [], torch.zeros(num_frames, len(scene.planes), *size, dtype=torch.bool)
    for t, layers in enumerate(layers_of(scene)):
        frames.append(sharp_frame(layers, 1.0).permute(1, 2, 0))
        maps.append(visible_disparity(layers).clamp(0, 1).float())
        passes = torch.ones(size)
        for alpha, plane in zip(layers.alpha, scene.order(t), strict=True):
            seen[t, plane] = alpha * passes > 0.5
            passes = passes * (1 - alpha)
    return Clip(scene, torch.stack(frames), torch.stack(maps), seen)


def worn(clip: Clip, seed: int) -> Clip:
    """The clip with grain, and a blur that comes and goes."""
    noise = torch.Generator().manual_seed(seed)
    frames = []
    for t, frame in enumerate(clip.frames):
        sigma = 1.5 + 2.5 * abs(np.sin(t / 9))
        blurred = torch.from_numpy(cv2.GaussianBlur(frame.numpy(), (0, 0), sigma))
        frames.append((blurred + 0.04 * torch.randn(frame.shape, generator=noise)).clamp(0, 1))
    return Clip(clip.scene, torch.stack(frames), clip.maps, clip.seen)


@dataclass(frozen=True)
class Followed:
    """A place of one object: (x, y) of it in px in each frame, whether it is seen, and its disparity."""

    places: list[tuple[float, float]]
    seen: list[bool]
    disparity: list[float]


def followed_places(clip: Clip) -> Iterator[Followed]:
    """The middle of what is seen of each object in the first frame, and where it goes."""
    height, width = clip.maps.shape[1:]
    for index, plane in enumerate(clip.scene.planes[:-1]):
        kernel = np.ones((2 * INSIDE_PX + 1,) * 2, np.uint8)
        inner = torch.from_numpy(cv2.erode(clip.seen[0, index].numpy().astype(np.uint8), kernel)).bool()
        rows = inner.nonzero().float()
        if not len(rows):
            continue
        row, column = rows[(rows - rows.mean(0)).square().sum(1).argmin()].long().tolist()
        on_plane = plane.placement[0].double() @ torch.tensor([column, row, 1.0], dtype=torch.float64)
        places, seen, disparity = [], [], []
        for t in range(len(clip.maps)):
            placement = plane.placement[t].double()
            at = torch.linalg.solve(placement[:, :2], on_plane - placement[:, 2])
            x, y = (round(value) for value in at.tolist())
            places.append((at[0].item(), at[1].item()))
            seen.append(0 <= x < width and 0 <= y < height and bool(clip.seen[t, index, y, x]))
            one_xy = torch.tensor([1.0, *at.tolist()], dtype=torch.float64)
            disparity.append(float(plane.disparity[t].double() @ one_xy))
        yield Followed(places, seen, disparity)


def errors_of_track(views: list[View], place: Followed, decided: Sequence[int]) -> dict[int, float]:
    """Errors of the focal disparity by frame, tracked from the true place at each decision."""
    height, width = views[0].grey.shape
    errors = {}
    for begin, end in pairwise([*decided, len(views)]):
        x, y = (round(value) for value in place.places[begin])
        tracker = SubjectTracker(views[begin], (x + 0.5) / width, (y + 0.5) / height, RADIUS_PX / width)
        held = tracker.here.focal_disparity
        for t in range(begin, end):
            found = held if t == begin else tracker.step(views[t]).focal_disparity
            held = found if found == found else held
            if place.seen[t]:
                errors[t] = abs(held - place.disparity[t])
    return errors


def corrected(views: list[View], place: Followed, corrections: int) -> dict[int, float]:
    """Errors once somebody has clicked, so many times, in the first frame that is off."""
    decided = [0]
    errors = errors_of_track(views, place, decided)
    for _ in range(corrections):
        off = [t for t, error in errors.items() if error > WITHIN and t not in decided]
        if not off:
            break
        decided = sorted([*decided, off[0]])
        errors = errors_of_track(views, place, decided)
    return errors


def table_of_tracks() -> None:
    """Print how near to the truth the focus of a tracked subject is."""
    ways: dict[str, Callable[[Clip, list[View], Followed], Iterable[float]]] = {
        "still point": lambda clip, views, place: [
            abs(median_around(views[t].disparity, np.array(place.places[0], np.float32), 0.5) - truth)
            for t, truth in enumerate(place.disparity)
            if place.seen[t]
        ],
        "tracked": lambda clip, views, place: errors_of_track(views, place, [0]).values(),
        "two corrections": lambda clip, views, place: corrected(views, place, 2).values(),
        "true motion": lambda clip, views, place: [
            abs(median_around(views[t].disparity, np.array(place.places[t], np.float32), RADIUS_PX) - truth)
            for t, truth in enumerate(place.disparity)
            if place.seen[t]
        ],
    }
    print("| clips | frames | " + " | ".join(ways) + " |\n|---|---|" + "---|" * len(ways))
    clean: Callable[[Clip, int], Clip] = lambda clip, seed: clip  # noqa: E731
    for preset, seeds in (("paper", range(12)), *(("hard", range(n, n + 8)) for n in (0, 8, 16))):
        for name, change in (("", clean), (", grain and blur", worn)):
            errors: dict[str, list[float]] = {way: [] for way in ways}
            for seed in seeds:
                clip = change(clip_of(preset, seed, FRAMES, SIZE), seed)
                views = [view_of(frame, one) for frame, one in zip(clip.frames, clip.maps, strict=True)]
                for place in followed_places(clip):
                    for way, measure in ways.items():
                        errors[way] += measure(clip, views, place)
            cells = [
                f"{(torch.tensor(e) <= WITHIN).float().mean():.1%}, {np.mean(e):.4f}" for e in errors.values()
            ]
            count = len(errors["tracked"])
            which = f"`{preset}` {seeds.start} to {seeds.stop - 1}"
            print(f"| {which}{name} | {count} | {' | '.join(cells)} |", flush=True)


def box_around(seen: Tensor) -> list[Box]:
    """What a detector would say of an object that is seen at [H, W]."""
    rows, columns = seen.nonzero(as_tuple=True)
    if not len(rows):
        return []
    (top, bottom), (left, right) = ((at.min().item(), at.max().item() + 1) for at in (rows, columns))
    height, width = seen.shape
    return [
        Box(
            (left + right) / 2 / width,
            (top + bottom) / 2 / height,
            (right - left) / width,
            (bottom - top) / height,
        )
    ]


def table_of_automatic() -> None:
    """Print how often what is chosen automatically is in focus, on 20 clips of `paper`."""
    rows = []
    for seed in range(20):
        clip = clip_of("paper", seed, 24, (180, 320))
        focal = focus_on_subject(clip.maps, clip.frames)[0].focal_disparity
        area = clip.seen[:, :-1].sum((0, 2, 3))
        near_enough = (area >= LEAST_OF_LARGEST * area.max()).nonzero()[:, 0].tolist()
        disparity = {
            p: torch.stack([m[s[p]].median() if s[p].any() else m.new_tensor(9.0) for m, s in pairs])
            for pairs in [list(zip(clip.maps, clip.seen, strict=True))]
            for p in range(len(area))
        }
        sharp = {p: ((focal - d).abs() <= IN_FOCUS_DISPARITY).float() for p, d in disparity.items()}
        nearest = max(near_enough, key=lambda p: disparity[p].median().item())
        largest = int(area.argmax())
        on_any = torch.stack(list(sharp.values())).amax(0)
        boxes = [box_around(seen) for seen in clip.seen[:, largest]]
        boxed = focus_on_subject(clip.maps, clip.frames, boxes=boxes)[0].focal_disparity
        on_boxed = ((boxed - disparity[largest]).abs() <= IN_FOCUS_DISPARITY).float()
        rows.append([on_any.mean(), sharp[nearest].mean(), sharp[largest].mean(), on_boxed.mean()])
    shares = torch.tensor(rows).mean(0).tolist()
    names = (
        "some object",
        "the nearest of the large ones",
        "the largest",
        "the largest, with a box around it",
    )
    print(
        "\n"
        + "\n".join(f"In focus: {n} in {s:.0%} of the frames" for n, s in zip(names, shares, strict=True))
    )


def table_of_cuts() -> None:
    """Print how many cuts between shots of the laboratory are found, and how many are false."""
    draws = random.Random(0)
    shots = [clip_of(p, s, 16, (180, 320)) for p, n in (("paper", 12), ("hard", 6)) for s in range(n)]
    counts = {"pictures": [0, 0], "maps": [0, 0]}
    total = 0
    for _ in range(60):
        parts = [(draws.choice(shots), draws.randint(4, 12)) for _ in range(4)]
        if any(one[0] is other[0] for one, other in pairwise(parts)):
            continue
        true = set(np.cumsum([length for _, length in parts])[:-1].tolist())
        total += len(true)
        finder = MapCutFinder()
        for frame_map in torch.cat([clip.maps[:length] for clip, length in parts]):
            finder.add(frame_map)
        pictures = torch.cat([clip.frames[:length] for clip, length in parts])
        for name, found in (("pictures", shot_starts(pictures)), ("maps", finder.starts())):
            counts[name][0] += len(true & set(found))
            counts[name][1] += len(set(found) - true - {0})
    for name, (hit, false) in counts.items():
        print(f"Cuts told from {name}: {hit} of {total} found, {false} false")


if __name__ == "__main__":
    torch.set_num_threads(1)
    table_of_tracks()
    table_of_automatic()
    table_of_cuts()
