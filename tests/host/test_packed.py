"""What the registry would hand out is whole: packed, put into an empty host, it runs a workflow."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from devtools.client import HostClient
from devtools.freeze import nodes_of_pack
from devtools.host import BASE_FOLDERS, NOT_COPIED, PACK_NAME, HostProcess
from tests.host.harness import HostUnderTest, installed_host
from tests.host.test_startup import NODE_IDS
from tests.host.test_workflow import FRAME_COUNT, read_video, run_on_crop

PACK = Path(__file__).resolve().parents[2]


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
    assert names >= {"__init__.py", "nodes", "bokeh_core", "models", "web", "locales", "workflows", "assets"}
    assert not names & {"bokeh_lab", "tests", "bench", "devtools", "dev.py"}
    assert {path.name for path in (package / "assets").iterdir()} == {"README.md", "motorcycle"}


@pytest.mark.slow
def test_it_runs_a_workflow_in_an_empty_host(package: Path, tmp_path: Path):
    base = package.parents[1]
    with HostProcess(installed_host(), base, cpu=True) as process:
        host = HostUnderTest(process, HostClient(process.url))
        assert set(nodes_of_pack(host.object_info())) >= NODE_IDS
        saved = run_on_crop(host, tmp_path, height=64, width=96)[2]
        assert read_video(saved).shape == (FRAME_COUNT, 64, 96, 3)
