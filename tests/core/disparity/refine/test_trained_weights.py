"""The file of the trained network: whole, or an error that says what to do."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from bokeh_core.disparity.refine.trained.network import MenderNetwork
from bokeh_core.disparity.refine.trained.weights import WEIGHTS_FILE, read_network, trained_network


def test_the_shipped_file_is_read_once_a_device():
    assert WEIGHTS_FILE.stat().st_size < 2e6
    network = trained_network(torch.device("cpu"))
    assert trained_network(torch.device("cpu")) is network
    assert not any(weight.requires_grad for weight in network.parameters())


def test_a_missing_file_says_what_to_do(tmp_path: Path):
    with pytest.raises(ValueError, match=r"mender.safetensors.* is missing. Install the pack again, or turn"):
        trained_network(torch.device("cpu"), tmp_path / "mender.safetensors")


@pytest.mark.parametrize("length", [0, 5, 100, 40_000])
def test_a_file_that_is_cut_short_is_refused(tmp_path: Path, length: int):
    path = tmp_path / "mender.safetensors"
    path.write_bytes(WEIGHTS_FILE.read_bytes()[:length])
    with pytest.raises(ValueError, match="cut short or damaged"):
        read_network(path)


def test_another_network_and_values_that_are_no_numbers_are_refused(tmp_path: Path):
    path = tmp_path / "mender.safetensors"
    weights = {name: value.contiguous() for name, value in MenderNetwork().state_dict().items()}
    save_file({name: value for name, value in weights.items() if name != "tell.bias"}, path)
    with pytest.raises(ValueError, match="not the network of this version"):
        read_network(path)
    weights["tell.bias"][3] = torch.nan
    save_file(weights, path)
    with pytest.raises(ValueError, match="no numbers"):
        read_network(path)


def test_weights_of_half_precision_are_computed_with_in_full(tmp_path: Path):
    path = tmp_path / "mender.safetensors"
    weights = MenderNetwork().state_dict()
    save_file({name: value.contiguous().half() for name, value in weights.items()}, path)
    network = read_network(path)
    assert {weight.dtype for weight in network.parameters()} == {torch.float32}
    assert torch.allclose(network.tell.weight, weights["tell.weight"], atol=1e-3)
