"""A library that is missing takes only its nodes away, and the user is told what to type."""

import importlib
import logging
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from tests.core.render.clips import moving_pictures, sliding_disparity, write_disparity, write_video
from tests.core.test_documentation import SCHEMAS, host_that_records

PACK = Path(__file__).resolve().parents[2]
MODEL = {"Load Bokeh Model", "One-Step Bokeh Sampler", "Assemble Overlapping Windows", "Refined VAE Decode"}
SEQUENCE = "Load Image Sequence (EXR, PNG)"
VIDEO = "Any-to-Bokeh Video (Cinematic DOF)"
EXAMPLE = "Example Clip (with Depth)"
VIEWFINDER = "Viewfinder (Click to Focus)"
LENS = {"Choose Lens (Swirl, Anamorphic)", "Lens Blur (Depth of Field)"}
REFINE = "Refine Depth (Steady, Sharp Outlines)"
ESTIMATE = "Estimate Depth (Depth Anything V2)"
NEED_OPENCV = {
    "Load Depth (Disparity)",
    "Focus Preview",
    *LENS,
    *MODEL,
    ESTIMATE,
    REFINE,
    VIDEO,
    EXAMPLE,
    VIEWFINDER,
    SEQUENCE,
}
# What is imported -> the package's name, and the nodes that go with it.
LIBRARIES = {
    "cv2": ("opencv-python", NEED_OPENCV),
    "av": ("av", {VIDEO, EXAMPLE, SEQUENCE}),
    "diffusers": ("diffusers", MODEL),
    "einops": ("einops", {"MPI Focal-Plane Mask", VIDEO, ESTIMATE, *MODEL}),
    "safetensors": ("safetensors", {ESTIMATE, REFINE, *MODEL}),
    "transformers": ("transformers", {ESTIMATE}),
}
ALL = {schema.display_name for schema in SCHEMAS.values()}


@contextmanager
def without(*libraries: str) -> Iterator[None]:
    """Make the import of libraries fail as where they are not installed."""
    loaded = [name for name in sys.modules if name.partition(".")[0] in libraries]
    with mock.patch.dict(sys.modules, dict.fromkeys([*libraries, *loaded])):
        yield


def titles_of(nodes: list[Any]) -> set[str]:
    return {node.define_schema().display_name for node in nodes}


@pytest.mark.parametrize("library", LIBRARIES)
def test_only_its_nodes_go(library: str, caplog: pytest.LogCaptureFixture):
    package, gone = LIBRARIES[library]
    with caplog.at_level(logging.WARNING), without(library), host_that_records():
        pack = importlib.import_module("documented_pack.nodes")
        assert titles_of(pack.NODES) == ALL - gone
    [record] = caplog.records
    named = {title for title in ALL if title in record.getMessage()}
    assert named == gone
    line = f"{sys.executable} -m pip install -r {PACK / 'requirements.txt'}"
    assert f"{package} is missing" in record.getMessage()
    assert line in record.getMessage().replace('"', "")


def test_with_none_of_them_the_others_are_there():
    with without(*LIBRARIES), host_that_records():
        pack = importlib.import_module("documented_pack.nodes")
        left = ALL - set().union(*(gone for _, gone in LIBRARIES.values()))
        assert left >= {"Disparity from Images (Depth)", "Focus on Mask", "Aperture (Blur Strength)"}
        assert titles_of(pack.NODES) == left


def test_nothing_is_said_where_nothing_is_missing(caplog: pytest.LogCaptureFixture):
    with caplog.at_level(logging.WARNING), host_that_records():
        pack = importlib.import_module("documented_pack.nodes")
        assert [(entry.title, entry.name) for entry in pack.ENTRIES] == [
            (node.define_schema().display_name, node.__name__) for node in pack.NODES
        ]
    assert caplog.records == []


