"""What a list of depth files offers."""

import re
from pathlib import Path

from bokeh_core.disparity.files import ARRAYS
from bokeh_core.disparity.found_files import depth_names
from bokeh_core.disparity.stills import STILLS
from bokeh_core.video_io.codecs import VIDEO_ENDINGS


def test_names_files_and_folders_of_maps_in_natural_order(tmp_path: Path):
    for name in ("z10.EXR", "z9.npz", "a.mp4", "b.MKV", "notes.txt", ".hidden.png", "model.safetensors"):
        (tmp_path / name).touch()
    for folder, file in (("maps", "0000.png"), ("texts", "readme.md"), ("deep/maps", "0000.png")):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / file).touch()
    assert depth_names(tmp_path) == ["a.mp4", "b.MKV", "maps/", "z9.npz", "z10.EXR"]


def test_a_folder_that_is_not_there_has_none(tmp_path: Path):
    assert depth_names(tmp_path / "gone") == []


def test_the_upload_buttons_take_what_the_list_shows():
    script = (Path(__file__).parents[3] / "web" / "depth_upload.js").read_text(encoding="utf-8")
    arrays = re.findall(r"^const (MAPS|VIDEOS) = \[(.*?)\];$", script, re.MULTILINE | re.DOTALL)
    endings = {name: set(re.findall(r'"(\.\w+)"', text)) for name, text in arrays}
    assert endings == {"MAPS": {*STILLS, *ARRAYS, ".jpeg", ".tiff"}, "VIDEOS": VIDEO_ENDINGS}
