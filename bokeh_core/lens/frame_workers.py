"""Several frames of a clip at a time, each on a thread of its own."""

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait

import torch

from ..progress import Check, Progress, no_check, no_progress
from .backend import backend_of

# Seconds between two checks whether the caller wants to stop.
_CHECK_INTERVAL_S = 0.05
# Peak of one frame in work: 170 measured at 1024 x 576, 168 at 3840 x 2160.
_BYTES_PER_PIXEL = 200
_MEMORY_BYTES = 4 * 2**30
# Peak of a pass on an accelerator: 276 measured of a photograph, 401 of a map of noise, in which every pixel
# is an edge, and room for the workspaces of transforms and for what an allocator loses between blocks.
_BYTES_PER_PIXEL_OF_PASS = 500
# Mattes of 65536 pixels.
_BYTES_OF_PASS = 300 * 2**20
# Where a device does not say what it has free.
_FREE_BYTES = 4 * 2**30

Room = Callable[[int], int]
"""(bytes that one frame needs on the device) -> bytes that are free there, which may be made so."""


class _Stopped(Exception):
    """Ends the frames in work once the clip is given up."""


def sensible_workers(num_frames: int, pixels: int, device: torch.device) -> int:
    """How many frames to render at a time.

    As many as keep the device busy: one on an accelerator; on a CPU as many as torch has threads, which a
    frame's many small steps share badly, while frames are independent. Frames in work may take 4 GiB
    together, so that large ones come one by one.
    """
    fit_memory = _MEMORY_BYTES // (_BYTES_PER_PIXEL * pixels)
    return max(1, min(num_frames, backend_of(device).frames_at_a_time(), fit_memory))


def sensible_pass(num_frames: int, pixels: int, device: torch.device, room: Room | None = None) -> int:
    """How many frames go through every step together.

    On a CPU one; elsewhere up to 8, or all of a clip of fewer than 16, as many as half of the free memory
    holds.

    Args:
        num_frames: of the clip.
        pixels: of a frame.
        device: where to compute.
        room: what is free there, called once; None = what torch says.
    """
    usual = backend_of(device).frames_a_pass()
    if usual == 1:
        return 1
    # The steps of a pass take as long for a few frames as for eight.
    most = num_frames if num_frames < 2 * usual else usual
    a_frame = _BYTES_PER_PIXEL_OF_PASS * pixels
    free = _free_bytes(device) if room is None else room(a_frame + _BYTES_OF_PASS)
    return max(1, min(most, (free // 2 - _BYTES_OF_PASS) // a_frame))


def _free_bytes(device: torch.device) -> int:
    """Free memory of a device, with what torch keeps for its next tensors there."""
    module = getattr(torch, device.type, None)
    ask = getattr(module, "mem_get_info", None)
    if module is None or ask is None:
        return _FREE_BYTES
    free, _ = ask(device)
    kept = module.memory_reserved(device) - module.memory_allocated(device)
    return int(free) + int(kept)


def render_frames(
    render: Callable[[range, Check], None],
    num_frames: int,
    workers: int,
    progress: Progress = no_progress,
    check: Check = no_check,
    *,
    frames_a_pass: int = 1,
) -> None:
    """Render the frames of a clip, `workers` passes at a time.

    Torch's threads are shared out between the workers; at the same number of threads each, what a frame looks
    like does not depend on the number of workers, bit for bit. Progress and checks run on the calling thread.

    Args:
        render: renders the frames of these numbers and keeps them; now and then calls the function given to
            it, which raises once they are no longer wanted.
        num_frames: how many frames.
        workers: how many at a time, >= 1.
        progress: told of frames, in order; may raise to stop.
        check: called many times a second; may raise to stop.
        frames_a_pass: how many frames are rendered by one call, >= 1; fewer by the last.

    Raises:
        Whatever `render`, `progress` or `check` raises; all workers have stopped by then.
    """
    passes = [
        range(first, min(first + frames_a_pass, num_frames)) for first in range(0, num_frames, frames_a_pass)
    ]
    if workers == 1:
        for frames in passes:
            render(frames, check)
            for frame in frames:
                progress(frame + 1, num_frames)
        return
    stop = threading.Event()
    inference, gradients = torch.is_inference_mode_enabled(), torch.is_grad_enabled()
    threads = torch.get_num_threads()

    def stop_if_given_up() -> None:
        if stop.is_set():
            raise _Stopped

    def render_on_thread(frames: range) -> None:
        # Both modes belong to a thread.
        with torch.inference_mode(inference), torch.set_grad_enabled(gradients):
            stop_if_given_up()
            render(frames, stop_if_given_up)

    def share_threads() -> None:
        torch.set_num_threads(max(1, threads // workers))

    pool = ThreadPoolExecutor(workers, "lens-blur", initializer=share_threads)
    try:
        in_work = [pool.submit(render_on_thread, frames) for frames in passes]
        for frames, future in zip(passes, in_work, strict=True):
            _wait_for(future, check)
            for frame in frames:
                progress(frame + 1, num_frames)
    finally:
        stop.set()
        pool.shutdown(wait=True, cancel_futures=True)
        torch.set_num_threads(threads)


def _wait_for(frames: "Future[None]", check: Check) -> None:
    while not wait([frames], _CHECK_INTERVAL_S).done:
        check()
    frames.result()
