"""What a list of depth files offers."""

from pathlib import Path

from bokeh_core.disparity.found_files import depth_names


def test_names_files_and_folders_of_maps_in_natural_order(tmp_path: Path):
    for name in ("z10.EXR", "z9.npz", "a.mp4", "b.MKV", "notes.txt", ".hidden.png", "model.safetensors"):
        (tmp_path / name).touch()
    for folder, file in (("maps", "0000.png"), ("texts", "readme.md"), ("deep/maps", "0000.png")):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / file).touch()
    assert depth_names(tmp_path) == ["a.mp4", "b.MKV", "maps/", "z9.npz", "z10.EXR"]


def test_a_folder_that_is_not_there_has_none(tmp_path: Path):
    assert depth_names(tmp_path / "gone") == []
