"""The bundled pictures agree with their manifest, and a damaged folder is refused with what to do."""

import hashlib
import json
import shutil

import pytest
import torch

from bokeh_lab.scenes.library import BUNDLED_FOLDER, AssetLibrary

# No share-alike, no copyleft, nothing non-commercial.
ALLOWED = {"CC0-1.0", "CC-BY-2.0", "CC-BY-4.0", "MIT", "LicenseRef-public-domain"}


@pytest.fixture
def copied(tmp_path):
    return shutil.copytree(BUNDLED_FOLDER, tmp_path / "set")


def test_every_bundled_file_is_listed_with_its_digest_credit_and_licence():
    listed = json.loads((BUNDLED_FOLDER / "manifest.json").read_text(encoding="utf-8"))["files"]
    present = {
        path.relative_to(BUNDLED_FOLDER).as_posix() for path in BUNDLED_FOLDER.rglob("*") if path.is_file()
    }
    assert present == {entry["file"] for entry in listed} | {"manifest.json", "CREDITS.md"}
    credits = (BUNDLED_FOLDER / "CREDITS.md").read_text(encoding="utf-8")
    for entry in listed:
        content = (BUNDLED_FOLDER / entry["file"]).read_bytes()
        assert hashlib.sha256(content).hexdigest() == entry["sha256"]
        assert entry["licence"] in ALLOWED
        assert entry["author"] in credits
        assert entry["package"] in credits
        assert entry["version"]
        assert entry["source"]


def test_the_bundled_set_is_small_and_has_enough_of_each_kind():
    assert sum(path.stat().st_size for path in BUNDLED_FOLDER.rglob("*")) < 3_000_000
    library = AssetLibrary.load(BUNDLED_FOLDER)
    assert len(library.files("background")) >= 12
    assert len(library.files("cutout")) >= 30
    assert len(library.files("texture")) >= 3


def test_splits_share_no_picture_and_a_third_is_held_out():
    everything = AssetLibrary.load(BUNDLED_FOLDER)
    parts = {split: AssetLibrary.load(BUNDLED_FOLDER, split=split) for split in ("training", "held-out")}
    sources = {split: {(a.package, a.source) for a in part.assets} for split, part in parts.items()}
    assert not sources["training"] & sources["held-out"]
    assert len(parts["training"].assets) + len(parts["held-out"].assets) == len(everything.assets)
    assert 0.2 < len(parts["held-out"].assets) / len(everything.assets) < 0.45
    for kind in ("background", "cutout", "texture"):
        assert parts["held-out"].files(kind)


def test_pictures_decode_to_floats_with_alpha_for_cutouts_only():
    library = AssetLibrary.load(BUNDLED_FOLDER)
    for kind, channels in (("background", 3), ("cutout", 4), ("texture", 3)):
        for file in library.files(kind):
            picture = library.picture(file)
            assert picture.dtype == torch.float32
            assert picture.shape[0] == channels
            assert picture.min() >= 0
            assert 0.5 < picture.max() <= 1
            if kind == "cutout":
                assert picture[3].min() == 0
                assert ((picture[3] > 0) & (picture[3] < 1)).any()


def test_colours_come_as_red_green_blue():
    library = AssetLibrary.load(BUNDLED_FOLDER)
    # A bowl of red lacquer on grey stone.
    red, _, blue = library.picture("lomiri/Picture_0B_by_freespace-0.webp").mean((1, 2))
    assert red > 1.3 * blue


def test_a_folder_without_manifest_is_refused_with_the_command(tmp_path):
    with pytest.raises(ValueError, match=r"holds no manifest.json.*bokeh_lab\.scenes\.fetch"):
        AssetLibrary.load(tmp_path / "missing")


def test_the_environment_variable_names_the_folder(monkeypatch, copied):
    monkeypatch.setenv("BOKEH_SCENE_ASSETS", str(copied))
    assert AssetLibrary.load().folder == copied


def test_a_missing_file_is_refused(copied):
    library = AssetLibrary.load(copied)
    file = library.files("background")[0]
    (copied / file).unlink()
    with pytest.raises(ValueError, match=r"is missing.*bokeh_lab\.scenes\.fetch"):
        library.picture(file)


def test_an_altered_file_is_refused(copied):
    library = AssetLibrary.load(copied)
    file = library.files("cutout")[0]
    (copied / file).write_bytes((copied / library.files("cutout")[1]).read_bytes())
    with pytest.raises(ValueError, match="SHA-256 differs"):
        library.picture(file)


def test_unreadable_and_wrong_manifests_are_refused(copied):
    manifest = copied / "manifest.json"
    listed = json.loads(manifest.read_text(encoding="utf-8"))
    manifest.write_text("{}", encoding="utf-8")
    with pytest.raises(ValueError, match="not a manifest"):
        AssetLibrary.load(copied)
    listed["files"][0]["file"] = "../outside.webp"
    manifest.write_text(json.dumps(listed), encoding="utf-8")
    with pytest.raises(ValueError, match="wrong entry"):
        AssetLibrary.load(copied)


def test_unknown_split_kind_and_file_are_refused():
    with pytest.raises(ValueError, match="split is 'test'"):
        AssetLibrary.load(BUNDLED_FOLDER, split="test")
    library = AssetLibrary.load(BUNDLED_FOLDER, split="held-out")
    with pytest.raises(ValueError, match="kind is 'video'"):
        library.files("video")
    with pytest.raises(ValueError, match="not in the manifest"):
        library.picture("scikit-image/brick-0.webp")
