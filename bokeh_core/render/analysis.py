"""What is found out about a clip before it is rendered: times, bars, depth, focus and strength."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice
from pathlib import Path

import torch
from torch import Tensor

from ..clip.letterbox import PictureArea
from ..pipeline.mending import WITHOUT_SCALE
from ..progress import counting
from .bars import area_of
from .clip_stream import StreamedMaps
from .depth import DepthRequest, DepthSource, PreparedDepth
from .estimated import EstimatedDepth, EstimatedMaps
from .job import LEAVE_OUT, RenderJob
from .parts import PartStore
from .refined import refined_depth
from .source import pictures_of
from .stages import Caller, ticking
from .stored_maps import BYTES_OF_A_VALUE, REFINED, StoredMaps
from .strength_settings import Amount

# Of the free disk, what refined maps may take as a part: parts of the result have to fit beside them.
_SHARE_OF_DISK = 0.25


@dataclass(frozen=True)
class Analysis:
    """What is known of a clip before it is rendered.

    Attributes:
        times: of its frames, in units of its time base.
        warnings: what to tell before and after.
        area: the picture between black bars, if there are any.
        depth: one map a frame.
        focal: disparity that is in focus [T].
        amount: how strong the blur of each frame is.
    """

    times: list[int]
    warnings: list[str]
    area: PictureArea | None
    depth: PreparedDepth
    focal: Tensor
    amount: Amount


def analysed(job: RenderJob, store: PartStore, caller: Caller) -> Analysis:
    """Look at a clip, or take what an earlier run or another process found."""
    saved = store.analysis()
    times = saved.get("times") or job.clip.timestamps(partial(caller.progress, "reading video"))
    if not times:
        raise ValueError("The clip has no frames.")
    warnings = saved.get("warnings") or job.clip.warnings(job.encoding)
    count, size = len(times), (job.clip.format.height, job.clip.format.width)
    # Before anything that takes long: a schedule may be too short.
    job.renderer.require_strength(job.strength.checked(count))
    if "area" in saved:
        area = None if saved["area"] is None else PictureArea(*saved["area"])
    else:
        area = area_of(job.clip, times) if job.black_bars == LEAVE_OUT else None

    def frames(start: int) -> Iterator[Tensor]:
        return islice(pictures_of(job.clip, start, times), count - start)

    source: DepthSource | EstimatedMaps
    if isinstance(job.depth, EstimatedDepth):
        estimating = partial(caller.progress, "estimating depth")
        source = job.depth.of_clip(job.clip, times, store.folder, estimating, caller.free_bytes)
    else:
        source = job.depth
    reading = partial(caller.progress, "reading depth")
    depth = source.prepare(DepthRequest(count, size, saved.get("depth"), reading, area, frames))
    stored = False
    if (refining := job.refining) is not None:
        tick = counting(partial(caller.progress, "refining depth"), count)
        stored = saved.get("refined_stored", _has_room(store.folder, count, size, caller))
        waiting = StoredMaps.of_size(store.folder, count, REFINED, size) if stored else None
        depth = refined_depth(depth, frames, refining, area, saved.get("depth"), tick, waiting)
        if job.refine is None and not refining.steady:
            depth = replace(depth, report=f"{depth.report}\n{WITHOUT_SCALE}")
    if "focus" in saved:
        focal = torch.tensor(saved["focus"])
    elif (set_in_metres := job.strength.focus(count, depth.distances)) is not None:
        focal = set_in_metres
    else:
        tick = counting(partial(caller.progress, "measuring focus"), count)
        shape = torch.Size((count, *size))
        maps = StreamedMaps(lambda: ticking(depth.read(0), tick), shape)
        pictures = StreamedMaps(lambda: frames(0), shape)
        focal, told = job.focus.over_clip(count, maps, pictures if job.focus.reads_frames else None)
        warnings = [*warnings, *told]
    if "focus" not in saved:
        store.save_analysis(
            {
                "times": times,
                "warnings": warnings,
                "area": area,
                "depth": depth.saved,
                "refined_stored": stored,
                "focus": focal.tolist(),
            }
        )
    amount = job.strength.amount(count, focal, depth.distances)
    return Analysis(times, warnings, area, depth, focal, amount)


def _has_room(folder: Path, count: int, size: tuple[int, int], caller: Caller) -> bool:
    """Whether the disk of a folder easily holds so many maps of the size (height, width)."""
    return count * size[0] * size[1] * BYTES_OF_A_VALUE <= _SHARE_OF_DISK * caller.free_bytes(folder)
