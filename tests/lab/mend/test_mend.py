"""From a seed to weights: samples, crops, the loss, a training that goes on where it stopped."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from bokeh_core.disparity.refine.trained.evidence import shown, without_witnesses
from bokeh_core.disparity.refine.trained.network import MenderNetwork
from bokeh_core.disparity.refine.trained.weights import read_network
from bokeh_lab.mend.__main__ import main
from bokeh_lab.mend.crops import Batch, CropSource, as_batch
from bokeh_lab.mend.loop import WEIGHTS, TrainingConfig, learning_rate, train
from bokeh_lab.mend.loss import loss
from bokeh_lab.mend.samples import PIXEL, Samples, disparity_of, files_in
from bokeh_lab.mend.validation import errors
from tests.core.disparity.refine.stand_ins import AGREED, Always, own_place

NAMES = ("own", "soft", "agreed", "mean", "wanted")
TINY = TrainingConfig(steps=2, batch=1, crop_px=16, save_every=1, half=False)


@pytest.fixture(scope="session")
def samples(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Those of one clip of 64 x 48 px."""
    folder = tmp_path_factory.mktemp("samples")
    assert main(["samples", "--to", str(folder), "--clips", "1", "--seed-from", "3", "--size", "64x48"]) == 0
    return folder


def pixels_of(own: torch.Tensor, wanted: torch.Tensor) -> Samples:
    pixels = np.zeros((1, *own.shape), PIXEL)
    for name, values in zip(NAMES, (own, own, own, own, wanted), strict=True):
        pixels[name] = ((values + 0.5) / 2 * 65535).round().numpy()
    return pixels


def test_a_clip_gives_samples_of_its_size_and_the_same_again(samples: Path, tmp_path: Path):
    [file] = files_in(samples)
    found = np.load(file)
    assert found.shape == (8, 48, 64) and found.dtype == PIXEL
    for name in NAMES:
        values = disparity_of(found, name)
        assert values.min() > -0.4 and values.max() < 1.4
        assert values.std() > 0.01
    assert found["colours"].std() > 1 and found["trust"].max() > 20
    assert (
        main(["samples", "--to", str(tmp_path), "--clips", "1", "--seed-from", "3", "--size", "64x48"]) == 0
    )
    assert (tmp_path / file.name).read_bytes() == file.read_bytes()


def test_batches_are_those_of_their_step(samples: Path):
    source = CropSource(files_in(samples), 24, 0)
    first, again, other = (source.batch(step, 3) for step in (0, 0, 1))
    assert first.colours.shape == (3, 3, 24, 24) and first.own.shape == (3, 24, 24)
    assert torch.equal(first.own, again.own) and torch.equal(first.colours, again.colours)
    assert not torch.equal(first.own, other.own)


def test_light_and_scale_leave_the_relation_of_maps():
    own, wanted = torch.rand(2, 16, 16, generator=torch.Generator().manual_seed(0))
    pixels = pixels_of(own, wanted)
    plain, lit = as_batch(pixels), as_batch(pixels, np.random.default_rng(1))
    assert torch.allclose(plain.own[0], own, atol=1e-4) and torch.allclose(plain.wanted[0], wanted, atol=1e-4)
    scale = (lit.own[0, 0, 0] - lit.own[0, 0, 1]) / (own[0, 0] - own[0, 1])
    assert torch.allclose(lit.wanted[0] - lit.own[0], scale * (wanted - own), atol=1e-3)
    assert not torch.allclose(lit.own, plain.own, atol=1e-3)


def test_the_loss_is_least_for_the_candidate_that_is_right():
    # A step that is 2 px too far to the left, so that each pixel should have what lies 2 px to its left.
    own, wanted = torch.full((1, 16, 24), 0.2), torch.full((1, 16, 24), 0.2)
    own[..., 10:], wanted[..., 12:] = 0.8, 0.8
    losses = []
    for candidate in (0, own_place(0, -2), own_place(0, 2)):
        alone = without_witnesses(own)
        view = shown(torch.zeros(1, 3, 16, 24), own, own, alone)
        y, x = torch.ones_like(own[0]).nonzero(as_tuple=True)
        told = Always(candidate).told_at(view.planes, y, x).T.view(1, -1, 16, 24)
        losses.append(loss(told, view, own, alone, wanted).item())
    keeps, right, wrong = losses
    assert right < 0.5 * keeps < 0.5 * wrong
    # What is left is the price of leaving one's own value, 0.4. Pixels count by the step of 0.6, and 0.05,
    # in 12 of 24 columns; what is flat beside them counts next to nothing.
    assert right == pytest.approx(0.4 * 0.65 * 12 / 24, abs=0.003)


def test_a_training_goes_on_where_it_stopped(samples: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    files = files_in(samples)
    whole = train(files, files, tmp_path / "whole", TINY)
    with monkeypatch.context() as patch:
        patch.setattr(CropSource, "batch", stops_at(1))
        with pytest.raises(KeyboardInterrupt):
            train(files, [], tmp_path / "parts", TINY)
    again = train(files, [], tmp_path / "parts", TINY)
    written = read_network(tmp_path / "whole" / WEIGHTS)
    torch.manual_seed(TINY.seed)
    for name, value in MenderNetwork().state_dict().items():
        learned = whole.state_dict()[name]
        assert torch.allclose(again.state_dict()[name], learned, atol=1e-5)
        assert torch.equal(written.state_dict()[name], learned)
        assert not torch.equal(value, learned)


def stops_at(step: int) -> Callable[[CropSource, int, int], Batch]:
    """Drawing of crops that is interrupted."""
    draw = CropSource.batch

    def batch(source: CropSource, at: int, size: int) -> Batch:
        if at == step:
            raise KeyboardInterrupt
        return draw(source, at, size)

    return batch


def test_the_rate_rises_and_falls():
    config = TrainingConfig(steps=1000, rate=1.0)
    assert learning_rate(config, 0) == pytest.approx(0.01)
    assert learning_rate(config, 500) == pytest.approx(0.5)
    assert learning_rate(config, 999) == pytest.approx(0.02)


def test_errors_are_those_of_arithmetic(tmp_path: Path):
    own, wanted = torch.full((16, 40), 0.25), torch.full((16, 40), 0.25)
    own[:, 10:], wanted[:, 12:] = 0.75, 0.75
    np.save(tmp_path / "one.npy", pixels_of(own, wanted))
    kept = errors(Always(0), files_in(tmp_path))
    # Two columns are off by 0.5: of all 40, and of the 10 within 4 px of the step or on either side of it.
    assert kept.all_before == kept.all_after == pytest.approx(1000 * 0.5 * 2 / 40, rel=1e-3)
    assert kept.before == pytest.approx(1000 * 0.5 * 2 / 12, rel=0.25)
    pixels = np.load(tmp_path / "one.npy")
    pixels["agreed"], pixels["trust"] = pixels["wanted"], 255
    np.save(tmp_path / "one.npy", pixels)
    assert errors(Always(AGREED), files_in(tmp_path)).all_after == pytest.approx(0, abs=0.1)


def test_a_folder_without_samples_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit):
        main(["train", "--samples", str(tmp_path), "--to", str(tmp_path / "to")])
    assert "There are no samples in" in capsys.readouterr().err
