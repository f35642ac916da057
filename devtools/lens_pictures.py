"""Pictures of lenses for docs/lenses.md: lamps over the field, and a frame of the bundled clip.

python -m devtools.lens_pictures
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor

from bokeh_core.disparity.files import open_depth_maps
from bokeh_core.focus.at_point import focus_at_point
from bokeh_core.lens import PRESETS, LensSettings, lens_blur, lens_of_controls, with_preset
from bokeh_core.lens.aperture_image import aperture_image_of
from bokeh_core.video_io import VideoFile

from .environment import PACK

FOLDER = PACK / "docs" / "images"
WIDTH, HEIGHT = 960, 540
# What is shown of it, next to each other.
SHOWN = (480, 270)
QUALITY = 80
LAMP_RADIUS_PX = 30.0
CLIP = PACK / "web" / "clips" / "motorcycle.mp4"
CLIP_DEPTH = PACK / "assets" / "motorcycle" / "disparity"
CLIP_STRENGTH = 48.0
# Of the frame: the shelf behind, where it is brightest.
CLIP_SHOWN = (0.42, 0.0)
# On the tank, so that the shelf behind and the wheel in front are out of focus.
CLIP_POINT = (0.45, 0.5)


def lamps(lens: LensSettings, disparity: float) -> Tensor:
    """[H, W, 3]: point lamps over the field, at a disparity about the focus at 0.5."""
    frame = torch.full((1, HEIGHT, WIDTH, 3), 0.02)
    # So bright that a disk with all of a lamp's light is about white.
    warm = torch.tensor([1.0, 0.88, 0.72]) * (0.8 * np.pi * LAMP_RADIUS_PX**2) ** (1 / 2.2)
    for y in np.linspace(0.1, 0.9, 5):
        for x in np.linspace(0.06, 0.94, 9):
            frame[0, int(y * HEIGHT), int(x * WIDTH)] = warm
    strength = torch.tensor([LAMP_RADIUS_PX / 0.5])
    blurred = lens_blur(frame, torch.full((1, HEIGHT, WIDTH), disparity), torch.tensor([0.5]), strength, lens)
    return blurred[0].clamp(0, 1)


def scene(lens: LensSettings) -> Tensor:
    """[H, W, 3]: the first frame of the bundled clip."""
    frame = next(iter(VideoFile(CLIP).frames()))[None]
    height, width = frame.shape[1:3]
    disparity = next(iter(open_depth_maps(CLIP_DEPTH).frames())).float()[None]
    x, y = (int(share * side) for share, side in zip(CLIP_POINT, (width, height), strict=True))
    focus = focus_at_point(disparity, x, y, smoothing_frames=0)
    strength = torch.tensor([CLIP_STRENGTH * width / 1024])
    blurred = lens_blur(frame, disparity, focus, strength, lens.at_width(width))[0]
    left, top = (int(share * side) for share, side in zip(CLIP_SHOWN, (width, height), strict=True))
    return blurred[top : top + SHOWN[1], left : left + SHOWN[0]]


def heart() -> Tensor:
    """[1, H, W] mask of a heart."""
    axis = torch.linspace(-1.3, 1.3, 256)
    y, x = -axis[:, None], axis[None]
    return ((x**2 + y**2 - 1) ** 3 <= x**2 * y**3).float()[None]


def pairs() -> Iterator[tuple[str, Tensor, Tensor]]:
    """Name, left and right picture."""
    plain = LensSettings()
    yield "plain", lamps(plain, 0.0), scene(plain)
    for preset in PRESETS:
        lens = lens_of_controls(**with_preset(preset, {}))
        # These lamps are light as it is: there is none to guess.
        yield preset, lamps(replace(lens, highlight_gain=0.0), 0.0), scene(lens)
    hearts = lens_of_controls(aperture_image=aperture_image_of(heart()))
    yield "hearts", lamps(hearts, 0.0), lamps(hearts, 1.0)
    fringe = lens_of_controls(fringe=0.08, ring=0.4)
    yield "fringe", lamps(fringe, 0.0), lamps(fringe, 1.0)


def main() -> None:
    """Write docs/images/lens_NAME.jpg for each pair."""
    for name, left, right in pairs():
        halves = [
            cv2.resize(picture.numpy(), SHOWN, interpolation=cv2.INTER_AREA) for picture in (left, right)
        ]
        bgr = np.rint(np.concatenate(halves, axis=1)[..., ::-1] * 255).astype(np.uint8)
        path = Path(FOLDER / f"lens_{name.replace(' ', '_')}.jpg")
        cv2.imwrite(str(path), bgr, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])


if __name__ == "__main__":
    main()
