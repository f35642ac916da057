"""Lens Blur and the model under the common interface: every setting arrives."""

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from bokeh_core.checkpoint.precision import default_dtype
from bokeh_core.lens import lens_blur
from bokeh_core.pipeline.streaming import BokehPipeline
from bokeh_core.render.model_files import FileModel
from bokeh_lab.peers import any_to_bokeh, bokeh_small, renderer_named
from tests.lab.peers.cases import clip, noise


@pytest.mark.parametrize("beyond_frame", [False, True])
@pytest.mark.parametrize(("name", "reach_px"), [("lens_blur", 2), ("lens_blur_exact", 0)])
def test_lens_blur_has_the_nodes_tolerance_or_none_and_the_border_of_the_truth(
    name: str, reach_px: int, beyond_frame: bool
):
    # 4 px at 1024 px wide are 2 px at 512.
    frames, disparity = noise(1, 16, 512, 3), noise(1, 16, 512, seed=1).round() * 0.5 + 0.25
    task = replace(clip(frames, disparity, 8.0, gamma=1.0), beyond_frame=beyond_frame)
    repeated, ignored = (
        lens_blur(
            frames,
            disparity,
            torch.tensor([0.5]),
            torch.tensor([8.0]),
            gamma=1.0,
            contour_reach_px=reach_px,
            border=border,
        )
        for border in ("repeat", "ignore")
    )
    assert not torch.equal(repeated, ignored)
    assert torch.equal(renderer_named(name).render(task), repeated if beyond_frame else ignored)


@pytest.fixture
def model_task():
    return clip(noise(2, 64, 128, 3), noise(2, 64, 128, seed=1), 10.0)


def expected_of(task, unet, vae, image_encoder) -> torch.Tensor:
    pipeline = BokehPipeline(unet, vae, image_encoder)
    frames = task.frames.permute(0, 3, 1, 2)
    return pipeline(frames, task.disparity, task.focal_disparity, task.blur_strength_px).permute(0, 2, 3, 1)


def test_the_model_from_networks(model_task, small_unet, small_vae, small_image_encoder):
    result = any_to_bokeh.renderer_of_networks(small_unet, small_vae, small_image_encoder)(model_task)
    assert torch.equal(result, expected_of(model_task, small_unet, small_vae, small_image_encoder))


def test_the_model_from_files(
    model_task, golden_folder, small_unet, small_vae, small_image_encoder, monkeypatch
):
    monkeypatch.setenv(any_to_bokeh.UNET, str(golden_folder / "unet"))
    monkeypatch.setenv(any_to_bokeh.VAE, str(golden_folder / "vae"))
    monkeypatch.setenv(any_to_bokeh.IMAGE_ENCODER, str(golden_folder / "image_encoder"))
    assert any_to_bokeh.missing() is None
    result = renderer_named("any_to_bokeh").render(model_task)
    expected = expected_of(model_task, small_unet, small_vae, small_image_encoder)
    torch.testing.assert_close(result, expected, rtol=0, atol=1e-4)


def test_strength_is_scaled_to_the_working_size():
    seen = []

    class Pipeline:
        def __init__(self, *networks):
            pass

        def __call__(self, frames, disparity, focal, strength, **settings):
            seen.append(strength)
            return frames

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("bokeh_core.pipeline.streaming.BokehPipeline", Pipeline)
        vae: Any = SimpleNamespace(auto_size_px=(1024, 576))
        render = any_to_bokeh.renderer_of_networks(None, vae, None)  # type: ignore[arg-type]
    # 2048 x 1152 is worked on at 1024 x 576.
    render(clip(torch.zeros(1, 1152, 2048, 3), 0.5, 10.0))
    assert seen[0].tolist() == [5.0]


def test_which_file_is_missing(golden_folder, tmp_path, monkeypatch):
    for variable in (any_to_bokeh.UNET, any_to_bokeh.VAE, any_to_bokeh.IMAGE_ENCODER):
        monkeypatch.delenv(variable, raising=False)
    assert any_to_bokeh.missing() == "no weights: set ANY_TO_BOKEH_UNET to the path of the U-Net"
    monkeypatch.setenv(any_to_bokeh.UNET, str(golden_folder / "unet"))
    monkeypatch.setenv(any_to_bokeh.VAE, str(tmp_path / "vae"))
    expected = f"no weights: ANY_TO_BOKEH_VAE is {tmp_path / 'vae'}, which does not exist"
    assert any_to_bokeh.missing() == expected
    with pytest.raises(ValueError, match="Any-to-Bokeh cannot run: no weights: ANY_TO_BOKEH_VAE"):
        any_to_bokeh.render(clip(torch.zeros(1, 64, 64, 3), 0.5, 4.0))


def dtypes_of(model: torch.nn.Module) -> set[torch.dtype]:
    return {parameter.dtype for parameter in model.parameters()}


@pytest.fixture
def half_precision_on_the_cpu(monkeypatch):
    """What an accelerator gets; returns the networks that a renderer puts together."""
    seen = []
    for module in (any_to_bokeh, bokeh_small):
        monkeypatch.setattr(module, "default_dtype", lambda _: torch.float16)

    def note(unet, vae, image_encoder, **_):
        seen.append((unet, vae, image_encoder))
        return lambda task: task.frames

    for module in (any_to_bokeh, bokeh_small):
        monkeypatch.setattr(module, "renderer_of_networks", note)
    return seen


def test_on_an_accelerator_both_encoders_keep_float32(
    model_task, golden_folder, monkeypatch, half_precision_on_the_cpu
):
    monkeypatch.setenv(any_to_bokeh.UNET, str(golden_folder / "unet"))
    monkeypatch.setenv(any_to_bokeh.VAE, str(golden_folder / "vae"))
    monkeypatch.setenv(any_to_bokeh.IMAGE_ENCODER, str(golden_folder / "image_encoder"))
    any_to_bokeh._from_files.cache_clear()
    any_to_bokeh.render(model_task)
    any_to_bokeh._from_files.cache_clear()
    bokeh_small._from_bundle.cache_clear()
    bokeh_small.render(model_task)
    bokeh_small._from_bundle.cache_clear()
    for unet, vae, image_encoder in half_precision_on_the_cpu:
        assert dtypes_of(unet) == dtypes_of(vae.decoder) == {torch.float16}
        assert dtypes_of(vae.encoder) == dtypes_of(vae.quant_conv) == {torch.float32}
        # Beyond the 65504 that float16 holds: CLIP computes in float32.
        embeds = image_encoder(torch.full((1, 3, 224, 224), 1e6))
        assert embeds.dtype == torch.float32 and bool(embeds.isfinite().all())
    assert len(half_precision_on_the_cpu) == 2


def test_the_command_line_keeps_them_too(golden_folder):
    files = (golden_folder / part for part in ("unet", "vae", "image_encoder"))
    renderer = FileModel(*files, device=torch.device("cpu"), dtype=torch.float16).load()
    unet, vae = renderer.pipeline.unet, renderer.pipeline.vae
    assert dtypes_of(unet) == dtypes_of(vae.decoder) == {torch.float16}
    assert dtypes_of(vae.encoder) == dtypes_of(vae.quant_conv) == {torch.float32}


def test_dtypes_by_device():
    assert default_dtype(torch.device("cpu")) == torch.float32
    assert default_dtype(torch.device("cuda")) == torch.float16
