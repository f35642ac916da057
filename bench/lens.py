"""Lens Blur on a CPU: seconds a frame over a clip, beside two ways without layers, in one run.

Run from the repository's root: python -m bench.lens [--frames FOLDER --disparity FOLDER]
                                python -m bench.lens --device cuda    (see `bench.lens_on_device`)
`pip install blurgenerator` first for its row.
"""

import argparse
import importlib.util
import math
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import av
import cv2
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from bench.lens_on_device import table
from bokeh_core.coc import circle_of_confusion_px
from bokeh_core.disparity.files import read_depth_maps
from bokeh_core.lens import DEFAULT_LENS, lens_blur
from bokeh_core.lens.frame_workers import render_frames
from devtools.demo import BUNDLED_CLIP

BUNDLED = Path(__file__).resolve().parents[1] / "assets" / "motorcycle"
WIDTH_PX, HEIGHT_PX = 1024, 576
GAMMA = DEFAULT_LENS.gamma
ROUNDS = 3
BUDGET_S = 150.0


@dataclass(frozen=True)
class Clip:
    """What is rendered: frames [T, H, W, 3], disparity [T, H, W], focus [1] and strength [1]."""

    frames: Tensor
    disparity: Tensor
    focal_disparity: Tensor
    blur_strength_px: Tensor

    def first(self, count: int) -> "Clip":
        """The first `count` frames."""
        return Clip(self.frames[:count], self.disparity[:count], self.focal_disparity, self.blur_strength_px)

    def frame(self, t: int) -> "Clip":
        """Frame `t` as a clip of its own."""
        return Clip(
            self.frames[t : t + 1], self.disparity[t : t + 1], self.focal_disparity, self.blur_strength_px
        )

    def radius_px(self) -> Tensor:
        """Blur radius K |d - d_f| in px, [T, H, W] (Eq. 1)."""
        count = len(self.frames)
        return circle_of_confusion_px(
            self.disparity, self.focal_disparity.expand(count), self.blur_strength_px.expand(count)
        )


def read_frames(path: Path, count: int) -> Tensor:
    """The first frames of a folder of pictures or a video, scaled to 1024 x 576, [T, H, W, 3] in [0, 1]."""
    if path.is_dir():
        files = sorted(file for file in path.iterdir() if file.suffix.lower() in (".png", ".jpg", ".jpeg"))
        pictures = [cv2.imread(str(file), cv2.IMREAD_COLOR) for file in files[:count]]
        images = [cv2.cvtColor(picture, cv2.COLOR_BGR2RGB) for picture in pictures if picture is not None]
    else:
        with av.open(str(path)) as container:
            decoded = zip(range(count), container.decode(video=0), strict=False)
            images = [frame.to_ndarray(format="rgb24") for _, frame in decoded]
    scaled = [cv2.resize(image, (WIDTH_PX, HEIGHT_PX), interpolation=cv2.INTER_CUBIC) for image in images]
    return torch.from_numpy(np.stack(scaled)).float() / 255


def read_clip(frames: Path, disparity: Path, count: int, focal_disparity: float, strength_px: float) -> Clip:
    """The first frames of a clip with their disparity, white = near."""
    pictures = read_frames(frames, count)
    maps = read_depth_maps(disparity).values[: len(pictures)]
    maps = F.interpolate(maps[:, None].float(), (HEIGHT_PX, WIDTH_PX), mode="bilinear", align_corners=False)
    return Clip(
        pictures, maps[:, 0].clamp(0, 1), torch.tensor([focal_disparity]), torch.tensor([strength_px])
    )


def blur(clip: Clip, workers: int) -> None:
    """Render the clip with Lens Blur on `workers` threads and drop the result."""
    lens_blur(clip.frames, clip.disparity, clip.focal_disparity, clip.blur_strength_px, workers=workers)


def gather(clip: Clip) -> None:
    """Every pixel becomes the mean of the disk of its own radius, tap by tap."""
    radius_px = clip.radius_px()[0]
    reach = math.ceil(float(radius_px.max()))
    light = F.pad(clip.frames[0].permute(2, 0, 1)[None] ** GAMMA, (reach,) * 4, mode="replicate")[0]
    total, weights = torch.zeros(3, HEIGHT_PX, WIDTH_PX), torch.zeros(HEIGHT_PX, WIDTH_PX)
    for y in range(-reach, reach + 1):
        for x in range(-reach, reach + 1):
            distance = math.hypot(x, y)
            if distance <= reach:
                weight = (radius_px - (distance - 0.5)).clamp_(0, 1)
                top, left = reach + y, reach + x
                total.addcmul_(light[:, top : top + HEIGHT_PX, left : left + WIDTH_PX], weight)
                weights += weight
    total.div_(weights.clamp_(min=1e-6)).pow_(1 / GAMMA)


