"""What other nodes hand over: converted, or refused by name and place."""

import math
from typing import Any

import pytest
import torch
from torch import Tensor

from bokeh_core.clip.checks import checked_frames, checked_maps, checked_masks, checked_values

NAN, INFINITE = math.nan, math.inf


def frames_with(value: float, channels: int = 3, channel: int = 0) -> Tensor:
    frames = torch.full((4, 12, 30, channels), 0.5)
    frames[3, 10, 20, channel] = value
    return frames


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_plain_frames_are_taken_as_they_are(channels: int):
    frames = torch.rand(2, 3, 4, channels)
    assert checked_frames(frames).data_ptr() == frames.data_ptr()


def test_light_brighter_than_white_and_undershoot_stay():
    frames = frames_with(50.0)
    frames[0, 0, 0] = -0.1
    assert torch.equal(checked_frames(frames), frames)


def test_bytes_are_divided_by_255():
    frames = torch.tensor([0, 51, 255], dtype=torch.uint8).view(1, 1, 1, 3)
    assert checked_frames(frames).flatten().tolist() == pytest.approx([0, 0.2, 1])
    assert checked_maps(frames[..., 0, :]).flatten().tolist() == pytest.approx([0, 0.2, 1])


@pytest.mark.parametrize("kind", [torch.bool, torch.uint8, torch.int64])
def test_masks_of_whole_numbers_are_0_and_1(kind: torch.dtype):
    mask = torch.tensor([[[0, 1]]]).to(kind)
    taken = checked_masks(mask)
    assert (taken.dtype, taken.tolist()) == (torch.float32, [[[0.0, 1.0]]])


@pytest.mark.parametrize("shape", [(2, 3), (1, 2, 3), (1, 2, 3, 1), (1, 1, 2, 3)])
def test_masks_come_with_and_without_axes_of_one(shape: tuple[int, ...]):
    assert checked_masks(torch.ones(shape)).tolist() == torch.ones(1, 2, 3).tolist()


@pytest.mark.parametrize("kind", [torch.float32, torch.uint8, torch.int64])
def test_masks_up_to_255_are_divided(kind: torch.dtype):
    mask = torch.tensor([[[0, 51, 255]]]).to(kind)
    assert checked_masks(mask).flatten().tolist() == pytest.approx([0, 0.2, 1])


def test_gradients_are_left_behind():
    assert not checked_frames(torch.rand(1, 2, 3, 3, requires_grad=True)).requires_grad


def test_overshoot_of_a_resized_map_is_cut():
    assert checked_maps(torch.tensor([[[-0.05, 0.5, 1.05]]])).tolist() == [[[0.0, 0.5, 1.0]]]


def test_a_value_without_an_axis_is_one_for_the_clip():
    assert checked_values(torch.tensor(0.25), "focus").tolist() == [0.25]


REFUSED_FRAMES: list[tuple[Any, str]] = [
    (frames_with(NAN), "frames hold NaN at frame 3, row 10, column 20; every value"),
    (frames_with(NAN, 1), "frames hold NaN at frame 3, row 10, column 20"),
    (frames_with(-INFINITE, 4, 3), "frames hold an infinite value at frame 3, row 10, column 20"),
    (frames_with(7.0, 4, 3), "Alpha of frames is 0.5 to 7 at frame 3; it must be 0 to 1"),
    (torch.full((1, 2, 2, 3), 200.0), "frames reach 200 at frame 0, .* white must be 1: divide them by 255"),
    (torch.full((1, 2, 2, 3), 40000.0), "frames reach 40000 at frame 0, .* divide them by 65535"),
    (torch.rand(1, 2, 2, 3) * 255 // 1 * 0 + torch.tensor([0.0, 0.0, 120.0]), "frames reach 120"),
    (
        torch.tensor([-1.0, 0.0, 1.0]).view(1, 1, 1, 3),
        "frames go down to -1 at frame 0; .* adding 1 and halv",
    ),
    (torch.zeros(2, 3, 6, 7), "expected .* channels come last, and these seem to have them first"),
    (torch.zeros(6, 7, 3), r"shape \(6, 7, 3\); .* needs an axis of frames"),
    (torch.zeros(0, 6, 7, 3), "there is no frame"),
    (torch.zeros(1, 0, 7, 3), "a frame has no pixel"),
    (torch.zeros(1, 6, 7, 2), "with C = 1, 3 or 4"),
    (torch.zeros(1, 6, 7, 5), "with C = 1, 3 or 4"),
    (torch.zeros(1, 6, 7, 3, device="meta"), "has a shape but no values"),
    (torch.zeros(1, 6, 7, 3).to_sparse(), "sparse or quantised"),
    (torch.zeros(1, 6, 7, 3, dtype=torch.complex64), "complex numbers"),
    ([[0.0]], "frames is of the type list; it must be a tensor"),
    (None, "No value was given for frames; connect it"),
]


@pytest.mark.parametrize(("frames", "message"), REFUSED_FRAMES, ids=[m[:40] for _, m in REFUSED_FRAMES])
def test_frames_that_are_none_are_refused(frames: Any, message: str):
    with pytest.raises(ValueError, match=message):
        checked_frames(frames)


def map_with(value: float) -> Tensor:
    maps = torch.full((3, 4, 5), 0.5)
    maps[2, 1, 3] = value
    return maps


@pytest.mark.parametrize(
    ("maps", "message"),
    [
        (map_with(NAN), "disparity holds NaN at frame 2, row 1, column 3"),
        (map_with(INFINITE), "disparity holds an infinite value at frame 2, row 1, column 3"),
        (map_with(255.0), "disparity is 0.5 to 255 at frame 2; it must be 0 to 1; divide it by 255"),
        (map_with(-0.5), "disparity is -0.5 to 0.5 at frame 2; it must be 0 to 1"),
        (torch.zeros(4, 5), r"disparity has shape \(4, 5\); it must be \[T, H, W\]"),
        (torch.zeros(0, 4, 5), "disparity is empty"),
    ],
)
def test_maps_that_are_none_are_refused(maps: Tensor, message: str):
    with pytest.raises(ValueError, match=message):
        checked_maps(maps)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (torch.tensor([1.0, NAN]), "K is nan px at frame 1; it must be 0 to 200 px"),
        (torch.tensor([1.0, 3.0, 201.0]), "K is 201 px at frame 2; it must be 0 to 200 px"),
        (torch.tensor([-1.0]), "K is -1 px at frame 0"),
        (torch.ones(2, 2), r"K has shape \(2, 2\); give one value per frame"),
        (torch.ones(0), "K is empty; give one value per frame"),
        (3.0, "K is of the type float; it must be a tensor"),
    ],
)
def test_values_out_of_range_are_named_with_their_frame(values: Any, message: str):
    with pytest.raises(ValueError, match=message):
        checked_values(values, "K", 0, 200, "px")
