"""The converter: published folder, .bin and .pth into one file; pickles with code stay shut."""

import json
import os
import pickle
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from bokeh_core.checkpoint.load import load_unet, load_vae, trained_mpi_mode
from bokeh_core.convert.command import main
from bokeh_core.convert.single_file import convert

PACK = Path(__file__).resolve().parents[2]
WEIGHTS = "diffusion_pytorch_model.safetensors"


class Malicious:
    """Unpickling this creates a file: what a weights file with code in it would do."""

    def __init__(self, trace: Path) -> None:
        self.trace = trace

    def __reduce__(self):
        return (os.mkdir, (str(self.trace),))


def metadata_of(path: Path) -> dict[str, str]:
    with safe_open(path, framework="pt") as file:
        return file.metadata()


def test_published_folder_to_one_file(tmp_path, golden_folder):
    target = tmp_path / "bokeh_unet.safetensors"
    report = convert(golden_folder / "unet", target)
    source = load_file(golden_folder / "unet" / WEIGHTS)
    written = load_file(target)
    unused = {name for name in source if ".ff_k." in name}
    assert set(written) == set(source) - unused
    assert all(torch.equal(written[name], source[name]) for name in written)
    assert f"ff_k: {len(unused)} tensors dropped" in report
    metadata = metadata_of(target)
    assert json.loads(metadata["config"]) == json.loads(
        (golden_folder / "unet" / "config.json").read_text("utf-8")
    )
    assert (metadata["component"], metadata["mpi_mode"], metadata["format"]) == ("unet", "released", "pt")
    model = load_unet(target)
    assert set(model.state_dict()) == set(written)
    assert [path.name for path in tmp_path.iterdir()] == [target.name]


def test_ff_k_is_kept_on_request(tmp_path, golden_folder):
    target = tmp_path / "unet.safetensors"
    report = convert(golden_folder / "unet", target, keep_ff_k=True, mpi_mode="paper")
    assert set(load_file(target)) == set(load_file(golden_folder / "unet" / WEIGHTS))
    assert "tensors kept" in report
    assert trained_mpi_mode(target) == "paper"
    # Converting again keeps what the file says of itself.
    again = tmp_path / "again.safetensors"
    convert(target, again)
    assert trained_mpi_mode(again) == "paper"


@pytest.mark.parametrize(
    ("name", "dtype"), [("fp16", torch.float16), ("bf16", torch.bfloat16), ("fp32", torch.float32)]
)
def test_dtypes_on_the_command_line(tmp_path, golden_folder, capsys, name, dtype):
    target = tmp_path / "vae.safetensors"
    assert main([str(golden_folder / "vae"), str(target), "--dtype", name]) == 0
    source = load_file(golden_folder / "vae" / WEIGHTS)
    written = load_file(target)
    assert set(written) == set(source)
    assert all(torch.equal(written[key], value.to(dtype)) for key, value in source.items())
    assert str(dtype).removeprefix("torch.") in capsys.readouterr().out
    assert "mpi_mode" not in metadata_of(target)
    load_vae(target)


@pytest.mark.parametrize(
    ("file_name", "wrap"),
    [
        ("diffusion_pytorch_model.bin", lambda tensors: tensors),
        ("unet.pth", lambda tensors: {"state_dict": tensors, "epoch": 3}),
        ("unet.pt", lambda tensors: {"module": {f"module.{k}": v for k, v in tensors.items()}}),
    ],
)
def test_pickles_of_weights(tmp_path, golden_folder, file_name, wrap):
    source = load_file(golden_folder / "vae" / WEIGHTS)
    torch.save(wrap(source), tmp_path / file_name)
    shutil.copyfile(golden_folder / "vae" / "config.json", tmp_path / "config.json")
    target = tmp_path / "vae.safetensors"
    convert(tmp_path / file_name, target)
    written = load_file(target)
    assert set(written) == set(source)
    assert all(torch.equal(written[name], source[name]) for name in written)


def test_a_pickle_with_code_is_refused_and_not_run(tmp_path, capsys):
    trace = tmp_path / "trace"
    source = tmp_path / "unet.pth"
    torch.save({"conv_in.weight": Malicious(trace)}, source)
    assert main([str(source), str(tmp_path / "unet.safetensors")]) == 1
    message = capsys.readouterr().err
    assert "unet.pth was refused" in message
    assert "could run code" in message
    assert not trace.exists()
    assert not (tmp_path / "unet.safetensors").exists()


def test_a_bare_pickle_with_code_is_refused_and_not_run(tmp_path):
    trace = tmp_path / "trace"
    source = tmp_path / "unet.bin"
    source.write_bytes(pickle.dumps(Malicious(trace), protocol=2))
    with pytest.raises(ValueError, match="was refused"):
        convert(source, tmp_path / "unet.safetensors")
    assert not trace.exists()


def test_damaged_and_foreign_pickles(tmp_path, golden_folder):
    good = tmp_path / "good.bin"
    torch.save(load_file(golden_folder / "vae" / WEIGHTS), good)
    cut = tmp_path / "cut.bin"
    cut.write_bytes(good.read_bytes()[:100_000])
    with pytest.raises(ValueError, match=r"cut\.bin is cut short"):
        convert(cut, tmp_path / "out.safetensors")
    torch.save([torch.zeros(1)], tmp_path / "list.pt")
    with pytest.raises(ValueError, match=r"list\.pt holds no dictionary of tensors"):
        convert(tmp_path / "list.pt", tmp_path / "out.safetensors")


