"""A streamed clip is rendered as the whole clip is, wherever a run begins."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from bokeh_core.coc import EQ_1, Falloff
from bokeh_core.lens import DEFAULT_LENS, Aperture, LensSettings, lens_blur
from bokeh_core.lens.aperture_image import ApertureImage
from bokeh_core.lens.other_frames import OtherFrames
from bokeh_core.pipeline.streaming import BokehPipeline
from bokeh_core.render.clip_stream import ClipStream, SlidingFrames
from bokeh_core.render.renderers import LensRenderer, ModelRenderer, require_whole_calls

COUNT, HEIGHT, WIDTH = 19, 64, 80


def nothing() -> None:
    """Never stop."""


@pytest.fixture(scope="module")
def clip() -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(5)
    coarse = F.interpolate(torch.rand(COUNT, 4, 8, 10, generator=generator), (HEIGHT, WIDTH), mode="bilinear")
    return {
        "frames": coarse[:, :3].permute(0, 2, 3, 1).contiguous(),
        "disparity": coarse[:, 3].contiguous(),
        "focal_disparity": torch.linspace(0.3, 0.7, COUNT),
        "blur_strength": torch.linspace(40, 100, COUNT),
    }


def streamed(clip: dict[str, Tensor], alpha: Tensor | None = None) -> ClipStream:
    frames = clip["frames"] if alpha is None else torch.cat((clip["frames"], alpha), dim=-1)
    return ClipStream(
        len(frames),
        (HEIGHT, WIDTH),
        lambda start: iter(frames[start:]),
        lambda start: iter(clip["disparity"][start:]),
        clip["focal_disparity"],
        clip["blur_strength"],
    )


@pytest.mark.parametrize("start", [0, 8, 16])
def test_lens_blur(clip: dict[str, Tensor], start: int):
    lens = LensSettings(Aperture(blades=5), highlight_gain=1.0, far_strength=0.5, contour_reach_px=2.0)
    renderer = LensRenderer(lens)
    found = torch.stack(list(renderer.frames(streamed(clip), start, nothing)))
    # K is stated for 1024 px; a tolerance of 2 px there is less than a pixel here, and at least one.
    whole = lens_blur(
        clip["frames"],
        clip["disparity"],
        clip["focal_disparity"],
        clip["blur_strength"] * WIDTH / 1024,
        aperture=Aperture(blades=5),
        highlight_gain=1.0,
        contour_reach_px=1,
        far_strength=0.5,
    )
    assert torch.equal(found, whole[start:])
    assert (whole - clip["frames"]).abs().max() > 0.05


def test_grain_does_not_depend_on_where_a_run_begins(clip: dict[str, Tensor]):
    noise = torch.randn(clip["frames"].shape, generator=torch.Generator().manual_seed(7))
    noisy = {**clip, "frames": 0.5 + 0.03 * noise, "disparity": torch.zeros_like(clip["disparity"])}
    renderer = LensRenderer(LensSettings(grain=1.0))
    whole, rest = (torch.stack(list(renderer.frames(streamed(noisy), at, nothing))) for at in (0, 16))
    assert torch.equal(whole[16:], rest)
    # Blurred by 1 to 5 px, it is as noisy as before.
    assert whole[16:].std().item() == pytest.approx(0.03, rel=0.1)


def test_what_other_frames_have_seen_does_not_depend_on_where_a_run_begins():
    squares = torch.rand(16, 20, 3, generator=torch.Generator().manual_seed(1))
    board = squares.repeat_interleave(4, 0).repeat_interleave(4, 1)
    frames, maps = board.repeat(11, 1, 1, 1), torch.full((11, HEIGHT, WIDTH), 0.2)
    for t in range(11):
        card = slice(10 + 3 * t, 30 + 3 * t)
        frames[t, 16:48, card], maps[t, 16:48, card] = 0.9, 0.9
    focus, strength = torch.full((11,), 0.2), torch.full((11,), 100.0)
    moving = {"frames": frames, "disparity": maps, "focal_disparity": focus, "blur_strength": strength}
    renderer = LensRenderer(hidden_background="other frames")
    found, rest = (torch.stack(list(renderer.frames(streamed(moving), at, nothing))) for at in (0, 8))
    others = OtherFrames(frames, maps)
    settings = (frames, maps, focus, strength * WIDTH / 1024, DEFAULT_LENS.at_width(WIDTH))
    whole = lens_blur(*settings, other_frames=others)
    assert torch.equal(found, whole)
    assert torch.equal(rest, whole[8:])
    # 20 px beside where it is, the card has shown what it hides.
    assert ((whole - lens_blur(*settings)).abs().amax((1, 2, 3)) > 0.02).all()


def pipeline_on(unet: Any, vae: Any, image_encoder: Any) -> BokehPipeline:
    return BokehPipeline(unet, vae, image_encoder)


@pytest.mark.parametrize(("mpi_mode", "overlap", "starts"), [("released", 4, [0, 16]), ("paper", 5, [8])])
def test_model(
    clip: dict[str, Tensor],
    mpi_mode: Any,
    overlap: int,
    starts: list[int],
    small_unet: Any,
    small_vae: Any,
    small_image_encoder: Any,
):
    pipeline = pipeline_on(small_unet, small_vae, small_image_encoder)
    count = 17
    short = {name: values[:count] for name, values in clip.items()}
    whole = pipeline(
        short["frames"].permute(0, 3, 1, 2).contiguous(),
        short["disparity"],
        short["focal_disparity"],
        short["blur_strength"] * WIDTH / 1024,
        mpi_mode=mpi_mode,
        overlap=overlap,
    ).permute(0, 2, 3, 1)
    renderer = ModelRenderer(pipeline, "golden", mpi_mode, overlap)
    for start in starts:
        found = torch.stack(list(renderer.frames(streamed(short), start, nothing)))
        assert torch.equal(found, whole[start:]), start


@pytest.mark.parametrize("mpi_mode", ["released", "paper"])
def test_the_model_blurs_by_the_falloff(
    clip: dict[str, Tensor], mpi_mode: Any, small_unet: Any, small_vae: Any, small_image_encoder: Any
):
    pipeline = pipeline_on(small_unet, small_vae, small_image_encoder)
    falloff = Falloff(0.1, 0.5, 2.0, 60.0)
    found = torch.stack(
        list(ModelRenderer(pipeline, "w", mpi_mode, falloff=falloff).frames(streamed(clip), 0, nothing))
    )
    # By hand: K is doubled, so that behind the focus the factor is 1 and in front of it a quarter.
    focus = clip["focal_disparity"][:, None, None]
    distance = clip["disparity"] - focus
    distance = distance.sign() * (distance.abs() - 0.05).clamp(min=0)
    distance = torch.where(distance > 0, distance / 4, distance)
    doubled = 2 * clip["blur_strength"]
    limit = (60.0 / doubled)[:, None, None]
    bent = {
        **clip,
        "disparity": focus + torch.minimum(torch.maximum(distance, -limit), limit),
        "blur_strength": doubled,
    }
    expected = torch.stack(list(ModelRenderer(pipeline, "w", mpi_mode).frames(streamed(bent), 0, nothing)))
    # The network's small weights amplify rounding.
    assert (found - expected).abs().max() < 1e-3
    plain = torch.stack(list(ModelRenderer(pipeline, "w", mpi_mode).frames(streamed(clip), 0, nothing)))
    assert (found - plain).abs().max() > 1e-2


@pytest.mark.parametrize("start", [4, 24])
def test_a_run_begins_with_a_decode_call(
    clip: dict[str, Tensor], start: int, small_unet: Any, small_vae: Any, small_image_encoder: Any
):
    renderer = ModelRenderer(pipeline_on(small_unet, small_vae, small_image_encoder), "golden")
    with pytest.raises(ValueError, match=f"start_frame is {start} in a clip of 19 frames; .* multiple of 8"):
        next(renderer.frames(streamed(clip), start, nothing))


class Stop(BaseException):
    """The user's cancel; no Exception, as in newer hosts."""


