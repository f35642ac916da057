"""`dev.py demo`: the lens blur workflow in a real ComfyUI, from a clip to an mp4 and a contact sheet."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import webbrowser
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bokeh_core.console import advance, progress_bar

from .client import ConnectionLost, HostClient, Prompt, PromptFailed, Run
from .depth_model import HOST_FOLDER, REPOSITORY, lend_depth_model
from .environment import PACK, VENV, ensure_picture_environment, fail, lend_packages, log
from .host import PACK_NAME, HostFailed, HostProcess, locate_host, prepare_base
from .prompt import WorkflowError, to_prompt

# Nodes that show a video of their own -> its label in the contact sheet.
PREVIEWS = {"AnyToBokehFocusPreview": "focus preview"}
WORKFLOW = PACK / "example_workflows" / "2_lens_blur_with_focus_preview.json"
BUNDLED_CLIP = PACK / "web" / "clips" / "motorcycle.mp4"
BUNDLED_DISPARITY = PACK / "assets" / "motorcycle" / "disparity"
BUNDLED_DISPARITY_NAME = "motorcycle_disparity"
OUTPUT = PACK / "output"
BASE = VENV / "demo"

NO_DISPARITY = f"""--video without --disparity needs a depth model, and none is in place.
Here nothing is downloaded. Free ways to depth:
  - Depth Anything V2 Small (99 MB, Apache-2.0): put config.json, preprocessor_config.json and
    model.safetensors of {REPOSITORY} into
    {BASE / HOST_FOLDER / "small"} and give this command again
  - the same without ComfyUI, fetched once because it is named:
    python -m bokeh_core.render CLIP --disparity estimate --depth-model {REPOSITORY} -o OUT.mp4
  - in ComfyUI, from ComfyUI-Manager: ComfyUI-DepthAnythingV2, ComfyUI-DepthCrafter-Nodes or
    ComfyUI-Video-Depth-Anything; save their images as PNG, or connect them to "Disparity from Images"
  - on the command line: Video Depth Anything or DepthCrafter, which keep depth steady over time
Then: python dev.py demo --video CLIP --disparity FOLDER_OR_FILE"""


@dataclass(frozen=True)
class Clip:
    """A clip and its disparity on disk, None if it is estimated; their names in the input folder."""

    video: Path
    disparity: Path | None
    video_name: str
    disparity_name: str

    @property
    def is_bundled(self) -> bool:
        """Whether it is the clip that the workflow shows already."""
        return self.video == BUNDLED_CLIP


def run_demo(video: Path | None, disparity: Path | None, keep_open: bool) -> int:
    """Run the demo and return its exit code."""
    clip = chosen_clip(video, disparity)
    if clip.disparity is None and not lend_depth_model(BASE):
        raise fail(NO_DISPARITY)
    workflow = with_clip(json.loads(WORKFLOW.read_text(encoding="utf-8")), clip)
    install = locate_host()
    picture_python = ensure_picture_environment()
    lend_packages(picture_python)
    prepare_base(BASE)
    put_into_input(clip)
    log(f"Starting ComfyUI from {install.folder}")
    try:
        with HostProcess(install, BASE) as host:
            client = HostClient(host.url)
            prompt = to_prompt(workflow, client.object_info())
            run = client.run(prompt, timeout_s=3600.0, on_event=ProgressLine(prompt))
            deliver(clip, prompt, run, client, picture_python)
            if keep_open:
                leave_open(host, workflow, clip)
    except (HostFailed, WorkflowError) as error:
        raise fail(str(error)) from error
    except (PromptFailed, ConnectionLost) as error:
        raise fail(f"{error}\nThe host's log: {BASE / 'host.log'}") from error
    return 0


def chosen_clip(video: Path | None, disparity: Path | None) -> Clip:
    """Return the clip to run: the user's if named, else the bundled one."""
    if video is None and disparity is None:
        return Clip(BUNDLED_CLIP, BUNDLED_DISPARITY, BUNDLED_CLIP.name, BUNDLED_DISPARITY_NAME)
    if video is None:
        raise fail("--disparity needs --video, the clip it belongs to.")
    for path in (video, disparity):
        if path is not None and not path.exists():
            raise fail(f"There is no {path.absolute()}")
    if disparity is None:
        return Clip(video.resolve(), None, video.name, "")
    # A folder and a clip may share their stem; so may the user's disparity and the bundled one.
    return Clip(
        video.resolve(), disparity.resolve(), video.name, f"disparity_of_{video.stem}{disparity.suffix}"
    )


def with_clip(workflow: dict[str, Any], clip: Clip) -> dict[str, Any]:
    """Return the workflow with loaders of the clip in place of the example; the example needs none."""
    if clip.is_bundled:
        return workflow
    nodes = {node["type"]: node for node in workflow["nodes"]}
    example, create = nodes["AnyToBokehExampleClip"], nodes["CreateVideo"]
    video, parts, disparity = (workflow["last_node_id"] + i for i in (1, 2, 3))
    workflow["nodes"].remove(example)
    left, top = example["pos"]
    workflow["nodes"] += [
        _node(video, "LoadVideo", [left - 700, top], ["file"], ["VIDEO"], [clip.video_name, "image"]),
        _node(parts, "GetVideoComponents", [left - 350, top], ["video"], ["IMAGE", "AUDIO", "FLOAT"], []),
        _depth_node(disparity, clip, [left, top]),
    ]
    by_slot = {1: (disparity, 0), 2: (parts, 0)}
    for link in workflow["links"]:
        if link[1] == example["id"]:
            link[1], link[2] = by_slot[link[2]]
    names = [socket["name"] for socket in create["inputs"]]
    for origin, slot, target, socket, kind in (
        (video, 0, parts, 0, "VIDEO"),
        (parts, 0, disparity, 0, "IMAGE"),
        (parts, 1, create["id"], names.index("audio"), "AUDIO"),
        (parts, 2, create["id"], names.index("fps"), "FLOAT"),
    ):
        workflow["last_link_id"] += 1
        workflow["links"].append([workflow["last_link_id"], origin, slot, target, socket, kind])
    workflow["last_node_id"] = disparity
    return _with_links_in_sockets(workflow)


