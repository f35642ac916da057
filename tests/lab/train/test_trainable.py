"""Which parameters a stage moves: the rules by name, and a real step of the optimiser."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
import torch

from bokeh_core.models import BokehUNet, RefinedVAE, UNetConfig
from bokeh_lab.train.config import STAGES, AblationConfig, LossConfig, Stage
from bokeh_lab.train.config_file import train_config
from bokeh_lab.train.network import BokehNetwork
from bokeh_lab.train.networks import build_network
from bokeh_lab.train.objective import Objective
from bokeh_lab.train.samples import Sample
from bokeh_lab.train.trainable import remove_ablated, set_trainable

FULL = AblationConfig()
# Wide enough that a normalisation group has two channels: in groups of one, biases before it have no effect.
WIDE = [64, 64, 64, 64]


def expected_names(names: list[str], stage: Stage) -> set[str]:
    """The stages in terms of published tensor names."""

    def unused(name: str) -> bool:
        in_block = "transformer_blocks.0." in name and ".fuser." not in name
        cross_query = any(part in name for part in (".attn2.to_q.", ".attn2.to_k.", ".norm2."))
        return ".fuser.ff_k." in name or (in_block and cross_query)

    unet = {name for name in names if name.startswith("unet.") and not unused(name)}
    decoder = {name for name in names if name.startswith("vae.decoder.")}
    layers = {name for name in names if name.startswith("layers.")}
    before_unet = {name for name in layers if "defocus_encoder" in name}
    return {
        "stage0": {n for n in names if n.startswith("vae.") and "skip_conv_" not in n},
        "stage1": unet | before_unet,
        "stage2": {n for n in unet if ".temporal_transformer_blocks." in n},
        "stage3": decoder | (layers - before_unet),
        "pixels": unet | decoder | layers,
    }[stage]


def random_sample(clips: int = 1, frames: int = 2, side: int = 64) -> Sample:
    generator = torch.Generator().manual_seed(0)
    return Sample(
        frames=torch.rand(clips, frames, 3, side, side, generator=generator),
        disparity=torch.rand(clips, frames, side, side, generator=generator),
        focal_disparity=torch.full((clips, frames), 0.5),
        blur_strength_px=torch.full((clips, frames), 20.0),
        bokeh=torch.rand(clips, frames, 3, side, side, generator=generator),
        lens_picture=torch.empty(clips, frames, 3, 0, 0),
        gamma=torch.ones(clips),
        index=torch.arange(clips),
    )


@pytest.fixture
def network(tiny_run: dict[str, Any], randomised: Any) -> BokehNetwork:
    model = tiny_run["model"]
    values = {
        **tiny_run,
        "model": {
            "unet_config": {**model["unet_config"], "block_out_channels": WIDE},
            "vae_config": {**model["vae_config"], "block_out_channels": WIDE, "layers_per_block": 2},
            "options": {"input_skip": True, "signed_defocus": True, "defocus_skips": True},
        },
    }
    built = build_network(train_config(values), "stage1", torch.device("cpu"))
    embedding = torch.linspace(-1, 1, 32)
    encoded = BokehNetwork(
        built.unet, built.vae, built.options, lambda images: embedding.expand(len(images), 32)
    )
    return randomised(encoded, 0)


@pytest.mark.parametrize("stage", STAGES)
def test_a_step_moves_what_the_stage_trains_and_nothing_else(network: BokehNetwork, stage: Stage):
    names = set_trainable(network, stage, FULL)
    before = {name: value.clone() for name, value in network.named_parameters()}
    assert set(names) == expected_names(list(before), stage)
    optimiser = torch.optim.Adam([p for p in network.parameters() if p.requires_grad], lr=1e-2)
    Objective(network, stage, LossConfig(), "paper")(random_sample())["loss"].backward()
    optimiser.step()
    moved = {name for name, value in network.named_parameters() if not torch.equal(value, before[name])}
    assert moved == set(names)


def full_size_names() -> list[str]:
    manifests = Path(__file__).resolve().parents[2] / "golden" / "manifests"
    names = []
    for component in ("unet", "vae"):
        entries = json.loads(gzip.decompress((manifests / f"{component}.json.gz").read_bytes()))
        names += [f"{component}.{name}" for name in entries]
    return names


def test_full_size_names():
    with torch.device("meta"):
        network = BokehNetwork(BokehUNet(UNetConfig()), RefinedVAE())
    published = full_size_names()
    assert sorted(dict(network.named_parameters())) == sorted(published)
    for stage in STAGES:
        assert set(set_trainable(network, stage, FULL)) == expected_names(published, stage)


def test_without_mpi_only_the_embedding_of_k_remains_of_a_fuser(network: BokehNetwork):
    ablation = AblationConfig(mpi=False)
    remove_ablated(network, ablation)
    names = set_trainable(network, "stage1", ablation)
    left = {name.split(".fuser.")[1] for name in names if ".fuser." in name}
    assert left == {"k_encoder.weight", "k_encoder.bias"}
    assert not any("conv_in_mpi" in name for name in names)
    gates = [
        value for name, value in network.named_parameters() if name.endswith(("alpha_attn", "alpha_dense"))
    ]
    assert gates and all(float(gate) == 0 for gate in gates)


def test_without_refinement_the_decoder_does_not_see_the_encoder(network: BokehNetwork):
    ablation = AblationConfig(refine=False)
    remove_ablated(network, ablation)
    assert not any("skip_conv_" in name for name in set_trainable(network, "stage3", ablation))
    skips = [value for name, value in network.named_parameters() if "skip_conv_" in name]
    assert len(skips) == 4 and not any(bool(skip.any()) for skip in skips)


def test_encoder_learns_in_pixels_when_asked(network: BokehNetwork):
    names = set_trainable(network, "pixels", FULL, train_encoder=True)
    encoder = {
        name for name, _ in network.named_parameters() if name.startswith(("vae.encoder.", "vae.quant_"))
    }
    assert encoder <= set(names)


def test_the_margin_of_a_crop_has_no_loss(network: BokehNetwork):
    sample = random_sample()
    inside = torch.zeros(64, 64, dtype=torch.bool)
    inside[8:-8, 8:-8] = True
    changed = {
        where: Sample(**{**vars(sample), "bokeh": torch.where(mask, 1 - sample.bokeh, sample.bokeh)})
        for where, mask in (("inside", inside), ("margin", ~inside))
    }
    loss = LossConfig(texture_weight=0.0, margin_px=8)
    objective = Objective(network, "pixels", loss, "paper")
    with torch.no_grad():
        expected = float(objective(sample)["loss"])
        assert float(objective(changed["margin"])["loss"]) == pytest.approx(expected, rel=1e-6)
        assert abs(float(objective(changed["inside"])["loss"]) - expected) > 1e-3
