"""The paper's model in a real host: the whole graph against the pipeline called directly, and bad input."""

from __future__ import annotations

import pickle
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from bokeh_core.convert.single_file import convert
from bokeh_core.pipeline.streaming import BokehPipeline
from devtools.client import Progress
from tests.host.harness import Array, Graph, HostUnderTest, Node
from tests.host.schema import choices_of, schema_defaults
from tests.host.small_checkpoint import (
    UNET_CONFIG,
    VAE_CONFIG,
    WEIGHTS,
    reference_pipeline,
    write_checkpoints,
    write_clip,
    write_folder,
)

# The host is a process of its own, whose threads add up in another order; the small networks' random weights
# amplify differences of 1e-6 in what they are given to some 1e-4 of a pixel.
TOLERANCE = 1e-3
UNET, VAE = "checkpoints/unet/unet", "checkpoints/vae"
CLIP = "small_clip"


@dataclass(frozen=True)
class Installed:
    """Small models in the host's folders, and the pipeline on the same files."""

    own: Path
    shared: Path
    pipeline: BokehPipeline


@pytest.fixture(scope="module")
def models(host: HostUnderTest) -> Installed:
    folder = host.process.base / "models"
    own, shared = folder / "any_to_bokeh", folder / "diffusion_models"
    shared.mkdir(exist_ok=True)
    unet, vae = write_checkpoints(own)
    write_clip(host.input_dir, CLIP)
    write_clip(host.input_dir, "wrong_clip", projection_dim=48)
    return Installed(own, shared, reference_pipeline(unet, vae, host.input_dir, CLIP))


def clip_of(frames: int, height: int = 64, width: int = 64, channels: int = 3) -> tuple[Array, Array, Array]:
    """Return smooth moving frames [T, H, W, C], disparity [T, H, W] and focus [T]."""
    t, y, x = np.meshgrid(np.arange(frames), np.arange(height), np.arange(width), indexing="ij")
    waves = [np.sin(x / (5 + c) + 0.3 * t) * np.cos(y / (7 + c) - 0.2 * t * c) for c in range(channels)]
    pictures = 0.5 + 0.45 * np.stack(waves, axis=-1)
    disparity = 0.5 + 0.5 * np.sin(x / width * 3 + y / height * 2 + 0.1 * t)
    return (
        pictures.astype(np.float32),
        disparity.astype(np.float32),
        np.linspace(0.3, 0.7, frames, dtype=np.float32),
    )


def loader(graph: Graph, **options: Any) -> Node:
    return graph.add("AnyToBokehLoadModel", **{"unet": UNET, "vae": VAE, **options})


def sampler(
    host: HostUnderTest,
    graph: Graph,
    clip: tuple[Array, Array, Array],
    strength: float = 16.0,
    clip_name: str = CLIP,
    load: dict[str, Any] | None = None,
    **options: Any,
) -> tuple[Node, Node, Node]:
    """Add all up to the sampler; return loader, frames and sampler."""
    model = loader(graph, **(load or {}))
    frames, disparity, focus = (host.load(graph, array) for array in clip)
    node = graph.add(
        "AnyToBokehSampler",
        model=model[0],
        vae=model[1],
        clip_vision=graph.add("ProbeClipVision", name=clip_name),
        frames=frames,
        disparity=disparity,
        focus=focus,
        blur_strength=host.load(graph, np.array([strength], dtype=np.float32)),
        **options,
    )
    return model, frames, node


def decoded(host: HostUnderTest, graph: Graph, clip: tuple[Array, Array, Array], **options: Any) -> Node:
    """Add the whole graph; return the decode node."""
    model, frames, sampled = sampler(host, graph, clip, **options)
    latent = graph.add("AnyToBokehAssembleWindows", windows=sampled[0])
    return graph.add("AnyToBokehRefinedDecode", vae=model[1], latent=latent, frames=frames)


