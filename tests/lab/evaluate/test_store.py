"""Result files are whole and of the right key, or count as missing."""

import json
import math

import pytest
import torch

from bokeh_lab.evaluate.store import number, read_json, read_tensors, write_json, write_tensors


def test_numbers_come_back_as_they_were(tmp_path):
    path = tmp_path / "deep" / "result.json"
    write_json(path, {"key": "k", "values": {"psnr": math.inf, "rm": 0.1, "ssim": 1 / 3}})
    content = read_json(path, "k")
    assert content is not None
    assert {name: number(value) for name, value in content["values"].items()} == {
        "psnr": math.inf,
        "rm": 0.1,
        "ssim": 1 / 3,
    }
    # Infinity is no JSON; other programs read these files too.
    assert json.loads(path.read_text(encoding="utf-8"), parse_constant=pytest.fail)["values"]["psnr"] == "inf"
    assert [file.name for file in path.parent.iterdir()] == ["result.json"]


def test_nan_is_no_measurement(tmp_path):
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_json(tmp_path / "result.json", {"key": "k", "values": {"psnr": math.nan}})
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "content", [b"", b'{"key": "k", "val', b"[1, 2]", b'"k"', b"\xff\xfe\x00", b'{"key": "other"}', b"{}"]
)
def test_half_a_file_or_another_key_is_no_result(tmp_path, content):
    path = tmp_path / "result.json"
    path.write_bytes(content)
    assert read_json(path, "k") is None


def test_no_file_is_no_result(tmp_path):
    assert read_json(tmp_path / "result.json", "k") is None
    assert read_tensors(tmp_path / "clip.safetensors") is None


def test_tensors_come_back_bit_for_bit(tmp_path):
    path = tmp_path / "clips" / "clip.safetensors"
    clip = {"frames": torch.rand(2, 3, 4, 3).transpose(1, 2), "edges": torch.rand(2, 3) > 0.5}
    write_tensors(path, clip)
    found = read_tensors(path)
    assert found is not None
    assert found.keys() == clip.keys()
    assert all(torch.equal(found[name], clip[name]) for name in clip)
    assert [file.name for file in path.parent.iterdir()] == ["clip.safetensors"]


@pytest.mark.parametrize("length", [0, 7, 60, -1])
def test_half_a_file_of_tensors_counts_as_missing(tmp_path, length):
    path = tmp_path / "clip.safetensors"
    write_tensors(path, {"frames": torch.rand(10, 10)})
    path.write_bytes(path.read_bytes()[:length])
    assert read_tensors(path) is None
