"""Load Image Sequence in a real host: light beyond white from OpenEXR through both ways to a lens."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import OpenEXR
import pytest

from tests.host.harness import Graph, HostUnderTest, file_in
from tests.host.schema import choices_of

NODE = "AnyToBokehLoadSequence"
HEIGHT, WIDTH, COUNT, RADIUS_PX = 24, 32, 3, 4.0
DISK = 50 / (math.pi * RADIUS_PX**2)


@pytest.fixture(scope="module")
def plates(host: HostUnderTest) -> str:
    """Pictures with a lamp of 50 in the dark, one of them with a pixel that is no number."""
    folder = Path(host.input_dir) / "plates"
    folder.mkdir()
    for t in range(COUNT):
        picture = np.zeros((HEIGHT, WIDTH, 3), np.float32)
        picture[12, 16] = 50
        if t == 1:
            picture[2, 2, 0] = np.nan
        header = {"compression": OpenEXR.ZIP_COMPRESSION, "type": OpenEXR.scanlineimage}
        OpenEXR.File(header, {"RGB": picture}).write(str(folder / f"shot.{t}.exr"))
    np.save(Path(host.input_dir) / "plates_depth.npy", np.zeros((1, HEIGHT, WIDTH), np.float32))
    return folder.name


def test_light_goes_from_folder_to_folder(host: HostUnderTest, plates: str):
    assert f"{plates}/" in choices_of(host, NODE, "folder")
    graph = Graph()
    video = graph.add(NODE, folder=f"{plates}/", frame_rate=25.0)
    made = graph.add(
        "AnyToBokehVideo",
        video=video,
        disparity_path="plates_depth.npy",
        normalisation="none",
        focus_at="1",
        strength=str(RADIUS_PX * 1024 / WIDTH),
        codec="exr-float",
        black_bars="blur too",
    )
    report = host.save(graph, made[1])
    text = host.run(graph).probes[report.id]
    folder = file_in(text)
    pictures = sorted(folder.glob("shot.*.exr"))
    assert len(pictures) == COUNT
    with OpenEXR.File(str(pictures[0])) as file:
        pixels = file.channels()["RGB"].pixels
    assert pixels[12, 16].tolist() == pytest.approx([DISK] * 3, rel=0.02)
    assert "up to 50 times white" in text
    assert "Warning: 1 pixels of 1 frames were NaN" in text


def test_frames_in_memory_keep_their_light(host: HostUnderTest, plates: str):
    graph = Graph()
    video = graph.add(NODE, path=f"{plates}/shot.#.exr")
    frames = graph.add("GetVideoComponents", video=video)
    disparity = graph.add(
        "AnyToBokehLoadDisparity", path="plates_depth.npy", frames=frames[0], normalisation="none"
    )
    focus = graph.add("AnyToBokehFocusAtValue", disparity=disparity[0], focal_disparity=1.0)
    strength = graph.add("AnyToBokehBlurStrength", mode="constant", strength=RADIUS_PX * 1024 / WIDTH)
    blurred = graph.add(
        "AnyToBokehLensBlur",
        frames=frames[0],
        disparity=disparity[0],
        focus=focus[0],
        blur_strength=strength[0],
        black_bars="blur too",
        transfer="linear",
        bad_pixels="replace",
    )
    picture, report = host.save(graph, blurred[0]), host.save(graph, blurred[1])
    result = host.run(graph)
    assert result.probes[picture.id][0, 12, 16].tolist() == pytest.approx([DISK] * 3, rel=0.02)
    assert "up to 50 times white" in result.probes[report.id]
