"""What people type and paste as a path, and what it means."""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import quote

import pytest

from bokeh_core.disk.typed_paths import find_path, printable


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An input folder with a few files and `maps/`, beside an output folder with `old.mp4`."""
    inputs = tmp_path / "input"
    (inputs / "maps").mkdir(parents=True)
    for name in ("clip.mp4", "two words.mp4", "Depth.exr"):
        (inputs / name).write_bytes(b"x")
    (tmp_path / "output").mkdir()
    (tmp_path / "output" / "old.mp4").write_bytes(b"x")
    return inputs


@pytest.mark.parametrize(
    "typed",
    [
        "clip.mp4",
        "  clip.mp4\n",
        '"clip.mp4"',
        "'clip.mp4'",
        "\u201cclip.mp4\u201d",
        '" clip.mp4 "',
        'clip.mp4"',
        "maps/../clip.mp4",
        "clip.mp4 [input]",
        "clip.mp4[input]",
    ],
)
def test_what_is_meant_is_found(folder: Path, typed: str):
    found = find_path(typed, folder, {"input": folder})
    assert found.resolve() == (folder / "clip.mp4").resolve()


def test_absolute_paths_and_urls(folder: Path):
    spaced = folder / "two words.mp4"
    assert find_path(str(spaced), folder.parent) == spaced
    assert find_path(spaced.as_uri(), folder.parent) == spaced
    assert find_path(f"file://localhost/{quote(spaced.as_posix().lstrip('/'))}", folder.parent) == spaced


def test_a_name_with_its_place_behind_it(folder: Path):
    places = {"input": folder, "output": folder.parent / "output"}
    assert find_path("old.mp4 [output]", folder, places) == folder.parent / "output" / "old.mp4"
    # A file that really has such a name comes first.
    odd = folder / "old.mp4 [output]"
    odd.write_bytes(b"x")
    assert find_path("old.mp4 [output]", folder, places) == odd


def test_home(folder: Path, monkeypatch: pytest.MonkeyPatch):
    for name in ("HOME", "USERPROFILE"):
        monkeypatch.setenv(name, str(folder))
    assert find_path("~/clip.mp4", folder.parent) == folder / "clip.mp4"


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        ("", "The path is empty"),
        ('""', "The path is empty"),
        (" \n", "The path is empty"),
        ("nowhere.mp4", "Nothing at"),
        ("cilp.mp4", "there is clip.mp4."),
        ("depth.exr.exr", "there is Depth.exr."),
        ("masp/00001.png", "there is maps."),
        ("a\0b", "NUL character"),
        ("x" * 5000, "cannot be used"),
        ("clip.mp4/deeper", "Nothing at"),
    ],
)
def test_what_is_wrong_is_said(folder: Path, typed: str, says: str):
    with pytest.raises(ValueError, match=r".") as refused:
        find_path(typed, folder)
    message = str(refused.value)
    assert says in message or (os.name == "nt" and "Nothing at" in message)
    assert len(message) < 1000 + len(str(folder)) * 3


@pytest.mark.skipif(os.name == "nt", reason="Windows takes ~name for a folder beside the user's own")
def test_an_unknown_home_is_said(folder: Path):
    with pytest.raises(ValueError, match="names a home folder that is not known"):
        find_path("~no-such-user-here/x.mp4", folder)


def test_messages_can_always_be_shown(folder: Path):
    with pytest.raises(ValueError, match="Nothing at") as refused:
        find_path("b\udcffd.mp4", folder)
    str(refused.value).encode("utf-8")
    assert printable(Path("b\udcffd")) == "b\\udcffd"
