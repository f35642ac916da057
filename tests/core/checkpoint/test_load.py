"""Loading the published files, and what a user is told about files that are something else."""

import json
import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from bokeh_core.checkpoint.load import (
    load_unet,
    load_vae,
    suited_overlap,
    trained_mpi_mode,
    trained_strength_px,
)
from bokeh_core.models import BokehUNet

WEIGHTS = "diffusion_pytorch_model.safetensors"


@pytest.fixture(scope="module")
def unet_tensors(golden_folder) -> dict[str, Tensor]:
    return load_file(golden_folder / "unet" / WEIGHTS)


@pytest.fixture(scope="module")
def vae_tensors(golden_folder) -> dict[str, Tensor]:
    return load_file(golden_folder / "vae" / WEIGHTS)


def write_folder(folder: Path, tensors: dict[str, Tensor], config: Path) -> Path:
    folder.mkdir(parents=True)
    save_file(tensors, folder / WEIGHTS)
    shutil.copyfile(config / "config.json", folder / "config.json")
    return folder


def config_text(golden_folder: Path, component: str) -> str:
    return (golden_folder / component / "config.json").read_text(encoding="utf-8")


def same_weights(
    model: torch.nn.Module, tensors: dict[str, Tensor], dtype: torch.dtype = torch.float32
) -> bool:
    loaded = model.state_dict()
    return set(loaded) == set(tensors) and all(
        torch.equal(loaded[k], v.to(dtype)) for k, v in tensors.items()
    )


def test_published_folder(golden_folder, unet_tensors, vae_tensors):
    assert same_weights(load_unet(golden_folder / "unet"), unet_tensors)
    assert same_weights(load_vae(str(golden_folder / "vae")), vae_tensors)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_dtype(golden_folder, vae_tensors, dtype):
    assert same_weights(load_vae(golden_folder / "vae", dtype), vae_tensors, dtype)


def test_nothing_stays_on_the_meta_device(golden_folder):
    model = load_unet(golden_folder / "unet", torch.float16, torch.device("cpu"))
    tensors = [*model.parameters(), *model.buffers()]
    assert {(t.device.type, t.dtype) for t in tensors} == {("cpu", torch.float16)}
    assert not model.training


def test_folder_one_level_down(tmp_path, golden_folder, unet_tensors, vae_tensors):
    write_folder(tmp_path / "checkpoints" / "unet" / "unet", unet_tensors, golden_folder / "unet")
    write_folder(tmp_path / "checkpoints" / "vae", vae_tensors, golden_folder / "vae")
    assert same_weights(load_unet(tmp_path / "checkpoints" / "unet"), unet_tensors)
    assert same_weights(load_vae(tmp_path / "checkpoints"), vae_tensors)


def test_of_two_folders_the_one_with_the_component_s_name(golden_folder, unet_tensors, vae_tensors):
    assert same_weights(load_unet(golden_folder), unet_tensors)
    assert same_weights(load_vae(golden_folder), vae_tensors)


def test_weights_named_inside_a_published_folder(golden_folder, unet_tensors):
    assert same_weights(load_unet(golden_folder / "unet" / WEIGHTS), unet_tensors)


def test_sharded_folder(tmp_path, golden_folder, vae_tensors):
    folder = tmp_path / "vae"
    folder.mkdir()
    shutil.copyfile(golden_folder / "vae" / "config.json", folder / "config.json")
    names = sorted(vae_tensors)
    parts = {"part-1.safetensors": names[:100], "part-2.safetensors": names[100:]}
    for part, members in parts.items():
        save_file({name: vae_tensors[name] for name in members}, folder / part)
    index = {"weight_map": {name: part for part, members in parts.items() for name in members}}
    (folder / f"{WEIGHTS}.index.json").write_text(json.dumps(index), encoding="utf-8")
    assert same_weights(load_vae(folder), vae_tensors)
    (folder / "part-2.safetensors").unlink()
    with pytest.raises(ValueError, match=r"names parts that are not there: part-2\.safetensors"):
        load_vae(folder)


def test_single_file_with_config_in_metadata(tmp_path, golden_folder, unet_tensors):
    path = tmp_path / "bokeh.safetensors"
    save_file(
        unet_tensors, path, metadata={"config": config_text(golden_folder, "unet"), "mpi_mode": "paper"}
    )
    assert same_weights(load_unet(path), unet_tensors)
    assert trained_mpi_mode(path) == "paper"
    assert trained_mpi_mode(golden_folder / "unet") == "released"


