"""Blocks over time that are left out for single frames: exact at their start, untouched by training."""

from typing import Any

import pytest
import torch

from bokeh_lab.train.config_file import train_config
from bokeh_lab.train.layers_over_time import blocks_over_time, leave_out_over_time, start_over_time
from bokeh_lab.train.network import decode_clips
from bokeh_lab.train.networks import build_network
from bokeh_lab.train.trainable import set_trainable


def with_model(values: dict[str, Any], **model: Any) -> dict[str, Any]:
    return {**values, "model": {**values["model"], **model}}


def test_a_decoder_at_its_start_computes_what_it_does_without_them(small_vae: Any, randomised: Any):
    vae = randomised(type(small_vae)(small_vae.config), 0)
    generator = torch.Generator().manual_seed(0)
    frames = torch.rand(2, 3, 32, 32, generator=generator) * 2 - 1
    with torch.no_grad():
        latents, skips = vae.encode(frames)
        trained = decode_clips(vae.decoder, latents, skips, 2)
        start_over_time(vae)
        fresh = decode_clips(vae.decoder, latents, skips, 2)
        leave_out_over_time(vae)
        without = decode_clips(vae.decoder, latents, skips, 2)
    assert float((trained - fresh).abs().mean()) > 1e-3
    assert torch.allclose(fresh, without, atol=1e-5)


def test_a_random_network_starts_so_only_when_asked(tiny_run: dict[str, Any]):
    device = torch.device("cpu")

    def last_weights(**model: Any) -> list[torch.Tensor]:
        network = build_network(train_config(with_model(tiny_run, **model)), "pixels", device)
        return [
            value for name, value in network.named_parameters() if "temporal_res_block.conv2.weight" in name
        ]

    assert not any(bool(weight.any()) for weight in last_weights(time_init="identity"))
    assert all(bool(weight.any()) for weight in last_weights())


def test_they_do_not_learn_in_still_runs(tiny_run: dict[str, Any]):
    values = {
        **tiny_run,
        "data": {**tiny_run["data"], "frames": 1},
        "run": {**tiny_run["run"], "still": True},
    }
    network = build_network(train_config(values), "pixels", torch.device("cpu"))
    everything, still = (
        set(set_trainable(network, "pixels", train_config(values).ablation, still=s)) for s in (False, True)
    )
    over_time = {id(p) for block in blocks_over_time(network) for p in block.parameters()}
    names = {name for name, p in network.named_parameters() if id(p) in over_time}
    assert names and all("temporal_res_block" in name for name in names)
    assert everything - still == names


def test_still_runs_need_single_frames(tiny_run: dict[str, Any]):
    with pytest.raises(ValueError, match=r"run\.still needs data\.frames 1, not \(2, 2\)"):
        train_config({**tiny_run, "run": {**tiny_run["run"], "still": True}})
