"""What each look of a lens costs Lens Blur, and that those that are off cost nothing, in one run.

Run from the repository's root: python -m bench.looks [--rounds 5]
Seconds are processor time on one thread, the least of several rounds in turn, so that a busy machine changes
them little. The row without the code of the looks makes kernels of a round and even opening and nothing else.
"""

import argparse
import math
import time
from collections.abc import Callable
from functools import lru_cache, partial
from unittest.mock import patch

import numpy as np
import torch
from torch import Tensor

from bokeh_core.lens import LensSettings, lens_blur, render
from bokeh_core.lens.aperture import KERNELS, Aperture
from bokeh_core.lens.coverage import Shape, coverage_of
from bokeh_lab.looks import looks
from devtools.demo import BUNDLED_CLIP

from .lens import BUNDLED, Clip, read_clip

STRENGTHS_PX = (16.0, 48.0)
FOCUS = 0.3
PLAIN = "round and even"


@lru_cache(maxsize=4096)
def _disk_kernel(radius_px: float) -> np.ndarray:
    """Image of a point through a round and even opening, normalised to a sum of 1."""
    size_px = abs(radius_px)
    if size_px < 0.5:
        return np.ones((1, 1), np.float32)
    disk = Shape(lambda x, y: 1 - np.hypot(x, y))
    coverage = coverage_of([disk], math.ceil(size_px - 0.5), (size_px, size_px))
    return (coverage / coverage.sum()).astype(np.float32)


def _disk_kernel_for(_aperture: Aperture, radius_px: float) -> np.ndarray:
    return _disk_kernel(radius_px)


def blur(clip: Clip, lens: LensSettings) -> Tensor:
    """One frame through a lens."""
    return lens_blur(
        clip.frames,
        clip.disparity,
        clip.focal_disparity,
        clip.blur_strength_px,
        lens.at_width(clip.frames.shape[2]),
        workers=1,
    )


def blur_without_looks(clip: Clip) -> Tensor:
    """The same frame, where no code of any look runs."""
    with patch.object(render, "lens_kernel", _disk_kernel_for):
        return blur(clip, LensSettings())


def measured(ways: dict[str, Callable[[], Tensor]], rounds: int) -> dict[str, float]:
    """Least processor seconds of each way, several rounds in turn."""
    least = dict.fromkeys(ways, math.inf)
    for way in ways.values():
        way()  # fills caches of kernels and of the libraries
    for _ in range(rounds):
        for name, way in ways.items():
            began = time.process_time()
            way()
            least[name] = min(least[name], time.process_time() - began)
    return least


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=5, help="the least of so many (default: 5)")
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    columns = []
    for strength_px in STRENGTHS_PX:
        clip = read_clip(BUNDLED_CLIP, BUNDLED / "disparity", 1, FOCUS, strength_px)
        # Kernels that are kept count for a clip of many frames; made anew they would count for one.
        KERNELS.clear()
        if not torch.equal(blur(clip, LensSettings()), blur_without_looks(clip)):
            raise SystemExit("Without the code of the looks the picture is another one.")
        ways: dict[str, Callable[[], Tensor]] = {
            "without the code of the looks": partial(blur_without_looks, clip),
            **{name: partial(blur, clip, lens) for name, lens in looks().items()},
        }
        # The two that are to be told apart take turns more often.
        pair = {name: ways[name] for name in ("without the code of the looks", PLAIN)}
        found = measured(ways, max(1, chosen.rounds // 2))
        for name, seconds in measured(pair, 3 * chosen.rounds).items():
            found[name] = min(found[name], seconds)
        columns.append(found)
    heads = " | ".join(f"K = {strength_px:g} px: s | times {PLAIN}" for strength_px in STRENGTHS_PX)
    print(f"| | {heads} |\n|---|" + "---:|" * (2 * len(columns)))
    for name in columns[0]:
        cells = (f"{found[name]:.2f} | {found[name] / found[PLAIN]:.3f}" for found in columns)
        print(f"| {name} | {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
