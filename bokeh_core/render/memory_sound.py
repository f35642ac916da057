"""Sound in memory, as the host has it, into a file whose track is then copied."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from ..video_io import TrackPlan
from ..video_io.opening import address_of

if TYPE_CHECKING:
    import av

_SOUND_BLOCK = 2**16
# Rates that AAC has numbers for (ISO/IEC 14496-3, table 1.18), in Hz.
AAC_RATES_HZ = (7350, 8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000, 64000, 88200, 96000)
# At half of this, FFmpeg's default, plain tones drop out now and then.
_BITS_PER_SAMPLE = 4
# Layouts by the number of channels, in FFmpeg's order of channels.
_LAYOUTS = ("mono", "stereo", "3.0", "4.0", "5.0", "5.1", "6.1", "7.1")


@dataclass(frozen=True)
class MemorySound:
    """Samples of all channels.

    Attributes:
        waveform: [channels, N] or [1, channels, N], N above 0; -1 to 1, or integers of their full range.
        sample_rate_hz: of the sound.
    """

    waveform: Tensor
    sample_rate_hz: int

    def plan(self) -> TrackPlan:
        """Plan how the sound is stored, with the lines that a report says of it.

        Raises:
            ValueError: it is a batch of several, has more than 8 channels, or samples that are no numbers.
        """
        samples = self.samples()
        if self.sample_rate_hz < 1:
            raise ValueError(
                f"The sound's rate is {self.sample_rate_hz} Hz; it must be above 0, such as 48000."
            )
        if len(samples) > len(_LAYOUTS):
            raise ValueError(
                f"The sound has {len(samples)} channels; a video in memory can have up to {len(_LAYOUTS)}."
            )
        bad = int((~torch.isfinite(samples)).sum())
        if bad:
            raise ValueError(
                f"The sound has {bad} samples that are NaN or infinite; mend it, or render without sound."
            )
        lines = []
        if self._stored_rate_hz != self.sample_rate_hz:
            lines.append(
                f"The sound of {self.sample_rate_hz} Hz is stored at {self._stored_rate_hz} Hz, the next "
                "rate that AAC has."
            )
        return TrackPlan(copied=(0,), lines=tuple(lines))

    def write(self, path: Path) -> None:
        """Encode the sound as AAC with all channels into an MP4 file."""
        import av  # imported on first use: the pack must load fast

        with av.open(address_of(path), "w", format="mp4") as container:
            channels, rate = len(self.samples()), self._stored_rate_hz
            layout = _LAYOUTS[channels - 1]
            stream: Any = container.add_stream("aac", rate=rate, layout=layout)
            stream.bit_rate = channels * _BITS_PER_SAMPLE * rate
            for block in self._blocks(layout):
                container.mux(stream.encode(block))
            container.mux(stream.encode(None))

    def samples(self) -> Tensor:
        """[channels, N] float32 in -1 to 1.

        Raises:
            ValueError: it is a batch of several, or of a type that holds no samples.
        """
        given = self.waveform.detach()
        if given.ndim > 3 or (given.ndim == 3 and len(given) != 1):
            raise ValueError(
                f"The sound is {list(given.shape)}, a batch of several; a video has one: pick it beforehand."
            )
        if given.dtype == torch.bool or given.is_complex():
            raise ValueError(f"The sound is of type {given.dtype}; it must be floating point or integers.")
        channels = given.reshape(-1, given.shape[-1]).cpu()
        if channels.is_floating_point():
            return channels.float()
        # Unsigned integers have silence in the middle of their range.
        limits = torch.iinfo(channels.dtype)
        half_range = (limits.max - limits.min + 1) / 2
        return ((channels.double() - limits.min) / half_range - 1).float()

    @property
    def _stored_rate_hz(self) -> int:
        return next((rate for rate in AAC_RATES_HZ if rate >= self.sample_rate_hz), AAC_RATES_HZ[-1])

    def _blocks(self, layout: str) -> Iterator[av.AudioFrame]:
        import av

        samples, rate = self.samples(), self.sample_rate_hz
        resampler = av.AudioResampler(format="fltp", layout=layout, rate=self._stored_rate_hz)
        for start in range(0, samples.shape[1], _SOUND_BLOCK):
            # Sample by sample rather than channel by channel: PyAV takes no eighth channel as a plane.
            values = samples[:, start : start + _SOUND_BLOCK].T.reshape(1, -1).contiguous()
            block = av.AudioFrame.from_ndarray(values.numpy(), format="flt", layout=layout)
            block.sample_rate, block.time_base, block.pts = rate, Fraction(1, rate), start
            yield from resampler.resample(block)
        yield from resampler.resample(None)