def test_both_stop_when_asked(
    clip: dict[str, Tensor], small_unet: Any, small_vae: Any, small_image_encoder: Any
):
    def stop() -> None:
        raise Stop

    model = ModelRenderer(pipeline_on(small_unet, small_vae, small_image_encoder), "golden")
    for renderer in (LensRenderer(), model):
        with pytest.raises(Stop):
            next(renderer.frames(streamed(clip), 0, stop))


def test_alpha_of_the_source_goes_through_the_model():
    class Echo:
        device = torch.device("cpu")
        vae = SimpleNamespace(auto_size_px=(1024, 576), gives_gates=False, mends_maps=False)

        def stream(self, inputs: Any, start_frame: int, **_: Any) -> Any:
            for first in range(start_frame, inputs.num_frames, 8):
                yield first, inputs.frames[first : min(first + 8, inputs.num_frames)]

    alpha = torch.linspace(0, 1, COUNT)[:, None, None, None].expand(-1, HEIGHT, WIDTH, 1)
    given = {
        "frames": torch.rand(COUNT, HEIGHT, WIDTH, 3, generator=torch.Generator().manual_seed(0)),
        "disparity": torch.zeros(COUNT, HEIGHT, WIDTH),
        "focal_disparity": torch.zeros(COUNT),
        "blur_strength": torch.ones(COUNT),
    }
    renderer = ModelRenderer(Echo(), "none")  # type: ignore[arg-type]
    found = torch.stack(list(renderer.frames(streamed(given, alpha), 8, nothing)))
    assert torch.equal(found, torch.cat((given["frames"], alpha), dim=-1)[8:])