def expected(
    models: Installed, clip: tuple[Array, Array, Array], working_width: int, **options: Any
) -> Array:
    """Return what the pipeline makes of the clip, K = 16 being stated for a width of 1024 px."""
    frames, disparity, focus = (torch.from_numpy(array) for array in clip)
    result = models.pipeline(
        frames.permute(0, 3, 1, 2),
        disparity,
        focus,
        torch.tensor([16.0 * working_width / 1024]),
        **options,
    )
    pictures: Array = result.permute(0, 2, 3, 1).numpy()
    return pictures


def failure(host: HostUnderTest, graph: Graph, node: Node) -> str:
    host.save(graph, node)
    return host.expect_error(graph).message


# --- schema -----------------------------------------------------------------------------------------------


def test_dropdowns_list_what_is_installed(host: HostUnderTest, models: Installed):
    save_file({"x": torch.zeros(1)}, models.shared / "something_else.safetensors")
    names = choices_of(host, "AnyToBokehLoadModel", "unet")
    assert "something_else.safetensors" in names
    assert UNET in names
    assert VAE not in names
    assert VAE in choices_of(host, "AnyToBokehLoadModel", "vae")


def test_defaults(host: HostUnderTest, models: Installed):
    assert schema_defaults(host, "AnyToBokehSampler") == {"overlap": -1, "working_size": "auto"}
    defaults = schema_defaults(host, "AnyToBokehLoadModel")
    assert defaults["dtype"] == "auto"
    assert defaults["mpi_mode"] == "from file"


# --- the graph against the pipeline -----------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize(
    ("num_frames", "mpi_mode"),
    [
        *((count, "released") for count in (1, 5, 8, 9, 13, 20, 21)),
        (5, "paper"),
        (13, "paper"),
        (20, "paper"),
    ],
)
def test_every_length_equals_the_pipeline(
    host: HostUnderTest, models: Installed, num_frames: int, mpi_mode: str
):
    clip = clip_of(num_frames)
    graph = host.graph()
    (result,) = host.values_of(graph, decoded(host, graph, clip, load={"mpi_mode": mpi_mode}))
    reference = expected(models, clip, 64, mpi_mode=mpi_mode)
    assert result.shape == reference.shape == clip[0].shape
    assert reference.std() > 0.05
    np.testing.assert_allclose(result, reference, atol=TOLERANCE)


def test_modes_differ(models: Installed):
    clip = clip_of(2)
    difference = expected(models, clip, 64, mpi_mode="paper") - expected(models, clip, 64)
    assert np.abs(difference).max() > 3 * TOLERANCE


@pytest.mark.slow
@pytest.mark.parametrize(
    ("height", "width", "frames", "working_width"),
    [(100, 180, 3, 180), (64, 64, 2, 64), (607, 1080, 1, 1024)],
    ids=str,
)
def test_every_size_equals_the_pipeline(
    host: HostUnderTest, models: Installed, height: int, width: int, frames: int, working_width: int
):
    clip = clip_of(frames, height, width)
    graph = host.graph()
    (result,) = host.values_of(graph, decoded(host, graph, clip))
    np.testing.assert_allclose(result, expected(models, clip, working_width), atol=TOLERANCE)


@pytest.mark.slow
def test_overlap_and_regions_reach_the_model(host: HostUnderTest, models: Installed):
    clip = clip_of(12)
    regions = (clip[1] * 3.99).astype(np.uint8)
    graph = host.graph()
    node = decoded(
        host,
        graph,
        clip,
        load={"mpi_mode": "paper"},
        overlap=6,
        mpi_regions=host.load(graph, regions),
    )
    (result,) = host.values_of(graph, node)
    reference = expected(models, clip, 64, mpi_mode="paper", overlap=6, regions=torch.from_numpy(regions))
    np.testing.assert_allclose(result, reference, atol=TOLERANCE)
    assert np.abs(reference - expected(models, clip, 64, mpi_mode="paper")).max() > 3 * TOLERANCE


