"""Everything in a file besides its picture: copied, stored in another way, or named as left out."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from bokeh_core.video_io import Encoding, VideoFile, ending_for_sound, plan_tracks
from bokeh_core.video_io.pyav_version import pyav_major
from tests.core.render.clips import sound_packets, times_of
from tests.core.video_io.rewriting import joined, rewritten, samples_of, start_of_sound

RATE_HZ = 48000
H264, MASTER = Encoding("h264"), Encoding("ffv1")


def write_film(
    path: Path,
    sounds: Sequence[str] = ("aac",),
    *,
    channels: int = 2,
    sound_start: int = 0,
    picture_start: int = 0,
    codec: str = "mpeg4",
) -> Path:
    """Six grey frames at 24 a second, and a quarter of a second of tones; starts in samples and frames."""
    layout = {1: "mono", 2: "stereo", 6: "5.1"}[channels]
    with av.open(str(path), "w") as container:
        picture: Any = container.add_stream(codec, rate=24)
        picture.width, picture.height, picture.pix_fmt = 32, 32, "yuv420p"
        tracks: list[Any] = [container.add_stream(name, rate=RATE_HZ, layout=layout) for name in sounds]
        for t in range(6):
            frame = av.VideoFrame.from_ndarray(np.full((32, 32, 3), 40 + 20 * t, np.uint8), format="rgb24")
            frame.pts, frame.time_base = picture_start + t, Fraction(1, 24)
            container.mux(picture.encode(frame))
        container.mux(picture.encode(None))
        for number, track in enumerate(tracks, 1):
            seconds = np.arange(RATE_HZ // 4) / RATE_HZ
            tones = 440 * number * np.arange(1, channels + 1)[:, None]
            wave = 0.4 * np.sin(2 * np.pi * tones * seconds).astype(np.float32)
            block = av.AudioFrame.from_ndarray(wave.astype(np.float32), format="fltp", layout=layout)
            block.sample_rate, block.time_base, block.pts = RATE_HZ, Fraction(1, RATE_HZ), sound_start
            resampler = av.AudioResampler(
                track.codec_context.format, layout, RATE_HZ, track.frame_size or 1024
            )
            for part in [*resampler.resample(block), *resampler.resample(None)]:
                container.mux(track.encode(part))
            container.mux(track.encode(None))
    return path


class TestSound:
    def test_a_codec_that_ffmpeg_does_not_know_is_named_and_the_others_kept(self, tmp_path: Path):
        source = write_film(tmp_path / "phone.mp4", ["aac", "aac"])
        data = source.read_bytes()
        box = data.rindex(b"esds")
        entry = data.rindex(b"mp4a", 0, box)
        source.write_bytes(data[:entry] + b"apac" + data[entry + 4 : box] + b"dapa" + data[box + 4 :])
        target = tmp_path / "out.mp4"
        assert plan_tracks(source, target, H264.endings).lines == (
            "Sound track 2 of phone.mp4 is left out: FFmpeg does not know its codec.",
        )
        rewritten(source, target, H264, [(0, 6)])
        assert sound_packets(target) == sound_packets(source)
        with av.open(str(target)) as container:
            assert len(container.streams.audio) == 1

    @pytest.mark.parametrize("ending", [".avi", ".mkv"])
    @pytest.mark.parametrize("codec", ["pcm_s16le", "pcm_s24le"])
    def test_pcm_without_a_layout_goes_into_mp4(self, tmp_path: Path, ending: str, codec: str):
        source = write_film(tmp_path / f"in{ending}", [codec])
        rewritten(source, tmp_path / "out.mp4", H264, [(0, 6)])
        assert samples_of(source).shape == (2, RATE_HZ // 4)
        assert np.array_equal(samples_of(tmp_path / "out.mp4"), samples_of(source))

    @pytest.mark.parametrize(
        ("sounds", "ending", "message"),
        [
            (["pcm_u8"], ".mp4", "the sound of in.mkv, which is pcm_u8; .* ends in .mov or .mkv."),
            (["flac"], ".mov", "the sound of in.mkv, which is flac; .* ends in .mp4 or .mkv."),
            (["aac", "pcm_u8"], ".mp4", r"\(track 1 aac, track 2 pcm_u8\); .* ends in .mov or .mkv."),
        ],
    )
    def test_a_refusal_names_the_endings_that_hold_it(
        self, tmp_path: Path, sounds: list[str], ending: str, message: str
    ):
        source = write_film(tmp_path / "in.mkv", sounds)
        with pytest.raises(ValueError, match=message):
            plan_tracks(source, tmp_path / f"out{ending}", H264.endings)
        for other in {".mp4", ".mov", ".mkv"} - {ending}:
            if other in message:
                target = tmp_path / f"out{other}"
                rewritten(source, target, H264, [(0, 6)])
                with av.open(str(target)) as container:
                    assert len(container.streams.audio) == len(sounds)
                last = len(sounds) - 1
                assert np.array_equal(samples_of(target, last), samples_of(source, last))

    def test_the_usual_ending_or_the_next_that_holds_the_sound(self, tmp_path: Path):
        eight_bit = write_film(tmp_path / "u8.mkv", ["pcm_u8"])
        flac = write_film(tmp_path / "flac.mkv", ["flac"])
        assert ending_for_sound(eight_bit, H264.endings) == ".mov"
        assert ending_for_sound(flac, H264.endings) == ".mp4"
        assert ending_for_sound(flac, Encoding("prores").endings) == ".mkv"
        assert plan_tracks(eight_bit, tmp_path / "out.mov", H264.endings).lines == (
            "Written as .mov: .mp4 cannot hold the sound of u8.mkv, which is pcm_u8.",
        )

    def test_the_tracks_that_are_pcm_are_named(self, tmp_path: Path):
        source = write_film(tmp_path / "in.mkv", ["aac", "pcm_s16le", "flac"])
        assert plan_tracks(source, tmp_path / "out.mp4", H264.endings).lines == (
            "Sound track 2 of in.mkv is PCM and stays so; many players do not play that in .mp4.",
        )

    def test_what_no_file_holds_is_stored_sample_for_sample(self, tmp_path: Path):
        source = write_film(tmp_path / "in.avi", ["adpcm_ms"])
        target = tmp_path / "out.mp4"
        assert ending_for_sound(source, H264.endings) == ".mp4"
        assert plan_tracks(source, target, H264.endings).lines == (
            "Sound track 1 of in.avi is adpcm_ms, which .mp4 cannot hold; it is stored as pcm_s16le, sample "
            "for sample.",
        )
        rewritten(source, target, H264, [(0, 6)])
        assert np.array_equal(samples_of(target), samples_of(source))

    def test_an_empty_track_is_left_out(self, tmp_path: Path):
        source = write_film(tmp_path / "in.ts")
        data = source.read_bytes()
        packets = [data[i : i + 188] for i in range(0, len(data), 188)]
        # The second elementary stream of FFmpeg's transport streams has the number 257 (ISO/IEC 13818-1).
        source.write_bytes(b"".join(p for p in packets if (p[1] & 0x1F) << 8 | p[2] != 257))
        plan = plan_tracks(source, tmp_path / "out.mp4", H264.endings)
        assert plan.lines == ("Sound track 1 of in.ts is empty and left out.",)
        rewritten(source, tmp_path / "out.mp4", H264, [(0, 6)])
        assert sound_packets(tmp_path / "out.mp4") == []

    def test_damaged_sound_costs_its_packets(self, tmp_path: Path):
        source = write_film(tmp_path / "recording.ts")
        data = bytearray(source.read_bytes())
        headers = [i for i in range(len(data) - 1) if data[i] == 0xFF and data[i + 1] & 0xF6 == 0xF0]
        whole = len(sound_packets(source))
        # The mark with which a packet of AAC begins, of the first and of one in the middle.
        for place in (headers[0], headers[len(headers) // 2]):
            data[place] = 0
        source.write_bytes(data)
        lines = joined(source, tmp_path / "out.mp4", H264, [(0, 6)])
        kept = len(sound_packets(tmp_path / "out.mp4"))
        assert whole - 4 <= kept < whole
        for line in lines:
            assert line.endswith("of sound or other tracks of recording.ts left out, being damaged.")

    def test_all_channels_of_all_tracks(self, tmp_path: Path):
        source = write_film(tmp_path / "in.mp4", ["aac", "alac"], channels=6)
        rewritten(source, tmp_path / "out.mov", H264, [(0, 3), (3, 6)])
        with av.open(str(tmp_path / "out.mov")) as container:
            tracks = container.streams.audio
            assert [(t.codec_context.name, t.codec_context.channels) for t in tracks] == [
                ("aac", 6),
                ("alac", 6),
            ]
        for track in range(2):
            assert np.array_equal(samples_of(tmp_path / "out.mov", track), samples_of(source, track))


class TestSync:
    """Between picture and sound, and samples: within one frame of sound (1024 samples), mostly exact."""

    @pytest.mark.parametrize(
        ("source", "target"),
        [
            ("in.mp4", "out.mp4"),
            ("in.mp4", "out.mkv"),
            ("in.mkv", "out.mp4"),
            ("in.mkv", "out.mkv"),
            ("in.ts", "out.mp4"),
        ],
    )
    @pytest.mark.parametrize(("sound_start", "picture_start"), [(0, 0), (24000, 0), (0, 12)])
    def test_lead_of_the_sound(
        self, tmp_path: Path, source: str, target: str, sound_start: int, picture_start: int
    ):
        given = write_film(tmp_path / source, sound_start=sound_start, picture_start=picture_start)
        made = tmp_path / target
        rewritten(given, made, H264, [(0, 6)])
        leads = [start_of_sound(path) - float(times_of(path)[0]) for path in (given, made)]
        # MP4 skips the 1024 samples with which the encoder begins, Matroska does not: 21.3 ms.
        assert leads[1] == pytest.approx(leads[0], abs=1024 / RATE_HZ + 0.001)
        count = samples_of(given).shape[1]
        assert abs(samples_of(made).shape[1] - count) <= 1024
        if source[-3:] == target[-3:]:
            # MP4 says when a track begins in units of the picture's time.
            assert leads[1] == pytest.approx(leads[0], abs=1e-4)
            assert np.array_equal(samples_of(made), samples_of(given))

    @pytest.mark.parametrize("ending", [".mp4", ".mkv"])
    def test_what_an_edit_list_hides_stays_hidden(self, tmp_path: Path, ending: str):
        """A phone trims by an edit list: the film begins where it says, after two frames of picture here."""
        source = write_film(tmp_path / "in.mp4")
        data = bytearray(source.read_bytes())
        place = -1
        for rate_hz in (12288, RATE_HZ):
            place = data.index(b"elst", place + 1)
            (begins,) = struct.unpack(">i", data[place + 16 : place + 20])
            data[place + 16 : place + 20] = struct.pack(">i", begins + rate_hz // 12)
        source.write_bytes(data)
        target = tmp_path / f"out{ending}"
        rewritten(source, target, H264, [(0, 4)])
        # Matroska cannot hide the packet that is cut and the one before it, so the film begins with them.
        start_up_s = 0 if ending == ".mp4" else 2 * 1024 / RATE_HZ
        assert 0 <= float(times_of(target)[0]) <= start_up_s + 1e-3
        # Of 12000 samples 4000 are hidden, by packets of 1024 and a start of one packet.
        assert 8000 <= samples_of(target).shape[1] <= 8000 + 3 * 1024
        assert start_of_sound(target) == pytest.approx(0, abs=1e-3)

    def test_the_priming_of_aac_is_skipped_as_before(self, tmp_path: Path):
        source = write_film(tmp_path / "in.mp4")
        rewritten(source, tmp_path / "out.mp4", H264, [(0, 6)])
        first = sound_packets(tmp_path / "out.mp4")[0]
        assert first[1] == Fraction(-1024, RATE_HZ)
        assert start_of_sound(tmp_path / "out.mp4") == 0

    def test_milliseconds_become_samples_again(self, tmp_path: Path):
        source = write_film(tmp_path / "in.mkv")
        rewritten(source, tmp_path / "out.mp4", H264, [(0, 6)])
        starts = [start for _, start in sound_packets(tmp_path / "out.mp4")]
        assert {b - a for a, b in pairwise(starts)} == {Fraction(1024, RATE_HZ)}

    def test_sound_of_joined_streams_goes_on_with_the_picture(self, tmp_path: Path):
        """Two recordings put together byte by byte: the clock of the second starts again."""
        single = write_film(tmp_path / "in.ts")
        source = tmp_path / "joined.ts"
        source.write_bytes(2 * single.read_bytes())
        rewritten(source, tmp_path / "out.mp4", H264, [(0, 12)])
        sounds = [float(time) for _, time in sound_packets(tmp_path / "out.mp4")]
        pictures = [float(time) for time in times_of(tmp_path / "out.mp4")]
        assert pictures[6] - pictures[0] == pytest.approx(6 / 24, abs=1e-3)
        half = len(sounds) // 2
        # The first packets of the second half overlap the last of the first, and are put behind them.
        for number in range(3, half):
            lead = sounds[number] - pictures[0]
            assert sounds[half + number] - pictures[6] == pytest.approx(lead, abs=1e-3)

    @pytest.mark.parametrize(
        ("name", "picture", "sound"), [("in.ts", "mpeg4", "aac"), ("in.vob", "mpeg2video", "mp2")]
    )
    def test_transport_and_program_streams_begin_at_nought(
        self, tmp_path: Path, name: str, picture: str, sound: str
    ):
        source = write_film(
            tmp_path / name, [sound], picture_start=240, sound_start=10 * RATE_HZ, codec=picture
        )
        rewritten(source, tmp_path / "out.mp4", H264, [(0, 6)])
        assert start_of_sound(source) > 9
        # The sound is the first to begin, with what it starts up with.
        assert sound_packets(tmp_path / "out.mp4")[0][1] == 0
        lead = start_of_sound(source) - times_of(source)[0]
        assert float(times_of(tmp_path / "out.mp4")[0]) == pytest.approx(-lead, abs=1e-4)


CHAPTERS = [
    {"id": 1, "start": 0, "end": 100, "time_base": Fraction(1, 1000), "metadata": {"title": "One"}},
    {"id": 2, "start": 100, "end": 250, "time_base": Fraction(1, 1000), "metadata": {"title": "Zwei"}},
]
ASS_HEADER = b"""[Script Info]
ScriptType: v4.00+
[V4+ Styles]
Format: Name, Fontname, Fontsize, PrimaryColour, Bold
Style: Default,Arial,16,&Hffffff,0
[Events]
Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text
"""


def with_all(film: Path, path: Path, subtitles: str) -> Path:
    """Copy a film with subtitles, chapters, a cover letter of metadata and, in MKV, a font."""
    options = {"movflags": "use_metadata_tags"} if path.suffix != ".mkv" else {}
    with av.open(str(film)) as given, av.open(str(path), "w", options=options) as made:
        targets = {s.index: made.add_stream_from_template(s, opaque=True) for s in given.streams}
        texts: Any = made.add_stream(subtitles)
        texts.codec_context.subtitle_header = ASS_HEADER
        texts.metadata.update(language="deu", title="Untertitel")
        targets[1].metadata.update(language="fra", title="Commentaire")
        targets[1].disposition = 1 + 8
        made.metadata.update(creation_time="2024-05-01T10:00:00.000000Z", make="Apple", title="Holiday")
        made.set_chapters(CHAPTERS)
        if path.suffix == ".mkv":
            made.add_attachment("font.ttf", "font/ttf", b"glyphs")
        packets = [packet for packet in given.demux() if packet.size]
        for number, text in enumerate(("Hallo", "schräg")):
            stored = text.encode()
            if subtitles == "mov_text":
                stored = len(stored).to_bytes(2, "big") + stored
            packet = av.Packet(len(stored))
            packet.update(stored)
            packet.time_base, packet.duration = Fraction(1, 1000), 50
            packet.pts = packet.dts = 100 * number
            packet.stream, packet.is_keyframe = texts, True
            made.mux(packet)
        for packet in packets:
            packet.stream = targets[packet.stream.index]
            made.mux(packet)
    return path


def subtitles_of(path: Path) -> list[tuple[float, float, str]]:
    """Start and length in seconds, and text, of each subtitle."""
    in_mp4 = path.suffix != ".mkv"
    with av.open(str(path)) as container:
        found = []
        for packet in container.demux(container.streams.subtitles[0]):
            # MP4 fills the time between two with empty ones, and has the length of a text before it.
            if packet.size > 2:
                start, length = packet.pts * packet.time_base, packet.duration * packet.time_base
                text = bytes(packet)[2 if in_mp4 else 0 :].decode()
                found.append((float(start), float(length), text))
    return found


class TestBesideTheSound:
    @pytest.mark.parametrize(
        ("source", "subtitles", "target", "encoding"),
        [
            ("in.mkv", "subrip", "out.mkv", MASTER),
            ("in.mkv", "subrip", "out.mp4", H264),
            ("in.mp4", "mov_text", "out.mov", H264),
            ("in.mp4", "mov_text", "out.mkv", MASTER),
        ],
    )
    def test_subtitles_chapters_and_words_are_kept(
        self, tmp_path: Path, source: str, subtitles: str, target: str, encoding: Encoding
    ):
        given = with_all(write_film(tmp_path / "film.mp4", ["alac"]), tmp_path / source, subtitles)
        made = tmp_path / target
        rewritten(given, made, encoding, [(0, 6)])
        assert subtitles_of(made) == [(0.0, 0.05, "Hallo"), (0.1, 0.05, "schräg")]
        with av.open(str(made)) as container:
            metadata = {key.lower(): value for key, value in container.metadata.items()}
            assert metadata["creation_time"].startswith("2024-05-01T10:00:00")
            assert (metadata["make"], metadata["title"]) == ("Apple", "Holiday")
            chapters = container.chapters()
            assert [chapter["metadata"]["title"] for chapter in chapters] == ["One", "Zwei"]
            assert float(chapters[1]["start"] * chapters[1]["time_base"]) == pytest.approx(0.1, abs=1e-4)
            sound = container.streams.audio[0]
            if target != "out.mov":  # QuickTime has no codes of ISO languages.
                assert sound.metadata["language"] == "fra"
            if made.suffix == given.suffix == ".mkv":
                assert sound.metadata["title"] == "Commentaire"
            attached = [s for s in container.streams if s.type == "attachment"]
            assert len(attached) == (source[-3:] == target[-3:] == "mkv")

    def test_what_is_left_out_or_changed_is_said(self, tmp_path: Path):
        source = with_all(write_film(tmp_path / "film.mp4"), tmp_path / "in.mkv", "subrip")
        plan = plan_tracks(source, tmp_path / "out.mp4", H264.endings)
        assert plan.lines == (
            "Subtitles 1 of in.mkv are srt, which .mp4 cannot hold; they are stored as mov_text: texts and "
            "times stay, not all styles.",
            "Other tracks of in.mkv are left out: 1 x attachment (font.ttf).",
        )
        assert plan_tracks(source, tmp_path / "out.mkv", H264.endings).lines == ()

    def test_data_of_cameras(self, tmp_path: Path):
        """A track of a GoPro (gpmd) goes into MP4, one of a phone (mebx) does not."""
        source = with_all(write_film(tmp_path / "film.mp4"), tmp_path / "in.mp4", "mov_text")
        data = source.read_bytes().replace(b"sbtl", b"meta")
        for tag, held in ((b"gpmd", True), (b"mebx", False)):
            source.write_bytes(data.replace(b"tx3g", tag))
            plan = plan_tracks(source, tmp_path / "out.mp4", H264.endings)
            assert plan.copied == ((1, 2) if held else (1,))
            rewritten(source, tmp_path / "out.mp4", H264, [(0, 6)])
            left_out = ("Other tracks of in.mp4 are left out: 1 x data (SubtitleHandler).",)
            assert plan.lines == (() if held else left_out)


def with_time_code(path: Path, text: str, times: Sequence[int], rate: Fraction) -> Path:
    """Grey frames with a time code, each at a multiple of a frame's length."""
    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream("mpeg4", rate=rate)
        stream.width, stream.height, stream.pix_fmt = 32, 32, "yuv420p"
        stream.metadata["timecode"] = text
        for time in times:
            frame = av.VideoFrame.from_ndarray(np.full((32, 32, 3), 99, np.uint8), format="rgb24")
            frame.pts, frame.time_base = time, 1 / rate
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


