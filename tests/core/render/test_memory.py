"""Host memory does not grow with the clip."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.core.render.clips import moving_pictures, sliding_disparity, write_video

HEIGHT, WIDTH = 192, 320
SHORT, LONG = 60, 600

WORKER = """
import re, sys
from pathlib import Path
from bokeh_core.render.command.program import main

def peak_bytes():
    status = Path("/proc/self/status")
    if status.exists():
        # Not ru_maxrss, which on Linux begins with what the parent had.
        return 1024 * int(re.search(r"VmHWM:\\s*(\\d+)", status.read_text())[1])
    try:
        import resource
    except ImportError:
        import psutil
        return psutil.Process().memory_info().peak_wset
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

assert main(sys.argv[1:]) == 0
print(peak_bytes(), "bytes")
"""


def peak_bytes(folder: Path, num_frames: int) -> int:
    """Most memory that a process held which rendered a clip of so many frames, its depth a video too."""
    # The same few pictures over and over: writing them is not what is measured.
    order = np.arange(num_frames) % 16
    pictures = moving_pictures(16, HEIGHT, WIDTH)[order]
    quick = {"codec": "libx264", "pixel_format": "yuv420p", "options": {"preset": "ultrafast"}}
    video = write_video(folder / f"{num_frames}.mp4", pictures, **quick)  # type: ignore[arg-type]
    maps = np.rint(16 + 219 * sliding_disparity(16, HEIGHT, WIDTH)).astype(np.uint8)[order]
    depth = write_video(folder / f"{num_frames}.mkv", np.repeat(maps[..., None], 3, 3), pixel_format="gray")
    argv = [str(video), "--disparity", str(depth), "--strength", "0", "--focus", "point", "--device", "cpu"]
    command = [sys.executable, "-c", WORKER, *argv, "-o", str(folder / f"{num_frames}_out.mp4")]
    root = Path(__file__).resolve().parents[3]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return int(done.stdout.split()[-2])


@pytest.mark.slow
def test_ten_times_the_frames_take_the_same_memory(tmp_path: Path):
    short, long = (peak_bytes(tmp_path, count) for count in (SHORT, LONG))
    # The frames alone, in floating point: what growing would look like.
    grown = (LONG - SHORT) * HEIGHT * WIDTH * 3 * 4
    assert grown > 0.5 * short
    # Less than the frames would take in 8 bit; what an allocator holds back differs by tens of megabytes.
    assert long - short < 0.2 * grown
