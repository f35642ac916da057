"""Pre-rendered clips in tar files, laid out as WebDataset does: one scene after another, a key each.

`clips-00003.tar` holds `000096.json` (lens of every frame), then `000096.000.frame.png`, `.bokeh.png` (8 bit)
and `.disparity.png` (16 bit) of every frame. A tar that exists is whole.
"""

from __future__ import annotations

import io
import json
import math
import tarfile
import threading
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from torch import Tensor

from bokeh_core.coc import signed_circle_of_confusion_px
from bokeh_core.disk.whole_file import whole_file, write_whole_json
from bokeh_core.progress import Progress, no_progress

from ..ground_truth import IN_FOCUS_DISPARITY, GroundTruthClip, near_occlusion_edges
from .config import DataConfig
from .samples import RenderedScenes, SceneSource

DESCRIPTION = "clips.json"
# What decides the pixels of a shard; other keys of the data only decide how they are used.
_MADE_BY = (
    "preset",
    "hard_share",
    "size",
    "scene_frames",
    "strengths",
    "ramp_probability",
    "ramp_range",
    "gamma",
    "linear_share",
    "rays_across",
    "shard_scenes",
)
_BYTE, _WORD = 255, 65535


def shard_name(number: int) -> str:
    """File name of a shard."""
    return f"clips-{number:05d}.tar"


def write_shards(
    data: DataConfig,
    seed: int,
    *,
    device: str = "cpu",
    workers: int = 0,
    progress: Progress = no_progress,
) -> int:
    """Render the scenes of a config into shards; those that are there already are kept.

    Args:
        data: `shards` is the folder, `scenes` the number of scenes.
        seed: of the scenes.
        device: where rays are traced.
        workers: processes; with 0 or 1 everything happens in this one.
        progress: told of shards.

    Returns:
        How many shards there are.

    Raises:
        ValueError: no folder or number of scenes, or the folder holds shards that were made otherwise.
    """
    if data.shards is None or data.scenes is None:
        raise ValueError("Shards need data.shards, the folder, and data.scenes, how many scenes to render.")
    folder = Path(data.shards)
    folder.mkdir(parents=True, exist_ok=True)
    description = _description(data, seed)
    file = folder / DESCRIPTION
    if file.is_file():
        _require_same(file, description)
    else:
        write_whole_json(file, description, indent=1)
    total = math.ceil(data.scenes / data.shard_scenes)
    missing = [number for number in range(total) if not (folder / shard_name(number)).is_file()]
    done = total - len(missing)
    progress(done, total)
    for _ in _run(data, seed, device, workers, missing):
        done += 1
        progress(done, total)
    return total


def _run(data: DataConfig, seed: int, device: str, workers: int, numbers: list[int]) -> Iterator[None]:
    if workers < 2:
        for number in numbers:
            write_shard(RenderedScenes(data, seed, device), data, number)
            yield
        return
    with ProcessPoolExecutor(
        workers, get_context("spawn"), initializer=torch.set_num_threads, initargs=(1,)
    ) as pool:
        jobs = [
            pool.submit(write_shard, RenderedScenes(data, seed, device), data, number) for number in numbers
        ]
        for job in jobs:
            job.result()
            yield


def write_shard(source: SceneSource, data: DataConfig, number: int) -> None:
    """Write one shard; the same scenes give the same bytes."""
    first = number * data.shard_scenes
    path = Path(str(data.shards)) / shard_name(number)
    with whole_file(path) as beside, tarfile.open(beside, "w", format=tarfile.USTAR_FORMAT) as tar:
        for scene in range(first, min(first + data.shard_scenes, data.scenes or 0)):
            for name, content in _members(scene, source.clip(scene, 0, data.scene_frames)):
                entry = tarfile.TarInfo(name)
                entry.size = len(content)
                tar.addfile(entry, io.BytesIO(content))


def _members(scene: int, clip: GroundTruthClip) -> Iterator[tuple[str, bytes]]:
    key = f"{scene:06d}"
    lens = {
        "focal_disparity": clip.focal_disparity.tolist(),
        "blur_strength_px": clip.blur_strength_px.tolist(),
        "gamma": clip.gamma,
    }
    yield f"{key}.json", json.dumps(lens).encode()
    for t in range(len(clip.frames)):
        yield f"{key}.{t:03d}.frame.png", _png(_whole(clip.frames[t], _BYTE).astype(np.uint8)[..., ::-1])
        yield f"{key}.{t:03d}.bokeh.png", _png(_whole(clip.bokeh[t], _BYTE).astype(np.uint8)[..., ::-1])
        yield f"{key}.{t:03d}.disparity.png", _png(_whole(clip.disparity[t], _WORD).astype(np.uint16))


