"""The steps of the model, as saved long ago, from a clip to an mp4 on disk, with a small random network."""

import json
from pathlib import Path

import pytest

from devtools.prompt import to_prompt
from tests.host.harness import HostUnderTest
from tests.host.small_checkpoint import write_checkpoints, write_clip
from tests.host.test_workflow import (
    FPS,
    cropped_frames,
    only_id,
    only_node,
    read_video,
    tone,
    write_cropped_disparity,
    write_video,
)

WORKFLOW = Path(__file__).parent / "saved_workflows" / "any_to_bokeh.json"
HEIGHT, WIDTH = 80, 112


@pytest.mark.slow
def test_workflow_renders_a_clip(host: HostUnderTest, tmp_path: Path):
    folder = tmp_path / "disparity"
    folder.mkdir()
    write_cropped_disparity(folder, HEIGHT, WIDTH)
    frames = cropped_frames(HEIGHT, WIDTH)
    write_video(tmp_path / "clip.mp4", frames, tone())
    unet, vae = write_checkpoints(host.process.base / "models" / "any_to_bokeh" / "of_workflow")
    write_clip(host.input_dir, "clip_of_workflow")

    prompt = to_prompt(json.loads(WORKFLOW.read_text(encoding="utf-8")), host.object_info())
    only_node(prompt, "LoadVideo")["inputs"]["file"] = host.upload(tmp_path / "clip.mp4")
    only_node(prompt, "AnyToBokehLoadDisparity")["inputs"]["path"] = host.upload(folder)
    root = host.process.base / "models" / "any_to_bokeh"
    only_node(prompt, "AnyToBokehLoadModel")["inputs"].update(
        unet=unet.relative_to(root).as_posix(), vae=vae.relative_to(root).as_posix()
    )
    prompt[only_id(prompt, "CLIPVisionLoader")] = {
        "class_type": "ProbeClipVision",
        "inputs": {"name": "clip_of_workflow"},
    }
    result = host.run(prompt)

    (saved,) = result.files[only_id(prompt, "SaveVideo")]
    assert read_video(saved).shape == frames.shape
    (report,) = result.outputs[only_id(prompt, "PreviewAny")]["text"]
    assert f"{len(frames)} frames of {WIDTH} x {HEIGHT} px" in report
    assert frame_rate(saved) == FPS


def frame_rate(path: Path) -> float:
    import av

    with av.open(str(path)) as container:
        return float(container.streams.video[0].average_rate)
