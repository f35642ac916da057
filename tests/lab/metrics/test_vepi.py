"""VEPI on steps whose Sobel magnitudes are known."""

import pytest
import torch

from bokeh_lab.metrics import Missing
from bokeh_lab.metrics.vepi import vepi


def steps(**heights: float):
    """Frames [1, 9, 24, 3] that start at grey 0.1 and step up by `heights` at columns c7, c15, ..."""
    row = torch.full((24,), 0.1)
    for column, height in heights.items():
        row[int(column[1:]) :] += height
    return row.view(1, 1, 24, 1).expand(1, 9, 24, 3)


def columns(*inside: int):
    mask = torch.zeros(1, 9, 24, dtype=torch.bool)
    mask[:, :, list(inside)] = True
    return mask


def test_identical_frames(make_pair, texture):
    frame = texture(20, 20, 0)[None]
    assert vepi(make_pair(frame, frame.clone())) == pytest.approx(1, abs=1e-9)


def test_contrast_alone_does_not_count(make_pair):
    sharp = steps(c8=0.2, c16=0.4)
    assert vepi(make_pair(sharp * 0.5, sharp)) == pytest.approx(1, abs=1e-6)


def test_two_steps_exchanged(make_pair):
    # Sobel gives 4 h in the two columns at a step of height h, 0 elsewhere. Of 24 columns:
    # sum x = 4.8, sum x^2 = 6.4, sum x y = 5.12, so the correlation is (5.12 - 0.96) / (6.4 - 0.96).
    value = vepi(make_pair(steps(c8=0.4, c16=0.2), steps(c8=0.2, c16=0.4)))
    assert value == pytest.approx(13 / 17, abs=1e-5)


def test_the_truth_does_not_matter(make_pair):
    sharp, prediction = steps(c8=0.2, c16=0.4), steps(c8=0.4, c16=0.2)
    pair = make_pair(prediction, torch.zeros_like(sharp), sharp=sharp)
    assert vepi(pair) == pytest.approx(13 / 17, abs=1e-5)


def test_only_the_mask_dilated_by_two_px_counts(make_pair):
    sharp, prediction = steps(c8=0.2, c16=0.4), steps(c8=0.2, c16=0.1)
    # Magnitudes differ at columns 15 and 16; the mask reaches two further than it is set.
    assert vepi(make_pair(prediction, sharp, in_focus=columns(*range(13)))) == pytest.approx(1, abs=1e-5)
    reaching = vepi(make_pair(prediction, sharp, in_focus=columns(*range(14))))
    # Columns 0-15: x = 0.8 0.8 1.6, y = 0.8 0.8 0.4.
    covariance = (2 * 0.64 + 0.64) - 3.2 * 2.0 / 16
    variances = (2 * 0.64 + 2.56 - 3.2**2 / 16) * (2 * 0.64 + 0.16 - 2.0**2 / 16)
    assert reaching == pytest.approx(covariance / variances**0.5, abs=1e-5)


def test_mask_that_just_misses_the_edge(make_pair):
    sharp = steps(c10=0.4)
    # The step shows at columns 9 and 10; a mask at 12 is dilated to 10-14, one at 13 to 11-15.
    assert vepi(make_pair(sharp, sharp, in_focus=columns(12))) == pytest.approx(1, abs=1e-6)
    assert vepi(make_pair(sharp, sharp, in_focus=columns(13))) == Missing("no edges in focus")


def test_mean_over_the_frames_where_it_is_defined(make_pair):
    sharp = torch.cat((steps(c8=0.2, c16=0.4), steps(c8=0.2, c16=0.4), steps(c8=0.2, c16=0.4)))
    prediction = torch.cat((steps(c8=0.4, c16=0.2), steps(c8=0.2, c16=0.4), steps()))
    everywhere = columns(*range(24))
    value = vepi(make_pair(prediction, sharp, in_focus=everywhere.expand(3, -1, -1)))
    assert value == pytest.approx((13 / 17 + 1) / 2, abs=1e-5)
    no_mask = torch.cat((everywhere, columns(), columns()))
    assert vepi(make_pair(prediction, sharp, in_focus=no_mask)) == pytest.approx(13 / 17, abs=1e-5)