def test_identity_follows_what_matters():
    lenses = [LensSettings(), LensSettings(Aperture(blades=6)), LensSettings(gamma=1.0)]
    assert len({LensRenderer(lens).fingerprint() for lens in lenses}) == 3
    models = [ModelRenderer(None, "w", falloff=falloff) for falloff in (EQ_1, Falloff(0.1))]  # type: ignore[arg-type]
    assert len({model.fingerprint() for model in models}) == 2
    assert LensRenderer(hidden_background="other frames").fingerprint() != LensRenderer().fingerprint()
    assert LensRenderer(device=torch.device("meta")).fingerprint() == LensRenderer().fingerprint()


def test_parts_must_end_with_decode_calls():
    require_whole_calls(16)
    for count in (0, 12):
        with pytest.raises(ValueError, match=f"Parts of {count} frames; .* multiple of 8"):
            require_whole_calls(count)


class TestSliding:
    def test_it_is_sliced_like_the_tensor_that_it_stands_for(self):
        values = torch.rand(10, 2, 3)
        sliding = SlidingFrames(lambda start: iter(values[start:]), values.shape, keep=5)
        assert torch.equal(sliding[2:5], values[2:5])
        assert torch.equal(sliding[3:6, None], values[3:6, None])
        assert torch.equal(sliding[5:20], values[5:])

    def test_it_holds_no_more_than_it_is_told(self):
        read: list[int] = []

        def frames(start: int) -> Any:
            for t in range(start, 100):
                read.append(t)
                yield torch.full((1,), float(t))

        sliding = SlidingFrames(frames, torch.Size((100, 1)), keep=4)
        assert sliding[40:44].flatten().tolist() == [40, 41, 42, 43]
        assert read == [40, 41, 42, 43]
        assert sliding[46:48].flatten().tolist() == [46, 47]
        with pytest.raises(ValueError, match="Frame 43 was asked for; those before 44 are gone"):
            sliding[43:44]

    def test_a_clip_that_ends_early_is_an_error(self):
        sliding = SlidingFrames(lambda start: iter(torch.zeros(3, 1)), torch.Size((5, 1)))
        with pytest.raises(ValueError, match="The clip ends after 3 frames; 5 were counted"):
            sliding[0:5]


def test_the_report_names_the_lens(clip: dict[str, Tensor]):
    stream = streamed(clip)
    assert "The lens: " not in LensRenderer().describe(stream)
    image = ApertureImage(np.eye(8, dtype=np.float32))
    for aperture, told in (
        (Aperture(blades=5), "blades 5"),
        (Aperture(image=image), "aperture_image of 8 x 8 px"),
    ):
        text = LensRenderer(LensSettings(aperture)).describe(stream)
        assert f"The lens: {told}; all else at its default." in text.splitlines()
