"""MPI regions that the network reads: none as released, Eq. 2 as in the paper, or the user's."""

import pytest
import torch
from torch import Tensor

from bokeh_core.pipeline.inputs import BokehInputs, bokeh_inputs

CPU = torch.device("cpu")
# Distances from a focus of 1/2 that are 0, 0.1 and 1/2: in 64 x 192 px, thirds of one value each.
DISPARITY = torch.tensor([0.5, 0.4, 0.0]).repeat_interleave(64).expand(1, 64, 192)


def inputs_for(regions: Tensor | None = None, mpi_alpha: float = 1.0) -> BokehInputs:
    focus, strength = torch.tensor([0.5]), torch.tensor([8.0])
    frames = torch.zeros(2, 3, 64, 192)
    return bokeh_inputs(frames, DISPARITY, focus, strength, regions=regions, mpi_alpha=mpi_alpha)


def of_thirds(regions: Tensor | None) -> list[list[int]]:
    assert regions is not None
    return regions[:, 32, 32::64].tolist()


def test_released_mode_reads_no_regions():
    given = torch.ones(1, 64, 192, dtype=torch.uint8)
    assert inputs_for().network_regions(0, 2, CPU, "released") is None
    assert inputs_for(given).network_regions(0, 2, CPU, "released") is None


def test_paper_mode_makes_them_from_the_disparity():
    # Thresholds (i / 4)^(1 / 0.5): 1/16, 1/4, 9/16. One disparity and one focus serve both frames.
    assert of_thirds(inputs_for().network_regions(0, 2, CPU, "paper")) == [[0, 1, 2]] * 2
    # alpha 2: (i / 4)^(1 / 0.25): 0.004, 1/16, 0.316.
    assert of_thirds(inputs_for(mpi_alpha=2.0).network_regions(1, 2, CPU, "paper")) == [[0, 2, 3]]


def test_given_regions_are_read_instead():
    given = torch.tensor([3, 0, 1], dtype=torch.uint8).repeat_interleave(64).expand(1, 64, 192)
    assert of_thirds(inputs_for(given).network_regions(0, 1, CPU, "paper")) == [[3, 0, 1]]


def test_alpha_out_of_range_is_refused_at_once():
    with pytest.raises(ValueError, match="alpha"):
        inputs_for(mpi_alpha=0.0)