def test_a_lens_reaches_the_model_as_far_as_it_honours_it(host: HostUnderTest, models: Installed):
    clip = clip_of(2)
    graph = host.graph()
    # Both sides at a half and a quarter of K = 16 are K = 8 and K = 4.
    moving = "near_strength: 0.5, 0.25\nfar_strength: 0.5, 0.25"
    lens = graph.add("AnyToBokehChooseLens", over_time=moving)
    (result,) = host.values_of(graph, decoded(host, graph, clip, lens=lens[0]))
    frames, disparity, focus = (torch.from_numpy(array) for array in clip)
    strength = torch.tensor([8.0, 4.0]) * 64 / 1024
    reference = models.pipeline(frames.permute(0, 3, 1, 2), disparity, focus, strength)
    np.testing.assert_allclose(result, reference.permute(0, 2, 3, 1).numpy(), atol=TOLERANCE)
    graph = host.graph()
    lens = graph.add("AnyToBokehChooseLens", preset="cine hexagon")
    said = failure(host, graph, decoded(host, graph, clip, lens=lens[0]))
    assert "cannot honour blades 6, rotation 15, roundness 0.15, highlight_gain 1, grain 1." in said


@pytest.mark.slow
def test_mode_comes_from_the_file(host: HostUnderTest, models: Installed):
    convert(models.own / UNET, models.shared / "trained_on_paper.safetensors", mpi_mode="paper")
    clip = clip_of(3)
    graph = host.graph()
    (result,) = host.values_of(
        graph, decoded(host, graph, clip, load={"unet": "trained_on_paper.safetensors"})
    )
    np.testing.assert_allclose(result, expected(models, clip, 64, mpi_mode="paper"), atol=TOLERANCE)


def test_the_image_encoder_reaches_the_model(host: HostUnderTest, models: Installed):
    write_clip(host.input_dir, "other_clip", seed=4)
    clip = clip_of(2)
    graph = host.graph()
    (result,) = host.values_of(graph, decoded(host, graph, clip, clip_name="other_clip"))
    assert np.abs(result - expected(models, clip, 64)).max() > 3 * TOLERANCE


def test_alpha_is_carried_through_and_grey_stays_grey(host: HostUnderTest, models: Installed):
    colour, disparity, focus = clip_of(2)
    alpha = np.linspace(0, 1, 64 * 64 * 2, dtype=np.float32).reshape(2, 64, 64, 1)
    graph = host.graph()
    grey = colour[..., :1]
    results = host.values_of(
        graph,
        decoded(host, graph, (np.concatenate([colour, alpha], axis=-1), disparity, focus)),
        decoded(host, graph, (grey, disparity, focus)),
    )
    np.testing.assert_allclose(
        results[0][..., :3], expected(models, (colour, disparity, focus), 64), atol=TOLERANCE
    )
    np.testing.assert_array_equal(results[0][..., 3:], alpha)
    of_grey = expected(models, (np.repeat(grey, 3, axis=-1), disparity, focus), 64)
    np.testing.assert_allclose(results[1], of_grey.mean(axis=-1, keepdims=True), atol=TOLERANCE)


@pytest.mark.parametrize(("dtype", "furthest"), [("bf16", 0.1), ("fp16", 0.02)])
def test_half_precision_is_close_to_float32(
    host: HostUnderTest, models: Installed, dtype: str, furthest: float
):
    clip = clip_of(1)
    graph = host.graph()
    (result,) = host.values_of(graph, decoded(host, graph, clip, load={"dtype": dtype}))
    difference = np.abs(result - expected(models, clip, 64))
    assert TOLERANCE < difference.max() < furthest


# --- what travels between the nodes -----------------------------------------------------------------------


@pytest.mark.slow
def test_latents_are_the_host_s_and_decode_without_our_key(host: HostUnderTest, models: Installed):
    clip = clip_of(9, 64, 100)
    graph = host.graph()
    model, frames, sampled = sampler(host, graph, clip)
    latent = graph.add("AnyToBokehAssembleWindows", windows=sampled[0])
    # A core node that makes a new LATENT, without the keys it does not know.
    ordinary = graph.add(
        "LatentBatch",
        samples1=graph.add("LatentFromBatch", samples=latent, batch_index=0, length=4),
        samples2=graph.add("LatentFromBatch", samples=latent, batch_index=4, length=5),
    )
    both = [
        graph.add("AnyToBokehRefinedDecode", vae=model[1], latent=source, frames=frames)
        for source in (latent, ordinary)
    ]
    ours, inferred = host.values_of(graph, *both)
    np.testing.assert_array_equal(ours, inferred)


