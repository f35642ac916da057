"""What the registry would hand out is whole: packed, put into an empty host, each template runs untouched."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from devtools.client import HostClient
from devtools.demo import BUNDLED_CLIP, BUNDLED_DISPARITY
from devtools.freeze import nodes_of_pack
from devtools.host import BASE_FOLDERS, NOT_COPIED, PACK_NAME, HostProcess
from devtools.prompt import to_prompt
from tests.host.harness import HostUnderTest, installed_host
from tests.host.test_startup import NODE_IDS
from tests.host.test_workflow import read_video

PACK = Path(__file__).resolve().parents[2]
# The app asks for a clip and its depth before it can run.
APP = "5_app_your_clip_and_depth"
TEMPLATES = sorted(path.stem for path in (PACK / "example_workflows").glob("*.json") if path.stem != APP)
BLUEPRINTS = {"Blur a Video by Its Depth", "Rack Focus"}


def packed(destination: Path) -> Path:
    """Copy the repository without what .comfyignore names, which are names and paths of folders and files."""
    lines = (PACK / ".comfyignore").read_text(encoding="utf-8").splitlines()
    left_out = {PACK / line.strip() for line in lines if line.strip() and not line.startswith("#")}

    def ignored(folder: str, names: list[str]) -> set[str]:
        return {name for name in names if Path(folder, name) in left_out or name in NOT_COPIED}

    return Path(shutil.copytree(PACK, destination, ignore=ignored))


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    base = tmp_path_factory.mktemp("packed")
    for name in BASE_FOLDERS:
        (base / name).mkdir()
    return packed(base / "custom_nodes" / PACK_NAME)


def test_the_package_holds_the_product_alone(package: Path):
    names = {path.name for path in package.iterdir() if not path.name.startswith(".")}
    assert names >= {"__init__.py", "nodes", "bokeh_core", "models", "web", "locales", "assets"}
    assert names >= {"example_workflows", "subgraphs"}
    assert {path.stem for path in (package / "subgraphs").iterdir()} == BLUEPRINTS
    assert not names & {"bokeh_lab", "tests", "bench", "devtools", "dev.py"}
    assert {path.name for path in (package / "assets").iterdir()} == {"README.md", "motorcycle"}


@pytest.fixture(scope="module")
def host(package: Path) -> Iterator[HostUnderTest]:
    """Return a host that has the package, and nothing in its input and model folders."""
    with HostProcess(installed_host(), package.parents[1], cpu=True) as process:
        yield HostUnderTest(process, HostClient(process.url))


def test_it_brings_every_node(host: HostUnderTest):
    assert set(nodes_of_pack(host.object_info())) >= NODE_IDS


@pytest.mark.slow
@pytest.mark.parametrize("name", TEMPLATES)
def test_template_runs_untouched(host: HostUnderTest, name: str):
    served = host.client.get_json(f"/api/workflow_templates/{PACK_NAME}/{name}.json")
    assert name in host.client.get_json("/workflow_templates")[PACK_NAME]
    result = host.run(to_prompt(served, host.object_info()))
    files = [path for paths in result.files.values() for path in paths]
    # What is among the temporary files is only shown.
    videos = [path for path in files if path.is_relative_to(host.output_dir)]
    assert len(videos) == 1
    example = next(node for node in served["nodes"] if node["type"] == "AnyToBokehExampleClip")
    _, max_frames, size = example["widgets_values"]
    height, width = (480, 704) if size == "full" else (240, 352)
    assert read_video(videos[0]).shape == (max_frames or 36, height, width, 3)
    assert [path for path in host.input_dir.rglob("*") if path.is_file()] == []


def test_the_app_runs_with_a_clip_and_its_depth(host: HostUnderTest):
    served = host.client.get_json(f"/api/workflow_templates/{PACK_NAME}/{APP}.json")
    prompt = to_prompt(served, host.object_info())
    nodes = {node["class_type"]: node["inputs"] for node in prompt.values()}
    nodes["LoadVideo"]["file"] = host.upload(BUNDLED_CLIP)
    # One map serves the whole clip.
    nodes["AnyToBokehVideo"]["disparity_file"] = host.upload(min(BUNDLED_DISPARITY.iterdir()))
    # What takes no time.
    nodes["AnyToBokehVideo"] |= {"strength": "0", "focus_at": "0.5"}
    result = host.run(prompt)
    videos = [path for paths in result.files.values() for path in paths if path.suffix == ".mp4"]
    assert [read_video(video).shape for video in videos] == [(36, 480, 704, 3)]


def test_it_brings_its_blueprints(host: HostUnderTest):
    listed = host.client.get_json("/global_subgraphs")
    assert {entry["name"] for entry in listed.values()} == BLUEPRINTS
    for key in listed:
        blueprint = json.loads(host.client.get_json(f"/global_subgraphs/{key}")["data"])
        [subgraph] = blueprint["definitions"]["subgraphs"]
        assert [node["type"] for node in blueprint["nodes"]] == [subgraph["id"]]
        assert {node["type"] for node in subgraph["nodes"]} <= set(nodes_of_pack(host.object_info()))


def test_blueprints_are_read_in_every_encoding():
    # The host reads them in the encoding of the system.
    texts = [path.read_bytes() for path in (PACK / "subgraphs").iterdir()]
    assert all(text.isascii() for text in texts)
