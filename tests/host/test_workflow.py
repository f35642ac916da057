"""A workflow that was saved long ago, from a clip on disk to an mp4 on disk, the way a user runs it."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from devtools.client import Prompt
from devtools.demo import BUNDLED_CLIP
from devtools.prompt import to_prompt
from tests.host.harness import HostUnderTest, Result

PACK = Path(__file__).resolve().parents[2]
WORKFLOW = PACK / "tests" / "host" / "saved_workflows" / "lens_blur.json"
CLIP = PACK / "assets" / "motorcycle"

FRAME_COUNT = 5
FPS = 12
SAMPLE_RATE_HZ = 44100
TOP, LEFT = 160, 240  # of the crop, in the bundled clip

Frames = NDArray[np.uint8]


def read_video(path: Path) -> Frames:
    """Return the frames [T, H, W, 3] RGB of a video file."""
    with av.open(str(path)) as container:
        return np.stack([frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)])


def write_video(path: Path, frames: Frames, audio: NDArray[np.float32] | None = None) -> None:
    """Write frames [T, H, W, 3] and stereo audio [2, N] to an mp4; yuv444p, as 4:2:0 has no odd sizes."""
    with av.open(str(path), "w") as container:
        video = container.add_stream("libx264", rate=FPS, options={"crf": "1"})
        video.width, video.height, video.pix_fmt = frames.shape[2], frames.shape[1], "yuv444p"
        sound = None if audio is None else container.add_stream("aac", rate=SAMPLE_RATE_HZ, layout="stereo")
        for frame in frames:
            container.mux(video.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        container.mux(video.encode())
        if sound is not None and audio is not None:
            block = av.AudioFrame.from_ndarray(audio, format="fltp", layout="stereo")
            block.sample_rate = SAMPLE_RATE_HZ
            block.time_base = Fraction(1, SAMPLE_RATE_HZ)
            container.mux(sound.encode(block))
            container.mux(sound.encode())


def cropped_frames(height: int, width: int) -> Frames:
    """Return a crop [T, height, width, 3] of the bundled clip."""
    return read_video(BUNDLED_CLIP)[:FRAME_COUNT, TOP : TOP + height, LEFT : LEFT + width]


def write_cropped_disparity(folder: Path, height: int, width: int) -> None:
    """Write the same crop of the bundled disparity as a PNG sequence."""
    for file in sorted((CLIP / "disparity").iterdir())[:FRAME_COUNT]:
        stored: Any = cv2.imread(str(file), cv2.IMREAD_UNCHANGED)
        cv2.imwrite(str(folder / file.name), stored[TOP : TOP + height, LEFT : LEFT + width])


def tone() -> NDArray[np.float32]:
    """Return sines [2, N] as long as the clip: 440 Hz left and 660 Hz right, amplitudes 0.5 and 0.25."""
    seconds = np.arange(SAMPLE_RATE_HZ * FRAME_COUNT // FPS) / SAMPLE_RATE_HZ
    left, right = 0.5 * np.sin(2 * np.pi * 440 * seconds), 0.25 * np.sin(2 * np.pi * 660 * seconds)
    return np.stack([left, right]).astype(np.float32)


def prompt_for(host: HostUnderTest, video_name: str, disparity_name: str) -> Prompt:
    """Return the workflow as a prompt, its loaders pointed at files of the host's input folder."""
    prompt = to_prompt(json.loads(WORKFLOW.read_text(encoding="utf-8")), host.object_info())
    only_node(prompt, "LoadVideo")["inputs"]["file"] = video_name
    only_node(prompt, "AnyToBokehLoadDisparity")["inputs"]["path"] = disparity_name
    return prompt


def only_node(prompt: Prompt, class_type: str) -> dict[str, Any]:
    """Return the one node of a type."""
    return prompt[only_id(prompt, class_type)]


def only_id(prompt: Prompt, class_type: str) -> str:
    """Return the id of the one node of a type."""
    (node_id,) = [node_id for node_id, node in prompt.items() if node["class_type"] == class_type]
    return node_id


def run_on_crop(host: HostUnderTest, tmp_path: Path, height: int, width: int) -> tuple[Prompt, Result, Path]:
    """Run the workflow on a crop with sound; return the prompt, what it left, and the mp4 it saved."""
    folder = tmp_path / "disparity"
    folder.mkdir()
    write_cropped_disparity(folder, height, width)
    write_video(tmp_path / "clip.mp4", cropped_frames(height, width), tone())
    prompt = prompt_for(host, host.upload(tmp_path / "clip.mp4"), host.upload(folder))
    result = host.run(prompt)
    (saved,) = result.files[only_id(prompt, "SaveVideo")]
    return prompt, result, saved


