"""The options of small models: nothing changes while they are off, and each starts as it says."""

from typing import Any

import pytest
import torch
import torch.nn.functional as F

from bokeh_core.models.small.options import SmallOptions, read_options
from bokeh_core.pipeline.inputs import bokeh_inputs
from bokeh_core.pipeline.streaming import BokehPipeline
from bokeh_lab.train.network import BokehNetwork, decode_clips

# Of the golden VAE's skips, from full resolution down.
WIDTHS = (32, 32, 32, 64)


def clip(frames: int = 10, side: int = 64) -> dict[str, Any]:
    generator = torch.Generator().manual_seed(0)
    return {
        "frames": torch.rand(frames, 3, side, side, generator=generator),
        "disparity": torch.rand(frames, side, side, generator=generator),
        "focal_disparity": torch.full((frames,), 0.5),
        "blur_strength_px": torch.linspace(4, 8, frames),
    }


def rendered(network: BokehNetwork, shown: dict[str, Any]) -> torch.Tensor:
    return network.pipeline()(**shown, mpi_mode="paper")


@pytest.mark.slow
def test_with_all_options_off_it_is_the_pipeline(exact_unet: Any, exact_vae: Any, small_image_encoder: Any):
    network = BokehNetwork(exact_unet, exact_vae, image_encoder=small_image_encoder)
    assert list(network.layers.parameters()) == []
    pipeline = BokehPipeline(exact_unet, exact_vae, small_image_encoder)
    for frames in (3, 10):
        shown = clip(frames)
        found, expected = rendered(network, shown), pipeline(**shown, mpi_mode="paper")
        assert torch.equal(found, expected)
        assert float((found - shown["frames"]).abs().mean()) > 0.05


def test_latent_difference_starts_at_the_frames_latents(small_unet: Any, small_vae: Any, randomised: Any):
    network = BokehNetwork(
        type(small_unet)(small_unet.config), small_vae, SmallOptions(latent_difference=True)
    ).eval()
    network.start_latent_difference()
    latents = torch.randn(1, 2, 8, 8, 8, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        found = network.unet(latents, torch.ones(1, 2), torch.zeros(1, 2, 32), None, "released")
    assert torch.equal(found, latents[:, :, :4])


def test_input_skip_starts_at_the_sharp_frame(small_unet: Any, small_vae: Any):
    vae = type(small_vae)(small_vae.config)
    network: Any = BokehNetwork(small_unet, vae, SmallOptions(input_skip=True)).eval()
    before = rendered(network, clip(3))
    network.start_input_skip()
    shown = clip(3)
    assert not torch.allclose(before, shown["frames"], atol=0.1)
    assert torch.allclose(rendered(network, shown), shown["frames"], atol=1e-5)
    # What has learnt is left alone.
    with torch.no_grad():
        network.layers.image_skip.weight.mul_(0.5)
    network.start_input_skip()
    assert torch.allclose(rendered(network, shown), shown["frames"] / 2 + 0.25, atol=1e-5)


def test_signed_defocus_tells_near_from_far(small_unet: Any, small_vae: Any):
    network: Any = BokehNetwork(small_unet, small_vae, SmallOptions(signed_defocus=True))
    shown = clip(2)
    shown["disparity"] = torch.cat([torch.full((1, 64, 64), 0.75), torch.full((1, 64, 64), 0.25)])
    shown["blur_strength_px"] = torch.full((2,), 32.0)
    inputs = bokeh_inputs(**shown, working_size="native")
    with torch.no_grad():
        encoded = network.encode(inputs, 0, 2, torch.device("cpu"))
    layer = network.layers.defocus_encoder
    # 32 px * 0.25 = 8 px to either side, in units of 4 px, over the 8 x 8 px of a cell.
    taps = layer.weight.sum(dim=(1, 2, 3))
    for frame, radius in ((0, 2.0), (1, -2.0)):
        expected = (layer.bias + radius * taps)[:, None, None].expand(4, 8, 8)
        assert torch.allclose(encoded.latents[frame, 4:], expected, atol=1e-5)


def test_defocus_skips_start_without_effect_and_reach_every_level(small_unet: Any, small_vae: Any):
    plain = BokehNetwork(small_unet, small_vae)
    network: Any = BokehNetwork(small_unet, small_vae, SmallOptions(defocus_skips=True))
    assert torch.equal(rendered(network, clip(2)), rendered(plain, clip(2)))
    radius = torch.full((1, 1, 64, 64), -2.0)
    skips = [
        torch.zeros(1, width, 64 // s, 64 // s)
        for width, s in zip((32, 32, 32, 64), (1, 2, 4, 8), strict=True)
    ]
    with torch.no_grad():
        for layer in network.layers.defocus_skips:
            layer.weight[:, 1, 1, 1] = 1.0
    changed = network.layers.add_to_skips(skips, radius)
    assert all(torch.equal(skip, torch.full_like(skip, 2.0)) for skip in changed)


def test_without_an_image_encoder_embeddings_are_zero(small_unet: Any, small_vae: Any):
    def refuse(_: torch.Tensor) -> torch.Tensor:
        raise AssertionError("the image encoder was asked")

    network: Any = BokehNetwork(small_unet, small_vae, SmallOptions(image_encoder=False), refuse)
    inputs = bokeh_inputs(**clip(2), working_size="native")
    with torch.no_grad():
        embeds = network.encode(inputs, 0, 2, torch.device("cpu")).image_embeds
    assert torch.equal(embeds, torch.zeros(2, 32))
    assert rendered(network, clip(2)).isfinite().all()


def test_decoding_clips_together_equals_one_by_one(exact_vae: Any):
    generator = torch.Generator().manual_seed(0)
    frames = torch.rand(6, 3, 32, 32, generator=generator, dtype=torch.float64) * 2 - 1
    with torch.no_grad():
        latents, skips = exact_vae.encode(frames)
        together = decode_clips(exact_vae.decoder, latents / 0.18215, skips, clips=2)
        apart = torch.cat(
            [exact_vae.decode(latents[i : i + 3], [skip[i : i + 3] for skip in skips]) for i in (0, 3)]
        )
    assert torch.allclose(together, apart, atol=1e-9)
    assert F.mse_loss(together[:3], together[3:]) > 0


def test_unknown_options_are_refused():
    assert read_options(SmallOptions(input_skip=True).as_config()) == SmallOptions(input_skip=True)
    with pytest.raises(ValueError, match="trained with wavelets, unknown to this version"):
        read_options({"wavelets": True})
