"""The small variant of the GPU bench: it runs, and nothing it tries changes the pictures. Nothing timed."""

import sys

import pytest
import torch

from bench import gpu

CPU = torch.device("cpu")
# Random weights amplify rounding; a step of 8-bit pixels is forty times as much.
ROUNDING = 1e-4


@pytest.mark.slow
def test_every_way_of_working_makes_the_same_pictures(monkeypatch):
    setup = gpu.small_setup(torch.float32, CPU, height=64, width=64, frames=12)
    weights = {name: value.clone() for name, value in setup.vae.state_dict().items()}

    def pictures_of(run, _setup):
        return gpu.Measured(1.0, 1, torch.cat([piece for _, piece in run()]))

    monkeypatch.setattr(gpu, "measure", pictures_of)
    results = dict(gpu.rows(setup, gpu.OPTIONS))
    assert len(results) == 2 + len(gpu.OPTIONS)
    theirs, ours, *_ = results.values()
    assert ours.pictures.shape == setup.inputs.frames.shape
    # Neither grey nor clipped, or agreement would say nothing.
    assert ours.pictures.std() > 0.02
    assert ours.difference(theirs.pictures)[0] <= ROUNDING
    for name, result in results.items():
        largest, psnr = result.difference(ours.pictures)
        if "inexact" in name:
            assert largest > ROUNDING
        else:
            # channels_last runs other convolutions.
            assert psnr > 80, name
    # What the options changed is as it was.
    for name, value in setup.vae.state_dict().items():
        assert torch.equal(value, weights[name]), name


def test_a_run_is_measured():
    setup = gpu.small_setup(torch.float32, CPU, height=64, width=64)
    measured = gpu.measure(setup.ours, setup)
    assert measured.pictures.shape == (20, 3, 64, 64)
    assert measured.seconds_a_frame > 0
    # At the least one map of each of 8 decoded frames, 32 channels in float32, and its first convolution.
    assert measured.peak_bytes > 2 * 8 * 32 * 64 * 64 * 4


def test_options_are_left_out_when_time_is_up(monkeypatch):
    setup = gpu.small_setup(torch.float32, CPU, height=64, width=64, frames=1)
    measured = gpu.Measured(1.0, 1, torch.zeros(1))
    monkeypatch.setattr(gpu, "measure", lambda run, setup: measured)
    results = dict(gpu.rows(setup, gpu.OPTIONS, budget_s=0))
    assert list(results.values()) == [measured, measured] + ["left out, no time"] * len(gpu.OPTIONS)


def test_full_size_on_a_cpu_is_refused(monkeypatch):
    monkeypatch.setattr(sys, "argv", ["bench.gpu", "--device", "cpu"])
    with pytest.raises(SystemExit, match="would take hours on a CPU"):
        gpu.main()