def test_report_names_sizes_windows_and_no_warning(host: HostUnderTest, models: Installed):
    graph = host.graph()
    (report,) = host.values_of(graph, sampler(host, graph, clip_of(9, 100, 180))[2][1])
    assert "9 frames of 180 x 100 px, worked on at 180 x 100 (with border 192 x 128)" in report
    assert "2 windows of 8 frames, 7 frames shared" in report
    # 16 px stated for 1024 px width are 16 * 180 / 1024 = 2.8125 px here.
    assert "K 2.81 px" in report
    assert "MPI mode released; float32 on cpu" in report
    assert "Warning" not in report


# K is stated for 1024 px width: 200 px are 50 px on 256.
@pytest.mark.parametrize(("strength", "shown"), [(0.0, "K is 0 px"), (200.0, "K is 50 px")])
def test_strength_outside_the_trained_range_is_a_warning(
    host: HostUnderTest, models: Installed, strength: float, shown: str
):
    graph = host.graph()
    (report,) = host.values_of(graph, sampler(host, graph, clip_of(1, 64, 256), strength=strength)[2][1])
    assert f"Warning: {shown} at the working size; the model was trained for 1 to 32 px" in report


# --- progress and cancel ----------------------------------------------------------------------------------


def test_progress_ticks_in_every_stage(host: HostUnderTest, models: Installed):
    graph = host.graph()
    node = decoded(host, graph, clip_of(12))
    host.save(graph, node)
    result = host.run(graph)
    by_node: dict[str, list[Progress]] = {}
    for tick in result.progress:
        by_node.setdefault(graph.prompt[tick.node_id]["class_type"], []).append(tick)
    sampled, decode = by_node["AnyToBokehSampler"], by_node["AnyToBokehRefinedDecode"]
    # 12 frames encoded, two windows of 8; decoded in two calls of 8, each encoded and decoded.
    assert {tick.maximum for tick in sampled} == {12 + 16}
    assert sampled[-1].value == 28
    assert len({tick.value for tick in sampled}) >= 6 + 2
    assert {tick.maximum for tick in decode} == {32}
    assert decode[-1].value == 32


def test_the_bar_carries_pictures_where_previews_are_on(host: HostUnderTest, models: Installed):
    graph = host.graph()
    frames, disparity, focus = clip_of(12)
    model, link, sampled = sampler(host, graph, (frames, disparity, focus + 0.005))
    report = host.save(graph, sampled[1])
    with host.previews():
        of_latents = host.run(graph).previews
    # 8 x 8 latents in the host's own rough colours, enlarged by it.
    assert of_latents[0].shape == (512, 512, 3)
    del graph.prompt[report.id]
    latent = graph.add("AnyToBokehAssembleWindows", windows=sampled[0])
    decode = graph.add("AnyToBokehRefinedDecode", vae=model[1], latent=latent, frames=link)
    saved = host.save(graph, decode)
    with host.previews():
        result = host.run(graph)
    assert sampled.id in result.cached
    made = result.probes[saved.id]
    # The first picture is the last frame of the first call of 8.
    np.testing.assert_allclose(result.previews[0].mean((0, 1)), 255 * made[7].mean((0, 1)), atol=3)


@pytest.mark.parametrize("node_id", ["AnyToBokehSampler", "AnyToBokehRefinedDecode"])
def test_cancel_stops_in_the_middle(host: HostUnderTest, models: Installed, node_id: str):
    graph = host.graph()
    node = decoded(host, graph, clip_of(40))
    host.save(graph, node)
    (hit,) = (number for number, entry in graph.prompt.items() if entry["class_type"] == node_id)
    interrupted, _ = host.expect_interrupt(graph, Node(hit), value=8)
    assert interrupted.node_type == node_id


