"""Measure renderers on one clip: finished results are kept, others are written as soon as they are known."""

import platform
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import torch
from torch import Tensor

from ..ground_truth import GroundTruthClip
from ..metrics import Backbones
from ..peers import BokehTask, Renderer, checked
from ..scenes.scene import Scene
from .clips import SceneLayers, load_or_trace
from .maps import ClipMaps, map_numbers
from .perturb import NONE, is_refined
from .plan import Bench, Unit, clip_file, clip_video_file
from .references import GROUND_TRUTH
from .scoring import Scorer
from .selection import find_renderer
from .store import read_json, write_json, write_tensors
from .video import above_difference, write_video

SHARED_VIDEOS = ("sharp", "disparity", "truth")
RENDER_VIDEO = "render"


@dataclass(frozen=True)
class Event:
    """Something happened: a unit is done or has failed, or (without a unit) a clip is being traced."""

    text: str
    unit: Unit | None = None
    failure: str | None = None


@dataclass(frozen=True)
class Settings:
    """What does not change what is measured.

    Attributes:
        out: folder of the evaluation.
        videos: keep what renderers make of the clean disparity as video.
        keep_clips: keep the ground truth of a clip after its last unit.
        processes: that run at the same time; written beside the times.
    """

    out: Path
    videos: bool = True
    keep_clips: bool = True
    processes: int = 1


def is_done(unit: Unit, settings: Settings) -> bool:
    """Tell whether a unit has a valid result and the videos that belong to it."""
    videos = videos_of(unit, settings.out) if settings.videos and unit.perturbation == NONE else {}
    return read_json(unit.result_file(settings.out), unit.key) is not None and all(
        file.is_file() for file in videos.values()
    )


def videos_of(unit: Unit, out: Path) -> dict[str, Path]:
    """Files of the videos that go with a unit, by kind."""
    shared = {kind: clip_video_file(out, unit, kind) for kind in SHARED_VIDEOS}
    if unit.renderer == GROUND_TRUTH:
        return shared
    return shared | {RENDER_VIDEO: unit.video_file(out)}


def measure_clip(
    units: Sequence[Unit], bench: Bench, settings: Settings, report: Callable[[Event], None]
) -> None:
    """Measure the units of one clip that are not done.

    A renderer that raises RuntimeError (out of memory among them), ValueError or MemoryError is reported and
    has no result; other errors are mistakes in its code and stop the run.
    """
    waiting = [unit for unit in units if not is_done(unit, settings)]
    if not waiting:
        return
    clip = waiting[0].clip
    file = clip_file(settings.out, clip, waiting[0].clip_key)

    def tracing(frame: int, _total: int) -> None:
        report(Event(f"{clip.name}: ray tracing, frame {frame} of {clip.num_frames}"))

    scene, truth = load_or_trace(clip, file, bench.device, tracing)
    failed = False
    maps = ClipMaps(truth, clip.seed)
    # Maps that are the same for several renderers are made once.
    order = list(dict.fromkeys(unit.perturbation for unit in waiting))
    for unit in sorted(waiting, key=lambda unit: order.index(unit.perturbation)):
        label = f"{clip.name}: {unit.renderer}, {unit.perturbation}"
        try:
            _measure(unit, scene, truth, maps, bench, settings)
        except (RuntimeError, ValueError, MemoryError) as error:
            failed = True
            report(Event(label, unit, f"{type(error).__name__}: {error}"))
        else:
            report(Event(label, unit))
    if not settings.keep_clips and not failed:
        file.unlink()


