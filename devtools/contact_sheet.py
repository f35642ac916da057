"""Draw a contact sheet: a few frames as rows, a labelled column for what each stage made of them.

contact_sheet.py OUT.png LABEL=SOURCE [LABEL=SOURCE ...], a SOURCE being a video or a folder of pictures. The
one file of this folder that needs packages; dev.py runs it with the interpreter of .venv/.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

Picture = NDArray[np.uint8]

ROWS = 4
CELL_WIDTH_PX = 480
GAP_PX = 8
HEADER_PX = 40
MARGIN_LEFT_PX = 110
BACKGROUND = (24, 24, 26)
INK = (235, 235, 235)
FAINT = (150, 150, 155)


def read_frames(source: Path) -> list[Picture]:
    """Return the frames [H, W, 3] RGB of a video file or a folder of pictures."""
    if source.is_dir():
        return [np.asarray(Image.open(file).convert("RGB")) for file in sorted(source.iterdir())]
    video: Any = cv2.VideoCapture(str(source))
    frames: list[Picture] = []
    while True:
        found, frame = video.read()
        if not found:
            return frames
        frames.append(cv2.cvtColor(frame, cv2.COLOR_BGR2RGB))


def rows_to_show(frame_count: int) -> list[int]:
    """Return frame numbers spread over the clip, first and last included."""
    return sorted({round(position) for position in np.linspace(0, frame_count - 1, ROWS)})


def draw_sheet(columns: Sequence[tuple[str, list[Picture]]]) -> Image.Image:
    """Lay frames out in a grid: one column a source, one row a moment."""
    frame_count = max(len(frames) for _, frames in columns)
    moments = rows_to_show(frame_count)
    height, width = columns[0][1][0].shape[:2]
    cell_height = round(CELL_WIDTH_PX * height / width)
    sheet_width = MARGIN_LEFT_PX + len(columns) * (CELL_WIDTH_PX + GAP_PX)
    sheet_height = HEADER_PX + len(moments) * (cell_height + GAP_PX)
    sheet = Image.new("RGB", (sheet_width, sheet_height), BACKGROUND)
    pen = ImageDraw.Draw(sheet)
    large, small = ImageFont.load_default(22), ImageFont.load_default(16)
    for column, (label, frames) in enumerate(columns):
        left = MARGIN_LEFT_PX + column * (CELL_WIDTH_PX + GAP_PX)
        pen.text((left + CELL_WIDTH_PX / 2, HEADER_PX / 2), label, fill=INK, font=large, anchor="mm")
        for row, moment in enumerate(moments):
            # A still stands for the whole clip.
            frame = frames[min(moment, len(frames) - 1)]
            cell = Image.fromarray(frame).resize((CELL_WIDTH_PX, cell_height), Image.Resampling.LANCZOS)
            sheet.paste(cell, (left, HEADER_PX + row * (cell_height + GAP_PX)))
    for row, moment in enumerate(moments):
        middle = HEADER_PX + row * (cell_height + GAP_PX) + cell_height / 2
        text = f"frame {moment + 1}\nof {frame_count}"
        pen.text((MARGIN_LEFT_PX / 2, middle), text, fill=FAINT, font=small, anchor="mm", align="center")
    return sheet


def main(argv: list[str]) -> int:
    """Read the command line, draw the sheet and write it."""
    out, *pairs = argv
    columns = []
    for pair in pairs:
        label, source = pair.split("=", 1)
        frames = read_frames(Path(source))
        if not frames:
            sys.exit(f"There are no frames in {source}.")
        columns.append((label, frames))
    draw_sheet(columns).save(out)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
