"""The small model that comes with the pack: whole, small, open about what it is, and better than nothing."""

import json

import pytest
import torch

from bokeh_core.checkpoint.bundle import (
    INCLUDED_MODEL,
    bundle_at,
    included_model,
    mixes_pictures,
    mixing_light,
)
from bokeh_core.checkpoint.load import load_unet, load_vae, trained_mpi_mode
from bokeh_core.models import RefinedVAE
from bokeh_core.pipeline.streaming import BokehPipeline
from bokeh_core.semantics import no_image_encoder
from bokeh_lab.ground_truth import render_clip
from bokeh_lab.metrics import ClipPair, measure_clip
from bokeh_lab.peers import bokeh_small, identity
from bokeh_lab.peers.renderer import BokehTask
from bokeh_lab.scenes.library import AssetLibrary
from bokeh_lab.scenes.presets import make_scene


def test_the_file_is_small_and_says_what_it_is():
    assert included_model() == INCLUDED_MODEL
    assert INCLUDED_MODEL.stat().st_size <= 20_000_000
    metadata = bundle_at(INCLUDED_MODEL)
    assert metadata is not None
    assert trained_mpi_mode(INCLUDED_MODEL) == "paper"
    assert float(metadata["training_k_min_px"]) < float(metadata["training_k_max_px"])
    options = json.loads(metadata["config"])["small_options"]
    assert options["image_encoder"] is False


def test_its_parts_fit_and_hold_numbers():
    unet, vae = load_unet(INCLUDED_MODEL), load_vae(INCLUDED_MODEL)
    assert unet.reads_images is False
    for part in (unet, vae):
        assert all(bool(value.isfinite().all()) for value in part.state_dict().values())


def test_light_adds_up_where_it_is_asked_for():
    generator = torch.Generator().manual_seed(1)
    coarse = torch.rand(2, 4, 8, 8, generator=generator)
    smooth = torch.nn.functional.interpolate(coarse, (64, 64), mode="bilinear")
    clip = smooth[:, :3], smooth[:, 3], torch.full((2,), 0.5), torch.full((2,), 8.0)
    unet, vae = load_unet(INCLUDED_MODEL), load_vae(INCLUDED_MODEL)
    pipeline = BokehPipeline(unet, vae, no_image_encoder(unet.embedding_width))
    light, numbers = (
        (mixing_light(vae, gamma), pipeline(*clip, mpi_mode="paper"))[1].mean() for gamma in (2.2, 1.0)
    )
    # A mean of light is brighter than the light of a mean.
    assert float(light) > float(numbers) + 0.002


def test_only_a_network_that_mixes_pictures_can_be_given_light(small_vae: RefinedVAE):
    assert mixing_light(small_vae, 2.2).gamma == 1
    assert mixes_pictures(bundle_at(INCLUDED_MODEL), "")
    assert not mixes_pictures(None, "")


@pytest.mark.parametrize("seed", [41000, 41001])
def test_it_comes_closer_to_the_truth_than_doing_nothing(seed: int, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv(bokeh_small.BUNDLE, raising=False)
    library = AssetLibrary.load(split="held-out")
    scene = make_scene("paper", seed, 2, 128, 192, library, strengths=(48.0,))
    clip = render_clip(scene, rays_across=11)
    task = BokehTask(clip.frames, clip.disparity, clip.focal_disparity, clip.blur_strength_px)
    with torch.no_grad():
        found, nothing = bokeh_small.render(task), identity.render(task)

    def value(metric: str, frames: torch.Tensor) -> float:
        measured = measure_clip(metric, ClipPair(frames, clip.bokeh, clip.frames, clip.in_focus, clip.edges))
        assert isinstance(measured, float)
        return measured

    assert value("psnr", found) > value("psnr", nothing) + 3
    assert value("edge_psnr", found) > value("edge_psnr", nothing) + 1
