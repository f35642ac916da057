"""Frames and sound as a host or another pack hands them over in memory -> a clip to render."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from math import isfinite
from typing import Any

from torch import Tensor

from ..clip.checks import checked_frames, checked_maps
from ..clip.lengths import require_clip_length
from ..video_io import rate_of_decimal
from ..video_io.colour import LIMITED, Colour
from ..video_io.format import AS_TAGGED, UNTAGGED
from .source import TensorClip

# What a host calls the colours of a clip in memory -> codes of ITU-T H.273: BT.2020 with HLG or PQ.
_BT2020 = 9
COLOUR_SPACES: Mapping[str, Colour] = {
    "HDR": Colour(_BT2020, LIMITED, _BT2020, 18),
    "HDR PQ": Colour(_BT2020, LIMITED, _BT2020, 16),
}
# Frames a second: a picture a minute to what a high-speed camera takes.
_SLOWEST, _FASTEST = 1 / 60, 1000.0


def given_clip(
    parts: Any, keep_alpha: bool, bits: int = 8, colour_space: str = "", transfer: str = AS_TAGGED
) -> TensorClip:
    """Check what a video in memory consists of, and make a clip of it.

    Args:
        parts: with `images` [T, H, W, C], white 1, and `frame_rate`, and perhaps `audio` (a mapping with
            `waveform` [1, channels, N] and `sample_rate`) and `alpha` ([T, H, W] or [T, H, W, 1]).
        keep_alpha: whether frames shall carry alpha, if there is one.
        bits: precision of the frames, in bits a channel.
        colour_space: one of `COLOUR_SPACES`; anything else is ordinary video.
        transfer: how the numbers mean light, one of `video_io.format.TRANSFER_CHOICES`.

    Raises:
        ValueError: no frames, values that are no pictures, or parts that do not fit together.
    """
    given: Any = getattr(parts, "images", None)
    images = checked_frames(given, "video frames", transfer=transfer)
    waveform, sample_rate_hz = given_sound(getattr(parts, "audio", None))
    return TensorClip(
        images,
        given_rate(getattr(parts, "frame_rate", None)),
        waveform,
        sample_rate_hz,
        keep_alpha,
        _alpha(getattr(parts, "alpha", None), images),
        bits,
        COLOUR_SPACES.get(colour_space, UNTAGGED),
        transfer,
    )


def given_rate(frame_rate: Any) -> Fraction:
    """Return a frame rate as a fraction.

    Raises:
        ValueError: it is no number, or none that a film can have.
    """
    try:
        rate = float(frame_rate)
    except (TypeError, ValueError, OverflowError):
        rate = 0.0
    if not _SLOWEST <= rate <= _FASTEST:
        raise ValueError(
            f"The video has a frame rate of {frame_rate!r}; it must be {_SLOWEST:g} to {_FASTEST:g} a second."
        )
    if isinstance(frame_rate, Fraction):
        return frame_rate
    # Rates such as 30000/1001 come as decimals from some nodes.
    return rate_of_decimal(rate)


def given_sound(audio: Any) -> tuple[Tensor | None, int]:
    """Return the waveform [channels, N] of a host's sound, None where there is none, and samples a second.

    Raises:
        ValueError: a waveform of another shape, or without a usable sample rate.
    """
    waveform = audio.get("waveform") if isinstance(audio, Mapping) else None
    if waveform is None:
        return None, 44100
    if not isinstance(waveform, Tensor) or waveform.ndim not in (1, 2, 3) or waveform.is_complex():
        found = tuple(waveform.shape) if isinstance(waveform, Tensor) else type(waveform).__name__
        raise ValueError(f"The video's sound is {found}; it must be a waveform [1, channels, N].")
    if waveform.ndim == 3 and len(waveform) > 1:
        raise ValueError(
            f"The video's sound is a batch of {len(waveform)}; a video has one: pick it beforehand."
        )
    if waveform.ndim == 3:
        waveform = waveform.flatten(0, 1)
    waveform = waveform[None] if waveform.ndim == 1 else waveform
    if waveform.numel() == 0:
        return None, 44100
    rate = audio.get("sample_rate")
    if not isinstance(rate, int | float) or not isfinite(rate) or rate < 1:
        raise ValueError(f"The video's sound has a sample rate of {rate!r}; it must be a number of Hz.")
    return waveform, int(rate)


def _alpha(alpha: Any, images: Tensor) -> Tensor | None:
    """Opacity [T, H, W, 1] that lies beside the images."""
    if alpha is None:
        return None
    count, height, width, _ = images.shape
    planes = alpha[..., 0] if isinstance(alpha, Tensor) and alpha.ndim == 4 and alpha.shape[3] == 1 else alpha
    opacity = checked_maps(planes, "video alpha", (height, width))
    require_clip_length(len(opacity), count, "alpha")
    return opacity.expand(count, height, width)[..., None]
