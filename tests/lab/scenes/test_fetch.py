"""Fetching from package files made here: what is taken, what is refused, nothing half-written."""

import dataclasses
import hashlib
import io
import json
import tarfile
import zipfile

import cv2
import numpy as np
import pytest

from bokeh_lab.scenes import fetch as fetching
from bokeh_lab.scenes import picture_packages
from bokeh_lab.scenes.library import AssetLibrary
from bokeh_lab.scenes.picture_packages import Photograph
from bokeh_lab.scenes.sharpness import is_sharp_everywhere, sharp_share

SIZE = 512


def noisy_photograph():
    return np.random.default_rng(0).integers(0, 256, (SIZE, SIZE, 3), np.uint8)


def png(pixels):
    return cv2.imencode(".png", pixels)[1].tobytes()


def disk_cutout(size=256):
    y, x = np.mgrid[:size, :size] - (size - 1) / 2
    alpha = np.clip(100 - np.hypot(x, y), 0, 1) * 255
    return np.dstack([np.full((size, size, 3), 90), alpha]).astype(np.uint8)


def register(monkeypatch, folder, package, content):
    """Put a package file with the digest of its content in place of a real one."""
    (folder / package.file).write_bytes(content)
    fake = dataclasses.replace(package, sha256=hashlib.sha256(content).hexdigest())
    monkeypatch.setattr(picture_packages, package.name.upper().replace("-", "_"), fake, raising=False)
    return fake


@pytest.fixture
def packages(monkeypatch, tmp_path):
    """A wheel with a sharp and a blurred photograph, and an npm package with cut-outs."""
    folder = tmp_path / "packages"
    folder.mkdir()
    wheel = io.BytesIO()
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("pictures/sharp.png", png(noisy_photograph()))
        archive.writestr("pictures/blurred.png", png(cv2.GaussianBlur(noisy_photograph(), (0, 0), 3)))
        archive.writestr("pictures/unlisted.png", png(noisy_photograph()))
    tarball = io.BytesIO()
    with tarfile.open(fileobj=tarball, mode="w:gz") as archive:
        flat = np.full((256, 256, 4), 255, np.uint8)
        veiled = disk_cutout()
        veiled[..., 3] = np.maximum(veiled[..., 3], 60)
        # Taken, a filled rectangle, a letter, a picture with a veil around it.
        named = {"1f3b8": disk_cutout(), "1f511": flat, "1f1e6": disk_cutout(), "1f33b": veiled}
        for name, pixels in named.items():
            content = cv2.imencode(".webp", pixels)[1].tobytes()
            info = tarfile.TarInfo(f"package/assets/{name}.webp")
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    wheel_package = register(monkeypatch, folder, picture_packages.SCIKIT_IMAGE, wheel.getvalue())
    npm_package = register(monkeypatch, folder, picture_packages.FLUENT_EMOJI, tarball.getvalue())
    monkeypatch.setattr(picture_packages, "FLUENT_EMOJI", npm_package)
    monkeypatch.setattr(picture_packages, "BUNDLED_PACKAGES", (wheel_package, npm_package))
    photographs = tuple(
        Photograph("scikit-image", f"pictures/{name}.png", "background", "An Author", "CC0-1.0", "held-out")
        for name in ("sharp", "blurred")
    )
    monkeypatch.setattr(picture_packages, "PHOTOGRAPHS", photographs)
    return folder


def test_takes_sharp_photographs_and_cutouts_and_writes_manifest_and_credits(packages, tmp_path):
    target = tmp_path / "set"
    fetching.fetch(target, bundled=True, packages_folder=packages)
    listed = json.loads((target / "manifest.json").read_text(encoding="utf-8"))["files"]
    assert [entry["file"] for entry in listed] == ["fluent-emoji/1f3b8.webp", "scikit-image/sharp-0.webp"]
    assert [entry["kind"] for entry in listed] == ["cutout", "background"]
    assert listed[1]["author"] == "An Author"
    assert listed[1]["split"] == "held-out"
    credits = (target / "CREDITS.md").read_text(encoding="utf-8")
    assert "An Author" in credits
    assert "Permission is hereby granted" in credits
    library = AssetLibrary.load(target)
    assert library.picture("scikit-image/sharp-0.webp").shape == (3, SIZE, SIZE)
    # A disk of radius 100 that loses half a pixel to its soft edge.
    area = float(library.picture("fluent-emoji/1f3b8.webp")[3].sum())
    assert area == pytest.approx(np.pi * 99.5**2, rel=0.01)


