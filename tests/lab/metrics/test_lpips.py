"""LPIPS against its formula, with a random backbone in the published layout."""

from pathlib import Path

import pytest
import torch
import torchmetrics
from torch.nn import functional as F
from torchvision.models import squeezenet1_1  # type: ignore[import-untyped]

from bokeh_lab.metrics import Backbones, Missing
from bokeh_lab.metrics.lpips import SQUEEZENET, lpips

# Layers of SqueezeNet's `features` after which LPIPS compares (ReLU, Fire 1-8 in groups).
TAPS = (1, 4, 7, 9, 10, 11, 12)
MEAN, DEVIATION = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(0)
    return squeezenet1_1(weights=None).eval()


@pytest.fixture(scope="module")
def folder(network, tmp_path_factory):
    path = tmp_path_factory.mktemp("weights")
    torch.save(network.state_dict(), path / SQUEEZENET.file)
    return path


def reference_lpips(network, first, second):
    """Zhang et al. 2018, Eq. 1, for two frames [H, W, 3] in [0, 1]."""
    path = Path(torchmetrics.__file__).parent / "functional/image/lpips_models/squeeze.pth"
    heads = torch.load(path, map_location="cpu", weights_only=True)
    # LPIPS rounds ImageNet's statistics to three digits in [-1, 1].
    shift, scale = torch.tensor([-0.030, -0.088, -0.188]), torch.tensor([0.458, 0.448, 0.450])
    torch.testing.assert_close((1 + shift) / 2, MEAN, atol=1e-3, rtol=0)
    torch.testing.assert_close(scale / 2, DEVIATION, atol=1e-3, rtol=0)
    x, y = (((frame * 2 - 1 - shift) / scale).permute(2, 0, 1)[None] for frame in (first, second))
    total = 0.0
    with torch.inference_mode():
        for index, layer in enumerate(network.features):
            x, y = layer(x), layer(y)
            if index in TAPS:
                weights = heads[f"lin{TAPS.index(index)}.model.1.weight"]
                difference = (F.normalize(x, dim=1) - F.normalize(y, dim=1)) ** 2
                total += (difference * weights).sum(dim=1).mean().item()
    return total


def test_is_the_published_formula(make_pair, texture, network, folder):
    truth = torch.stack([texture(40, 56, seed) for seed in range(5)])
    prediction = torch.stack([texture(40, 56, seed) for seed in range(5, 10)])
    expected = sum(reference_lpips(network, p, t) for p, t in zip(prediction, truth, strict=True)) / 5
    assert expected > 0.01
    assert lpips(make_pair(prediction, truth), Backbones(folder)) == pytest.approx(expected, rel=1e-3)


def test_identical_clips(make_pair, texture, folder):
    clip = texture(32, 32, 0)[None]
    assert lpips(make_pair(clip, clip.clone()), Backbones(folder)) == 0


def test_more_noise_is_farther(make_pair, texture, folder):
    truth = texture(48, 48, 0)[None] * 0.6 + 0.2
    noise = torch.randn(truth.shape, generator=torch.Generator().manual_seed(1))
    backbones = Backbones(folder)
    nearer = 0.0
    for level in (0.01, 0.03, 0.1, 0.3):
        value = lpips(make_pair((truth + level * noise).clamp(0, 1), truth), backbones)
        assert isinstance(value, float)
        assert value > nearer
        nearer = value


def test_smallest_frames(make_pair, folder):
    tiny, small = (torch.full((1, side, side, 3), 0.5) for side in (16, 17))
    assert lpips(make_pair(tiny, tiny), Backbones(folder)) == Missing("needs frames of 17 px or more")
    assert lpips(make_pair(small, small), Backbones(folder)) == 0


def test_without_weights(make_pair):
    clip = torch.full((1, 32, 32, 3), 0.5)
    value = lpips(make_pair(clip, clip), Backbones())
    assert isinstance(value, Missing)
    assert value.short == "no weights"
    assert SQUEEZENET.file in value.reason