WRITES_TIME_CODES = pytest.mark.skipif(pyav_major() < 18, reason="PyAV before 18 writes no time codes")


@WRITES_TIME_CODES
class TestTimeCodesThatDoNotFit:
    def test_more_frames_a_second_than_it_counts(self, tmp_path: Path):
        source = with_time_code(tmp_path / "in.mkv", "01:02:03:04", range(6), Fraction(300))
        for ending, held in ((".mp4", False), (".mkv", True)):
            output = tmp_path / f"out{ending}"
            plan = plan_tracks(source, output, H264.endings)
            assert bool(plan.time_code) == held
            assert len(plan.lines) == (not held)
            rewritten(source, output, H264, [(0, 6)])
            with av.open(str(output)) as container:
                metadata = {key.lower(): word for key, word in container.streams.video[0].metadata.items()}
            assert metadata.get("timecode") == ("01:02:03:04" if held else None)

    def test_dropped_numbers_at_another_rate(self, tmp_path: Path):
        """A frame is missing: on average that is not the rate at which numbers are dropped."""
        source = with_time_code(
            tmp_path / "in.mov", "01:02:03;04", [0, 1, 2, 4, 5, 6, 7, 8], Fraction(30000, 1001)
        )
        (line,) = plan_tracks(source, tmp_path / "out.mov", H264.endings).lines
        assert line.startswith(
            "The time code 01:02:03;04 of in.mov is left out: .mov cannot hold it at 26.64"
        )

    def test_raw_dv(self, tmp_path: Path):
        """FFmpeg says that it has 60,000 frames a second."""
        source = tmp_path / "in.dv"
        with av.open(str(source), "w") as container:
            stream: Any = container.add_stream("dvvideo", rate=25)
            stream.width, stream.height, stream.pix_fmt = 720, 576, "yuv420p"
            for _ in range(4):
                frame = av.VideoFrame.from_ndarray(np.full((576, 720, 3), 99, np.uint8), format="rgb24")
                container.mux(stream.encode(frame))
            container.mux(stream.encode(None))
        assert VideoFile(source).format.frame_rate == 25
        rewritten(source, tmp_path / "out.mp4", H264, [(0, 4)])
        with av.open(str(tmp_path / "out.mp4")) as container:
            assert container.streams.video[0].average_rate == 25
            assert container.streams.video[0].metadata["timecode"] == "00:00:00:00"


@WRITES_TIME_CODES
def test_the_time_code_is_kept_once(tmp_path: Path):
    film = write_film(tmp_path / "film.mov")
    source = tmp_path / "in.mov"
    with av.open(str(film)) as given, av.open(str(source), "w") as made:
        targets = {s.index: made.add_stream_from_template(s, opaque=True) for s in given.streams}
        targets[0].metadata["timecode"] = "01:02:03:04"
        for packet in given.demux():
            if packet.size:
                packet.stream = targets[packet.stream.index]
                made.mux(packet)
    assert plan_tracks(source, tmp_path / "out.mov", H264.endings).lines == ()
    rewritten(source, tmp_path / "out.mov", H264, [(0, 6)])
    with av.open(str(tmp_path / "out.mov")) as container:
        assert [s.type for s in container.streams] == ["video", "audio", "data"]
        assert container.streams[2].metadata["timecode"] == "01:02:03:04"
