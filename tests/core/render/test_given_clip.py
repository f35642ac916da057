"""Videos in memory: what other nodes hand over, and what is made of it."""

from __future__ import annotations

from fractions import Fraction
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from bokeh_core.render.given_clip import given_clip, given_rate, given_sound
from bokeh_core.video_io.colour import Colour


def parts(**changed: Any) -> SimpleNamespace:
    return SimpleNamespace(**{"images": torch.rand(3, 6, 8, 3), "frame_rate": Fraction(24), **changed})


def test_alpha_beside_the_frames_joins_them():
    images, alpha = torch.rand(3, 6, 8, 3), torch.rand(3, 6, 8, 1)
    for given in (alpha, alpha[..., 0]):
        clip = given_clip(parts(images=images, alpha=given), keep_alpha=True)
        assert clip.format.alpha
        (last,) = clip.frames(2, [])
        assert torch.equal(last, torch.cat((images[2], alpha[2]), -1))
    grey = given_clip(parts(images=images[..., :1], alpha=alpha), keep_alpha=True)
    assert torch.equal(
        next(grey.frames(0, [])), torch.cat((images[0, ..., :1].expand(6, 8, 3), alpha[0]), -1)
    )
    dropped = given_clip(parts(images=images, alpha=alpha), keep_alpha=False)
    assert dropped.has_alpha and not dropped.format.alpha
    assert torch.equal(next(dropped.frames(0, [])), images[0])


@pytest.mark.parametrize("dtype", [torch.uint8, torch.float16, torch.float64])
def test_frames_of_other_types(dtype: torch.dtype):
    levels = torch.arange(144, dtype=torch.float64).reshape(1, 6, 8, 3)
    images = levels.to(dtype) if dtype == torch.uint8 else (levels / 255).to(dtype).requires_grad_()
    (frame,) = given_clip(parts(images=images), keep_alpha=False).frames(0, [])
    assert frame.dtype == torch.float32 and not frame.requires_grad
    # Half a unit in the last place of float16 below 1.
    torch.testing.assert_close(frame.double(), levels[0] / 255, rtol=0, atol=2**-11)


def test_alpha_tells_clips_apart():
    images, alpha = torch.rand(3, 6, 8, 3), torch.zeros(3, 6, 8, 1)
    clips = [given_clip(parts(images=images, alpha=given), True) for given in (None, alpha, alpha + 1)]
    assert len({clip.fingerprint() for clip in clips}) == 3


def test_colours_and_depth_of_levels():
    assert given_clip(parts(), False).format.colour == Colour()
    hdr = given_clip(parts(), False, bits=10, colour_space="HDR PQ").format
    # BT.2020 primaries and matrix, SMPTE ST 2084; ITU-T H.273, tables 2 to 4.
    assert (hdr.bits, hdr.colour) == (10, Colour(matrix=9, sample_range=1, primaries=9, transfer=16))
    hlg = given_clip(parts(), False, colour_space="HDR").format
    assert hlg.colour.transfer == 18


@pytest.mark.parametrize(
    ("rate", "means"),
    [
        (Fraction(30000, 1001), Fraction(30000, 1001)),
        (25, Fraction(25)),
        (23.976, Fraction(24000, 1001)),
        (23.98, Fraction(24000, 1001)),
        (29.97, Fraction(30000, 1001)),
        (59.94, Fraction(60000, 1001)),
        (24.0, Fraction(24)),
        (12.5, Fraction(25, 2)),
        (1 / 24, Fraction(1, 24)),
    ],
)
def test_frame_rates(rate: Any, means: Fraction):
    assert given_rate(rate) == means


@pytest.mark.parametrize(
    ("audio", "channels"),
    [
        ({"waveform": torch.rand(1, 2, 99), "sample_rate": 48000}, 2),
        ({"waveform": torch.rand(2, 99), "sample_rate": 48000.0}, 2),
        ({"waveform": torch.rand(99), "sample_rate": 48000}, 1),
    ],
)
def test_sound(audio: dict[str, Any], channels: int):
    waveform, rate = given_sound(audio)
    assert waveform is not None and waveform.shape == (channels, 99)
    assert torch.equal(waveform.flatten(), audio["waveform"].flatten()[: 99 * channels])
    assert rate == 48000


@pytest.mark.parametrize(
    "audio", [None, {}, {"waveform": None, "sample_rate": 1}, {"waveform": torch.zeros(1, 2, 0)}]
)
def test_no_sound(audio: Any):
    assert given_sound(audio)[0] is None


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"images": None}, "No value was given for video frames"),
        ({"images": torch.rand(6, 8, 3)}, "video frames have shape (6, 8, 3)"),
        ({"images": torch.rand(3, 6, 8, 2)}, "with C = 1, 3 or 4"),
        ({"images": torch.rand(0, 6, 8, 3)}, "there is no frame"),
        ({"images": torch.full((3, 6, 8, 3), torch.nan)}, "NaN at frame 0, row 0, column 0"),
        ({"frame_rate": 0}, "frame rate of 0;"),
        ({"frame_rate": float("nan")}, "frame rate of nan"),
        ({"frame_rate": None}, "frame rate of None"),
        ({"audio": {"waveform": torch.rand(1, 2, 3, 4), "sample_rate": 1}}, "sound is (1, 2, 3, 4)"),
        ({"audio": {"waveform": torch.rand(1, 2, 3)}}, "sample rate of None"),
        ({"audio": {"waveform": torch.rand(1, 2, 3), "sample_rate": 0}}, "sample rate of 0"),
        ({"alpha": torch.rand(3, 5, 8, 1)}, "but the frames are 8 x 6 px"),
        ({"alpha": torch.rand(2, 6, 8)}, "2 alpha frames for 3 video frames"),
        ({"alpha": "opaque"}, "video alpha is of the type str"),
    ],
)
def test_what_does_not_fit_is_said(changed: dict[str, Any], says: str):
    with pytest.raises(ValueError, match=r".") as refused:
        given_clip(parts(**changed), keep_alpha=True)
    assert says in str(refused.value)
