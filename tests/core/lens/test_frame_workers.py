"""Several frames at a time: the same pictures, in order, stopped and failing as one at a time."""

import threading
from typing import Any

import pytest
import torch

from bokeh_core.lens import Aperture, lens_blur
from bokeh_core.lens.frame_workers import render_frames, sensible_pass, sensible_workers
from bokeh_core.progress import no_progress
from tests.core.lens.reference import random_texture

HEIGHT_PX, WIDTH_PX = 36, 52
CPU = torch.device("cpu")


def clip(num_frames: int) -> dict[str, Any]:
    """A square that moves in front of a slanted floor."""
    rows, columns = torch.arange(HEIGHT_PX)[:, None], torch.arange(WIDTH_PX)
    frames, disparity = [], []
    for t in range(num_frames):
        square = (columns >= 8 + t) & (columns < 28 + t) & (rows >= 6) & (rows < 24)
        near, far = (random_texture(HEIGHT_PX, WIDTH_PX, seed, 0, 1) for seed in (1, 2))
        frames.append(torch.where(square[..., None], near, far))
        disparity.append(torch.where(square, torch.tensor(0.9), 0.1 + 0.3 * rows / HEIGHT_PX))
    return {
        "frames": torch.stack(frames),
        "disparity": torch.stack(disparity),
        "focal_disparity": torch.linspace(0.2, 0.9, num_frames),
        "blur_strength_px": torch.tensor([14.0]),
    }


@pytest.mark.parametrize(
    "options", [{}, {"aperture": Aperture(blades=5, cat_eye=0.6)}, {"contour_reach_px": 0}]
)
def test_the_pictures_do_not_depend_on_the_workers(options: dict[str, Any]):
    given = clip(5)
    alone = lens_blur(**given, workers=1, **options)
    assert torch.equal(lens_blur(**given, workers=3, **options), alone)
    assert torch.equal(lens_blur(**given, **options), alone)


def test_more_workers_than_frames():
    given = clip(2)
    assert torch.equal(lens_blur(**given, workers=8), lens_blur(**given, workers=1))


@pytest.mark.parametrize("workers", [1, 3])
def test_ticks_come_in_order_on_the_calling_thread(workers: int):
    ticks: list[tuple[int, int, int]] = []
    lens_blur(**clip(6), workers=workers, progress=lambda *tick: ticks.append((*tick, threading.get_ident())))
    assert ticks == [(done, 6, threading.get_ident()) for done in range(1, 7)]


@pytest.mark.parametrize("workers", [1, 3])
def test_each_frame_is_shown_before_its_tick(workers: int):
    shown: list[torch.Tensor] = []
    ticks: list[tuple[int, int]] = []
    result = lens_blur(
        **clip(4),
        workers=workers,
        show=shown.append,
        progress=lambda done, total: ticks.append((done, len(shown))),
    )
    assert ticks == [(1, 1), (2, 2), (3, 3), (4, 4)]
    assert torch.equal(torch.stack(shown), result)


def test_under_inference_mode():
    given = clip(3)
    with torch.inference_mode():
        blurred = lens_blur(**given, workers=2)
        assert blurred.is_inference()
    assert torch.equal(blurred.clone(), lens_blur(**given, workers=1))


@pytest.mark.parametrize("workers", [0, -1])
def test_no_worker_is_refused(workers: int):
    with pytest.raises(ValueError, match=f"workers is {workers}; it must be 1 to 1024"):
        lens_blur(**clip(1), workers=workers)


class Stop(BaseException):
    """What a cancelled host raises."""


def until_stopped(check: Any) -> None:
    """A frame that would take a minute."""
    for _ in range(6000):
        check()
        threading.Event().wait(0.01)
    raise AssertionError("the frame was not stopped")


def threads_of_workers() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("lens-blur")]


def test_a_check_stops_all_workers():
    started: list[int] = []
    both = threading.Event()

    def render(frames: range, check: Any) -> None:
        started.extend(frames)
        if len(started) == 2:
            both.set()
        until_stopped(check)

    def stop_once_both_work() -> None:
        if both.is_set():
            raise Stop

    with pytest.raises(Stop):
        render_frames(render, 10, 2, no_progress, stop_once_both_work)
    assert sorted(started) == [0, 1]
    assert threads_of_workers() == []


