"""How likely candidates are, by arithmetic done by hand."""

import pytest
import torch

from bokeh_core.disparity.refine.trained.candidates import CANDIDATES
from bokeh_core.disparity.refine.trained.scores import OUTPUTS, WANTED, scored


def test_a_candidate_loses_by_its_distance_from_what_is_wanted():
    told = torch.zeros(1, OUTPUTS)
    told[0, 3] = 1.5
    # A quarter of the range from 0.2 to 0.6, which is 0.3; softplus(log(e^4 - 1)) = 4.
    told[0, WANTED] = -0.25
    told[0, -1] = torch.log(torch.exp(torch.tensor(4.0)) - 1)
    values = torch.full((1, CANDIDATES), 0.3)
    values[0, 1], values[0, 2], values[0, 3] = 0.5, 0.9, 0.4
    found = scored(told, values, torch.tensor([0.2]), torch.tensor([0.4]))[0]
    # Half of the range away, more than all of it, and a quarter of it less 1.5 of its own.
    assert found[:4].tolist() == pytest.approx([0.0, -2.0, -4.0, 0.5], abs=1e-5)
    assert found[4:].abs().max() < 1e-5