def _depth_node(node_id: int, clip: Clip, position: list[int]) -> dict[str, Any]:
    """What brings the clip's depth; its first input is the frames, its first output the disparity."""
    outputs = ["DISPARITY", "IMAGE", "STRING"]
    if clip.disparity is None:
        return _node(node_id, "AnyToBokehEstimateDisparity", position, ["frames"], outputs, [])
    names = ["frames", "path"]
    return _node(node_id, "AnyToBokehLoadDisparity", position, names, outputs, [clip.disparity_name])


def _node(
    node_id: int, kind: str, position: list[int], inputs: list[str], outputs: list[str], values: list[Any]
) -> dict[str, Any]:
    return {
        "id": node_id,
        "type": kind,
        "pos": position,
        "size": [300, 200],
        "mode": 0,
        "inputs": [{"name": name, "type": "*", "link": None} for name in inputs],
        "outputs": [{"name": name, "type": name, "links": []} for name in outputs],
        "properties": {},
        "widgets_values": values,
    }


def _with_links_in_sockets(workflow: dict[str, Any]) -> dict[str, Any]:
    """Write the links at both of their ends, too, as the front end expects them."""
    nodes = {node["id"]: node for node in workflow["nodes"]}
    for node in workflow["nodes"]:
        for output in node["outputs"]:
            output["links"] = []
    for link_id, origin, slot, target, socket, kind in workflow["links"]:
        nodes[origin]["outputs"][slot]["links"].append(link_id)
        nodes[target]["inputs"][socket].update(link=link_id, type=kind)
    return workflow


def put_into_input(clip: Clip) -> None:
    """Copy a clip of the user's and its disparity to where the workflow's loaders look."""
    if clip.is_bundled:
        return
    for source, name in ((clip.video, clip.video_name), (clip.disparity, clip.disparity_name)):
        if source is None:
            continue
        target = BASE / "input" / name
        if target.is_dir():
            shutil.rmtree(target)
        if source.is_dir():
            shutil.copytree(source, target)
        else:
            shutil.copyfile(source, target)


class ProgressLine:
    """Follows a run: a line for each node, and a bar for one that tells how far it is."""

    def __init__(self, prompt: Prompt) -> None:
        self._types = {node_id: node["class_type"] for node_id, node in prompt.items()}
        self._bar: Any = None

    def __call__(self, kind: str, data: dict[str, Any]) -> None:
        """Take one of the host's messages."""
        if kind == "progress":
            if self._bar is None:
                node_type = self._types[data["node"]]
                self._bar = progress_bar(f"  {node_type}", "step", data["max"], stream=sys.stdout)
            advance(self._bar, data["value"], data["max"])
        elif kind.startswith("execut") and self._bar is not None:
            self._bar.close()
            self._bar = None
        if kind == "executing" and data.get("node") is not None:
            log(f"  {self._types[data['node']]}")
        elif kind == "execution_success":
            log("  done")


def deliver(clip: Clip, prompt: Prompt, run: Run, client: HostClient, python: Path) -> None:
    """Put the finished mp4 and the contact sheet into output/ and say where they are."""
    OUTPUT.mkdir(exist_ok=True)
    stem = clip.video.stem
    result = OUTPUT / f"{stem}_lens_blur.mp4"
    sheet = OUTPUT / f"{stem}_contact_sheet.png"
    (video_node,) = [node_id for node_id, node in prompt.items() if node["class_type"] == "SaveVideo"]
    (video_file,) = run.files_of(video_node)
    result.write_bytes(client.download(video_file))
    with tempfile.TemporaryDirectory() as folder:
        columns = [f"input={clip.video}"]
        for node_id, node in prompt.items():
            if label := PREVIEWS.get(node["class_type"]):
                (shown,) = run.files_of(node_id)
                video = Path(folder) / f"{node_id}.mp4"
                video.write_bytes(client.download(shown))
                columns.append(f"{label}={video}")
        columns.append(f"result={result}")
        script = Path(__file__).with_name("contact_sheet.py")
        subprocess.run([str(python), str(script), str(sheet), *columns], check=True)
    log(f"\nVideo:         {result}\nContact sheet: {sheet}")


def leave_open(host: HostProcess, workflow: dict[str, Any], clip: Clip) -> None:
    """Offer the workflow in the running host's front end and wait until the user stops it."""
    workflows = BASE / "user" / "default" / "workflows"
    workflows.mkdir(parents=True, exist_ok=True)
    (workflows / WORKFLOW.name).write_text(json.dumps(workflow, indent=2), encoding="utf-8")
    # The first visit would otherwise open a tutorial over the workflow.
    settings = BASE / "user" / "default" / "comfy.settings.json"
    if not settings.exists():
        settings.write_text(json.dumps({"Comfy.TutorialCompleted": True}), encoding="utf-8")
    # Front ends from 1.32 on open a pack's template by URL; it names the bundled clip.
    url = f"{host.url}/?template={WORKFLOW.stem}&source={PACK_NAME}" if clip.is_bundled else host.url
    log(f"\nComfyUI runs at {url}")
    log(f"If the workflow is not open there: Workflows in the side bar (or key W), {WORKFLOW.stem}.")
    log("Ctrl-C stops it.")
    if sys.platform in ("win32", "darwin") or os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"):
        webbrowser.open(url)
    host.wait()
