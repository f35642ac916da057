"""A bundle's parts run in the pipeline and its stages, and give what the network gave when it was trained."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from bokeh_core.checkpoint.bundle import bundle_at, mending_maps, require_same_bundle
from bokeh_core.checkpoint.load import load_unet, load_vae, trained_mpi_mode
from bokeh_core.models import BokehUNet, RefinedVAE
from bokeh_core.models.small.mix import GATES
from bokeh_core.models.small.options import SmallOptions
from bokeh_core.pipeline.by_stage import (
    BokehWindows,
    encode_clip,
    predict_windows,
    refined_decode,
)
from bokeh_core.pipeline.inputs import bokeh_inputs
from bokeh_core.pipeline.mixing import mixed_frames
from bokeh_core.pipeline.steps import predict_latents
from bokeh_core.pipeline.streaming import BokehPipeline
from bokeh_core.render.model_files import FileModel
from bokeh_core.semantics import no_image_encoder
from bokeh_core.windows import plan_windows
from bokeh_lab.peers import bokeh_small
from bokeh_lab.peers.renderer import BokehTask
from bokeh_lab.train.export import write_bundle
from bokeh_lab.train.network import BokehNetwork

CPU = torch.device("cpu")
ALL = SmallOptions(
    lens_mix=True,
    latent_difference=True,
    signed_defocus=True,
    defocus_skips=True,
    mend=True,
    image_encoder=False,
)
SOME = [
    ALL,
    SmallOptions(image_encoder=False),
    SmallOptions(input_skip=True, image_encoder=False),
    SmallOptions(signed_defocus=True, image_encoder=False),
    SmallOptions(lens_mix=True, latent_difference=True, image_encoder=False),
]
# Of random weights, which amplify the rounding of other batches.
TOLERANCE = 2e-3


def clip(frames: int = 10, height: int = 64, width: int = 128) -> dict[str, Any]:
    generator = torch.Generator().manual_seed(0)
    return {
        "frames": torch.rand(frames, 3, height, width, generator=generator),
        "disparity": torch.rand(frames, height, width, generator=generator),
        "focal_disparity": torch.full((frames,), 0.5),
        "blur_strength_px": torch.linspace(4, 12, frames),
    }


@pytest.fixture
def network_of(small_unet: Any, small_vae: Any) -> Any:
    def build(options: SmallOptions) -> BokehNetwork:
        channels = GATES if options.lens_mix else 3
        vae = RefinedVAE(replace(small_vae.config, out_channels=channels))
        network = BokehNetwork(BokehUNet(small_unet.config), vae, options)
        network.unet.load_state_dict(small_unet.state_dict())
        return _shaken(network)

    return build


def _shaken(network: BokehNetwork) -> BokehNetwork:
    """Every weight moved off its start by a little, so that each has an effect."""
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(torch.randn(parameter.shape, generator=generator) * 0.02)
    return network.eval()


def bundled(network: BokehNetwork, path: Path, **facts: str) -> Path:
    write_bundle(network, "paper", path, facts, torch.float32)
    return path


def as_trained(network: BokehNetwork, shown: dict[str, Any]) -> torch.Tensor:
    """A clip of one window by the steps of the training, which keep all features and no piece apart."""
    inputs = bokeh_inputs(**shown, working_size="native")
    count = inputs.num_frames
    with torch.no_grad():
        encoded = network.encode(inputs, 0, count, CPU)
        latents = predict_latents(
            network.unet, encoded.latents, encoded.image_embeds, inputs, 0, count, mpi_mode="paper"
        )
        pixels = network.decode(latents, encoded.skips, encoded.frames)
        if network.options.lens_mix:
            return torch.cat([*mixed_frames(network.vae, pixels, inputs, 0, count)])
    return (pixels / 2 + 0.5).clamp(0, 1)


@pytest.mark.parametrize("options", SOME, ids=range(len(SOME)))
def test_pipeline_renders_what_was_trained(network_of: Any, options: SmallOptions, tmp_path: Path):
    network = network_of(options)
    path = bundled(network, tmp_path / "small.safetensors")
    unet, vae = load_unet(path), load_vae(path)
    assert trained_mpi_mode(path) == "paper"
    assert unet.reads_images is False
    assert vae.reads_radius == (options.lens_mix or options.signed_defocus or options.defocus_skips)
    shown = clip(8)
    pipeline = BokehPipeline(unet, vae, no_image_encoder(32))
    assert vae.mends_maps == options.mend
    found = pipeline(**shown, mpi_mode="paper", working_size="native", mend=False)
    held = network.pipeline()(**shown, mpi_mode="paper", working_size="native", mend=False)
    assert float((found - held).abs().max()) < TOLERANCE
    assert float((found - as_trained(network, shown)).abs().max()) < TOLERANCE
    assert float((found - shown["frames"]).abs().mean()) > 0.01


def test_separate_stages_render_the_same(network_of: Any, tmp_path: Path):
    path = bundled(network_of(ALL), tmp_path / "small.safetensors")
    unet, vae = load_unet(path), load_vae(path)
    shown = clip()
    inputs = bokeh_inputs(**shown, working_size="native")
    windows = plan_windows(10, 8, 4, join_rest=vae.joins_rest)
    encoded = encode_clip(vae, no_image_encoder(32), inputs, device=CPU)
    latents = predict_windows(unet, encoded, inputs, windows, mpi_mode="paper", device=CPU)
    # K (d - d_f) in px, near positive; 64 x 128 is a multiple of 64 already.
    expected_px = torch.linspace(4, 12, 10)[:, None, None] * (shown["disparity"] - 0.5)
    assert torch.allclose(inputs.network_radius(0, 10, CPU)[:, 0], expected_px, atol=1e-5)
    made = BokehWindows(latents, windows, inputs.geometry, 0.18215, inputs)
    found = refined_decode(vae, made.fused(), shown["frames"], inputs.geometry, device=CPU, clip=made.clip)
    pipeline = BokehPipeline(unet, vae, no_image_encoder(32))
    expected = pipeline(**shown, mpi_mode="paper", working_size="native", mend=False)
    assert float((found - expected).abs().max()) < TOLERANCE
    for of_others in (None, bokeh_inputs(**clip(3), working_size="native")):
        with pytest.raises(ValueError, match="reads the blur radius of every frame"):
            refined_decode(vae, made.fused(), shown["frames"], inputs.geometry, device=CPU, clip=of_others)


def test_published_models_know_nothing_of_it(small_vae: Any):
    assert small_vae.reads_radius is small_vae.gives_gates is False and BokehUNet.reads_images is True
    assert small_vae.auto_size_px == (1024, 576) and not small_vae.mends_maps
    assert not mending_maps(small_vae, True).mends_maps


def test_without_a_host(network_of: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    network = network_of(ALL)
    said = {"training_k_min_px": "0.5", "training_k_max_px": "14", "overlap_frames": "2"}
    path = bundled(network, tmp_path / "small.safetensors", **said)
    renderer = FileModel(path, None, None, device=CPU, dtype=torch.float32).load()
    assert renderer.mpi_mode == "paper"
    assert renderer.name == "small"
    assert renderer.trained_px == (0.5, 14.0)
    assert renderer.keeps_light and renderer.mends_maps
    plain = FileModel(path, None, None, device=CPU, dtype=torch.float32, overlap=3, mend=False)
    assert (renderer.overlap, plain.load().overlap) == (2, 3)
    assert not plain.mends_maps and not plain.load().mends_maps
    monkeypatch.setenv(bokeh_small.BUNDLE, str(path))
    assert bokeh_small.missing() is None
    shown = clip(3)
    task = BokehTask(
        shown["frames"].permute(0, 2, 3, 1),
        shown["disparity"],
        shown["focal_disparity"],
        shown["blur_strength_px"],
    )
    found = bokeh_small.render(task).permute(0, 3, 1, 2)
    pipeline = network.pipeline()
    pipeline.vae.beyond_frame = False
    held = pipeline(**shown, mpi_mode="paper")
    assert float((found - held).abs().max()) < TOLERANCE
    monkeypatch.setenv(bokeh_small.BUNDLE, str(tmp_path / "other.safetensors"))
    assert bokeh_small.missing() == f"no weights: {tmp_path / 'other.safetensors'} does not exist"


def test_what_a_file_says_of_itself(network_of: Any, tmp_path: Path):
    path = bundled(network_of(ALL), tmp_path / "small.safetensors")
    assert bundle_at(path) is not None
    other = tmp_path / "vae.safetensors"
    save_file({"x": torch.zeros(1)}, other)
    assert bundle_at(other) is None and bundle_at(tmp_path) is None
    require_same_bundle(path, path)
    require_same_bundle(other, tmp_path / "unet.safetensors")
    with pytest.raises(ValueError, match=r"holds a U-Net and a VAE that only work together"):
        require_same_bundle(path, other)


def test_damaged_bundles_are_refused(network_of: Any, tmp_path: Path):
    path = bundled(network_of(ALL), tmp_path / "small.safetensors")
    with safe_open(path, framework="pt") as file:
        metadata = file.metadata()
    tensors = load_file(path)
    lacking = tmp_path / "lacking.safetensors"
    save_file({n: v for n, v in tensors.items() if n != "unet.conv_in.weight"}, lacking, metadata=metadata)
    with pytest.raises(ValueError, match=r"1 tensors are missing: conv_in\.weight"):
        load_unet(lacking)
    silent = tmp_path / "silent.safetensors"
    save_file(tensors, silent, metadata={**metadata, "config": "{}"})
    with pytest.raises(ValueError, match="without readable configs"):
        load_vae(silent)
    future = tmp_path / "future.safetensors"
    config = metadata["config"].replace('"lens_mix"', '"blur_stack"')
    save_file(tensors, future, metadata={**metadata, "config": config})
    with pytest.raises(ValueError, match="trained with blur_stack, unknown to this version"):
        load_vae(future)