def test_single_file_with_config_beside(tmp_path, golden_folder, unet_tensors):
    path = tmp_path / "bokeh.safetensors"
    save_file(unet_tensors, path)
    (tmp_path / "bokeh.json").write_text(config_text(golden_folder, "unet"), encoding="utf-8")
    assert same_weights(load_unet(path), unet_tensors)


def test_shapes_decide_a_vae_but_not_a_unet_s_heads(tmp_path, vae_tensors, unet_tensors):
    save_file(vae_tensors, tmp_path / "vae.safetensors")
    assert same_weights(load_vae(tmp_path / "vae.safetensors"), vae_tensors)
    save_file(unet_tensors, tmp_path / "unet.safetensors")
    with pytest.raises(ValueError, match=r"do not say how many attention heads.*config\.json"):
        load_unet(tmp_path / "unet.safetensors")


def test_shapes_of_the_published_unet_decide_its_config():
    from bokeh_core.checkpoint.files import infer_config

    with torch.device("meta"):
        shapes = {name: tuple(value.shape) for name, value in BokehUNet().state_dict().items()}
        config = infer_config("unet", shapes)
        assert config is not None
        assert BokehUNet.from_config(config).config == BokehUNet().config


def test_ff_k_may_be_missing_or_left_out(tmp_path, golden, golden_folder, unet_tensors, small_unet):
    slim = {name: value for name, value in unet_tensors.items() if ".ff_k." not in name}
    assert len(slim) < len(unet_tensors)
    folder = write_folder(tmp_path / "unet", slim, golden_folder / "unet")
    models = [load_unet(folder), load_unet(golden_folder / "unet", drop_ff_k=True)]
    numbers = golden("unet_one_window")
    embeds = numbers["encoder_hidden_states"].reshape(1, 8, -1)[:, :2]
    inputs = (numbers["sample"][:, :2], numbers["input_k"][:, :2], embeds)
    with torch.no_grad():
        expected = small_unet(*inputs)
        for model in models:
            assert same_weights(model, slim)
            # Some processors round otherwise where weights can learn, or lie elsewhere in memory.
            torch.testing.assert_close(model(*inputs), expected, rtol=0, atol=1e-5)


# --- files that are something else -------------------------------------------------------------------------


def test_the_two_files_swapped(golden_folder):
    with pytest.raises(ValueError, match="is an Any-to-Bokeh U-Net, not a VAE; choose the other"):
        load_vae(golden_folder / "unet")
    with pytest.raises(ValueError, match="is an Any-to-Bokeh VAE, not a U-Net; choose the other"):
        load_unet(golden_folder / "vae")


def test_plain_svd_files(tmp_path, golden_folder, unet_tensors, vae_tensors):
    plain = {k: v for k, v in unet_tensors.items() if ".fuser." not in k and "conv_in_mpi" not in k}
    folder = write_folder(tmp_path / "svd" / "unet", plain, golden_folder / "unet")
    with pytest.raises(ValueError, match="is a plain SVD U-Net: it has no fuser layers"):
        load_unet(folder)
    plain = {k: v for k, v in vae_tensors.items() if "skip_conv" not in k}
    folder = write_folder(tmp_path / "svd" / "vae", plain, golden_folder / "vae")
    with pytest.raises(ValueError, match=r"is a plain SVD VAE: it has no decoder\.skip_conv layers"):
        load_vae(folder)


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["model.diffusion_model.input_blocks.0.0.weight"], "original layout"),
        (["vision_model.embeddings.class_embedding"], "a CLIP image encoder"),
        (["conv_in.weight", "down_blocks.0.resnets.0.conv1.weight"], "an image U-Net"),
        (["encoder.conv_in.weight", "decoder.conv_in.weight"], "an image VAE"),
        (["anything"], "no model known here"),
    ],
)
def test_other_models_are_named(tmp_path, names, message):
    path = tmp_path / "model.safetensors"
    save_file({name: torch.zeros(1) for name in names}, path)
    with pytest.raises(ValueError, match=message):
        load_unet(path)


@pytest.mark.parametrize("size", [4, 100, 60_000, 200_000])
def test_truncated_file(tmp_path, golden_folder, size):
    whole = (golden_folder / "vae" / WEIGHTS).read_bytes()
    path = tmp_path / "vae.safetensors"
    path.write_bytes(whole[:size])
    with pytest.raises(
        ValueError, match=rf"vae\.safetensors \({size} bytes\) is cut short .* Download it again"
    ):
        load_vae(path)


