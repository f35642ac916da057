"""The two lists of requirements agree; the wheel holds what it needs and runs elsewhere."""

import os
import re
import shutil
import struct
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from bokeh_core.version import version

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
    return [text.replace("'", '"') for text in re.findall(r'"([^"]+)"', block.group(1))]


def project_version() -> str:
    [version] = re.findall(r'^version = "(\d+\.\d+\.\d+)"$', pyproject_text(), re.MULTILINE)
    return str(version)


def test_requirements_agree_with_pyproject():
    assert requirements_txt() == pyproject_dependencies()


def test_requirements_name_what_the_pack_imports():
    names = [re.split(r"[<>=!~]", line)[0] for line in requirements_txt()]
    # transformers first: tests/install/test_hosts.py fails with another order.
    assert names[0] == "transformers"
    assert set(names[1:]) == {"av", "diffusers", "einops", "numpy", "opencv-python", "safetensors"}


@pytest.mark.parametrize("requirement", requirements_txt())
def test_requirement_has_a_floor_and_is_not_torch(requirement: str):
    match = re.match(r"([a-z0-9-]+)>=(\d+(\.\d+)*)(,|;|$)", requirement)
    assert match is not None, f"{requirement!r} does not begin with a floor such as 'einops>=0.7'"
    assert not match.group(1).startswith("torch")


def test_web_folder_is_registered_once():
    comfy_table = pyproject_text().split("[tool.comfy]")[1].split("\n[")[0]
    assert "web" not in comfy_table
    assert 'WEB_DIRECTORY = "./web"' in (PACK / "__init__.py").read_text(encoding="utf-8")


def test_this_python_is_one_the_pack_promises():
    floor = re.search(r'requires-python = ">=3\.(\d+)"', pyproject_text())
    assert floor is not None
    assert sys.version_info >= (3, int(floor.group(1)))


def test_the_address_is_given_once_or_stands_open_everywhere():
    placeholder = "https://example.invalid/ADDRESS_OF_THIS_REPOSITORY"
    addresses = re.findall(
        r'^(?:Repository|Documentation|Issues|Icon|Banner) = "([^"]+)"', pyproject_text(), re.M
    )
    assert len(addresses) == 5
    repository = addresses[0]
    assert [address for address in addresses if not address.startswith(repository)] == []
    pages = [(PACK / name).read_text(encoding="utf-8") for name in ("README.md", "docs/install.md")]
    open_yet = ["git clone ADDRESS_OF_THIS_REPOSITORY" in page for page in pages]
    assert open_yet == [repository == placeholder] * 2


def test_icon_and_banner_have_the_sizes_that_the_registry_shows():
    for name, size in (("icon", (400, 400)), ("banner", (1260, 540))):
        header = (PACK / "docs" / "images" / f"{name}.png").read_bytes()[:24]
        assert header[:8] == b"\x89PNG\r\n\x1a\n"
        assert struct.unpack(">II", header[16:24]) == size
        assert f"docs/images/{name}.png" in pyproject_text()


# The repository's files that the wheel is built from.
SOURCES = ("bokeh_core", "LICENSE", "NOTICE", "README.md", "pyproject.toml")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built as `python -m build` does."""
    folder = tmp_path_factory.mktemp("build")
    for name in SOURCES:
        if (PACK / name).is_dir():
            # Other processes may be writing compiled files.
            shutil.copytree(PACK / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(PACK / name, folder / name)
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    [built] = (folder / "dist").glob("*.whl")
    return built


def test_the_wheel_holds_bokeh_core_and_nothing_else(wheel: Path):
    with zipfile.ZipFile(wheel) as archive:
        held = {name for name in archive.namelist() if ".dist-info/" not in name}
    ours = (
        path
        for path in (PACK / "bokeh_core").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    )
    assert held == {path.relative_to(PACK).as_posix() for path in ours}


def test_the_wheel_brings_the_command(wheel: Path, tmp_path: Path):
    site = tmp_path / "site"
    pip = [sys.executable, "-m", "pip", "install", "-qq", "--disable-pip-version-check", "--no-index"]
    subprocess.run([*pip, "--no-deps", "--target", str(site), str(wheel)], check=True)
    [bokeh] = [path for folder in ("bin", "Scripts") for path in (site / folder).glob("bokeh*")]
    environment = {**os.environ, "PYTHONPATH": str(site)}
    for argv, code, said in (
        (["--version"], 0, f"bokeh {project_version()}\n"),
        (["none.mp4", "--disparity", "d", "-o", "out.mp4"], 1, f"Nothing at {tmp_path / 'none.mp4'}"),
    ):
        done = subprocess.run(
            [str(bokeh), *argv], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == code, done.stderr
        assert said in (done.stderr if code else done.stdout)
        assert "Traceback" not in done.stderr


def test_a_folder_says_its_own_version():
    assert version() == project_version()


def test_the_wheel_runs_elsewhere(wheel: Path, tmp_path: Path):
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "site")
    environment = {**os.environ, "PYTHONPATH": str(tmp_path / "site")}
    program = "import bokeh_core; print(bokeh_core.__file__)"
    for argv in (["-c", program], ["-m", "bokeh_core.render", "--help"]):
        done = subprocess.run(
            [sys.executable, *argv],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        expected = str(tmp_path / "site") if argv[0] == "-c" else "python -m bokeh_core.render"
        assert expected in done.stdout
