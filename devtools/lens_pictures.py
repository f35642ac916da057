"""Pictures of lenses, for docs/lenses.md and for Choose Lens.

python -m devtools.lens_pictures
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from bokeh_core.lens import PRESETS, LensSettings, lens_blur, lens_of_controls, with_preset
from bokeh_core.lens.aperture_image import aperture_image_of
from bokeh_lab.looks import heart

from .environment import PACK
from .garage_at_night import garage_at_night

FOLDER = PACK / "docs" / "images"
# What Choose Lens shows, web/lens_picture.js.
THUMBNAILS = PACK / "web" / "lenses"
THUMBNAIL_SIZE = (480, 176)
WIDTH, HEIGHT = 960, 540
# What is shown of it, next to each other.
SHOWN = (480, 270)
QUALITY = 80
LAMP_RADIUS_PX = 30.0
STRENGTH = 44.0
# The motorcycle is sharp; the wall behind it and the floor in front are not.
FOCUS, FOCUS_RANGE = 0.68, 0.28
# The picture at the head of README.md.
MOVING_SIZE = (704, 480)
MOVING_QUALITY = 88
STEP_MS, HELD_MS = 70, 1300
OPENING = (0.0, 2.0, 5.0, 9.0, 14.0, 20.0, 27.0, 35.0, STRENGTH)
SHOWN_PRESETS = ("soap bubble", "swirl", "anamorphic", "cine hexagon", "creamy portrait")
PULLED = 9


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


def scene(lens: LensSettings, strength: float = STRENGTH, focus: float = FOCUS) -> Tensor:
    """[H, W, 3]: the garage at night."""
    frame, disparity = garage_at_night()
    # Its lamps are light as it is, and its depth is exact.
    lens = replace(lens, highlight_gain=0.0, grain=0.0, contour_reach_px=0, focus_range=FOCUS_RANGE)
    width = frame.shape[2]
    blurred = lens_blur(
        frame, disparity, torch.tensor([focus]), torch.tensor([strength * width / 1024]), lens.at_width(width)
    )
    return blurred[0].clamp(0, 1)


def night(lens: LensSettings) -> Tensor:
    """[h, w, 3]: coloured lamps behind the focus, scattered over the field, the same ones for every lens."""
    width, height = 2 * THUMBNAIL_SIZE[0], 2 * THUMBNAIL_SIZE[1]
    radius_px = 30.0
    random = np.random.default_rng(7)
    frame = torch.linspace(0.05, 0.16, height)[:, None, None] * torch.tensor([0.5, 0.7, 1.0])
    frame = frame.expand(height, width, 3)[None].clone()
    colors = torch.tensor([[1.0, 0.75, 0.45], [1.0, 0.45, 0.3], [1.0, 0.92, 0.8], [0.55, 0.8, 1.0]])
    for row in range(4):
        for column in range(11):
            x, y = (np.array([column, row]) + random.uniform(0.1, 0.9, 2)) * (width / 11, height / 4)
            light = random.uniform(0.15, 0.8) * np.pi * radius_px**2
            color = colors[random.integers(len(colors))]
            frame[0, int(y), int(x)] = (light * color**2.2) ** (1 / 2.2)
    blurred = lens_blur(
        frame, torch.zeros(1, height, width), torch.tensor([1.0]), torch.tensor([radius_px]), lens
    )
    return blurred[0].clamp(0, 1)


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
    """Write docs/images/lens_NAME.jpg for each pair, docs/images/lenses.webp, and web/lenses/PRESET.webp."""
    write_moving_picture(FOLDER / "lenses.webp")
    THUMBNAILS.mkdir(exist_ok=True)
    for preset in PRESETS:
        lens = replace(lens_of_controls(**with_preset(preset, {})), highlight_gain=0.0)
        small = cv2.resize(night(lens).numpy(), THUMBNAIL_SIZE, interpolation=cv2.INTER_AREA)
        path = THUMBNAILS / f"{preset.replace(' ', '_')}.webp"
        cv2.imwrite(str(path), _bgr(small), [cv2.IMWRITE_WEBP_QUALITY, QUALITY])
    for name, left, right in pairs():
        halves = [
            cv2.resize(_top_of(picture).numpy(), SHOWN, interpolation=cv2.INTER_AREA)
            for picture in (left, right)
        ]
        path = Path(FOLDER / f"lens_{name.replace(' ', '_')}.jpg")
        cv2.imwrite(str(path), _bgr(np.concatenate(halves, axis=1)), [cv2.IMWRITE_JPEG_QUALITY, QUALITY])


def _top_of(picture: Tensor) -> Tensor:
    """The upper part of a picture [H, W, 3] that has the shape of what is shown."""
    return picture[: round(picture.shape[1] * SHOWN[1] / SHOWN[0])]


def write_moving_picture(path: Path) -> None:
    """Write the lens as it opens, each of some presets, and a focus that is pulled to the wall and back."""
    plain = LensSettings()
    steps = [(scene(plain, strength), "", STEP_MS) for strength in OPENING]
    steps[0] = (steps[0][0], "all in focus", HELD_MS)
    steps[-1] = (steps[-1][0], "a round, even lens", HELD_MS)
    for preset in SHOWN_PRESETS:
        steps.append((scene(lens_of_controls(**with_preset(preset, {}))), preset, HELD_MS))
    bubbles = lens_of_controls(**with_preset("soap bubble", {}))
    way = [FOCUS + (0.15 - FOCUS) * (1 - math.cos(math.pi * k / PULLED)) / 2 for k in range(1, PULLED + 1)]
    pulled = [scene(bubbles, focus=focus) for focus in way]
    steps += [(picture, "", STEP_MS) for picture in pulled[:-1]]
    steps.append((pulled[-1], "soap bubble, focus on the wall", HELD_MS))
    pictures = [_labelled(picture, text) for picture, text, _ in steps]
    pictures[0].save(
        path,
        save_all=True,
        append_images=pictures[1:],
        duration=[duration_ms for _, _, duration_ms in steps],
        loop=0,
        quality=MOVING_QUALITY,
        method=6,
    )


def _labelled(picture: Tensor, text: str) -> Image.Image:
    image = Image.fromarray(np.rint(picture.numpy() * 255).astype(np.uint8)).resize(MOVING_SIZE)
    font = ImageFont.load_default(size=20)
    ImageDraw.Draw(image).text((16, MOVING_SIZE[1] - 36), text, font=font, fill=(255, 244, 226))
    return image


def _bgr(picture: np.ndarray) -> np.ndarray:
    """Display values as OpenCV writes them."""
    return np.rint(picture[..., ::-1] * 255).astype(np.uint8)


if __name__ == "__main__":
    main()