@pytest.mark.slow
def test_ten_runs_leak_nothing(host: HostUnderTest, models: Installed):
    held = []
    for run in range(12):
        graph = host.graph()
        # Another focus and dtype than before, so that nothing comes from the host's cache, models included.
        frames, disparity, focus = clip_of(5)
        node = decoded(
            host, graph, (frames, disparity, focus + 0.01 * run), load={"dtype": ("fp32", "auto")[run % 2]}
        )
        memory = graph.add("ProbeMemory", after=node)
        held.append(host.run(graph).probes[memory.id])
    # The first two runs fill allocators and caches. Ten copies of the network would be 150 MB.
    assert max(held[2:]) - held[1] < 60e6


# --- bad input --------------------------------------------------------------------------------------------


def test_missing_file_says_where_it_belongs_and_where_to_get_it(host: HostUnderTest, models: Installed):
    graph = host.graph()
    host.save(graph, loader(graph, unet="no_such_unet.safetensors"))
    message = host.expect_error(graph).message
    for part in (
        "no_such_unet.safetensors",
        "diffusion_models",
        "any_to_bokeh",
        "https://",
        "bokeh_core.convert",
    ):
        assert part in message


def test_plain_svd_unet_is_named(host: HostUnderTest, models: Installed):
    tensors = load_file(models.own / UNET / WEIGHTS)
    plain = {
        name: value for name, value in tensors.items() if "fuser" not in name and "conv_in_mpi" not in name
    }
    write_folder(models.own / "plain", UNET_CONFIG, plain)
    graph = host.graph()
    message = failure(host, graph, loader(graph, unet="plain"))
    assert "a plain SVD U-Net: it has no fuser layers" in message


def test_unet_given_as_vae_is_named(host: HostUnderTest, models: Installed):
    convert(models.own / UNET, models.own / "swapped.safetensors")
    graph = host.graph()
    message = failure(host, graph, loader(graph, vae="swapped.safetensors"))
    assert "is an Any-to-Bokeh U-Net, not a VAE; choose the other of the two files" in message


def test_plain_svd_vae_is_named(host: HostUnderTest, models: Installed):
    tensors = load_file(models.own / VAE / WEIGHTS)
    write_folder(
        models.own / "plain_vae", VAE_CONFIG, {k: v for k, v in tensors.items() if "skip_conv" not in k}
    )
    graph = host.graph()
    message = failure(host, graph, loader(graph, vae="plain_vae"))
    assert "a plain SVD VAE: it has no decoder.skip_conv layers" in message


