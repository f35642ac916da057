"""A small model in one file, in a real host: no image encoder, and the same frames as without the host."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from bokeh_core.checkpoint.bundle import mixing_light
from bokeh_core.checkpoint.load import load_unet, load_vae
from bokeh_core.models import BokehUNet, RefinedVAE
from bokeh_core.models.small.mix import GATES
from bokeh_core.models.small.options import SmallOptions
from bokeh_core.pipeline.mending import WITHOUT_SCALE
from bokeh_core.pipeline.streaming import BokehPipeline
from bokeh_core.render import FileClip, FileDepth, RenderJob, Strength, parse_focus, run_job
from bokeh_core.render.model_files import FileModel
from bokeh_core.semantics import no_image_encoder
from bokeh_core.video_io import Encoding
from bokeh_lab.train.export import write_bundle
from bokeh_lab.train.network import BokehNetwork
from tests.core.render.clips import (
    moving_pictures,
    read_video,
    sliding_disparity,
    write_disparity,
    write_video,
)
from tests.host.harness import Array, Graph, HostUnderTest, Node, file_in
from tests.host.schema import choices_of
from tests.host.small_checkpoint import EMBEDDING_WIDTH, UNET_CONFIG, VAE_CONFIG, write_checkpoints

OPTIONS = SmallOptions(
    lens_mix=True,
    latent_difference=True,
    signed_defocus=True,
    defocus_skips=True,
    mend=True,
    image_encoder=False,
)
NAME = "tiny_bokeh.safetensors"
PUBLISHED = "beside_a_bundle"
INCLUDED = "bokeh-small (included)"
TOLERANCE = 1e-3


def tiny_network() -> BokehNetwork:
    torch.manual_seed(0)
    vae = RefinedVAE.from_config(VAE_CONFIG)
    vae = RefinedVAE(replace(vae.config, out_channels=GATES))
    network = BokehNetwork(BokehUNet.from_config(UNET_CONFIG), vae, OPTIONS)
    with torch.no_grad():
        for name, parameter in network.named_parameters():
            # Everything that starts at zero, and so would show nothing.
            if not bool(parameter.any()) and "norm" not in name:
                parameter.normal_(std=0.05)
    return network.eval()


@pytest.fixture(scope="module")
def bundle(host: HostUnderTest) -> Path:
    folder = host.process.base / "models" / "any_to_bokeh"
    folder.mkdir(parents=True, exist_ok=True)
    facts = {"training_k_min_px": "0.5", "training_k_max_px": "6", "overlap_frames": "0"}
    write_bundle(tiny_network(), "paper", folder / NAME, facts, torch.float32)
    write_checkpoints(folder / PUBLISHED)
    return folder / NAME


def clip_of(frames: int) -> tuple[Array, Array]:
    """Smooth moving frames [T, 64, 128, 3] and disparity [T, 64, 128]."""
    t, y, x = np.meshgrid(np.arange(frames), np.arange(64), np.arange(128), indexing="ij")
    pictures = 0.5 + 0.45 * np.stack([np.sin(x / (5 + c) + t) * np.cos(y / (7 + c)) for c in range(3)], -1)
    disparity = 0.5 + 0.5 * np.sin(x / 40 + y / 30 + 0.1 * t)
    return pictures.astype(np.float32), disparity.astype(np.float32)


def whole_graph(
    host: HostUnderTest,
    graph: Graph,
    clip: tuple[Array, Array],
    unet: str = NAME,
    vae: str = NAME,
    **settings: Any,
) -> tuple[Node, Node]:
    """Return the sampler and the decode node."""
    model = graph.add("AnyToBokehLoadModel", unet=unet, vae=vae)
    frames, disparity = (host.load(graph, array) for array in clip)
    sampler = graph.add(
        "AnyToBokehSampler",
        model=model[0],
        vae=model[1],
        frames=frames,
        disparity=disparity,
        focus=host.load(graph, np.array([0.5], dtype=np.float32)),
        blur_strength=host.load(graph, np.array([64.0], dtype=np.float32)),
        **settings,
    )
    latent = graph.add("AnyToBokehAssembleWindows", windows=sampler[0])
    return sampler, graph.add("AnyToBokehRefinedDecode", vae=model[1], latent=latent, frames=frames)


def failure(host: HostUnderTest, graph: Graph, node: Node) -> str:
    host.save(graph, node)
    return host.expect_error(graph).message


def test_it_is_offered_for_both_networks(host: HostUnderTest, bundle: Path):
    for component in ("unet", "vae"):
        assert NAME in choices_of(host, "AnyToBokehLoadModel", component)


@pytest.mark.slow
def test_separate_nodes_give_what_the_pipeline_gives(host: HostUnderTest, bundle: Path):
    clip = clip_of(10)
    graph = host.graph()
    sampler, decode = whole_graph(host, graph, clip)
    # As workflows say it that were saved with a number.
    sharing, _ = whole_graph(host, graph, clip, overlap=6)
    found, report, of_sharing = host.values_of(graph, decode, sampler[1], sharing[1])
    assert "1 window of 10 frames." in report and "asks for" not in report
    assert "2 windows of 8 frames, 6 frames shared." in of_sharing
    assert "Windows share 6 frames as set; the model's file asks for 0, which overlap -1 takes." in of_sharing
    frames, disparity = (torch.from_numpy(array) for array in clip)
    # Light adds up where nothing else is chosen.
    vae = mixing_light(load_vae(bundle), 2.2)
    pipeline = BokehPipeline(load_unet(bundle), vae, no_image_encoder(EMBEDDING_WIDTH))
    # K is stated for a width of 1024 px: 64 is 8 px here.
    lens = torch.tensor([0.5]), torch.tensor([8.0])
    expected = pipeline(frames.permute(0, 3, 1, 2), disparity, *lens, mpi_mode="paper", overlap=0)
    assert np.abs(found - expected.permute(0, 2, 3, 1).numpy()).max() < TOLERANCE
    assert np.abs(found - clip[0]).mean() > 0.01
    assert "Lens Blur at 128 x 64 px, corrected by the network, which was trained for K up to 6 px" in report
    assert "K is 8 px at the working size; the model was trained for 0.5 to 6 px" in report
    assert "Depth mended by the frames. Of 10 frames: " in report


def test_depth_is_mended_once_and_as_far_as_its_focus_allows(host: HostUnderTest, bundle: Path):
    pictures, maps = clip_of(2)
    graph = host.graph()
    frames, disparity = (host.load(graph, array) for array in (pictures, maps))
    moving = host.load(graph, np.array([0.5, 0.6], dtype=np.float32))
    layers = graph.add("AnyToBokehMPIMask", disparity=disparity, focus=moving)
    refined = graph.add("AnyToBokehRefineDisparity", frames=frames, disparity=disparity)
    models = [graph.add("AnyToBokehLoadModel", unet=NAME, vae=NAME, mend=mend) for mend in (True, False)]

    def report(model: Node, of: Any, **more: Any) -> Any:
        given = {"model": model[0], "vae": model[1], "frames": frames, "disparity": of, **more}
        return graph.add("AnyToBokehSampler", **given)[1]

    alone, beside, again, off = host.values_of(
        graph,
        report(models[0], disparity),
        report(models[0], disparity, focus=moving, mpi_regions=layers[0]),
        report(models[0], refined[0], focus=moving),
        report(models[1], disparity),
    )
    assert "Depth mended by the frames. Of 2 frames: " in alone and WITHOUT_SCALE not in alone
    assert WITHOUT_SCALE in beside and "mpi_regions are of the maps as they came" in beside
    assert "mended" not in again and "mended" not in off


def test_halves_of_different_models_are_refused(host: HostUnderTest, bundle: Path):
    graph = host.graph()
    _, decode = whole_graph(host, graph, clip_of(2), vae=f"{PUBLISHED}/checkpoints/vae")
    assert "only work together" in failure(host, graph, decode)


def test_the_published_layout_still_needs_the_image_encoder(host: HostUnderTest, bundle: Path):
    graph = host.graph()
    unet, vae = f"{PUBLISHED}/checkpoints/unet/unet", f"{PUBLISHED}/checkpoints/vae"
    _, decode = whole_graph(host, graph, clip_of(2), unet, vae)
    assert "clip_vision_h.safetensors" in failure(host, graph, decode)


@pytest.mark.slow
def test_the_included_model_renders_without_any_other_file(host: HostUnderTest, bundle: Path):
    for component in ("unet", "vae"):
        assert INCLUDED in choices_of(host, "AnyToBokehLoadModel", component)
    clip = clip_of(3)
    graph = host.graph()
    sampler, decode = whole_graph(host, graph, clip, INCLUDED, INCLUDED)
    found, report = host.values_of(graph, decode, sampler[1])
    assert found.shape == clip[0].shape
    changed = np.abs(found - clip[0]).mean(axis=(0, 2, 3))
    assert float(changed.max()) > 0.01
    assert "Lens Blur at 128 x 64 px, corrected by the network" in report


@pytest.mark.slow
def test_a_video_needs_no_image_encoder_either(host: HostUnderTest, bundle: Path, tmp_path: Path):
    pictures = moving_pictures(10, 64, 80)
    video = write_video(tmp_path / "bundle.mp4", pictures, codec="libx264", pixel_format="yuv420p")
    maps = write_disparity(tmp_path / "bundle_maps", sliding_disparity(10, 64, 80))
    graph = host.graph()
    model = graph.add("AnyToBokehLoadModel", unet=NAME, vae=NAME)
    node = graph.add(
        "AnyToBokehVideo",
        video=graph.add("LoadVideo", file=host.upload(video)),
        disparity_path=host.upload(maps),
        focus_at="0.5",
        strength="100",
        renderer="model",
        model=model[0],
        vae=model[1],
        codec="ffv1",
    )
    report = host.save(graph, node[1])
    result = host.run(graph)
    job = RenderJob(
        FileClip(video),
        FileDepth(maps),
        parse_focus("0.5"),
        Strength("100"),
        FileModel(bundle, None, None, device=torch.device("cpu"), dtype=torch.float32),
        tmp_path / "direct.mkv",
        Encoding("ffv1"),
    )
    run_job(job)
    difference = np.abs(
        read_video(file_in(result.probes[report.id])).astype(int) - read_video(job.output).astype(int)
    )
    # Threads add up in another order in the host.
    assert difference.max() <= 2
    assert difference.mean() < 0.01
    assert "corrected by the network, which was trained for K up to 6 px" in result.probes[report.id]
    assert "Disparity refined by outlines, steady, limbs, banding, trained. Of " in result.probes[report.id]
    # Not under the name of the paper.
    assert "tiny_bokeh, MPI mode paper" in result.probes[report.id]
