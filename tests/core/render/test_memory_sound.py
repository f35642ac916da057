"""Sound in memory: channels, rates and what is refused; tones by their formula."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
import torch
from torch import Tensor

from bokeh_core.render import TensorClip
from bokeh_core.render.given_clip import given_sound
from bokeh_core.render.memory_sound import MemorySound
from bokeh_core.video_io import Encoding
from tests.core.video_io.rewriting import samples_of


def tones(channels: int, rate_hz: int, seconds: float = 0.25) -> Tensor:
    """[channels, N]; channel c is a tone of 300 (c + 1) Hz, half as loud as can be."""
    times = torch.arange(round(rate_hz * seconds)) / rate_hz
    return 0.5 * torch.sin(2 * torch.pi * 300 * torch.arange(1, channels + 1)[:, None] * times)


def loudest_hz(samples: np.ndarray, rate_hz: int) -> float:
    spectrum = np.abs(np.fft.rfft(samples))
    return float(np.argmax(spectrum)) * rate_hz / len(samples)


class TestStored:
    @pytest.mark.parametrize("channels", [1, 2, 3, 6, 8])
    def test_every_channel_keeps_its_place(self, tmp_path: Path, channels: int):
        sound = MemorySound(tones(channels, 48000), 48000)
        assert sound.plan().lines == ()
        sound.write(tmp_path / "sound.m4a")
        heard = samples_of(tmp_path / "sound.m4a")
        assert len(heard) == channels
        # AAC cuts the fourth channel of 5.1 and 7.1, the one of effects, off at 120 Hz or so.
        for channel in {*range(channels)} - ({3} if channels >= 6 else set()):
            assert loudest_hz(heard[channel], 48000) == pytest.approx(300 * (channel + 1), abs=8)

    @pytest.mark.parametrize(
        ("rate_hz", "stored_hz"),
        [(8000, 8000), (9000, 11025), (37800, 44100), (96000, 96000), (192000, 96000)],
    )
    def test_rates_that_aac_has_not(self, tmp_path: Path, rate_hz: int, stored_hz: int):
        sound = MemorySound(tones(1, rate_hz), rate_hz)
        (tmp_path / "s").mkdir()
        sound.write(tmp_path / "sound.m4a")
        with av.open(str(tmp_path / "sound.m4a")) as container:
            assert container.streams.audio[0].codec_context.sample_rate == stored_hz
        heard = samples_of(tmp_path / "sound.m4a")
        assert loudest_hz(heard[0], stored_hz) == pytest.approx(300, abs=8)
        # As long as it was, up to one frame of 1024 samples.
        assert abs(heard.shape[1] - stored_hz / 4) <= 1024
        assert bool(sound.plan().lines) == (rate_hz != stored_hz)

    def test_integers_are_of_their_full_range(self):
        signed = torch.tensor([[-32768, 0, 16384]], dtype=torch.int16)
        unsigned = torch.tensor([[0, 128, 192]], dtype=torch.uint8)
        for given in (signed, unsigned):
            assert MemorySound(given, 48000).samples().tolist() == [[-1.0, 0.0, 0.5]]

    def test_a_tone_stays_whole(self, tmp_path: Path):
        wave = tones(1, 48000)
        MemorySound(wave, 48000).write(tmp_path / "sound.m4a")
        heard = samples_of(tmp_path / "sound.m4a")[0, : wave.shape[1]]
        # At FFmpeg's own rate a period is off by as much as the tone is loud.
        assert np.abs(heard - wave[0].numpy()).max() < 0.1


class TestRefused:
    @pytest.mark.parametrize(
        ("waveform", "rate_hz", "message"),
        [
            (torch.zeros(3, 2, 100), 48000, r"\[3, 2, 100\], a batch of several"),
            (torch.zeros(12, 100), 48000, "12 channels; .* up to 8"),
            (torch.full((2, 100), torch.nan), 48000, "200 samples that are NaN or infinite"),
            (torch.zeros(2, 100), 0, "0 Hz; it must be above 0"),
            (torch.zeros(2, 100, dtype=torch.bool), 48000, "type torch.bool"),
        ],
        ids=["batch", "channels", "nan", "rate", "bool"],
    )
    def test_before_anything_is_rendered(self, waveform: Tensor, rate_hz: int, message: str):
        clip = TensorClip(torch.zeros(1, 8, 8, 3), Fraction(24), waveform, rate_hz)
        with pytest.raises(ValueError, match=message):
            clip.tracks(Path("out.mp4"), Encoding())


def test_a_batch_of_a_host_is_refused():
    with pytest.raises(ValueError, match="a batch of 3; a video has one"):
        given_sound({"waveform": torch.zeros(3, 2, 100), "sample_rate": 48000})


@pytest.mark.parametrize("waveform", [None, torch.zeros(1, 2, 0), torch.zeros(0, 100)], ids=str)
def test_no_sound(tmp_path: Path, waveform: Tensor | None):
    clip = TensorClip(torch.zeros(1, 8, 8, 3), Fraction(24), waveform)
    assert clip.tracks(tmp_path / "out.mp4", Encoding()).copied == ()
    with clip.sound(tmp_path) as path:
        assert path is None


def test_rates_of_decimals_have_short_terms():
    rate = TensorClip(torch.zeros(1, 8, 8, 3), Fraction(29.97)).format.frame_rate
    assert rate == Fraction(30000, 1001)
    with pytest.raises(ValueError, match="frame rate is 0"):
        _ = TensorClip(torch.zeros(1, 8, 8, 3), Fraction(0)).format