def blurgenerator(clip: Clip) -> None:
    """The package's lens blur by depth, in ten layers up to the greatest radius of the frame."""
    package = importlib.import_module("blurgenerator")
    radius_px = clip.radius_px()[0]
    greatest = float(radius_px.max())
    depth = (radius_px / greatest * 255).round().to(torch.uint8)
    package.lens_blur_with_depth_map(
        (clip.frames[0] * 255).round().to(torch.uint8).numpy(),
        depth[..., None].repeat(1, 1, 3).numpy(),
        num_layers=10,
        min_blur=1,
        max_blur=max(2, round(greatest)),
    )


@dataclass
class Timing:
    """Least wall and CPU seconds a frame of several runs; CPU seconds of all threads together."""

    wall_s: float = math.inf
    cpu_s: float = math.inf

    def measure(self, render: Callable[[], None], num_frames: int) -> None:
        """Run `render` once more and keep the least seconds a frame."""
        wall_s, cpu_s = time.perf_counter(), time.process_time()
        render()
        self.wall_s = min(self.wall_s, (time.perf_counter() - wall_s) / num_frames)
        self.cpu_s = min(self.cpu_s, (time.process_time() - cpu_s) / num_frames)


def each_frame(clip: Clip, render: Callable[[Clip], None], workers: int) -> None:
    """Render a clip by the same frame workers as Lens Blur's, one thread each."""
    render_frames(lambda frames, _check: render(clip.frame(frames.start)), len(clip.frames), workers)


def measured(clip: Clip, workers: int) -> dict[str, Timing]:
    """Time every way in turn, several rounds, as long as the budget allows."""
    short = clip.first(workers)
    ways: dict[str, tuple[Callable[[], None], int]] = {
        f"Lens Blur, clip of {len(clip.frames)}": (lambda: blur(clip, workers), len(clip.frames)),
        "gather of the same radius": (lambda: each_frame(short, gather, workers), workers),
    }
    if importlib.util.find_spec("blurgenerator") is not None:
        ways["blurgenerator, 10 layers"] = (lambda: each_frame(short, blurgenerator, workers), workers)
    ways["Lens Blur, one frame alone on one thread"] = (lambda: blur(clip.frame(0), 1), 1)
    blur(clip.frame(0), 1)  # fills caches of kernels and of the libraries
    timings = {name: Timing() for name in ways}
    began = time.perf_counter()
    for done in range(1, ROUNDS + 1):
        for name, (render, num_frames) in ways.items():
            timings[name].measure(render, num_frames)
        if (time.perf_counter() - began) * (done + 1) / done > BUDGET_S:
            break
    return timings


def main() -> None:
    """Measure and print the table of seconds a frame."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--frames", type=Path, default=BUNDLED_CLIP, help="pictures or a video")
    parser.add_argument("--disparity", type=Path, default=BUNDLED / "disparity", help="maps, white = near")
    parser.add_argument("--count", type=int, default=8, help="frames of the clip")
    parser.add_argument("--focus", type=float, default=0.1, help="focal disparity in [0, 1]")
    parser.add_argument("--strength", type=float, default=16.0, help="K in px")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1, help="frames at a time")
    parser.add_argument("--device", help="seconds and memory there, by size, K and frames a pass")
    parser.add_argument("--small", action="store_true", help="with --device: one small size")
    chosen = parser.parse_args()
    if chosen.device:
        for line in table(torch.device(chosen.device), chosen.small):
            print(line, flush=True)
        return
    clip = read_clip(chosen.frames, chosen.disparity, chosen.count, chosen.focus, chosen.strength)
    torch.set_num_threads(1)  # for each worker; on a busy machine threads within a frame wait for each other
    timings = measured(clip, chosen.workers)
    ours = next(iter(timings.values()))
    load = f", load {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else ""
    print(
        f"{WIDTH_PX} x {HEIGHT_PX}, K = {chosen.strength:g} px, focus {chosen.focus:g}, radii up to "
        f"{float(clip.radius_px().max()):.1f} px, {chosen.workers} frame workers{load}\n"
    )
    print("| | s a frame | CPU s a frame | time over Lens Blur's | CPU time over Lens Blur's |")
    print("|---|---|---|---|---|")
    for name, timing in timings.items():
        print(
            f"| {name} | {timing.wall_s:.2f} | {timing.cpu_s:.2f} | {timing.wall_s / ours.wall_s:.1f} "
            f"| {timing.cpu_s / ours.cpu_s:.1f} |"
        )


if __name__ == "__main__":
    main()
