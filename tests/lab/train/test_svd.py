"""Training starts from Stable Video Diffusion's files as diffusers writes them."""

from pathlib import Path
from typing import Any

import pytest
import torch
from diffusers import AutoencoderKLTemporalDecoder, UNetSpatioTemporalConditionModel
from safetensors.torch import load_file

from bokeh_lab.train.config_file import train_config
from bokeh_lab.train.export import write_bundle
from bokeh_lab.train.networks import build_network
from bokeh_lab.train.svd import initial_unet, initial_vae, is_bokeh_unet


@pytest.fixture(scope="module")
def svd_folder(tmp_path_factory: pytest.TempPathFactory, tiny_sizes: dict[str, Any]) -> Path:
    torch.manual_seed(1)
    folder = tmp_path_factory.mktemp("svd")
    UNetSpatioTemporalConditionModel(**tiny_sizes["unet"]).save_pretrained(folder / "unet")
    AutoencoderKLTemporalDecoder(**tiny_sizes["vae"]).half().save_pretrained(folder / "vae", variant="fp16")
    return folder


def test_unet_takes_every_tensor_and_names_what_it_adds(svd_folder: Path):
    unet, added = initial_unet(svd_folder)
    stock = load_file(svd_folder / "unet" / "diffusion_pytorch_model.safetensors")
    state = unet.state_dict()
    assert all(torch.equal(state[name], value) for name, value in stock.items())
    assert set(added) == set(state) - set(stock)
    assert {"fuser" if ".fuser." in name else name.split(".")[0] for name in added} == {
        "fuser",
        "conv_in_mpi",
    }
    assert torch.equal(state["conv_in_mpi.weight"], stock["conv_in.weight"][:, :4])
    assert torch.equal(state["conv_in_mpi.bias"], stock["conv_in.bias"])
    assert not any(".ff_k." in name for name in state)


def test_new_unet_computes_what_svd_computes(svd_folder: Path):
    """Gates start at zero and E(K) is the only addition: without its weights the U-Net is SVD's own."""
    unet, _ = initial_unet(svd_folder)
    stock = UNetSpatioTemporalConditionModel.from_pretrained(svd_folder / "unet").eval()
    for name, parameter in unet.named_parameters():
        if ".k_encoder." in name:
            torch.nn.init.zeros_(parameter)
    generator = torch.Generator().manual_seed(2)
    # 32 x 32 latents end as 4 x 4; of fewer values a group norm magnifies the rounding.
    sample = torch.randn(1, 2, 8, 32, 32, generator=generator)
    # One embedding for all frames: SVD knows no other.
    embedding = torch.randn(1, 1, 32, generator=generator)
    with torch.no_grad():
        expected = stock(sample, 1.0, embedding, torch.tensor([[6.0, 127.0, 0.0]])).sample
        found = unet.eval()(sample, torch.tensor([[4.0, 4.0]]), embedding.expand(1, 2, 32))
    assert torch.allclose(found, expected, atol=1e-5)


def test_vae_takes_half_precision_and_adds_its_skips(svd_folder: Path):
    vae, added = initial_vae(svd_folder)
    assert added == [f"decoder.skip_conv_{j}.weight" for j in (1, 2, 3, 4)]
    assert vae.quant_conv.weight.dtype == torch.float32
    assert all(float(value.min()) == float(value.max()) == pytest.approx(1e-5) for name, value in
               vae.state_dict().items() if name in added)  # fmt: skip


def test_no_prior_means_the_same_sizes_with_random_weights(svd_folder: Path, tiny_run: dict[str, Any]):
    values = {**tiny_run, "model": {"unet": str(svd_folder / "unet"), "vae": str(svd_folder / "vae")}}
    prior = build_network(train_config(values), "stage1", torch.device("cpu"))
    without = build_network(
        train_config({**values, "ablation": {"pretrained": False}}), "stage1", torch.device("cpu")
    )
    assert prior.unet.state_dict().keys() == without.unet.state_dict().keys()
    assert not torch.equal(prior.unet.conv_in.weight, without.unet.conv_in.weight)
    assert torch.equal(without.unet.conv_in_mpi.weight, without.unet.conv_in.weight[:, :4])
    assert torch.equal(prior.vae.quant_conv.weight, without.vae.quant_conv.weight)


def test_other_architectures_are_refused(svd_folder: Path):
    assert not is_bokeh_unet(svd_folder / "unet")
    with pytest.raises(ValueError, match=r"config\.json is a VAE's"):
        initial_unet(svd_folder / "vae")


def test_training_goes_on_from_a_bundle(tiny_run: dict[str, Any], tmp_path: Path):
    options = {"input_skip": True, "latent_difference": True, "signed_defocus": True, "defocus_skips": True}
    values = {**tiny_run, "model": {**tiny_run["model"], "options": options}}
    network = build_network(train_config(values), "pixels", torch.device("cpu"))
    file = str(tmp_path / "small.safetensors")
    write_bundle(network, "paper", Path(file), {}, torch.float32)
    again = {**values, "model": {"unet": file, "vae": file, "layers": file, "options": options}}
    found = build_network(train_config(again), "pixels", torch.device("cpu")).state_dict()
    assert found.keys() == network.state_dict().keys()
    assert all(torch.equal(found[name], value) for name, value in network.state_dict().items())
    without_prior = {**again, "ablation": {"pretrained": False}, "seed": 1}
    anew = build_network(train_config(without_prior), "pixels", torch.device("cpu")).state_dict()
    assert not torch.equal(anew["unet.conv_in.weight"], found["unet.conv_in.weight"])
    assert torch.equal(anew["vae.quant_conv.weight"], found["vae.quant_conv.weight"])
