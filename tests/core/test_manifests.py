"""The full-size networks have the keys and shapes of the published files."""

import gzip
import json
from math import prod

import pytest
import torch

from bokeh_core.models import BokehUNet, RefinedVAE


@pytest.mark.parametrize(
    ("kind", "name", "tensors", "parameters"),
    [(BokehUNet, "unet", 1830, 1_876_296_074), (RefinedVAE, "vae", 378, 98_234_367)],
)
def test_published_keys_and_shapes(golden_folder, kind, name, tensors, parameters):
    published = json.loads(gzip.decompress((golden_folder / "manifests" / f"{name}.json.gz").read_bytes()))
    with torch.device("meta"):
        model = kind()
    assert {key: list(value.shape) for key, value in model.state_dict().items()} == published
    assert len(published) == tensors
    assert sum(prod(shape) for shape in published.values()) == parameters
    assert all(value.is_meta for value in model.state_dict().values() if value.ndim > 1)