@pytest.fixture(scope="module")
def finished(host: HostUnderTest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Prompt, Result, Path]:
    return run_on_crop(host, tmp_path_factory.mktemp("crop"), height=96, width=128)


def test_mp4_has_the_frames_size_and_rate_of_the_clip(finished: tuple[Prompt, Result, Path]):
    with av.open(str(finished[2])) as container:
        assert container.streams.video[0].average_rate == FPS
    assert read_video(finished[2]).shape == (FRAME_COUNT, 96, 128, 3)


def test_mp4_keeps_the_sound(finished: tuple[Prompt, Result, Path]):
    with av.open(str(finished[2])) as container:
        (stream,) = container.streams.audio
        assert stream.rate == SAMPLE_RATE_HZ
        heard = np.concatenate([frame.to_ndarray() for frame in container.decode(audio=0)], axis=1)
    # A sine of amplitude A has the mean square A^2 / 2; the codec pads the ends with silence.
    middle = heard[:, heard.shape[1] // 4 : 3 * heard.shape[1] // 4]
    assert np.mean(middle**2, axis=1) == pytest.approx([0.5**2 / 2, 0.25**2 / 2], rel=0.1)


def test_result_is_blurred_somewhere_and_sharp_in_focus(finished: tuple[Prompt, Result, Path]):
    before = cropped_frames(96, 128)[0]
    after = read_video(finished[2])[0]
    # Detail of a frame: energy of the Laplacian, by quarters; some quarter must lose most of it.
    detail = [[detail_of(quarter) for quarter in quarters(frame)] for frame in (before, after)]
    kept = np.array(detail[1]) / np.array(detail[0])
    assert kept.min() < 0.5
    assert before.mean() == pytest.approx(after.mean(), abs=6.0)


def detail_of(picture: Frames) -> float:
    """Return the mean squared Laplacian of a picture [H, W, 3]."""
    return float(np.mean(cv2.Laplacian(picture, cv2.CV_64F) ** 2))


def quarters(picture: Frames) -> list[Frames]:
    """Return the four quarters of a picture."""
    rows, columns = picture.shape[0] // 2, picture.shape[1] // 2
    return [
        part for half in (picture[:rows], picture[rows:]) for part in (half[:, :columns], half[:, columns:])
    ]


def test_previews_show_every_frame(finished: tuple[Prompt, Result, Path]):
    prompt, result, _ = finished
    previews = [node_id for node_id, node in prompt.items() if node["class_type"] == "PreviewImage"]
    assert len(previews) >= 2
    for node_id in previews:
        assert [picture.shape for picture in result.images[node_id]] == [(96, 128, 3)] * FRAME_COUNT


@pytest.mark.parametrize("size", [(33, 47), (64, 35), (1, 1)], ids=str)
def test_odd_sizes_come_out_as_they_went_in(host: HostUnderTest, tmp_path: Path, size: tuple[int, int]):
    # Core's Save Video takes even sizes only, so the frames are read before it.
    height, width = size
    folder = tmp_path / "disparity"
    folder.mkdir()
    write_cropped_disparity(folder, height, width)
    write_video(tmp_path / "odd.mp4", cropped_frames(height, width))
    prompt = prompt_for(host, host.upload(tmp_path / "odd.mp4"), host.upload(folder))
    # One pixel has no near and far to normalise between.
    only_node(prompt, "AnyToBokehLoadDisparity")["inputs"]["normalisation"] = "none"
    create_id = only_id(prompt, "CreateVideo")
    images = prompt[create_id]["inputs"]["images"]
    for node_id in (create_id, only_id(prompt, "SaveVideo")):
        del prompt[node_id]
    prompt["probe"] = {"class_type": "ProbeSave", "inputs": {"value": images, "name": host.unique_name()}}
    result = host.run(prompt)
    assert result.probes["probe"].shape == (FRAME_COUNT, height, width, 3)


def test_missing_clip_is_named(host: HostUnderTest):
    prompt = prompt_for(host, "no_such_clip.mp4", "no_such_disparity")
    failure = host.expect_error(prompt)
    assert "no_such_clip.mp4" in failure.message
