"""Estimate Depth in a real host, with a model of a few weights."""

import json

import numpy as np
import pytest
import torch

from bokeh_core.disparity.estimator import REPOSITORIES, EstimatorFiles
from bokeh_core.disparity.prepare import prepare_disparity
from bokeh_core.disparity.refine import refine_disparity
from tests.core.disparity.tiny_estimator import write_tiny_estimator
from tests.host.harness import HostUnderTest
from tests.host.schema import choices_of, schema_defaults

NODE = "AnyToBokehEstimateDisparity"


@pytest.fixture(scope="module")
def model(host: HostUnderTest) -> EstimatorFiles:
    """The model in the host's folder for depth models."""
    folder = write_tiny_estimator(host.process.base / "models" / "depth_anything" / "tiny")
    size = {"size": {"height": 56, "width": 56}}
    (folder / "preprocessor_config.json").write_text(json.dumps(size), encoding="utf-8")
    return EstimatorFiles(folder)


def test_models_are_found_and_downloads_name_their_licence(host: HostUnderTest, model: EstimatorFiles):
    choices = choices_of(host, NODE, "model")
    assert choices[:2] == ["installed", "tiny"]
    assert choices[2:] == [f"download {name} ({licence})" for name, licence in REPOSITORIES.items()]
    # Whoever touches nothing downloads nothing.
    assert schema_defaults(host, NODE) == {"model": "installed", "normalisation": "min-max", "refine": True}


@pytest.mark.parametrize("choice", ["installed", "tiny"])
def test_disparity_is_that_of_the_model(host: HostUnderTest, model: EstimatorFiles, choice: str):
    frames = np.random.default_rng(0).random((3, 48, 64, 3), np.float32)
    graph = host.graph()
    node = graph.add(NODE, frames=host.load(graph, frames), model=choice, refine=False)
    disparity, image, report = host.values_of(graph, node[0], node[1], node[2])
    maps = model.load().maps(torch.from_numpy(frames))
    expected = prepare_disparity(maps, polarity="near white", height=48, width=64).disparity.numpy()
    np.testing.assert_allclose(disparity, expected, atol=1e-3)
    np.testing.assert_array_equal(image, np.repeat(disparity[..., None], 3, axis=-1))
    assert report.startswith("tiny on cpu.") and "may waver" in report


def test_maps_are_refined_unless_switched_off(host: HostUnderTest, model: EstimatorFiles):
    frames = np.random.default_rng(0).random((3, 48, 64, 3), np.float32)
    graph = host.graph()
    node = graph.add(NODE, frames=host.load(graph, frames), model="tiny")
    disparity, report = host.values_of(graph, node[0], node[2])
    maps = model.load().maps(torch.from_numpy(frames))
    raw = prepare_disparity(maps, polarity="near white", height=48, width=64).disparity
    expected = refine_disparity(torch.from_numpy(frames), raw).numpy()
    np.testing.assert_allclose(disparity, expected, atol=1e-3)
    assert "may waver" not in report