class TestLibraries:
    @pytest.fixture
    def libraries(self) -> Iterator[Any]:
        with host_that_records():
            yield importlib.import_module("documented_pack.nodes.libraries")

    @pytest.fixture
    def typed(self, libraries: Any) -> Any:
        return importlib.import_module("documented_pack.bokeh_core.libraries")

    def test_portable_comfyui_for_windows(self, typed: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
        python = r"D:\My ComfyUI\python_embeded\python.exe"
        monkeypatch.setattr(typed.sys, "executable", python)
        listed = tmp_path / "requirements.txt"
        listed.touch()
        monkeypatch.setattr(typed, "_REQUIREMENTS", listed)
        said = typed.line_to_type("cv2")
        assert said.startswith(f'"{python}" -s -m pip install -r ')
        assert said.replace('"', "").endswith(str(listed))

    def test_beside_a_wheel_there_is_no_list(
        self, typed: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ):
        monkeypatch.setattr(typed.sys, "executable", "/usr/bin/python3")
        monkeypatch.setattr(typed, "_REQUIREMENTS", tmp_path / "requirements.txt")
        assert typed.line_to_type("cv2") == "/usr/bin/python3 -m pip install opencv-python"
        assert typed.line_to_type("torch") == "/usr/bin/python3 -m pip install torch"

    def test_a_library_that_breaks_in_use(self, libraries: Any):
        broken = ImportError("cannot import name 'x' from 'huggingface_hub'", name="huggingface_hub")
        with pytest.raises(ImportError, match="diffusers is missing") as caught, libraries.needed_libraries():
            raise broken
        assert caught.value.__cause__ is broken
        assert "cannot import name 'x'" in str(caught.value)
        assert libraries.line_to_type("diffusers") in str(caught.value)

    def test_other_errors_pass(self, libraries: Any):
        with pytest.raises(RuntimeError, match=r"^CUDA out of memory$"), libraries.needed_libraries():
            raise RuntimeError("CUDA out of memory")

    def test_opencv_on_a_machine_without_a_screen(self, libraries: Any):
        said = libraries.advice("cv2", "libGL.so.1: cannot open shared object file")
        assert "opencv-python-headless" in said and "libgl1" in said


def test_the_command_without_diffusers(tmp_path: Path):
    video = write_video(tmp_path / "in.mkv", moving_pictures(2, 32, 32))
    depth = write_disparity(tmp_path / "depth", sliding_disparity(1, 32, 32))
    blocked = "import sys; sys.modules['diffusers'] = None"
    program = f"{blocked}; from bokeh_core.render.command.program import main; sys.exit(main())"
    argv = [str(video), "--disparity", str(depth), "-o", str(tmp_path / "out.mp4"), "--renderer", "model"]
    done = subprocess.run([sys.executable, "-c", program, *argv], cwd=PACK, capture_output=True, check=False)
    said = done.stderr.decode(errors="replace")
    assert done.returncode == 1
    assert said.startswith("The model cannot be loaded: diffusers is missing or cannot be loaded (")
    assert f"-m pip install -r {PACK / 'requirements.txt'}" in said.replace('"', "")
    assert "Traceback" not in said


# With torch away nothing else is tried, so that these are quick.
@pytest.mark.parametrize(
    ("module", "library", "argv"),
    [
        ("bokeh_core", "torch", ["in.mp4"]),
        ("bokeh_core.render", "cv2", ["in.mp4"]),
        ("bokeh_core.render", "einops", ["in.mp4"]),
        ("bokeh_core.render", "av", ["README.md", "--disparity", "README.md", "-o", "none.mp4"]),
        ("bokeh_core.convert", "torch", ["a", "b"]),
    ],
)
def test_a_command_says_in_one_line_what_is_missing(module: str, library: str, argv: list[str]):
    program = (
        f"import runpy, sys; sys.modules[{library!r}] = None; sys.argv[1:] = {argv!r}; "
        f"runpy.run_module({module!r}, run_name='__main__', alter_sys=True)"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=PACK, capture_output=True, check=False)
    said = done.stderr.decode(errors="replace").splitlines()
    assert done.returncode == 1
    assert len(said) == 1, said
    assert f"{library} is missing or cannot be loaded (" in said[0]
    assert "-m pip install" in said[0]
