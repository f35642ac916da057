"""Cuts told from disparity maps: each is found, and nothing else is taken for one."""

import pytest
import torch
from torch import Tensor

from bokeh_core.motion.map_cuts import MapCutFinder

HEIGHT, WIDTH = 24, 32


def shot(num_frames: int, subject: float, background: float = 0.1, left: int = 8) -> Tensor:
    """A subject in front of a background."""
    maps = torch.full((num_frames, HEIGHT, WIDTH), background)
    maps[:, 8:, left : left + 16] = subject
    return maps


def starts(maps: Tensor) -> list[int]:
    finder = MapCutFinder()
    for frame in maps:
        finder.add(frame)
    return finder.starts()


def moving(num_frames: int, step: int) -> Tensor:
    """A subject that crosses the frame."""
    return torch.cat([shot(1, 0.9, left=step * t) for t in range(num_frames)])


def flickering(maps: Tensor, seed: int = 1) -> Tensor:
    """Scale and shift of each map drawn anew, as a network without memory leaves them."""
    random = torch.Generator().manual_seed(seed)
    scale = 1 + 0.06 * torch.randn(len(maps), 1, 1, generator=random)
    return (maps * scale + 0.03 * torch.randn(len(maps), 1, 1, generator=random)).clamp(0, 1)


def test_several_cuts_are_found_also_in_flickering_maps():
    maps = torch.cat((shot(9, 0.9), shot(5, 0.3, 0.6), shot(10, 0.8, 0.1, left=14), shot(8, 0.5, 0.9)))
    assert starts(maps) == [0, 9, 14, 24]
    assert starts(flickering(maps)) == [0, 9, 14, 24]


@pytest.mark.parametrize(
    "maps",
    [
        shot(20, 0.9),
        flickering(shot(40, 0.9)),
        flickering(shot(40, 0.5, 0.3), seed=5),
        moving(16, 1),
        torch.cat((shot(10, 0.9, left=0), moving(12, 1), shot(10, 0.9, left=11))),
        torch.lerp(shot(12, 0.9), shot(12, 0.2, 0.7), torch.linspace(0, 1, 12)[:, None, None]),
        torch.cat((shot(10, 0.9), torch.full((1, HEIGHT, WIDTH), 0.6), shot(10, 0.9))),
        shot(1, 0.9),
    ],
    ids=[
        "still",
        "flicker",
        "flicker of a flat scene",
        "move",
        "start and stop",
        "dissolve",
        "torn map",
        "one",
    ],
)
def test_nothing_else_is_a_cut(maps: Tensor):
    assert starts(maps) == [0]