def _measure(
    unit: Unit, scene: Scene | None, truth: GroundTruthClip, maps: ClipMaps, bench: Bench, settings: Settings
) -> None:
    renderer = find_renderer(unit.spec)
    if unit.renderer == GROUND_TRUTH:
        renderer = replace(renderer, render=lambda _: truth.bokeh)
    device = torch.device(bench.device)
    given = maps.under(unit.perturbation)
    task = BokehTask(
        frames=truth.frames,
        disparity=given.disparity,
        focal_disparity=given.focal_disparity,
        blur_strength_px=truth.blur_strength_px,
        gamma=truth.gamma,
        device=device,
        layers=SceneLayers(scene, bench.device) if renderer.given_layers and scene is not None else None,
        beyond_frame=unit.clip.solid,
        refined=is_refined(unit.perturbation),
    )
    rendered, seconds, gpu_bytes = _timed_render(renderer, task)
    scores = _scorer(bench).score(truth, rendered)
    if settings.videos and unit.perturbation == NONE:
        _write_videos(videos_of(unit, settings.out), truth, rendered)
    result = unit.result_file(settings.out)
    if scores.features:
        write_tensors(features_file(result), scores.features)
    # The result comes last: where it is, everything else is.
    write_json(
        result,
        {
            "key": unit.key,
            "clip": unit.clip.name,
            "renderer": unit.renderer,
            "title": renderer.title,
            "given_layers": renderer.given_layers,
            "perturbation": unit.perturbation,
            "values": scores.values,
            "missing": scores.missing,
            "map_values": map_numbers(given.values),
            "seconds_per_frame": seconds / len(rendered),
            "peak_gpu_bytes": gpu_bytes,
            "machine": machine(bench.device),
            "processes": settings.processes,
            "strength_px": float(truth.blur_strength_px.max()),
            "focal_disparity": [float(truth.focal_disparity[0]), float(truth.focal_disparity[-1])],
        },
    )


def features_file(result: Path) -> Path:
    """Where the features are kept that metrics of all clips together need."""
    return result.with_suffix(".safetensors")


def _timed_render(renderer: Renderer, task: BokehTask) -> tuple[Tensor, float, int | None]:
    """Render; return [T, H, W, 3] on the CPU, the seconds, and the peak of GPU memory if there is a GPU."""
    on_gpu = task.device.type == "cuda"
    _warm_up(renderer, task)
    if on_gpu:
        torch.cuda.synchronize(task.device)
        torch.cuda.reset_peak_memory_stats(task.device)
    started = time.perf_counter()
    with torch.no_grad():
        rendered = renderer.render(task)
    if on_gpu:
        torch.cuda.synchronize(task.device)
    seconds = time.perf_counter() - started
    gpu_bytes = torch.cuda.max_memory_allocated(task.device) if on_gpu else None
    return checked(lambda _: rendered, renderer.name)(task), seconds, gpu_bytes


_warm: set[Renderer] = set()


def _warm_up(renderer: Renderer, task: BokehTask) -> None:
    """Once a process, render one frame: loading weights and compiling belong to no frame."""
    if renderer in _warm or renderer.name == GROUND_TRUTH:
        return
    first = replace(
        task,
        frames=task.frames[:1],
        disparity=task.disparity[:1],
        focal_disparity=task.focal_disparity[:1],
        blur_strength_px=task.blur_strength_px[:1],
        layers=None if task.layers is None else task.layers[:1],
    )
    with torch.no_grad():
        renderer.render(first)
    _warm.add(renderer)


def _write_videos(files: dict[str, Path], truth: GroundTruthClip, rendered: Tensor) -> None:
    for kind, file in files.items():
        # The shared ones are there from the clip's first unit on.
        if kind in SHARED_VIDEOS and file.is_file():
            continue
        frames = {
            "sharp": lambda: truth.frames,
            "disparity": lambda: truth.disparity,
            "truth": lambda: truth.bokeh,
            RENDER_VIDEO: lambda: above_difference(rendered, truth.bokeh),
        }[kind]()
        file.parent.mkdir(parents=True, exist_ok=True)
        write_video(frames, file)


@cache
def _scorer(bench: Bench) -> Scorer:
    return Scorer(Backbones(bench.weights, allow_download=bench.allow_download, device=bench.device))


@cache
def machine(device: str) -> str:
    """Say what the times were taken on."""
    if torch.device(device).type == "cuda":
        return f"{torch.cuda.get_device_name(device)}, torch {torch.__version__}"
    threads = torch.get_num_threads()
    return f"{_processor()}, {threads} thread{'s' * (threads > 1)}, torch {torch.__version__}"


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.is_file():
        for line in cpuinfo.read_text(encoding="utf-8", errors="replace").splitlines():
            name, _, value = line.partition(":")
            if name.strip() == "model name" and value.strip():
                return value.strip()
    return platform.processor() or platform.machine()
