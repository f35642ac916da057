"""Lens Blur on a GPU: seconds a frame and peak memory by size, strength and frames a pass, in one run.

Run from the repository's root: python -m bench.lens --device cuda    (about 3 minutes)
                                python -m bench.lens --device cpu --small
"""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from bench.device import device_name, forget_peak, peak_bytes
from bench.live_bytes import LiveBytes
from bokeh_core.lens import lens_blur

# Width and height in px, and what a second is to bring on a card of the H100's class.
SIZES = ((1024, 576), (1920, 1080), (3840, 2160))
SMALL_SIZES = ((96, 54),)
GOAL_FRAMES_A_SECOND = {(1024, 576): 24.0, (3840, 2160): 8.0}
STRENGTHS = (16.0, 40.0)
PASSES = (1, 4, 8)
BUDGET_S = 150.0
TIMED_FRAMES = 8


@dataclass(frozen=True)
class Row:
    """One measurement, or the reason why there is none."""

    size: tuple[int, int]
    strength_px: float
    frames_a_pass: int | None
    seconds_a_frame: float = 0.0
    peak_bytes: int = 0
    told: str = ""

    def __str__(self) -> str:
        """Return the row of the table."""
        width, height = self.size
        passes = "chosen" if self.frames_a_pass is None else str(self.frames_a_pass)
        start = f"| {width} x {height} | {self.strength_px:g} | {passes} |"
        if self.told:
            return f"{start} {self.told} | | | |"
        a_second = 1 / self.seconds_a_frame
        goal = GOAL_FRAMES_A_SECOND.get(self.size)
        share = f"{a_second / goal:.2f}" if goal and self.strength_px == STRENGTHS[0] else ""
        return (
            f"{start} {self.seconds_a_frame:.4f} | {a_second:.1f} | {share} | {self.peak_bytes / 1e9:.2f} |"
        )


def scene(count: int, size: tuple[int, int]) -> tuple[Tensor, Tensor]:
    """A textured wall, a slope and near bars that move: frames [T, H, W, 3] and disparity [T, H, W]."""
    width, height = size
    generator = torch.Generator().manual_seed(0)
    frames = torch.rand(count, height, width, 3, generator=generator)
    disparity = torch.linspace(0.05, 0.6, width).expand(count, height, width).clone()
    for t in range(count):
        for left in range(width // 8 + 4 * t, width, width // 4):
            disparity[t, height // 4 :, left : left + max(2, width // 40)] = 0.95
    return frames, disparity


def measured(
    device: torch.device, size: tuple[int, int], strength_px: float, frames_a_pass: int | None
) -> Row:
    """Time a clip that lies in main memory, as a user's does, after one pass that is not timed."""
    frames, disparity = scene(TIMED_FRAMES, size)
    focus, strength = torch.tensor([0.3]), torch.tensor([strength_px * size[0] / 1024])
    settings: dict[str, Any] = {"device": device, "frames_a_pass": frames_a_pass}
    try:
        # The run that warms up tells the memory: counting takes time on a CPU.
        peak = _peak_of(device, lambda: lens_blur(frames, disparity, focus, strength, workers=1, **settings))
        began = time.perf_counter()
        lens_blur(frames, disparity, focus, strength, **settings)
        seconds = time.perf_counter() - began
    except torch.OutOfMemoryError:
        return Row(size, strength_px, frames_a_pass, told="out of memory")
    return Row(size, strength_px, frames_a_pass, seconds / TIMED_FRAMES, peak)


def _peak_of(device: torch.device, run: Callable[[], Any]) -> int:
    """Most bytes of a run on a device, those before it not counted on a CPU."""
    if device.type != "cpu":
        forget_peak(device)
        run()
        return peak_bytes(device)
    with LiveBytes(()) as live:
        run()
    return live.peak


def rows(device: torch.device, sizes: Sequence[tuple[int, int]], budget_s: float = BUDGET_S) -> Iterator[Row]:
    """Measure one after another, what matters most first; what the time is too short for is said."""
    ends = time.monotonic() + budget_s
    # A processor takes frames one by one.
    for frames_a_pass in (None,) if device.type == "cpu" else (None, *PASSES):
        for size in sizes:
            for strength_px in STRENGTHS:
                if time.monotonic() > ends:
                    yield Row(size, strength_px, frames_a_pass, told="left out, no time")
                else:
                    yield measured(device, size, strength_px, frames_a_pass)


def table(device: torch.device, small: bool) -> Iterator[str]:
    """Yield the lines of a table ready for docs/performance.md, as they are measured."""
    yield f"{device_name(device)}, torch {torch.__version__}, Lens Blur; K in px at 1024 px of width"
    yield ""
    yield "| size | K | frames a pass | s a frame | frames a second | of the goal | peak GB |"
    yield "|---|---|---|---|---|---|---|"
    yield from map(str, rows(device, SMALL_SIZES if small else SIZES))
