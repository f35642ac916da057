"""Launches, questions, uploads and memory of Lens Blur and Refine Disparity, by size and frames a pass.

Counted on a pretend accelerator (`tests/device/pretend.py`), whose tensors compute on the CPU: no card
is needed, and the numbers do not depend on the machine. All of it takes some minutes.

Run from the repository's root: python -m bench.lens_counts [--small]
"""

import argparse
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from bench.lens import BUNDLED, read_clip
from bokeh_core.disparity.refine import DisparityRefiner
from bokeh_core.lens import lens_blur
from bokeh_core.preview.focus_colours import focus_preview
from devtools.demo import BUNDLED_CLIP
from tests.device.pretend import Counts, PretendDevice

FOCUS = 0.1
# Width, height, K in px at 1024 px of width, frames a pass.
LENS = (
    (1024, 576, 16, 1),
    (1024, 576, 16, 4),
    (1024, 576, 16, 8),
    (1920, 1080, 16, 1),
    (1920, 1080, 40, 1),
    (3840, 2160, 40, 1),
)
SIZES = ((1024, 576), (1920, 1080), (3840, 2160))
SMALL_LENS, SMALL_SIZES = ((128, 72, 16, 2),), ((128, 72),)
# Frames after which Refine Disparity has as many in its window as ever.
SETTLED = 8


def clip(count: int, width: int, height: int) -> tuple[Tensor, Tensor]:
    """The bundled clip at a size: frames [T, H, W, 3] and disparity [T, H, W]."""
    found = read_clip(BUNDLED_CLIP, BUNDLED / "disparity", count, FOCUS, 16.0)
    frames = F.interpolate(found.frames.movedim(-1, 1), (height, width), mode="bilinear")
    maps = F.interpolate(found.disparity[:, None], (height, width), mode="bilinear")
    return frames.movedim(1, -1).contiguous(), maps[:, 0].contiguous()


def row(name: str, device: PretendDevice, pixels: int, frames: int, run: Callable[[], Any]) -> str:
    """Counts a frame of a run, and the most bytes on the device."""
    device.counts = Counts()
    device.storages.peak = device.storages.live
    run()
    counted = (device.counts.kernels, device.counts.questions, device.counts.uploads)
    cells = " | ".join(f"{counter.total() / frames:.4g}" for counter in counted)
    peak = device.storages.peak
    return f"| {name} | {cells} | {peak / 2**30:.2f} | {peak / (pixels * frames):.0f} |"


def rows(device: PretendDevice, small: bool) -> Iterator[str]:
    """Count one after another."""
    for width, height, strength, count in SMALL_LENS if small else LENS:
        frames, disparity = clip(count, width, height)
        focus, strength_px = torch.tensor([FOCUS]), torch.tensor([strength * width / 1024])
        yield row(
            f"Lens Blur, {width} x {height}, K {strength}, {count} a pass",
            device,
            width * height,
            count,
            partial(
                lens_blur, frames, disparity, focus, strength_px, device=device.device, frames_a_pass=count
            ),
        )
    for width, height in SMALL_SIZES if small else SIZES:
        frames, disparity = (values.to(device.device) for values in clip(SETTLED, width, height))
        refiner = DisparityRefiner()
        for frame, one in zip(frames[:-1], disparity[:-1], strict=True):
            refiner.add(frame, one)
        yield row(
            f"Refine Disparity, {width} x {height}",
            device,
            width * height,
            1,
            partial(refiner.add, frames[-1], disparity[-1]),
        )
        # All of them hold frames on the device.
        del frames, disparity, refiner, frame, one
    width, height = (SMALL_SIZES if small else SIZES)[0]
    frames, disparity = (values.to(device.device) for values in clip(1, width, height))
    yield row(
        f"Preview of the focus, {width} x {height}, which is drawn in main memory",
        device,
        width * height,
        1,
        lambda: focus_preview(frames, disparity, torch.tensor([FOCUS]), torch.tensor([16.0])),
    )


def main() -> None:
    """Count and print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--small", action="store_true", help="a small size only")
    chosen = parser.parse_args()
    print("| | kernels a frame | questions a frame | uploads a frame | GiB | bytes a pixel |")
    print("|---|---:|---:|---:|---:|---:|")
    with PretendDevice().in_use() as device:
        for line in rows(device, chosen.small):
            print(line, flush=True)


if __name__ == "__main__":
    main()
