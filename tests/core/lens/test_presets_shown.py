"""Every preset has the small picture that Choose Lens shows, and no other is left over."""

from pathlib import Path

import cv2

from bokeh_core.lens import PRESETS

PICTURES = Path(__file__).resolve().parents[3] / "web" / "lenses"


def test_every_preset_has_its_picture():
    files = sorted(PICTURES.iterdir())
    assert [file.name for file in files] == sorted(f"{name.replace(' ', '_')}.webp" for name in PRESETS)
    assert sum(file.stat().st_size for file in files) < 100_000
    shapes = {picture.shape for file in files if (picture := cv2.imread(str(file))) is not None}
    assert shapes == {(176, 480, 3)}
