"""What each look of a lens costs Lens Blur, and that those that are off cost nothing, in one run.

Run from the repository's root: python -m bench.looks [--strength 48]
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

from bokeh_core.lens import LensSettings, lens_blur, through
from bokeh_core.lens.aperture import Aperture
from bokeh_core.lens.coverage import Shape, coverage_of
from bokeh_lab.looks import looks
from devtools.demo import BUNDLED_CLIP

from .lens import BUNDLED, Clip, read_clip

FOCUS = 0.3
PLAIN = "round and even"
BARE = "the same without the code of the looks"


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
    with patch.object(through, "lens_kernel", _disk_kernel_for):
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
    parser.add_argument("--rounds", type=int, default=3, help="the least of so many (default: 3)")
    parser.add_argument("--strength", type=float, default=16.0, help="K in px (default: 16)")
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    clip = read_clip(BUNDLED_CLIP, BUNDLED / "disparity", 1, FOCUS, chosen.strength)
    if not torch.equal(blur(clip, LensSettings()), blur_without_looks(clip)):
        raise SystemExit("Without the code of the looks the picture is another one.")
    ways: dict[str, Callable[[], Tensor]] = {
        BARE: partial(blur_without_looks, clip),
        **{name: partial(blur, clip, lens) for name, lens in looks().items()},
    }
    # The two that are to be told apart take turns more often.
    least = measured({name: ways[name] for name in (BARE, PLAIN)}, 4 * chosen.rounds)
    for name, seconds in measured(ways, chosen.rounds).items():
        least[name] = min(least.get(name, math.inf), seconds)
    print(f"1024 x 576, K = {chosen.strength:g} px, focus {FOCUS:g}\n")
    print("| | CPU s a frame | times |\n|---|---:|---:|")
    for name, seconds in least.items():
        print(f"| {name} | {seconds:.2f} | {seconds / least[PLAIN]:.3f} |")


if __name__ == "__main__":
    main()
