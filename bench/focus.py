"""How well the focus finds and follows subjects, and how surely cuts are told, on synthetic clips with truth.

Run from the repository's root: python -m bench.focus            (about 5 minutes on one core)
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np
import torch
from torch import Tensor

from bokeh_core.focus.automatic import focus_on_subject
from bokeh_core.focus.track import SubjectTracker
from bokeh_core.focus.view import view_of
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


def errors_of_tracks(clip: Clip) -> Iterator[tuple[float, float]]:
    """Errors of the focal disparity, tracked and of a still point, where the followed place is seen."""
    height, width = clip.maps.shape[1:]
    for index, plane in enumerate(clip.scene.planes[:-1]):
        kernel = np.ones((2 * INSIDE_PX + 1,) * 2, np.uint8)
        inner = torch.from_numpy(cv2.erode(clip.seen[0, index].numpy().astype(np.uint8), kernel)).bool()
        places = inner.nonzero().float()
        if not len(places):
            continue
        row, column = places[(places - places.mean(0)).square().sum(1).argmin()].long().tolist()
        on_plane = plane.placement[0].double() @ torch.tensor([column, row, 1.0], dtype=torch.float64)
        views = [view_of(frame, frame_map) for frame, frame_map in zip(clip.frames, clip.maps, strict=True)]
        tracker = SubjectTracker(views[0], (column + 0.5) / width, (row + 0.5) / height, 4 / width)
        held = tracker.here.focal_disparity
        for t, view in enumerate(views):
            found = held if t == 0 else tracker.step(view).focal_disparity
            held = found if found == found else held
            placement = plane.placement[t].double()
            at = torch.linalg.solve(placement[:, :2], on_plane - placement[:, 2])
            x, y = (round(value) for value in at.tolist())
            if 0 <= x < width and 0 <= y < height and clip.seen[t, index, y, x]:
                one_xy = torch.tensor([1.0, *at.tolist()], dtype=torch.float64)
                truth = float(plane.disparity[t].double() @ one_xy)
                yield abs(held - truth), abs(clip.maps[t, row, column].item() - truth)


def table_of_tracks() -> None:
    """Print how near to the truth the focus of a tracked subject is."""
    print("| clips | frames | tracked, within 0.02 | mean error | still point, within 0.02 | mean error |")
    print("|---|---|---|---|---|---|")
    clean: Callable[[Clip, int], Clip] = lambda clip, seed: clip  # noqa: E731
    for preset, seeds in (("paper", 12), ("hard", 8)):
        for name, change in (("", clean), (", grain and blur", worn)):
            errors: list[tuple[float, float]] = []
            for seed in range(seeds):
                errors += errors_of_tracks(change(clip_of(preset, seed, FRAMES, SIZE), seed))
            both = torch.tensor(errors)
            cells = [f"{(e <= 0.02).float().mean():.1%} | {e.mean():.4f}" for e in both.unbind(1)]
            print(f"| {seeds} of `{preset}`{name} | {len(both)} | {' | '.join(cells)} |", flush=True)


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
        rows.append([on_any.mean(), sharp[nearest].mean(), sharp[largest].mean()])
    shares = torch.tensor(rows).mean(0).tolist()
    names = ("some object", "the nearest of the large ones", "the largest")
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
