"""A result depends on the source it comes from, on what that imports, and on nothing else."""

from functools import partial

import pytest

from bokeh_lab.evaluate import source_code
from bokeh_lab.evaluate.source_code import LABORATORY, defining_files, files_below, hash_of_code
from bokeh_lab.peers import external_renderer, renderer_named


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A package in which `top` imports `deep.inner` inside a function, by way of a relative import."""
    root = tmp_path / "small"
    (root / "deep").mkdir(parents=True)
    (root / "__init__.py").write_text("")
    (root / "deep" / "__init__.py").write_text("")
    (root / "deep" / "inner.py").write_text("RADIUS = 1\n")
    (root / "other.py").write_text("X = 1\n")
    (root / "top.py").write_text(
        "import math\n\n\ndef f():\n    from .deep.inner import RADIUS\n    return RADIUS\n"
    )
    monkeypatch.setattr(source_code, "ROOT", tmp_path)
    monkeypatch.setattr(source_code, "PACKAGES", ("small",))
    return root


def test_imports_inside_functions_count(package):
    before = hash_of_code([package / "top.py"])
    (package / "other.py").write_text("X = 2\n")
    assert hash_of_code([package / "top.py"]) == before
    (package / "deep" / "inner.py").write_text("RADIUS = 2\n")
    assert hash_of_code([package / "top.py"]) != before


@pytest.mark.parametrize(
    "line",
    ["from . import other", "from .other import X", "from small.other import X", "import small.other"],
)
def test_every_way_to_import(package, line):
    user = package / f"user{len(line)}.py"
    user.write_text(line + "\n")
    before = hash_of_code([user])
    (package / "other.py").write_text("X = 3\n")
    assert hash_of_code([user]) != before


def test_where_a_clone_lies_does_not_matter(package, tmp_path, monkeypatch):
    before = hash_of_code([package / "top.py"])
    (tmp_path / "elsewhere").mkdir()
    moved = package.rename(tmp_path / "elsewhere" / "small")
    monkeypatch.setattr(source_code, "ROOT", tmp_path / "elsewhere")
    assert hash_of_code([moved / "top.py"]) == before


def test_renderers_lead_to_what_they_are_made_of(tmp_path):
    assert defining_files(renderer_named("identity").render) == {LABORATORY / "peers" / "identity.py"}
    # A closure made by a function of another name.
    assert defining_files(renderer_named("lens_blur").render) == {LABORATORY / "peers" / "lens_blur.py"}
    own = tmp_path / "own.py"
    own.write_text("def render(task):\n    return task.frames\n")
    # The user's function is wrapped in checks, which are source files of the result as well.
    found = defining_files(external_renderer(f"{own}:render").render)
    assert found == {own, LABORATORY / "peers" / "external.py"}
    assert defining_files(partial(hash_of_code, [])) == {LABORATORY / "evaluate" / "source_code.py"}
    assert defining_files(len) == set()


def test_files_of_a_folder(tmp_path):
    for name in ("a.py", "data/b.json", "__pycache__/a.pyc", ".hidden/c.py", ".d"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("")
    assert files_below(tmp_path) == [tmp_path / "a.py", tmp_path / "data" / "b.json"]
