"""The upload buttons bring depth from the user's computer, and say what goes on and what went wrong."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Route

from tests.browser.chromium import TIMEOUT_S
from tests.browser.front_end import ON_BOTH, FrontEnd, Workflow
from tests.host.harness import HostUnderTest

NODE = "AnyToBokehLoadDisparity"
FILE, FOLDER = "upload depth file", "upload folder of maps"
UPLOADS = "**/upload/image"
ONE_NODE: Workflow = {
    "last_node_id": 1,
    "last_link_id": 0,
    "nodes": [{"id": 1, "type": NODE, "pos": [0, 0], "size": [400, 420], "flags": {}, "properties": {}}],
    "links": [],
    "groups": [],
    "config": {},
    "extra": {},
    "version": 0.4,
}


@pytest.fixture
def loader(front_end: FrontEnd) -> FrontEnd:
    front_end.load(ONE_NODE)
    return front_end


ON_CANVAS = pytest.mark.parametrize("front_end", [False], ids=["canvas_nodes"], indirect=True)


def write_maps(folder: Path, count: int = 3, shade: float = 0.5) -> Path:
    """Write maps with names that not every system can spell, and a file that is no map."""
    folder.mkdir(parents=True)
    for i in range(count):
        np.save(folder / f"Tiefe {i:02} \u6df1\u5ea6.npy", np.full((2, 3), shade + i / 10, np.float32))
    (folder / "notes.txt").write_text("Not depth.", encoding="utf-8")
    return folder


def maps_of(folder: Path) -> list[str]:
    return sorted(file.name for file in folder.iterdir() if not file.name.startswith("."))


def shows_choice(front_end: FrontEnd, chosen: str) -> None:
    """Wait until the list has a value, which it offers, and the node shows it."""
    front_end.wait("hasValue", NODE, "file", chosen)
    assert chosen in front_end.call("widget", NODE, "file")["options"]
    if front_end.draws_vue_nodes:
        front_end.page.locator(".lg-node").get_by_text(chosen, exact=True).wait_for()


def counted(front_end: FrontEnd, answer: Callable[[int, Route], None]) -> list[int]:
    """Answer every upload of a map by its number, from 0; return the list of numbers as it grows."""
    seen: list[int] = []

    def handle(route: Route) -> None:
        if b".any-to-bokeh-upload" in (route.request.post_data_buffer or b""):
            route.continue_()
            return
        seen.append(len(seen))
        answer(seen[-1], route)

    front_end.page.route(UPLOADS, handle)
    return seen


def kept_back(front_end: FrontEnd, held: list[Route]) -> Route:
    """Return the first upload that is held; the label changes before it is on its way."""
    for _ in range(20 * TIMEOUT_S):
        if held:
            return held[0]
        # Requests come in while the page is waited for.
        front_end.page.wait_for_timeout(50)
    raise AssertionError(f"No upload was sent in {TIMEOUT_S} s.")


@ON_BOTH
def test_a_file_and_a_folder_are_uploaded_and_chosen(loader: FrontEnd, host: HostUnderTest, tmp_path: Path):
    file = tmp_path / (host.unique_name("Tiefe ü \u6df1\u5ea6") + ".npy")
    np.save(file, np.eye(4, dtype=np.float32))
    loader.pick_files(NODE, FILE, file)
    shows_choice(loader, file.name)
    assert (host.input_dir / file.name).read_bytes() == file.read_bytes()
    # Nodes that come later offer it too.
    assert file.name in loader.call("optionsOfNewNode", NODE, "file")

    folder = write_maps(tmp_path / host.unique_name("my depth \u6df1\u5ea6"))
    held: list[Route] = []
    sent = counted(loader, lambda number, route: held.append(route) if number == 1 else route.continue_())
    loader.wait("isEnabled", NODE, FOLDER)
    loader.pick_files(NODE, FOLDER, folder)
    loader.wait("hasLabel", NODE, FOLDER, "uploading 1 / 3")
    loader.wait("shows", "Uploading depth")
    kept_back(loader, held).continue_()
    shows_choice(loader, f"{folder.name}/")
    loader.wait("shows", f"{folder.name}: 3 depth maps")
    assert maps_of(host.input_dir / folder.name) == [f"Tiefe {i:02} \u6df1\u5ea6.npy" for i in range(3)]
    loader.wait("isEnabled", NODE, FOLDER)
    assert loader.call("widget", NODE, FOLDER)["label"] == FOLDER
    assert len(sent) == 3


@ON_CANVAS
def test_what_is_there_is_kept_and_not_sent_again(loader: FrontEnd, host: HostUnderTest, tmp_path: Path):
    folder = write_maps(tmp_path / host.unique_name("maps"))
    sent = counted(loader, lambda number, route: route.abort() if number == 2 else route.continue_())
    loader.pick_files(NODE, FOLDER, folder)
    loader.wait("shows", "ComfyUI does not answer")
    loader.wait("shows", "2 of 3 maps are uploaded; choose the same folder again")
    loader.wait("isEnabled", NODE, FOLDER)
    assert loader.call("widget", NODE, "file")["value"] == "none"
    for _ in range(2):
        loader.pick_files(NODE, FOLDER, folder)
        loader.wait("isEnabled", NODE, FOLDER)
        assert loader.call("widget", NODE, "file")["value"] == f"{folder.name}/"
        assert len(sent) == 4
    assert len(maps_of(host.input_dir / folder.name)) == 3

    # Another clip's maps of the same names.
    other = write_maps(tmp_path / "other" / folder.name, shade=0.1)
    loader.pick_files(NODE, FOLDER, other)
    loader.wait("isEnabled", NODE, FOLDER)
    assert loader.call("widget", NODE, "file")["value"] == f"{folder.name}-2/"
    for name, shade in ((folder.name, 0.5), (f"{folder.name}-2", 0.1)):
        assert np.load(host.input_dir / name / "Tiefe 00 \u6df1\u5ea6.npy")[0, 0] == np.float32(shade)

    # The same with a file: sent again it is the same, another of its name is not.
    file = tmp_path / (host.unique_name("map") + ".npy")
    for shade, name in ((0.5, file.name), (0.5, file.name), (0.1, f"{file.stem} (1).npy")):
        np.save(file, np.full((2, 3), shade, np.float32))
        loader.pick_files(NODE, FILE, file)
        loader.wait("isEnabled", NODE, FILE)
        assert loader.call("widget", NODE, "file")["value"] == name
        assert np.load(host.input_dir / name)[0, 0] == np.float32(shade)


@ON_CANVAS
def test_what_went_wrong_is_said(loader: FrontEnd, host: HostUnderTest, tmp_path: Path):
    (tmp_path / "notes.txt").write_text("Not depth.", encoding="utf-8")
    (tmp_path / "empty" / "inner").mkdir(parents=True)
    write_maps(tmp_path / "empty" / "inner" / "deep")
    large = tmp_path / "large.npy"
    np.save(large, np.ones((2, 2), np.float32))
    loader.page.route(UPLOADS, lambda route: route.fulfill(status=413))
    for button, picked, said in (
        (FILE, tmp_path / "notes.txt", "notes.txt cannot be read as depth."),
        (FOLDER, tmp_path / "empty", "The folder empty has no depth maps directly in it"),
        (FILE, large, "large.npy is larger than ComfyUI takes; start it with a higher --max-upload-size."),
    ):
        loader.pick_files(NODE, button, picked)
        loader.wait("shows", said)
        loader.wait("isEnabled", NODE, button)
    loader.page.unroute(UPLOADS)
    loader.page.route(UPLOADS, lambda route: route.fulfill(status=507))
    loader.pick_files(NODE, FILE, large)
    loader.wait("shows", "ComfyUI did not take large.npy (507).")
    assert loader.call("widget", NODE, "file")["value"] == "none"
