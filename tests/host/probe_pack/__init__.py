"""Test-only nodes: exact tensors in and out (.npy in, .npy and JSON out), small models, memory in use.

And a route that makes the host wait at a tick of progress until it is cancelled.
"""

import json
import time
from collections.abc import Callable
from pathlib import Path

import comfy.cli_args
import comfy.clip_vision
import comfy.model_management
import comfy.utils
import folder_paths
import numpy as np
import psutil
import torch
from aiohttp import web
from comfy_api.latest import ComfyExtension, io
from comfy_execution.utils import get_executing_context
from server import PromptServer

from . import boxes, edited_video, geometry, out_of_memory

CANCEL_WITHIN_S = 600.0


def _load(name: str) -> torch.Tensor:
    return torch.from_numpy(np.load(Path(folder_paths.get_input_directory()) / name))


def _described(value: object, stem: Path) -> dict:
    """Write a value beside `stem` and return what it was: a tensor by its array, all else by its JSON."""
    value = getattr(value, "focal_disparity", value)
    if isinstance(value, torch.Tensor):
        np.save(stem.with_suffix(".npy"), value.detach().cpu().numpy())
        return {
            "kind": "tensor",
            "dtype": str(value.dtype).removeprefix("torch."),
            "device": str(value.device),
            "file": stem.with_suffix(".npy").name,
        }
    return {"kind": type(value).__name__, "value": json.loads(json.dumps(value, default=str))}


class Hold:
    """Stops the host at a tick until it is cancelled, so that it cannot finish before the cancel arrives."""

    def __init__(self) -> None:
        self._next: Callable[..., None] | None = None
        self._node, self._value = "", 0

    def at(self, node: str, value: int) -> None:
        """Wait at the first tick of this node that is at least this value."""
        # The host puts its own hook in place after it has loaded the nodes.
        if self._next is None:
            self._next = comfy.utils.PROGRESS_BAR_HOOK
            comfy.utils.set_progress_bar_global_hook(self._tick)
        self._node, self._value = node, value

    def _tick(self, value, total, preview, prompt_id=None, node_id=None) -> None:
        assert self._next is not None
        self._next(value, total, preview, prompt_id=prompt_id, node_id=node_id)
        context = get_executing_context()
        running = node_id if context is None or node_id is not None else context.node_id
        if running != self._node or value < self._value:
            return
        self._node = ""
        deadline = time.monotonic() + CANCEL_WITHIN_S
        while not comfy.model_management.processing_interrupted():
            if time.monotonic() > deadline:
                raise TimeoutError(f"No cancel came in {CANCEL_WITHIN_S:.0f} s.")
            time.sleep(0.005)


HOLD = Hold()


@PromptServer.instance.routes.post("/probe/hold")
async def hold(request: web.Request) -> web.Response:
    """Where the next prompt waits: {"node": id, "value": least value of the tick}."""
    HOLD.at(**await request.json())
    return web.Response()


@PromptServer.instance.routes.post("/probe/previews")
async def previews(request: web.Request) -> web.Response:
    """Which previews samplers show: {"method": as for --preview-method}."""
    method = (await request.json())["method"]
    comfy.cli_args.args.preview_method = comfy.cli_args.LatentPreviewMethod(method)
    return web.Response()


class ProbeLoad(io.ComfyNode):
    """A .npy file of the input folder as any socket: dtype and shape exactly as stored."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="ProbeLoad",
            category="probe",
            inputs=[io.String.Input("file")],
            outputs=[io.AnyType.Output("value")],
        )

    @classmethod
    def execute(cls, file: str) -> io.NodeOutput:
        return io.NodeOutput(_load(file))

    @classmethod
    def fingerprint_inputs(cls, file: str) -> float:
        return (Path(folder_paths.get_input_directory()) / file).stat().st_mtime_ns


class ProbeSave(io.ComfyNode):
    """Any value to the output folder under a given name."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="ProbeSave",
            category="probe",
            inputs=[io.AnyType.Input("value"), io.String.Input("name")],
            outputs=[],
            is_output_node=True,
        )

    @classmethod
    def execute(cls, value: object, name: str) -> io.NodeOutput:
        stem = Path(folder_paths.get_output_directory()) / name
        return io.NodeOutput(ui={"probe": [_described(value, stem)]})


class ProbeLatent(io.ComfyNode):
    """A LATENT with samples of any shape."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="ProbeLatent",
            category="probe",
            inputs=[io.AnyType.Input("samples")],
            outputs=[io.Latent.Output("latent")],
        )

    @classmethod
    def execute(cls, samples: torch.Tensor) -> io.NodeOutput:
        return io.NodeOutput({"samples": samples})


class ProbeClipVision(io.ComfyNode):
    """A CLIP_VISION of any size; the host's own loader knows only full-size configs."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="ProbeClipVision",
            category="probe",
            inputs=[io.String.Input("name")],
            outputs=[io.ClipVision.Output("clip_vision")],
        )

    @classmethod
    def execute(cls, name: str) -> io.NodeOutput:
        stem = Path(folder_paths.get_input_directory()) / name
        clip_vision = comfy.clip_vision.ClipVisionModel(stem.with_suffix(".json"))
        clip_vision.load_sd(comfy.utils.load_torch_file(str(stem.with_suffix(".safetensors"))))
        return io.NodeOutput(clip_vision)


class ProbeMemory(io.ComfyNode):
    """Bytes that the host's process holds once `after` has been computed."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="ProbeMemory",
            category="probe",
            inputs=[io.AnyType.Input("after")],
            outputs=[],
            is_output_node=True,
        )

    @classmethod
    def execute(cls, after: object) -> io.NodeOutput:
        report = {"kind": "int", "value": psutil.Process().memory_info().rss}
        return io.NodeOutput(ui={"probe": [report]})


class ProbeExtension(ComfyExtension):
    """The nodes."""

    async def get_node_list(self) -> list[type[io.ComfyNode]]:
        own = [ProbeLoad, ProbeSave, ProbeLatent, ProbeClipVision, ProbeMemory]
        return [*own, *boxes.NODES, *edited_video.NODES, *geometry.NODES, *out_of_memory.NODES]


async def comfy_entrypoint() -> ProbeExtension:
    """Hand the nodes to the host."""
    return ProbeExtension()
