"""Maps spoilt at random: what is wanted is the truth, with no more than slow changes."""

import cv2
import numpy as np
import pytest

from bokeh_lab.evaluate.faults import Maps
from bokeh_lab.mend.spoil import spoilt


def block() -> Maps:
    """A square at 0.8 before a wall at 0.2, five frames of 64 x 96 px."""
    maps = np.full((5, 64, 96), 0.2, np.float32)
    maps[:, 16:48, 30:66] = 0.8
    return maps


def steepest(one: Maps) -> float:
    return float(max(np.abs(np.diff(one, axis=0)).max(), np.abs(np.diff(one, axis=1)).max()))


@pytest.mark.parametrize("seed", range(12))
def test_what_is_wanted_has_the_outlines_of_the_truth(seed: int):
    maps = block()
    found = spoilt(maps, np.random.default_rng(seed))
    assert found.given.shape == found.wanted.shape == maps.shape
    assert found.given.min() >= 0 and found.given.max() <= 1
    inside = cv2.erode(maps[0], np.ones((3, 3))) > 0.5
    outside = cv2.dilate(maps[0], np.ones((3, 3))) < 0.5
    for one in found.wanted:
        # Waves and relief have no detail finer than 96 / 14 px; the step keeps most of its 0.6.
        assert one[16, 48] - one[15, 48] > 0.3
        assert max(steepest(np.where(inside, one, 0.5)[17:47, 31:65]), 0) < 0.1
        assert one[inside].mean() - one[outside].mean() > 0.35


def test_the_same_seed_spoils_alike_and_others_otherwise():
    maps = block()
    first, again, other = (spoilt(maps, np.random.default_rng(seed)).given for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_some_maps_stay_clean_and_most_do_not():
    maps = block()
    errors = []
    for seed in range(60):
        found = spoilt(maps, np.random.default_rng(seed))
        errors.append(float(np.abs(found.given - found.wanted).max()))
    clean = sum(error < 0.004 for error in errors)
    assert 2 <= clean <= 20
    assert sum(error > 0.1 for error in errors) > 25
