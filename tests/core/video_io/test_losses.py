"""What is told before rendering: depth, colour resolution, HDR metadata; sizes no codec takes."""

from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import pytest

from bokeh_core.video_io import (
    CODECS,
    Encoding,
    PartWriter,
    VideoFile,
    VideoFormat,
    picture_losses,
    require_encodes,
)
from bokeh_core.video_io.colour import Colour
from bokeh_core.video_io.hdr import DOLBY_VISION, HdrMetadata
from tests.core.render.clips import moving_pictures, write_video

PLAIN = VideoFormat(64, 48, Fraction(24), Fraction(1, 24))
# BT.2020 with PQ; a display of P3 with 1000 cd/m2.
HDR10 = HdrMetadata((34000, 16000, 13250, 34500, 7500, 3000, 15635, 16450), (10000000, 50), (1000, 400))
HDR = replace(PLAIN, bits=10, colour=Colour(9, 1, 9, 16), hdr=HDR10)
X264_HDR10 = (
    "mastering-display=G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)L(10000000,50):cll=1000,400"
)


def losses(video: VideoFormat, codec: str) -> str:
    return "\n".join(picture_losses(video, Encoding(codec)))


class TestLosses:
    @pytest.mark.parametrize("codec", CODECS)
    def test_nothing_is_said_of_ordinary_video(self, codec: str):
        assert losses(PLAIN, codec) == ""

    def test_depth(self):
        ten, twelve = replace(PLAIN, bits=10), replace(PLAIN, bits=12)
        assert "has 10 bits a level; h264 keeps 8. h264-10bit, prores or ffv1 keeps more." in losses(
            ten, "h264"
        )
        assert "12 bits a level; prores keeps 10. ffv1 keeps more" in losses(twelve, "prores")
        assert losses(ten, "prores") == losses(ten, "h264-10bit") == losses(twelve, "ffv1") == ""

    def test_colour_at_half_the_size(self):
        screen = replace(PLAIN, chroma="4:4:4")
        assert "softens coloured text" in losses(screen, "h264")
        assert losses(screen, "prores") == losses(screen, "ffv1") == ""
        assert Encoding("prores").pixel_format(screen) == ("yuv444p10le", 10)

    def test_hdr(self):
        assert "10 bits a level in PQ (HDR), which shows steps in 8 bit" in losses(HDR, "h264")
        assert losses(HDR, "h264-10bit") == losses(HDR, "prores") == losses(HDR, "ffv1") == ""
        assert "mastering display, light levels) are left out: pictures hold none" in losses(HDR, "png-16bit")
        phone = replace(HDR, hdr=None, colour=Colour(9, 1, 9, 18), dynamic_hdr=(DOLBY_VISION, "HDR10+"))
        assert "Dolby Vision and HDR10+ are left out" in losses(phone, "h264-10bit")
        assert "stays HLG" in losses(phone, "h264-10bit")
        assert "stays HLG" in losses(phone, "h264-10bit")

    def test_hdr_that_looks_like_ordinary_video(self):
        assert "tagged as PQ (HDR) but has 8 bits a level" in losses(replace(HDR, bits=8), "prores")
        lying = replace(HDR, colour=Colour(1, 1, 1, 18))
        assert "tagged as HLG (HDR) but has the colours of BT.709" in losses(lying, "ffv1")


@pytest.mark.parametrize("codec", ["h264", "h264-10bit"])
def test_hdr10_metadata_go_through_h264(tmp_path: Path, codec: str):
    source = VideoFile(
        write_video(
            tmp_path / "in.mp4",
            moving_pictures(2, 48, 64),
            codec="libx264",
            pixel_format="yuv420p10le",
            options={"x264-params": X264_HDR10},
            colorspace=9,
            color_primaries=9,
            color_trc=16,
        )
    )
    assert source.format.hdr == HDR10
    with PartWriter(tmp_path / "out.mp4", "mp4", Encoding(codec), source.format) as writer:
        for frame in source.frames():
            writer.add(frame)
    assert VideoFile(tmp_path / "out.mp4").format.hdr == HDR10


class TestSizes:
    def test_what_the_codec_cannot_take_is_refused(self):
        with pytest.raises(ValueError, match=r"16385 x 2 px; h264 takes up to 16384 .*Choose prores or ffv1"):
            require_encodes("mp4", Encoding("h264"), replace(PLAIN, width=16385, height=2))
        require_encodes("mov", Encoding("prores"), replace(PLAIN, width=16386, height=2))

    def test_an_encoder_that_is_not_there(self, monkeypatch: pytest.MonkeyPatch):
        def missing(*_: Any, **__: Any) -> Any:
            raise av.codec.codec.UnknownCodecError("libx264")

        monkeypatch.setattr("bokeh_core.video_io.writer.PartWriter", missing)
        with pytest.raises(ValueError, match=r"FFmpeg's libx264\) does not encode .* choose prores, ffv1"):
            require_encodes("mp4", Encoding("h264"), PLAIN)