def test_truncated_file_is_named(host: HostUnderTest, models: Installed):
    whole = (models.own / VAE / WEIGHTS).read_bytes()
    (models.own / "cut.safetensors").write_bytes(whole[: len(whole) // 2])
    graph = host.graph()
    message = failure(host, graph, loader(graph, vae="cut.safetensors"))
    assert "cut.safetensors" in message
    assert "is cut short or not a safetensors file" in message


class RunsCode:
    """Unpickling it would call a function."""

    def __reduce__(self) -> tuple[Any, ...]:
        return (print, ("code ran",))


def test_pickle_with_code_is_neither_loaded_nor_converted(
    host: HostUnderTest, models: Installed, tmp_path: Path
):
    folder = models.own / "pickled"
    folder.mkdir()
    (folder / "config.json").write_text('{"cross_attention_dim": 32}', encoding="utf-8")
    evil = folder / "diffusion_pytorch_model.bin"
    evil.write_bytes(pickle.dumps(RunsCode()))
    graph = host.graph()
    message = failure(host, graph, loader(graph, unet="pickled"))
    assert "is a pickle, which can carry code" in message
    assert "bokeh_core.convert" in message
    torch.save(RunsCode(), tmp_path / "evil.pth")
    with pytest.raises(ValueError, match="was refused: it holds more than weights"):
        convert(tmp_path / "evil.pth", tmp_path / "out.safetensors")
    assert not (tmp_path / "out.safetensors").exists()


def test_wrong_clip_names_the_right_file(host: HostUnderTest, models: Installed):
    graph = host.graph()
    message = failure(host, graph, sampler(host, graph, clip_of(1), clip_name="wrong_clip")[2])
    assert "gives embeddings of width 48; the bokeh model needs width 32" in message
    assert "clip_vision_h.safetensors" in message


def test_disparity_of_another_length(host: HostUnderTest, models: Installed):
    frames, disparity, focus = clip_of(5)
    graph = host.graph()
    message = failure(host, graph, sampler(host, graph, (frames, disparity[:3], focus))[2])
    assert "3 disparity frames for 5 video frames; give 5, or 1 for the whole clip" in message


@pytest.mark.slow
@pytest.mark.parametrize("mpi_mode", ["released", "paper"])
def test_one_disparity_serves_the_clip(host: HostUnderTest, models: Installed, mpi_mode: str):
    frames, disparity, focus = clip_of(3)
    graph = host.graph()
    one = decoded(host, graph, (frames, disparity[:1], focus), load={"mpi_mode": mpi_mode})
    (result,) = host.values_of(graph, one)
    repeated = np.repeat(disparity[:1], 3, axis=0)
    np.testing.assert_allclose(
        result, expected(models, (frames, repeated, focus), 64, mpi_mode=mpi_mode), atol=TOLERANCE
    )


def test_small_frames_are_refused(host: HostUnderTest, models: Installed):
    graph = host.graph()
    message = failure(host, graph, sampler(host, graph, clip_of(2, 48, 96))[2])
    assert "Frames are 96 x 48; the model needs at least 64 px on both sides" in message


@pytest.mark.slow
def test_decode_refuses_frames_of_another_clip(host: HostUnderTest, models: Installed):
    for other, told in (
        (clip_of(4)[0], "5 latent frames for 4 video frames"),
        (clip_of(5, 128, 64)[0], "The latent is for 64 x 64 px, and frames of 64 x 128 work at 64 x 128"),
    ):
        graph = host.graph()
        model, _, sampled = sampler(host, graph, clip_of(5))
        latent = graph.add("AnyToBokehAssembleWindows", windows=sampled[0])
        node = graph.add(
            "AnyToBokehRefinedDecode", vae=model[1], latent=latent, frames=host.load(graph, other)
        )
        assert told in failure(host, graph, node)


@pytest.mark.parametrize("shape", [(1, 16, 2, 8, 8), (5, 16, 8, 8), (5, 4, 8)])
def test_decode_refuses_latents_of_other_models(
    host: HostUnderTest, models: Installed, shape: tuple[int, ...]
):
    graph = host.graph()
    model, _, _ = sampler(host, graph, clip_of(5))
    latent = graph.add("ProbeLatent", samples=host.load(graph, np.zeros(shape, np.float32)))
    frames = host.load(graph, clip_of(5)[0])
    node = graph.add("AnyToBokehRefinedDecode", vae=model[1], latent=latent, frames=frames)
    assert f"The latent has shape {shape}; it must be [T, 4, h, w]" in failure(host, graph, node)


def test_decode_refuses_latents_that_overflowed(host: HostUnderTest, models: Installed):
    graph = host.graph()
    model, _, _ = sampler(host, graph, clip_of(5))
    samples = np.zeros((5, 4, 8, 8), np.float32)
    samples[3, 0, 0, 0], samples[4, 1, 2, 3] = np.nan, np.inf
    latent = graph.add("ProbeLatent", samples=host.load(graph, samples))
    frames = host.load(graph, clip_of(5)[0])
    node = graph.add("AnyToBokehRefinedDecode", vae=model[1], latent=latent, frames=frames)
    said = failure(host, graph, node)
    assert (
        "The latent holds NaN or infinite values in 2 of 5 frames, first in frame 3; sample it again" in said
    )