class ShardedScenes:
    """Scenes read from shards; only the frames that are asked for are decoded."""

    def __init__(self, data: DataConfig, seed: int) -> None:
        """Index the scenes in the tar files of a folder.

        Raises:
            ValueError: the folder has no shards, too few, or shards that were made otherwise.
        """
        folder = Path(str(data.shards))
        description = folder / DESCRIPTION
        if not description.is_file():
            raise ValueError(
                f"{folder} holds no shards; make them: python -m bokeh_lab.train shards --config FILE"
            )
        _require_same(description, _description(data, seed))
        self._data = data
        self._folder = folder
        numbers = range(math.ceil((data.scenes or 0) / data.shard_scenes))
        missing = [shard_name(n) for n in numbers if not (folder / shard_name(n)).is_file()]
        if missing:
            raise ValueError(
                f"{folder} lacks {len(missing)} of {len(numbers)} shards, such as {missing[0]}; the command "
                "`shards` with the same config makes what is missing."
            )
        # Places of the members, found when a shard is first read.
        self._places: dict[int, dict[str, tuple[int, int]]] = {}
        self._lock = threading.Lock()

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name != "_lock"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        self._lock = threading.Lock()

    def clip(self, scene: int, start: int, stop: int) -> GroundTruthClip:
        """Frames [start, stop) of a scene; colours in 8 bits, disparity in 16."""
        number = scene // self._data.shard_scenes
        key = f"{scene:06d}"
        with self._lock:
            places = self._places.setdefault(number, {}) or self._index(number)
        with (self._folder / shard_name(number)).open("rb") as file:

            def read(name: str) -> bytes:
                place, size = places[name]
                file.seek(place)
                return file.read(size)

            lens = json.loads(read(f"{key}.json"))
            pictures = {
                kind: torch.stack([_picture(read(f"{key}.{t:03d}.{kind}.png")) for t in range(start, stop)])
                for kind in ("frame", "bokeh", "disparity")
            }
        focal, strength = (
            torch.tensor(lens[name][start:stop]) for name in ("focal_disparity", "blur_strength_px")
        )
        disparity = pictures["disparity"]
        radius_px = signed_circle_of_confusion_px(disparity, focal, strength)
        return GroundTruthClip(
            frames=pictures["frame"],
            disparity=disparity,
            focal_disparity=focal,
            blur_strength_px=strength,
            gamma=float(lens["gamma"]),
            bokeh=pictures["bokeh"],
            in_focus=(disparity - focal[:, None, None]).abs() <= IN_FOCUS_DISPARITY,
            edges=torch.stack([near_occlusion_edges(frame) for frame in radius_px]),
        )

    def _index(self, number: int) -> dict[str, tuple[int, int]]:
        with tarfile.open(self._folder / shard_name(number)) as tar:
            places = {entry.name: (entry.offset_data, entry.size) for entry in tar}
        self._places[number] = places
        return places


def _whole(values: Tensor, top: int) -> np.ndarray:
    return (values.clamp(0, 1) * top).round().numpy()


def _png(pixels: np.ndarray) -> bytes:
    return cv2.imencode(".png", pixels)[1].tobytes()


def _picture(content: bytes) -> Tensor:
    """[H, W, 3] of an 8-bit PNG or [H, W] of a 16-bit one, in [0, 1]; ValueError for a damaged one."""
    pixels = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_UNCHANGED)
    if pixels is None:
        raise ValueError("A shard holds a picture that does not decode; delete the shard and make it anew.")
    if pixels.dtype == np.uint8:
        return torch.from_numpy(np.ascontiguousarray(pixels[..., ::-1])).float() / _BYTE
    return torch.from_numpy(pixels.astype(np.float32)) / _WORD


def _description(data: DataConfig, seed: int) -> dict[str, Any]:
    chosen = {name: value for name, value in asdict(data).items() if name in _MADE_BY}
    return json.loads(json.dumps(chosen | {"seed": seed}))


def _require_same(file: Path, wanted: dict[str, Any]) -> None:
    found = json.loads(file.read_text(encoding="utf-8"))
    other = [name for name in wanted if found.get(name) != wanted[name]]
    if other:
        raise ValueError(
            f"{file.parent} holds shards made with other values of {', '.join(other)} "
            f"({found.get(other[0])}, not {wanted[other[0]]}); name another folder in data.shards."
        )
