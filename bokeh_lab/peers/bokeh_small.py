"""The small model that comes with the pack: the paper's layout with `SmallOptions`, trained by us."""

from __future__ import annotations

import importlib.util
import os
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

import torch
from torch import Tensor

from bokeh_core.checkpoint.bundle import included_model, mixing_light
from bokeh_core.checkpoint.precision import default_dtype, with_decoder_in
from bokeh_core.semantics import no_image_encoder

from .any_to_bokeh import renderer_of_networks
from .renderer import BokehTask, Render

BUNDLE = "BOKEH_SMALL"
"""Environment variable: path of another bundle to measure in place of the one that comes with us."""

# Of disparity: what is this near to the focus is what it was measured on.
_IN_FOCUS = 0.02


def bundle_path() -> Path | None:
    """The file that is measured, or None where there is none."""
    named = os.environ.get(BUNDLE)
    return Path(named) if named else included_model()


def weights() -> dict[str, Path]:
    """The file that is measured, if there is one."""
    path = bundle_path()
    return {} if path is None else {BUNDLE: path}


def missing() -> str | None:
    """Say what the model lacks, or None where it can run."""
    path = bundle_path()
    if path is None or not path.is_file():
        return f"no weights: {path or 'models/bokeh-small.safetensors'} does not exist"
    return None if importlib.util.find_spec("diffusers") else "packages are not installed: diffusers"


def render(task: BokehTask) -> Tensor:
    """Render in the dtypes of `precision`, with the task's light and border.

    Raises:
        ValueError: `missing` gives a reason, or the file is no bundle.
    """
    reason, path = missing(), bundle_path()
    if reason is not None or path is None:
        raise ValueError(f"Bokeh small cannot run: {reason}.")
    return _from_bundle(path, task.device, task.gamma, task.beyond_frame)(task)


@lru_cache(maxsize=1)
def _from_bundle(path: Path, device: torch.device, gamma: float, beyond_frame: bool) -> Render:
    from bokeh_core.checkpoint.load import load_unet, load_vae, trained_mpi_mode

    dtype = default_dtype(device)
    unet = load_unet(path, dtype, device)
    vae = with_decoder_in(load_vae(path), dtype)
    vae = mixing_light(vae, gamma).to(device)
    vae.beyond_frame = beyond_frame
    embed = no_image_encoder(unet.embedding_width)
    render = renderer_of_networks(unet, vae, embed, mpi_mode=trained_mpi_mode(path))
    return lambda task: render(_mended(task) if vae.mends_maps and not task.refined else task)


def _mended(task: BokehTask) -> BokehTask:
    """The task with mended maps, and the focus on what it is on in the maps as they came."""
    from bokeh_core.pipeline.mending import mended_maps

    disparity = mended_maps(task.frames.movedim(-1, 1), task.disparity).disparity
    focal = task.focal_disparity.clone()
    for t, (before, after) in enumerate(zip(task.disparity, disparity, strict=True)):
        sharp = (before - focal[t]).abs() < _IN_FOCUS
        if bool(sharp.any()):
            focal[t] += (after - before)[sharp].median()
    return replace(task, disparity=disparity, focal_disparity=focal.clamp(0, 1), refined=True)
