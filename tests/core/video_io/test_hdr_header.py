"""Static HDR metadata in the header of a file, where pictures cannot carry it: what FFmpeg reads back."""

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest
import torch

from bokeh_core.video_io import EncodedPart, Encoding, PartWriter, VideoFile, VideoFormat, join_parts
from bokeh_core.video_io.codecs import CONTAINERS
from bokeh_core.video_io.colour import Colour
from bokeh_core.video_io.hdr import HdrMetadata
from bokeh_core.video_io.hdr_boxes import boxes_of, with_boxes
from bokeh_core.video_io.hdr_elements import elements_of, with_elements
from bokeh_core.video_io.tracks import TrackPlan

P3 = (34000, 16000, 13250, 34500, 7500, 3000, 15635, 16450)
LIT = (10_000_000, 50)
VIDEO = VideoFormat(
    32,
    16,
    Fraction(24),
    Fraction(1, 24),
    10,
    colour=Colour(matrix=9, sample_range=1, primaries=9, transfer=16),
)


def written(folder: Path, codec: str, ending: str, hdr: HdrMetadata | None) -> tuple[Path, Path]:
    """A part of two frames, and what it is joined to."""
    video = replace(VIDEO, hdr=hdr)
    part, joined = folder / f"part{ending}", folder / f"joined{ending}"
    frames = torch.linspace(0, 1, 2 * 16 * 32 * 3).view(2, 16, 32, 3)
    with PartWriter(part, CONTAINERS[ending], Encoding(codec), video) as writer:
        for frame in frames:
            writer.add(frame)
    parts = [EncodedPart(part, 0, 2, writer.reorder)]
    join_parts(parts, [0, 1], video, None, TrackPlan(), joined, CONTAINERS[ending])
    return part, joined


@pytest.mark.parametrize(("codec", "ending"), [("prores", ".mov"), ("prores", ".mkv"), ("ffv1", ".mkv")])
@pytest.mark.parametrize(
    "hdr",
    [
        HdrMetadata(P3, LIT, (1000, 400)),
        HdrMetadata((), (), (4000, 203)),
        HdrMetadata(P3, (40_000_000, 1), ()),
    ],
    ids=["both", "levels", "display"],
)
def test_metadata_and_pictures_are_read_back(tmp_path: Path, codec: str, ending: str, hdr: HdrMetadata):
    part, joined = (VideoFile(path) for path in written(tmp_path, codec, ending, hdr))
    # Parts count their frames in units of their own.
    rate, base = joined.format.frame_rate, joined.format.time_base
    assert joined.format == replace(part.format, hdr=hdr, frame_rate=rate, time_base=base)
    pictures = zip(part.frames(), joined.frames(), strict=True)
    assert [torch.equal(*both) for both in pictures] == [True, True]


def test_without_metadata_there_is_none(tmp_path: Path):
    _, joined = written(tmp_path, "prores", ".mov", None)
    assert VideoFile(joined).format.hdr is None


def test_boxes_of_quicktime():
    # Green, blue, red and white, each x and y, then the two lights; then the two levels, which end at 65535.
    mastering = "0000 0020 6d64 6376 33c2 86c4 1d4c 0bb8 84d0 3e80 3d13 4042 0098 9680 0000 0032"
    levels = "0000 000c 636c 6c69 ffff 0190"
    expected = bytes.fromhex(mastering) + bytes.fromhex(levels)
    assert boxes_of(HdrMetadata(P3, LIT, (70000, 400))) == expected


def test_elements_of_matroska():
    # Lengths of 8 bytes; levels of 4.
    assert elements_of(HdrMetadata((), (), (1000, 400))) == bytes.fromhex(
        "55bc 01 00000000000004 000003e8 55bd 01 00000000000004 00000190"
    )


def test_a_file_without_the_place_is_refused():
    with pytest.raises(ValueError, match="no box moov"):
        with_boxes(bytes.fromhex("0000000c") + b"ftypqt  ", b"")
    with pytest.raises(ValueError, match="no element 18538067"):
        with_elements(bytes.fromhex("1a45dfa3 80"), b"")
