"""The picture on a node's progress bar: sent when it is due, made only where somebody looks."""

from __future__ import annotations

import importlib
from dataclasses import dataclass, field
from typing import Any

import pytest
import torch
from torch import Tensor

from tests.core.test_documentation import host_that_records


@dataclass
class Watched:
    """A bar whose clock stands until it is set, and what became of it."""

    looks: bool = True
    now_s: float = 100.0
    made: list[float] = field(default_factory=list)
    told: list[tuple[int, int, Any]] = field(default_factory=list)

    def __post_init__(self) -> None:
        with host_that_records():
            module = importlib.import_module("documented_pack.nodes.frame_on_bar")
        self.interval_s: float = module.INTERVAL_S
        self.bar = module.FrameOnBar(
            lambda *tick: self.told.append(tick), self._picture if self.looks else None, lambda: self.now_s
        )

    def _picture(self, frame: Tensor) -> float:
        self.made.append(frame.item())
        return self.made[-1]

    def frame(self, number: int) -> None:
        self.bar.show(torch.tensor(float(number)))
        self.bar.progress(number, 9)


def test_the_first_frame_goes_out_with_its_tick():
    watched = Watched()
    watched.bar.progress(0, 9)
    watched.frame(1)
    assert watched.told == [(0, 9, None), (1, 9, 1.0)]


def test_pictures_are_made_as_often_as_they_are_sent():
    watched = Watched()
    for number in range(1, 9):
        watched.now_s = 100 + number * 0.4 * watched.interval_s
        watched.frame(number)
    # Sent at once, then when an interval has gone by: three steps of 0.4.
    assert watched.made == [1.0, 4.0, 7.0]
    assert [(done, picture) for done, _, picture in watched.told if picture is not None] == [
        (1, 1.0),
        (4, 4.0),
        (7, 7.0),
    ]


def test_of_frames_shown_between_two_ticks_the_last_is_sent():
    watched = Watched()
    watched.bar.show(torch.tensor(1.0))
    assert watched.bar.has_picture
    watched.frame(2)
    assert watched.made == [2.0]
    assert not watched.bar.has_picture


def test_where_nobody_looks_nothing_is_kept_or_made():
    watched = Watched(looks=False)
    for number in range(1, 4):
        watched.now_s += 10
        watched.bar.show(torch.tensor(float(number)))
        assert not watched.bar.has_picture
        watched.bar.progress(number, 9)
    assert watched.made == []
    assert watched.told == [(1, 9, None), (2, 9, None), (3, 9, None)]


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_the_picture_is_what_the_host_takes(channels: int):
    with host_that_records():
        module = importlib.import_module("documented_pack.nodes.frame_on_bar")
    frame = torch.full((30, 60, channels), 0.2)
    # One pixel of twelve that become one is brighter than white, and counts as white.
    frame[::3, ::4] = 5.0
    kind, picture, longest_side_px = module.picture_of_frame(15)(frame)
    assert (kind, longest_side_px) == ("JPEG", 15)
    assert (picture.mode, picture.size) == ("RGB", (15, 8))
    assert frame.max() == 5.0
