"""Cuts told from pictures: each is found, and flashes, fades, pans and torn frames are none."""

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from bokeh_core.motion.cuts import CutFinder, is_cut, shot_starts

HEIGHT, WIDTH = 72, 128


def scene(seed: int, height: int = HEIGHT, width: int = 400) -> Tensor:
    """Textures of several sizes, [height, width, 3]: larger than a frame, so that one can move over it."""
    random = torch.Generator().manual_seed(seed)
    layers = []
    for cell in (4, 12, 36):
        coarse = torch.rand(1, 3, height // cell + 1, width // cell + 1, generator=random)
        layers.append(F.interpolate(coarse, (height, width), mode="bilinear", align_corners=True))
    return torch.cat(layers).mean(0).sub(0.5).mul(1.6).add(0.5).clamp(0, 1).permute(1, 2, 0)


def shot(seed: int, num_frames: int, step_px: int = 2) -> Tensor:
    """A pan over a scene, [T, H, W, 3]."""
    picture = scene(seed)
    return torch.stack([picture[:, step_px * t : step_px * t + WIDTH] for t in range(num_frames)])


def mixed(first: Tensor, second: Tensor, weights: Tensor) -> Tensor:
    return torch.lerp(first, second, weights[:, None, None, None])


def blank(num_frames: int, grey: float = 0.0) -> Tensor:
    return torch.full((num_frames, HEIGHT, WIDTH, 3), grey)


UP = torch.linspace(0, 1, 10)


@pytest.mark.parametrize(
    ("clip", "starts"),
    [
        (torch.cat((shot(1, 6), shot(2, 5), shot(3, 3), shot(1, 6))), [0, 6, 11, 14]),
        (torch.cat((shot(1, 5), shot(2, 1))), [0, 5]),
        (torch.cat((shot(1, 1), shot(2, 5))), [0, 1]),
        (torch.cat((shot(1, 5), 0.3 + 0.4 * shot(2, 5))), [0, 5]),
        # Black between: its own piece, and where it is faded into, what follows begins one.
        (torch.cat((shot(1, 5), blank(4), shot(2, 5))), [0, 5, 9]),
        (torch.cat((shot(1, 5), blank(1), shot(2, 5))), [0, 5, 6]),
        (torch.cat((blank(4), shot(2, 5))), [0, 4]),
        (torch.cat((shot(2, 5), blank(4))), [0, 5]),
        (torch.cat((mixed(shot(1, 10), blank(10), UP), shot(2, 5))), [0, 10]),
    ],
    ids=[
        "four shots",
        "last frame",
        "second frame",
        "duller",
        "black between",
        "a black frame between",
        "black first",
        "black last",
        "fade out, then a cut",
    ],
)
def test_cuts_are_found(clip: Tensor, starts: list[int]):
    assert shot_starts(clip) == starts


def with_frame(clip: Tensor, frames: slice, replacement: Tensor | float) -> Tensor:
    changed = clip.clone()
    changed[frames] = replacement
    return changed


@pytest.mark.parametrize(
    "clip",
    [
        shot(1, 1),
        shot(1, 8, step_px=0),
        shot(1, 8, step_px=12),
        # A third of the picture from one frame to the next.
        shot(1, 6, step_px=40),
        with_frame(shot(1, 9), slice(4, 5), (2.5 * shot(1, 9)[4:5]).clamp(0, 1)),
        with_frame(shot(1, 9), slice(4, 6), 1.0),
        with_frame(shot(1, 9), slice(4, 5), shot(2, 1)),
        mixed(shot(1, 10), blank(10), UP),
        mixed(blank(10), shot(1, 10), UP),
        mixed(shot(1, 10), shot(2, 10), UP),
        torch.cat((shot(1, 8), 0.5 * shot(1, 12)[8:])),
        (shot(1, 8) + 0.05 * torch.randn(8, HEIGHT, WIDTH, 3, generator=torch.Generator().manual_seed(0))),
        blank(5),
        torch.rand(4, 1, 1, 3, generator=torch.Generator().manual_seed(0)),
        shot(1, 4, step_px=0)[:, :9, :3],
    ],
    ids=[
        "one frame",
        "still",
        "pan",
        "whip pan",
        "flash",
        "white flash of two frames",
        "torn frame",
        "fade out",
        "fade in",
        "dissolve",
        "light switched off",
        "grain",
        "black",
        "one pixel",
        "a few pixels",
    ],
)
def test_nothing_else_is_a_cut(clip: Tensor):
    assert shot_starts(clip) == [0]


def test_something_that_fills_half_of_the_picture_may_move_alone():
    clip = shot(1, 6, step_px=0)
    moving = shot(2, 6, step_px=9)
    clip[:, :, : WIDTH // 2] = moving[:, :, : WIDTH // 2]
    assert shot_starts(clip) == [0]


def test_two_frames_alone_are_judged_by_their_scene():
    first, second = shot(1, 6), shot(2, 1)[0]
    assert is_cut(first[0], second)
    assert is_cut(second, first[0])
    assert not is_cut(first[0], first[1])
    assert not is_cut(first[0], 0.4 * first[1])
    assert not is_cut(first[0], blank(1)[0])
    assert is_cut(first[0], second[:, :100])


def test_alpha_and_grey_are_taken_and_memory_does_not_grow():
    frames = torch.cat((shot(1, 40), shot(2, 40)))
    with_alpha = torch.cat((frames, torch.rand(80, HEIGHT, WIDTH, 1)), -1)
    assert shot_starts(with_alpha) == [0, 40]
    assert shot_starts(frames[..., :1]) == [0, 40]
    finder = CutFinder()
    for frame in frames:
        finder.add(frame)
    held = [look for look in vars(finder).values() if isinstance(look, list)]
    assert max(map(len, held)) <= 3
    assert finder.starts() == finder.starts() == [0, 40]
