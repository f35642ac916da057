"""Frames that are rendered together, with those around them."""

import torch

from bokeh_core.render.stretches import stretches


def numbered(first: int, stop: int) -> list[tuple[torch.Tensor, torch.Tensor]]:
    return [(torch.full((1, 1, 3), float(t)), torch.full((1, 1), float(t))) for t in range(first, stop)]


def test_every_frame_is_rendered_once_and_comes_with_those_around_it():
    found = []
    for stretch in stretches(iter(numbered(2, 13)), before=2, length=4, around=2):
        numbers = stretch.frames[:, 0, 0, 0].int().tolist()
        assert stretch.disparity[:, 0, 0].int().tolist() == numbers
        found.append((numbers, numbers[stretch.part]))
    assert found == [
        ([2, 3, 4, 5, 6, 7, 8, 9], [4, 5, 6, 7]),
        ([6, 7, 8, 9, 10, 11, 12], [8, 9, 10, 11]),
        ([10, 11, 12], [12]),
    ]


def test_nothing_is_read_ahead_where_nothing_around_is_wanted():
    source = iter(numbered(0, 5))
    parts = stretches(source, before=0, length=2, around=0)
    assert next(parts).frames[:, 0, 0, 0].tolist() == [0, 1]
    assert next(source)[1].item() == 2
