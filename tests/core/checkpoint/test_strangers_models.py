"""Files of networks that strangers hand over: whatever is wrong with them ends in a sentence."""

import json
import random
import shutil
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from bokeh_core.checkpoint.image_encoder import load_image_encoder
from bokeh_core.checkpoint.library import models_in
from bokeh_core.checkpoint.load import load_unet, load_vae, trained_mpi_mode
from bokeh_core.convert.single_file import convert
from bokeh_lab.train.svd import initial_unet

WEIGHTS = "diffusion_pytorch_model.safetensors"
SEEDS = range(15)
# What may stand where a number, a name or a list belongs.
ODD: list[Any] = [
    *(None, True, 0, -1, 7, 1e9, 10**30, 10**400, float("nan"), float("inf"), 1.5),
    *("", "32", "x" * 5000, "../x", "\0", [], [[]], {}, {"a": 1}, [None], [0] * 4, [32], [64] * 40),
]


@pytest.fixture
def model(tmp_path: Path, golden_folder: Path) -> Callable[..., Path]:
    """A published folder of the small U-Net, some keys of its config replaced."""

    def write(component: str = "unet", **changes: Any) -> Path:
        folder = tmp_path / component
        folder.mkdir(exist_ok=True)
        shutil.copyfile(golden_folder / component / WEIGHTS, folder / WEIGHTS)
        values = json.loads((golden_folder / component / "config.json").read_text(encoding="utf-8"))
        (folder / "config.json").write_text(json.dumps({**values, **changes}), encoding="utf-8")
        return folder

    return write


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"layers_per_block": 0}, r"layers_per_block is 0; it must be a whole number from 1 to 16"),
        ({"num_attention_heads": 0}, r"num_attention_heads is 0; it must be a whole number from 1 to 512"),
        ({"num_attention_heads": [1, 2, 3, 2]}, r"num_attention_heads\[2\] is 3; it must divide .*, 64"),
        ({"num_attention_heads": [1, 2]}, r"num_attention_heads has 2 values; it must have 4"),
        ({"block_out_channels": None}, r"block_out_channels is None; it must be a list of 1 to 8"),
        ({"block_out_channels": [32, 40, 64, 64]}, r"\[1\] is 40; it must be a multiple of 32, such as 32"),
        ({"block_out_channels": [32, 32, 64, 10**9]}, r"\[3\] is 1000000000; .* from 32 to 8192"),
        ({"down_block_types": ["DownBlock2D"] * 4}, r"has 'DownBlock2D'; this version knows CrossAttn"),
        ({"up_block_types": 4}, r"up_block_types is 4; it must be a list of 4 names"),
        ({"cross_attention_dim": "32"}, r"cross_attention_dim is '32'; it must be a whole number"),
        ({"in_channels": 4}, r"in_channels is 4; it must be a whole number from 8 to 8"),
        ({"addition_time_embed_dim": 32}, r"input_dim is 48; it must be 3 times addition_time_embed_dim, 96"),
        ({"transformer_layers_per_block": [1, [2, 10**6]]}, r"\[1\] is 1000000; .* from 1 to 16"),
    ],
)
def test_values_of_a_unet_s_config(model: Callable[..., Path], changes: dict[str, Any], message: str):
    with pytest.raises(ValueError, match=r"unet.*makes no network: .*" + message):
        load_unet(model(**changes))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"scaling_factor": float("nan")}, r"scaling_factor is nan; it must be a number above 0"),
        ({"scaling_factor": "0.2"}, r"scaling_factor is '0\.2'; it must be a number above 0"),
        ({"latent_channels": 0}, r"latent_channels is 0; it must be a whole number from 4 to 4"),
        ({"down_block_types": ["DownEncoderBlock2D"]}, r"must be a list of 4 names"),
        ({"layers_per_block": 1e9}, r"layers_per_block is 1000000000\.0; it must be a whole number"),
    ],
)
def test_values_of_a_vae_s_config(model: Callable[..., Path], changes: dict[str, Any], message: str):
    with pytest.raises(ValueError, match=r"vae.*makes no network: .*" + message):
        load_vae(model("vae", **changes))


@pytest.mark.parametrize(
    "text", ["[" * 100_000, '{"weight_map":' * 100_000, '{"weight_map": ' + "9" * 5000 + "}"]
)
def test_json_without_end(model: Callable[..., Path], text: str):
    folder = model()
    (folder / "config.json").write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match=r"config\.json is not readable JSON"):
        load_unet(folder)
    assert models_in(folder.parent, "unet") == []
    (folder / WEIGHTS).unlink()
    (folder / f"{WEIGHTS}.index.json").write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match=r"index\.json is not readable JSON"):
        trained_mpi_mode(folder)


def test_a_config_of_many_megabytes_is_not_read(model: Callable[..., Path]):
    folder = model()
    (folder / "config.json").write_text('{"a": "' + "x" * 2**20 + '"}', encoding="utf-8")
    with pytest.raises(ValueError, match=r"config\.json is not readable JSON \(1048585 bytes are too many\)"):
        load_unet(folder)