def test_a_tick_stops_all_workers():
    started: list[int] = []

    def render(frames: range, check: Any) -> None:
        started.extend(frames)
        if frames.start > 0:
            until_stopped(check)

    def stop(_done: int, _total: int) -> None:
        raise Stop

    with pytest.raises(Stop):
        render_frames(render, 10, 2, stop)
    # Frame 0 is done, and its worker may have begun a third before the tick came.
    assert sorted(started) in ([0, 1], [0, 1, 2])
    assert threads_of_workers() == []


def test_an_error_in_a_worker_comes_out():
    ticks: list[int] = []

    def render(frames: range, check: Any) -> None:
        if frames.start == 1:
            raise ValueError("frame 1 is broken")
        if frames.start > 1:
            until_stopped(check)

    with pytest.raises(ValueError, match="frame 1 is broken"):
        render_frames(render, 10, 2, lambda done, _total: ticks.append(done))
    assert ticks == [1]
    assert threads_of_workers() == []


def test_threads_are_shared_out_and_given_back():
    before = torch.get_num_threads()
    torch.set_num_threads(6)
    seen: list[int] = []
    try:
        render_frames(lambda _frames, _check: seen.append(torch.get_num_threads()), 4, 3)
        after = torch.get_num_threads()
    finally:
        torch.set_num_threads(before)
    assert (seen, after) == ([2, 2, 2, 2], 6)


@pytest.mark.parametrize("workers", [1, 2])
def test_every_frame_is_in_one_pass_and_told_of_in_order(workers: int):
    passes: list[range] = []
    ticks: list[tuple[int, int]] = []
    render_frames(
        lambda frames, _check: passes.append(frames),
        8,
        workers,
        lambda done, total: ticks.append((done, total)),
        frames_a_pass=3,
    )
    assert sorted(passes, key=lambda frames: frames.start) == [range(3), range(3, 6), range(6, 8)]
    assert ticks == [(done, 8) for done in range(1, 9)]


def test_a_pass_takes_half_of_the_free_memory(monkeypatch: pytest.MonkeyPatch):
    # Of 12 GiB that are taken torch keeps 4 for its next tensors.
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (12 * 2**30, 24 * 2**30))
    monkeypatch.setattr(torch.cuda, "memory_reserved", lambda device: 9 * 2**30)
    monkeypatch.setattr(torch.cuda, "memory_allocated", lambda device: 5 * 2**30)
    cuda = torch.device("cuda")
    counts = (1, 5, 9, 15, 16, 100)
    assert [sensible_pass(count, 1024 * 576, cuda) for count in counts] == [1, 5, 9, 15, 8, 8]
    # 8 GiB less 300 MiB hold 500 bytes a pixel: 1.04 GB a frame, and 4.15 GB.
    assert [sensible_pass(100, pixels, cuda) for pixels in (1920 * 1080, 3840 * 2160)] == [7, 1]
    assert sensible_pass(100, 7680 * 4320, cuda) == 1


def test_room_is_asked_for_one_frame():
    asked: list[int] = []

    def room(needed_bytes: int) -> int:
        asked.append(needed_bytes)
        return 4 * 2**30

    # 2 GiB less 300 MiB hold six frames of 295 MB.
    assert sensible_pass(100, 1024 * 576, torch.device("cuda"), room) == 6
    assert asked == [1024 * 576 * 500 + 300 * 2**20]
    assert sensible_pass(100, 1024 * 576, torch.device("cuda"), lambda _: 0) == 1
    assert sensible_pass(100, 64 * 64, CPU, room) == 1
    assert len(asked) == 1


def test_a_pass_where_free_memory_is_not_told():
    # Half of 4 GiB.
    assert sensible_pass(100, 1024 * 576, torch.device("mps")) == 6
    assert sensible_pass(100, 64 * 64, CPU) == 1


def test_a_sensible_number():
    before = torch.get_num_threads()
    torch.set_num_threads(4)
    try:
        assert sensible_workers(100, 1024 * 576, CPU) == 4
        assert sensible_workers(3, 1024 * 576, CPU) == 3
        assert sensible_workers(100, 3840 * 2160, CPU) == 2
        assert sensible_workers(100, 7680 * 4320, CPU) == 1
        assert sensible_workers(100, 1024 * 576, torch.device("cuda")) == 1
    finally:
        torch.set_num_threads(before)