def test_tensors_that_do_not_fit_the_config(tmp_path, golden_folder, vae_tensors):
    changed = dict(vae_tensors)
    del changed["decoder.skip_conv_2.weight"]
    changed["quant_conv.bias"] = torch.zeros(5)
    changed["decoder.surplus"] = torch.zeros(1)
    folder = write_folder(tmp_path / "vae", changed, golden_folder / "vae")
    with pytest.raises(ValueError, match="does not fit its config") as error:
        load_vae(folder)
    message = str(error.value)
    assert "1 tensors are missing: decoder.skip_conv_2.weight" in message
    assert "1 are unexpected: decoder.surplus" in message
    assert "1 have another shape: quant_conv.bias is [5] and must be [8]" in message


def test_long_lists_of_tensors_are_cut(tmp_path, golden_folder, unet_tensors):
    some = {k: v for k, v in unet_tensors.items() if "up_blocks.3" not in k}
    missing = len(unet_tensors) - len(some)
    folder = write_folder(tmp_path / "unet", some, golden_folder / "unet")
    with pytest.raises(ValueError, match=rf"{missing} tensors are missing: .* and {missing - 5} more"):
        load_unet(folder)


def test_paths_without_a_model(tmp_path, golden_folder):
    with pytest.raises(ValueError, match=r"Nothing at .*nowhere"):
        load_unet(tmp_path / "nowhere")
    with pytest.raises(ValueError, match="holds no model"):
        load_unet(tmp_path)
    (tmp_path / "notes.txt").write_text("weights", encoding="utf-8")
    with pytest.raises(ValueError, match=r"notes\.txt is not a model file"):
        load_unet(tmp_path / "notes.txt")
    for name in ("a", "b"):
        shutil.copytree(golden_folder / "vae", tmp_path / name)
    with pytest.raises(ValueError, match=r"holds several models; .*: a, b"):
        load_vae(tmp_path)


def test_a_pickle_is_not_loaded(tmp_path, unet_tensors):
    torch.save(unet_tensors, tmp_path / "unet.bin")
    with pytest.raises(ValueError, match=r"is a pickle.*python -m bokeh_core\.convert"):
        load_unet(tmp_path / "unet.bin")


def test_config_that_is_no_json(tmp_path, golden_folder, vae_tensors):
    folder = write_folder(tmp_path / "vae", vae_tensors, golden_folder / "vae")
    (folder / "config.json").write_text("{", encoding="utf-8")
    with pytest.raises(ValueError, match=r"config\.json is not readable JSON"):
        load_vae(folder)
    save_file(vae_tensors, tmp_path / "vae.safetensors", metadata={"config": "{"})
    with pytest.raises(ValueError, match=r"The config that .*vae\.safetensors carries is not readable JSON"):
        load_vae(tmp_path / "vae.safetensors")


def test_a_mode_that_does_not_exist(tmp_path):
    path = tmp_path / "unet.safetensors"
    save_file({"x": torch.zeros(1)}, path, metadata={"mpi_mode": "other"})
    with pytest.raises(ValueError, match="'other'; it must be 'released' or 'paper'"):
        trained_mpi_mode(path)


def test_the_trained_range_of_strengths(tmp_path, golden_folder):
    path = tmp_path / "unet.safetensors"
    said = {"training_k_min_px": "0.5", "training_k_max_px": "14"}
    save_file({"x": torch.zeros(1)}, path, metadata=said)
    assert trained_strength_px(path) == (0.5, 14.0)
    # The authors' range where a file does not say it.
    save_file({"x": torch.zeros(1)}, path, metadata={"training_k_max_px": "14"})
    assert trained_strength_px(path) == trained_strength_px(golden_folder / "unet") == (1.0, 32.0)


def test_the_overlap_of_windows(tmp_path, golden_folder):
    path = tmp_path / "unet.safetensors"
    save_file({"x": torch.zeros(1)}, path, metadata={"overlap_frames": "0"})
    assert suited_overlap(path) == 0
    # The authors' where a file does not say it.
    assert suited_overlap(golden_folder / "unet") == 4
    for wrong in ("8", "-1", "4.0"):
        save_file({"x": torch.zeros(1)}, path, metadata={"overlap_frames": wrong})
        with pytest.raises(ValueError, match=f"windows share '{wrong}' frames; it must be 0 to 7"):
            suited_overlap(path)


@pytest.mark.parametrize(
    ("least", "most"), [("a", "14"), ("14", "0.5"), ("-1", "2"), ("1", "inf"), ("nan", "2")]
)
def test_a_trained_range_that_is_none(tmp_path, least, most):
    path = tmp_path / "unet.safetensors"
    save_file({"x": torch.zeros(1)}, path, metadata={"training_k_min_px": least, "training_k_max_px": most})
    with pytest.raises(ValueError, match=f"from '{least}' to '{most}'; these must be two numbers"):
        trained_strength_px(path)
