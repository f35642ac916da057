"""The written course of a run: a line a report in log.jsonl, TensorBoard, sample clips."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from torch import Tensor

from bokeh_core.disk.whole_file import whole_file, write_whole_text

from ..evaluate.video import write_video

LOG_FILE = "log.jsonl"
SAMPLES = "samples"


class Journal:
    """Writes reports; a run that goes on from a checkpoint continues its files from there."""

    def __init__(self, folder: Path, start_step: int) -> None:
        """Open the log and TensorBoard files, to append.

        Args:
            folder: of the run.
            start_step: steps that are done; later reports, of a run that was cut off, are dropped.

        Raises:
            ValueError: TensorBoard is not installed.
        """
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ImportError as error:
            raise ValueError(
                "Training logs need TensorBoard; install it (pip install tensorboard)."
            ) from error
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._file = folder / LOG_FILE
        kept = [report for report in read_log(folder) if report["step"] <= start_step]
        write_whole_text(self._file, "".join(json.dumps(report) + "\n" for report in kept))
        # Events after the checkpoint are hidden in TensorBoard too.
        self._writer: Any = SummaryWriter(str(folder / "tensorboard"), purge_step=start_step + 1)

    def report(self, step: int, values: Mapping[str, float], group: str = "train") -> None:
        """Write numbers at a step."""
        line = json.dumps({"step": step, "group": group, **values})
        with self._file.open("a", encoding="utf-8") as file:
            file.write(line + "\n")
        for name, value in values.items():
            self._writer.add_scalar(f"{group}/{name}", value, step)
        self._writer.flush()

    def clip(self, step: int, name: str, rows: Mapping[str, Tensor]) -> None:
        """Keep a clip as a video and as a picture, its versions below each other.

        Args:
            step: of the run.
            name: of the clip.
            rows: caption -> [T, H, W, 3] in [0, 1].
        """
        folder = self._folder / SAMPLES
        folder.mkdir(exist_ok=True)
        stem = f"step-{step:08d}-{name}"
        write_video(torch.cat(list(rows.values()), dim=1), folder / f"{stem}.mp4")
        sheet = contact_sheet(rows)
        write_picture(sheet, folder / f"{stem}.png")
        self._writer.add_image(f"samples/{name}", sheet, step, dataformats="HWC")
        self._writer.flush()

    def close(self) -> None:
        """Write what is buffered and close the files."""
        self._writer.close()


def read_log(folder: Path) -> list[dict[str, Any]]:
    """Reports of a run in order; a last line that was cut off is left out."""
    file = folder / LOG_FILE
    reports = []
    for line in file.read_text(encoding="utf-8").splitlines() if file.is_file() else []:
        try:
            reports.append(json.loads(line))
        except json.JSONDecodeError:
            break
    return reports


def contact_sheet(rows: Mapping[str, Tensor], columns: int = 4, scale: int = 1) -> np.ndarray:
    """A few frames of each version side by side under its caption.

    Args:
        rows: caption -> [T, H, W, 3] in [0, 1].
        columns: frames shown, spread over the clip.
        scale: whole number by which pixels are enlarged.

    Returns:
        uint8 RGB [H, W, 3].
    """
    parts = []
    for caption, frames in rows.items():
        shown = torch.linspace(0, len(frames) - 1, min(columns, len(frames))).round().long()
        strip = torch.cat(list(frames[shown]), dim=1)  # T frames [H, W, 3] -> [H, T W, 3]
        pixels = (strip.clamp(0, 1) * 255).round().byte().cpu().numpy()
        pixels = pixels.repeat(scale, 0).repeat(scale, 1)
        label = np.full((22, pixels.shape[1], 3), 255, np.uint8)
        cv2.putText(label, caption, (4, 16), cv2.FONT_HERSHEY_SIMPLEX, 0.45, (30, 30, 30), 1, cv2.LINE_AA)
        parts += [label, pixels]
    return np.concatenate(parts)


def write_picture(pixels: np.ndarray, path: Path) -> None:
    """Write uint8 RGB [H, W, 3] as PNG."""
    with whole_file(path) as beside:
        beside.write_bytes(cv2.imencode(".png", np.ascontiguousarray(pixels[..., ::-1]))[1].tobytes())