def test_the_same_packages_give_the_same_bytes_and_replace_an_older_set(packages, tmp_path):
    first, second = tmp_path / "first", tmp_path / "second"
    fetching.fetch(first, bundled=True, packages_folder=packages)
    fetching.fetch(second, bundled=True, packages_folder=packages)
    (second / "stale.webp").write_bytes(b"old")
    fetching.fetch(second, bundled=True, packages_folder=packages)
    contents = [
        {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
        for folder in (first, second)
    ]
    assert contents[0] == contents[1]


def test_a_tampered_package_is_refused_and_nothing_is_written(packages, tmp_path):
    target = tmp_path / "set"
    tampered = packages / picture_packages.SCIKIT_IMAGE.file
    tampered.write_bytes(tampered.read_bytes() + b"!")
    with pytest.raises(ValueError, match=r"has the SHA-256 [0-9a-f]{64}, expected .* remove it"):
        fetching.fetch(target, bundled=True, packages_folder=packages)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["packages"]


def test_a_folder_that_holds_something_else_is_left_alone(packages, tmp_path):
    target = tmp_path / "set"
    target.mkdir()
    (target / "thesis.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(ValueError, match="may be replaced"):
        fetching.fetch(target, bundled=True, packages_folder=packages)
    assert [path.name for path in target.iterdir()] == ["thesis.txt"]


def test_the_command_line_reports_a_refusal(packages, tmp_path, capsys):
    (packages / picture_packages.FLUENT_EMOJI.file).write_bytes(b"not a package")
    arguments = ["--to", str(tmp_path / "set"), "--bundled", "--packages", str(packages)]
    with pytest.raises(SystemExit) as stopped:
        fetching.main(arguments)
    assert stopped.value.code == 1
    assert "fetch: " in capsys.readouterr().err


def test_the_split_of_a_cutout_depends_on_its_source_alone():
    splits = [fetching.split_of(f"package/assets/{code:x}.webp") for code in range(0x1F300, 0x1F600)]
    assert splits.count("held-out") / len(splits) == pytest.approx(1 / 3, abs=0.05)


def test_every_package_and_photograph_states_a_permissive_licence():
    keys = {package.key for package in picture_packages.PACKAGES}
    for package in picture_packages.PACKAGES:
        assert len(package.sha256) == 64
        assert package.terms
    for photo in picture_packages.PHOTOGRAPHS:
        assert photo.package in keys
        assert photo.licence in picture_packages.LICENCES
        assert photo.author
        assert photo.split in ("training", "held-out")


def test_emoji_plates_variants_and_other_files_are_not_objects():
    assert picture_packages.is_emoji_object("package/assets/1f430.webp")
    assert picture_packages.is_emoji_object("package/assets/1f578-fe0f.webp")
    for name in ("1f1e8-1f1ed", "0039-fe0f-20e3", "1f44b-1f3fb", "1f170-fe0f", "00a9-fe0f"):
        assert not picture_packages.is_emoji_object(f"package/assets/{name}.webp")
    assert not picture_packages.is_emoji_object("package/package.json")


def test_sharpness_tells_detail_from_defocus():
    sharp = noisy_photograph()
    blurred = cv2.GaussianBlur(sharp, (0, 0), 3)
    # Contrast as in a photograph, so that the blurred half still counts as structured.
    blurred = np.clip((blurred.astype(np.float32) - 127) * 6 + 127, 0, 255).astype(np.uint8)
    half = np.concatenate([sharp[:, : SIZE // 2], blurred[:, SIZE // 2 :]], axis=1)
    assert sharp_share(sharp) == 1
    assert sharp_share(blurred) == 0
    assert sharp_share(half) == pytest.approx(0.5, abs=0.05)
    assert sharp_share(np.full_like(sharp, 128)) is None
    assert is_sharp_everywhere(sharp)
    assert not is_sharp_everywhere(half)
    assert not is_sharp_everywhere(np.full_like(sharp, 128))