@pytest.mark.parametrize(
    "parts", [None, 3, [], {}, {"a": 1}, {"a": None}, {"a": ["x"]}, {"a": "../x.safetensors"}]
)
def test_an_index_that_is_none(model: Callable[..., Path], parts: Any):
    folder = model()
    (folder / WEIGHTS).rename(folder.parent / "x.safetensors")
    (folder / f"{WEIGHTS}.index.json").write_text(json.dumps({"weight_map": parts}), encoding="utf-8")
    with pytest.raises(ValueError, match=r"index\.json has no weight_map of tensors to files beside it"):
        load_unet(folder)


def test_quantised_weights_are_refused(model: Callable[..., Path]):
    folder = model()
    tensors = load_file(folder / WEIGHTS)
    save_file({**tensors, "conv_in.bias": tensors["conv_in.bias"].to(torch.int8)}, folder / WEIGHTS)
    with pytest.raises(ValueError, match=r"stores conv_in\.bias as I8; weights must be one of F32"):
        load_unet(folder)


def test_a_header_that_declares_too_much(model: Callable[..., Path]):
    folder = model()
    whole = (folder / WEIGHTS).read_bytes()
    for declared in (2**63, 10**12, len(whole)):
        (folder / WEIGHTS).write_bytes(struct.pack("<Q", declared) + whole[8:])
        with pytest.raises(ValueError, match="is cut short or not a safetensors file"):
            load_unet(folder)


def test_training_builds_nothing_before_the_file_fits(model: Callable[..., Path]):
    folder = model(block_out_channels=[8192] * 4)
    tensors = load_file(folder / WEIGHTS)
    plain = {k: v for k, v in tensors.items() if ".fuser." not in k and "conv_in_mpi" not in k}
    save_file(plain, folder / WEIGHTS)
    # Its weights would take 100 GB.
    with pytest.raises(ValueError, match="does not fit its config"):
        initial_unet(folder)


def test_an_image_encoder_s_config(tmp_path: Path, golden_folder: Path):
    shutil.copytree(golden_folder / "image_encoder", tmp_path / "clip")
    config = tmp_path / "clip" / "config.json"
    values = json.loads(config.read_text(encoding="utf-8"))
    for changes, message in (
        ({"patch_size": 0}, "patch_size is 0; it must be a whole number from 1 to 65536"),
        (
            {"num_hidden_layers": 10**6},
            "num_hidden_layers is 1000000; it must be a whole number from 1 to 256",
        ),
        ({"num_attention_heads": 3}, "describes no CLIP image encoder"),
        ({"hidden_act": "none"}, "describes no CLIP image encoder"),
    ):
        config.write_text(json.dumps({**values, **changes}), encoding="utf-8")
        with pytest.raises(ValueError, match=message):
            load_image_encoder(tmp_path / "clip", torch.device("cpu"))


def mutated_config(values: dict[str, Any], random_: random.Random) -> dict[str, Any]:
    """One to three keys replaced, removed or repeated."""
    for _ in range(random_.choice([1, 2, 3])):
        key = random_.choice(sorted(values))
        value = values[key]
        if random_.random() < 0.1 and len(values) > 1:
            del values[key]
        elif isinstance(value, list) and value and random_.random() < 0.5:
            values[key] = [*value[:-1], random_.choice(ODD)]
        else:
            values[key] = random_.choice(ODD)
    return values


def mutated_bytes(content: bytes, random_: random.Random) -> bytes:
    """Cut, or some bytes of the header replaced, or of anything."""
    changed = bytearray(content)
    if random_.random() < 0.3:
        return bytes(changed[: random_.randrange(len(changed))])
    reach = random_.choice([8, 200, 20_000, len(changed)])
    for _ in range(random_.choice([1, 2, 10])):
        changed[random_.randrange(min(reach, len(changed)))] = random_.randrange(256)
    return bytes(changed)


@pytest.mark.parametrize("component", ["unet", "vae"])
def test_mutations_end_in_a_network_or_in_a_sentence(
    model: Callable[..., Path], tmp_path: Path, component: str
):
    load: Callable[[Path], Any] = load_unet if component == "unet" else load_vae
    folder = model(component)
    weights, config = (folder / WEIGHTS).read_bytes(), (folder / "config.json").read_text(encoding="utf-8")
    refused, refusals = 0, dict[int, int]()
    for seed in SEEDS:
        random_ = random.Random(seed)
        if seed % 3 == 0:
            (folder / WEIGHTS).write_bytes(mutated_bytes(weights, random_))
        else:
            (folder / WEIGHTS).write_bytes(weights)
            changed = mutated_config(json.loads(config), random_)
            (folder / "config.json").write_text(json.dumps(changed), encoding="utf-8")
        for read in (load, lambda path: convert(path, tmp_path / "out.safetensors")):
            try:
                read(folder)
            except ValueError as error:
                refusals[seed] = max(refusals.get(seed, 0), len(str(error)))
                refused += 1
        (folder / "config.json").write_text(config, encoding="utf-8")
    assert {seed: length for seed, length in refusals.items() if length >= 1500} == {}
    # Some replaced a key that decides nothing, or one number by another.
    assert refused > len(SEEDS)
