"""The two lists of requirements agree and leave the host's own packages alone."""

import re
import sys
from pathlib import Path

import pytest

PACK = Path(__file__).resolve().parents[2]

# tomllib is standard from 3.11 on; the one list needed here is simple enough to read without it.
DEPENDENCIES_BLOCK = re.compile(r"^dependencies = \[\n(.*?)^\]", re.MULTILINE | re.DOTALL)


def requirements_txt() -> list[str]:
    lines = (PACK / "requirements.txt").read_text(encoding="utf-8").splitlines()
    return [line.strip() for line in lines if line.strip() and not line.startswith("#")]


def pyproject_text() -> str:
    return (PACK / "pyproject.toml").read_text(encoding="utf-8")


def pyproject_dependencies() -> list[str]:
    block = DEPENDENCIES_BLOCK.search(pyproject_text())
    assert block is not None
    return re.findall(r'"([^"]+)"', block.group(1))


def test_requirements_agree_with_pyproject():
    assert requirements_txt() == pyproject_dependencies()


def test_requirements_name_what_the_pack_imports():
    names = {re.split(r"[<>=!~]", line)[0] for line in requirements_txt()}
    assert names == {"av", "diffusers", "einops", "numpy", "opencv-python", "safetensors"}


@pytest.mark.parametrize("requirement", requirements_txt())
def test_requirement_is_a_floor_and_not_torch(requirement: str):
    match = re.fullmatch(r"([a-z0-9-]+)>=(\d+(\.\d+)*)", requirement)
    assert match is not None, f"{requirement!r} is not a plain floor such as 'einops>=0.7'"
    assert not match.group(1).startswith("torch")


def test_web_folder_is_registered_once():
    comfy_table = pyproject_text().split("[tool.comfy]")[1].split("\n[")[0]
    assert "web" not in comfy_table
    assert 'WEB_DIRECTORY = "./web"' in (PACK / "__init__.py").read_text(encoding="utf-8")


def test_this_python_is_one_the_pack_promises():
    floor = re.search(r'requires-python = ">=3\.(\d+)"', pyproject_text())
    assert floor is not None
    assert sys.version_info >= (3, int(floor.group(1)))