def test_other_models_are_refused(tmp_path, golden_folder):
    source = load_file(golden_folder / "vae" / WEIGHTS)
    save_file({k: v for k, v in source.items() if "skip_conv" not in k}, tmp_path / "svd.safetensors")
    with pytest.raises(ValueError, match=r"plain SVD VAE.*An Any-to-Bokeh U-Net or VAE is wanted"):
        convert(tmp_path / "svd.safetensors", tmp_path / "out.safetensors")


def test_a_value_beyond_half_precision_is_reported(tmp_path, golden_folder):
    tensors = {name: value.float() for name, value in load_file(golden_folder / "vae" / WEIGHTS).items()}
    tensors["quant_conv.bias"][0] = 1e6
    save_file(tensors, tmp_path / "vae.safetensors")
    with pytest.raises(
        ValueError, match=r"quant_conv\.bias reaches 1e\+06, beyond torch\.float16.*bf16 or fp32"
    ):
        convert(tmp_path / "vae.safetensors", tmp_path / "out.safetensors", dtype=torch.float16)
    assert not (tmp_path / "out.safetensors").exists()
    convert(tmp_path / "vae.safetensors", tmp_path / "out.safetensors", dtype=torch.bfloat16)


def test_a_full_disk_is_a_sentence_and_leaves_the_old_file(tmp_path, golden_folder, monkeypatch, capsys):
    target = tmp_path / "vae.safetensors"
    convert(golden_folder / "vae", target, dtype=torch.bfloat16)
    before = target.read_bytes()
    argv = [str(golden_folder / "vae"), str(target)]

    def fail(_tensors, path, **_rest):
        Path(path).write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("safetensors.torch.save_file", fail)
    assert main(argv) == 1
    assert "vae.safetensors was not written" in capsys.readouterr().err
    monkeypatch.setattr("bokeh_core.checkpoint.write.free_bytes_in", lambda _: 1_000_000)
    assert main(argv) == 1
    message = capsys.readouterr().err
    # 1 MiB for the header and the small VAE's own megabytes.
    assert f"The disk of {tmp_path} is too full: vae.safetensors needs about" in message
    assert "1.0 MB are free" in message and "Traceback" not in message
    assert target.read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == [target.name]


def test_destinations_that_are_no_file(tmp_path, golden_folder):
    with pytest.raises(ValueError, match=r"name a file that ends in \.safetensors"):
        convert(golden_folder / "vae", tmp_path)
    with pytest.raises(ValueError, match="missing does not exist; make the folder first"):
        convert(golden_folder / "vae", tmp_path / "missing" / "vae.safetensors")


@pytest.mark.parametrize("way", ["itself", "by its folder", "symbolic link", "hard link"])
def test_the_source_is_never_overwritten(tmp_path, golden_folder, way):
    (tmp_path / "sub").mkdir()
    source = tmp_path / "vae.safetensors"
    convert(golden_folder / "vae", source)
    before = source.read_bytes()
    target = tmp_path / "out.safetensors"
    if way == "itself":
        target = source
    elif way == "by its folder":
        target = tmp_path / "sub" / ".." / "vae.safetensors"
    elif way == "symbolic link":
        try:
            target.symlink_to(source)
        except OSError:
            pytest.skip("this system lets nobody make symbolic links")
    else:
        target.hardlink_to(source)
    with pytest.raises(ValueError, match=r"which is read; name another file for the result"):
        convert(source, target, dtype=torch.bfloat16)
    assert source.read_bytes() == before


@pytest.mark.parametrize("content", [b"a letter", b"", None])
def test_files_of_others_are_never_overwritten(tmp_path, golden_folder, content):
    target = tmp_path / "holiday.safetensors"
    if content is None:
        save_file({"x": torch.zeros(1)}, target)
        content = target.read_bytes()
    target.write_bytes(content)
    with pytest.raises(ValueError, match=r"holiday\.safetensors exists and was not written here"):
        convert(golden_folder / "vae", target)
    assert target.read_bytes() == content


def test_a_tensor_larger_than_its_file_is_refused(tmp_path, golden_folder):
    tensors = dict(load_file(golden_folder / "vae" / WEIGHTS))
    name = "encoder.conv_in.weight"
    # One number that claims to be all of them: what a pickle of a few bytes can hold.
    tensors[name] = torch.zeros(1).expand(tensors[name].shape)
    torch.save(tensors, tmp_path / "vae.bin")
    shutil.copyfile(golden_folder / "vae" / "config.json", tmp_path / "vae.json")
    with pytest.raises(ValueError, match=r"vae\.bin holds encoder\.conv_in\.weight in a form"):
        convert(tmp_path / "vae.bin", tmp_path / "out.safetensors")


def test_as_a_module(tmp_path, golden_folder):
    command = [
        sys.executable,
        "-m",
        "bokeh_core.convert",
        str(golden_folder / "vae"),
        str(tmp_path / "v.safetensors"),
    ]
    done = subprocess.run(command, cwd=PACK, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "Any-to-Bokeh VAE" in done.stdout
    assert (tmp_path / "v.safetensors").is_file()
