"""Pictures of docs/evaluation.md: the plot of its first tables, and a clip by three renderers.

python -m devtools.evaluation_pictures
"""

from __future__ import annotations

import re

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from bokeh_lab.evaluate.clip_plan import plan_clips
from bokeh_lab.evaluate.clips import build_scene
from bokeh_lab.evaluate.perturb import NONE
from bokeh_lab.evaluate.plot import draw_plot
from bokeh_lab.evaluate.results import Row
from bokeh_lab.ground_truth import render_clip
from bokeh_lab.peers import BokehTask, renderer_named

from .environment import PACK

PAGE = PACK / "docs" / "evaluation.md"
IMAGES = PACK / "docs" / "images"
# Headings of the tables that are drawn, and whether their renderers are told the layers.
TABLES = {"Given image and disparity": False, "Given the layers": True}
CAPTION = "24 clips of 4 frames, 448 x 256 px, preset paper, gamma 1"
SEED, FRAME = 20019, 2
SHOWN = {"lens_blur": "Lens Blur", "mpib_dilated": "MPIB, disparity + 1 px", "gather": "gather"}
DIFFERENCE_GAIN = 6
TILE = (276, 177)
GAP, LABEL = 5, 21
QUALITY = 88

Picture = NDArray[np.uint8]


def rows_of(page: str) -> list[Row]:
    """PSNR over the frame and near edges of the renderers that are drawn, but for infinite ones."""
    rows = []
    for heading, given_layers in TABLES.items():
        table = page.split(f"\n## {heading}\n", 1)[1].split("\n## ", 1)[0]
        for title, *cells in re.findall(r"^\| ([^|]+) \| ([\d.*]+) \| ([\d.*]+) \|", table, re.MULTILINE):
            overall, edges = (float(cell.strip("*")) for cell in cells)
            values = {"psnr": overall, "edge_psnr": edges}
            rows.append(Row(title, title, given_layers, NONE, values, clips=1, planned=1))
    return rows


def main() -> None:
    """Write docs/images/evaluation.png and docs/images/evaluation_clip.jpg."""
    draw_plot(rows_of(PAGE.read_text(encoding="utf-8")), IMAGES / "evaluation.png", CAPTION)
    picture = _clip_by_renderers()
    cv2.imwrite(str(IMAGES / "evaluation_clip.jpg"), picture[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, QUALITY])


def _clip_by_renderers() -> Picture:
    """Sharp frame, truth and renderers, below them the disparity and the differences from the truth."""
    (planned,) = plan_clips("paper", 1, "448x256", FRAME + 1, seed_from=SEED, gamma=1.0)
    clip = render_clip(build_scene(planned), gamma=1.0)
    task = BokehTask(clip.frames, clip.disparity, clip.focal_disparity, clip.blur_strength_px)
    truth = clip.bokeh[FRAME].numpy()
    disparity = clip.disparity[FRAME].numpy()[..., None].repeat(3, -1)
    columns = [
        ("sharp frame, its disparity", clip.frames[FRAME].numpy(), disparity),
        ("ray-traced truth", truth, None),
    ]
    for name, label in SHOWN.items():
        found = renderer_named(name).render(task)[FRAME].numpy()
        columns.append((label, found, DIFFERENCE_GAIN * np.abs(found - truth)))
    width, height = TILE
    page = Image.new("RGB", (len(columns) * (width + GAP) - GAP, LABEL + 2 * height + GAP), "white")
    draw = ImageDraw.Draw(page)
    font = ImageFont.load_default(13)
    for column, (label, above, below) in enumerate(columns):
        left = column * (width + GAP)
        draw.text((left + 2, 3), label, "black", font)
        page.paste(_tile(above), (left, LABEL))
        if below is None:
            text = f"differences from it, x {DIFFERENCE_GAIN}, on the right"
            draw.text((left + 6, LABEL + height + GAP + 8), text, "black", font)
        else:
            page.paste(_tile(below), (left, LABEL + height + GAP))
    return np.asarray(page)


def _tile(values: NDArray[np.float32]) -> Image.Image:
    small = cv2.resize(values, TILE, interpolation=cv2.INTER_AREA)
    return Image.fromarray((small.clip(0, 1) * 255).round().astype(np.uint8))


if __name__ == "__main__":
    main()
