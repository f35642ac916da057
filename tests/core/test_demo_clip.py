"""`dev.py demo` with a clip of one's own: its depth from files, or estimated by a model that is in place."""

import json
from pathlib import Path

import pytest

from devtools import demo, depth_model
from devtools.demo import NO_DISPARITY, WORKFLOW, chosen_clip, put_into_input, run_demo, with_clip
from devtools.depth_model import HOST_FOLDER, depth_model_in_place, hub_cache


def write_model(folder: Path, model_type: str = "depth_anything") -> Path:
    folder.mkdir(parents=True)
    (folder / "config.json").write_text(json.dumps({"model_type": model_type}), encoding="utf-8")
    (folder / "model.safetensors").touch()
    return folder


def linked(workflow: dict, kind: str, slot: int = 0) -> set[str]:
    """The types of the nodes that an output of a node of some type goes to."""
    nodes = {node["id"]: node["type"] for node in workflow["nodes"]}
    origins = {number for number, name in nodes.items() if name == kind}
    return {nodes[link[3]] for link in workflow["links"] if link[1] in origins and link[2] == slot}


@pytest.fixture
def video(tmp_path: Path) -> Path:
    (tmp_path / "mine.mp4").write_bytes(b"film")
    return tmp_path / "mine.mp4"


def test_without_maps_the_depth_is_estimated(video: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    clip = chosen_clip(video, None)
    workflow = with_clip(json.loads(WORKFLOW.read_text(encoding="utf-8")), clip)
    kinds = [node["type"] for node in workflow["nodes"]]
    assert "AnyToBokehLoadDisparity" not in kinds and "AnyToBokehExampleClip" not in kinds
    # What the example's disparity went to.
    assert "AnyToBokehLensBlur" in linked(workflow, "AnyToBokehEstimateDisparity")
    assert "AnyToBokehEstimateDisparity" in linked(workflow, "GetVideoComponents")
    monkeypatch.setattr(demo, "BASE", tmp_path / "base")
    (tmp_path / "base" / "input").mkdir(parents=True)
    put_into_input(clip)
    assert [path.name for path in (tmp_path / "base" / "input").iterdir()] == ["mine.mp4"]


def test_with_maps_they_are_loaded(video: Path, tmp_path: Path):
    (tmp_path / "maps").mkdir()
    workflow = with_clip(
        json.loads(WORKFLOW.read_text(encoding="utf-8")), chosen_clip(video, tmp_path / "maps")
    )
    (loader,) = (node for node in workflow["nodes"] if node["type"] == "AnyToBokehLoadDisparity")
    assert loader["widgets_values"] == ["disparity_of_mine"]
    assert "AnyToBokehLensBlur" in linked(workflow, "AnyToBokehLoadDisparity")


def test_without_a_model_it_is_said_before_anything_starts(
    video: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setattr(demo, "BASE", tmp_path / "base")
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "nowhere"))
    with pytest.raises(SystemExit) as stopped:
        run_demo(video, None, keep_open=False)
    assert NO_DISPARITY in f"{stopped.value}{capsys.readouterr()}"
    assert "nothing is downloaded" in NO_DISPARITY and not (tmp_path / "base").exists()


def test_a_model_is_found_beside_the_host_and_in_the_hub_s_cache(tmp_path: Path):
    base, cache = tmp_path / "base", tmp_path / "hub"
    assert depth_model_in_place(base, cache) is None
    write_model(cache / "models--depth-anything--Depth-Anything-V2-Small-hf" / "snapshots" / "abc")
    found = depth_model_in_place(base, cache)
    assert found is not None and found.name == "abc"
    write_model(base / HOST_FOLDER / "another", "clip")
    assert depth_model_in_place(base, cache) == found
    small = write_model(base / HOST_FOLDER / "small")
    assert depth_model_in_place(base, cache) == small


def test_a_cached_model_is_lent_to_the_host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    cache = tmp_path / "hub"
    monkeypatch.setenv("HF_HUB_CACHE", str(cache))
    assert not depth_model.lend_depth_model(tmp_path / "base")
    write_model(cache / "models--depth-anything--Depth-Anything-V2-Small-hf" / "snapshots" / "abc")
    for _ in range(2):
        assert depth_model.lend_depth_model(tmp_path / "base")
        lent = tmp_path / "base" / HOST_FOLDER / "Depth-Anything-V2-Small-hf"
        assert (lent / "model.safetensors").is_file()


def test_where_the_hub_keeps_models():
    assert hub_cache({"HF_HUB_CACHE": "here"}) == Path("here")
    assert hub_cache({"HF_HOME": "there"}) == Path("there") / "hub"
    assert hub_cache({}) == Path.home() / ".cache" / "huggingface" / "hub"
