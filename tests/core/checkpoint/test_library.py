"""What the model dropdowns show for what lies on disk."""

import json

import torch
from safetensors.torch import save_file

from bokeh_core.checkpoint.library import (
    EXPECTED_NAMES,
    best_choice,
    choices,
    count_parameters,
    models_in,
    state_of_model,
)

UNET, VAE = {"cross_attention_dim": 1024}, {"latent_channels": 4}


def write_model(folder, config, weights="diffusion_pytorch_model.safetensors"):
    folder.mkdir(parents=True)
    (folder / "config.json").write_text(config if isinstance(config, str) else json.dumps(config))
    save_file({"a": torch.zeros(2, 3), "b": torch.zeros(4)}, folder / weights)


def test_files_and_published_folders_are_found(tmp_path):
    write_model(tmp_path / "checkpoints" / "unet" / "unet", UNET)
    write_model(tmp_path / "checkpoints" / "vae", VAE)
    write_model(tmp_path / "broken", "{")
    save_file({"a": torch.zeros(1)}, tmp_path / "one.safetensors")
    (tmp_path / "pickle.pth").write_bytes(b"")
    assert sorted(models_in(tmp_path, "unet")) == ["checkpoints/unet/unet", "one.safetensors"]
    assert sorted(models_in(tmp_path, "vae")) == ["checkpoints/vae", "one.safetensors"]
    assert models_in(tmp_path / "nowhere", "vae") == []


def test_shared_files_come_first_and_the_expected_name_when_there_are_none():
    assert choices(["b.safetensors", "c.ckpt"], ["a.safetensors", "b.safetensors"], "unet") == [
        "b.safetensors",
        "a.safetensors",
    ]
    assert choices(["c.ckpt"], [], "vae") == [EXPECTED_NAMES["vae"]]


def test_a_bokeh_file_is_the_first_choice():
    assert best_choice(["wan.safetensors", "folder/Any_to_Bokeh.safetensors"]) == (
        "folder/Any_to_Bokeh.safetensors"
    )
    assert best_choice(["wan.safetensors", "sdxl.safetensors"]) == "wan.safetensors"


def test_parameters_are_counted_from_headers(tmp_path):
    write_model(tmp_path / "unet", UNET)
    assert count_parameters(tmp_path / "unet", "unet") == 2 * 3 + 4
    (tmp_path / "pickle.pth").write_bytes(b"not read")
    assert count_parameters(tmp_path / "pickle.pth", "unet") == 0


def test_state_follows_the_file(tmp_path):
    path = tmp_path / "one.safetensors"
    save_file({"a": torch.zeros(1)}, path)
    before = state_of_model(path, "unet")
    assert state_of_model(path, "unet") == before
    save_file({"a": torch.zeros(2)}, path)
    assert state_of_model(path, "unet") != before
