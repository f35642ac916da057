"""Smoothing of the focus stops at cuts, and at nothing else."""

import pytest
import torch
from torch import Tensor

from bokeh_core.focus import focus_at_point, focus_on_mask
from bokeh_core.focus.smoothing import smooth_over_time, smooth_within_pieces

HEIGHT, WIDTH = 24, 32


def shot(num_frames: int, subject: float, background: float = 0.1, left: int = 8) -> Tensor:
    """A subject in front of a background."""
    maps = torch.full((num_frames, HEIGHT, WIDTH), background)
    maps[:, 8:, left : left + 16] = subject
    return maps


def flickering(maps: Tensor, seed: int = 1) -> Tensor:
    """Scale and shift of each map drawn anew, as a network without memory leaves them."""
    random = torch.Generator().manual_seed(seed)
    scale = 1 + 0.06 * torch.randn(len(maps), 1, 1, generator=random)
    return (maps * scale + 0.03 * torch.randn(len(maps), 1, 1, generator=random)).clamp(0, 1)


@pytest.mark.parametrize("in_pieces", [False, True])
def test_no_frame_is_out_of_focus_at_a_cut(in_pieces: bool):
    maps = torch.cat((shot(12, 0.9), shot(12, 0.3)))
    disparity = Streamed(maps) if in_pieces else maps
    focal = focus_at_point(disparity, 16, 20, 2, smoothing_frames=2.0)
    assert focal.tolist() == pytest.approx([0.9] * 12 + [0.3] * 12)
    mask = torch.zeros(1, HEIGHT, WIDTH)
    mask[:, 10:, 10:22] = 1
    assert focus_on_mask(disparity, mask).tolist() == pytest.approx([0.9] * 12 + [0.3] * 12)


class Streamed:
    """Maps that are seen once, in order."""

    def __init__(self, maps: Tensor) -> None:
        self.shape, self._maps = maps.shape, maps

    def __iter__(self):
        return iter(self._maps)


def test_a_rack_focus_is_smoothed_and_not_cut():
    focal = focus_at_point(
        shot(21, 0.9),
        radius_px=0,
        keyframes="0: 16, 20\n10: 2, 2",
        between_keyframes="rack focus",
        easing="hold",
        smoothing_frames=2.0,
    )
    expected = smooth_over_time(torch.tensor([0.9] * 10 + [0.1] * 11), 2.0)
    torch.testing.assert_close(focal, expected)
    assert 0.2 < focal[10] < 0.8


def test_flicker_of_the_focus_is_still_smoothed():
    maps = flickering(shot(40, 0.8))
    raw = focus_at_point(maps, 16, 20, 2, smoothing_frames=0)
    smooth = focus_at_point(maps, 16, 20, 2, smoothing_frames=2.0)
    assert smooth.diff().abs().mean() < 0.3 * raw.diff().abs().mean()


@pytest.mark.parametrize("smoothing", [0.0, 2.0, 8.0])
def test_maps_normalised_frame_by_frame_are_best_measured_without_smoothing(smoothing: float):
    # Something nearer comes and goes before the subject: normalised, the subject is at 1 or at 0.6.
    subject = torch.tensor([1.0 if t % 4 < 2 else 0.6 for t in range(24)])
    maps = shot(24, 1.0) * subject[:, None, None]
    missed = (focus_at_point(maps, 16, 20, 2, smoothing_frames=smoothing) - subject).abs().mean().item()
    assert missed == pytest.approx(0, abs=1e-6) if smoothing == 0 else missed > 0.1


def test_each_piece_is_smoothed_alone():
    values = torch.tensor([0.0, 1.0, 0.0, 5.0, 6.0])
    pieces = smooth_within_pieces(values, 1.0, [0, 3])
    assert torch.equal(pieces[:3], smooth_over_time(values[:3], 1.0))
    assert torch.equal(pieces[3:], smooth_over_time(values[3:], 1.0))
