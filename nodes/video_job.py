"""A job of Any-to-Bokeh Video: depth and model from what is connected, its run, and what the node shows."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import islice
from math import ceil
from pathlib import Path
from typing import Any

import torch

from ..bokeh_core.coc import Falloff
from ..bokeh_core.disparity.fit import MapFit
from ..bokeh_core.disparity.meaning import DepthMeaning
from ..bokeh_core.lens import LensOverTime
from ..bokeh_core.pipeline.streaming import BokehPipeline
from ..bokeh_core.render import (
    DepthSource,
    FileDepth,
    GivenDepth,
    ModelRenderer,
    RenderJob,
    StageProgress,
    check_job,
    overall_share,
    remove_stale_parts,
    run_job,
)
from ..bokeh_core.render.content_hash import weights_hash
from ..bokeh_core.render.parts_folder import STALE_AFTER_DAYS
from ..bokeh_core.video_io import VideoFile
from . import given_video, host, sockets
from .disparity_widgets import chosen_path
from .frame_on_bar import FrameOnBar
from .model import require_parts_fit

PROGRESS_STEPS = 1000
# Of a result that browsers do not play, this much is shown on the node.
SHOWN_S = 10


@contextmanager
def depth_of(
    disparity: Any, depth_video: Any, file: str, path: str, meaning: DepthMeaning, fit: MapFit
) -> Iterator[DepthSource]:
    """Offer the depth by what is connected, else by the list, else by the path.

    Raises:
        ValueError: there is none.
    """
    if disparity is not None:
        yield GivenDepth(disparity, sockets.is_refined(disparity))
    elif depth_video is None:
        found = chosen_path(file, path, "type disparity_path, or connect disparity or depth_video")
        yield FileDepth(found, meaning, fit)
    else:
        with given_video.depth_of(depth_video, meaning, fit) as depth:
            yield depth


def model_renderer(model: Any, vae: Any, clip_vision: Any, falloff: Falloff | LensOverTime) -> ModelRenderer:
    """The paper's network as it is connected.

    Raises:
        ValueError: a part is missing or belongs to another model, or the host runs them on two devices.
    """
    missing = [name for name, value in {"model": model, "vae": vae}.items() if value is None]
    if missing:
        raise ValueError(
            f"The renderer model needs {', '.join(missing)}: connect Load Bokeh Model, and Load CLIP Vision "
            "for the authors' model, or choose the renderer lens."
        )
    require_parts_fit(model, vae, clip_vision)
    device = model.patcher.load_device
    if vae.patcher.load_device != device:
        raise ValueError(
            f"ComfyUI runs the U-Net on {device} and VAEs on {vae.patcher.load_device}; a video is rendered "
            "with both on one device. Start ComfyUI without --cpu-vae."
        )
    unet, coder = model.patcher.model, vae.patcher.model
    tower = host.image_encoder(unet, clip_vision)
    networks = (unet, coder, *([clip_vision.model] if unet.reads_images else []))
    weights = " ".join(weights_hash(network) for network in networks)
    pipeline = BokehPipeline(unet, coder, tower, device=device)
    renderer = ModelRenderer(
        pipeline,
        weights,
        model.mpi_mode,
        model.overlap,
        trained_px=model.trained_px,
        falloff=falloff,
    )
    return replace(renderer, name=Path(model.bundle).stem) if model.bundle else renderer


def rendered(job: RenderJob, networks: list[Any]) -> str:
    """Render what is not there yet, on the node's bar; return what the report says of it."""
    done = check_job(job)
    if done is not None:
        return done.text
    cleared = remove_stale_parts(job.output.parent)
    if isinstance(job.renderer, ModelRenderer):
        needed = job.renderer.needed_bytes(job.clip.format.height, job.clip.format.width)
        host.load_models([network.patcher for network in networks], needed)
    bar = host.frame_on_bar(job.clip.format.transfer)
    with torch.no_grad():
        report = run_job(job, _progress_on(bar), host.check_interrupt, show=bar.show)
    return "\n".join([report.text, *map(_cleared_line, cleared)])


def _progress_on(bar: FrameOnBar) -> StageProgress:
    """Progress over all stages on the node's bar; every frame is a point where cancel takes effect."""
    shown = -1

    def tick(stage: str, done: int, total: int) -> None:
        nonlocal shown
        host.check_interrupt()
        steps = int(PROGRESS_STEPS * overall_share(stage, done, total))
        # Each step is a message to the browser, and clips have many frames.
        if steps != shown or bar.has_picture:
            shown = steps
            bar.progress(steps, PROGRESS_STEPS)

    return tick


def shown_of(path: Path, codec: str) -> Any:
    """The result itself on the node where browsers play it, else the beginning as a small copy."""
    file = VideoFile(path)
    even = file.format.width % 2 == file.format.height % 2 == 0
    if codec == "h264" and path.suffix == ".mp4" and even:
        return host.video_preview(path)
    count = ceil(SHOWN_S * file.format.frame_rate)
    return host.small_video_preview(islice(file.frames(), count), file.format.frame_rate, path.stem)


def _cleared_line(parts: Path) -> str:
    return f"Deleted the unfinished parts {parts.name}: nobody went on with them for {STALE_AFTER_DAYS} days."
