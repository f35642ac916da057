"""Test-only nodes: exact tensors in and out (.npy in, .npy and JSON out), small models, memory in use."""

import json
from pathlib import Path

import comfy.clip_vision
import comfy.utils
import folder_paths
import numpy as np
import psutil
import torch
from comfy_api.latest import ComfyExtension, io


def _load(name: str) -> torch.Tensor:
    return torch.from_numpy(np.load(Path(folder_paths.get_input_directory()) / name))


def _described(value: object, stem: Path) -> dict:
    """Write a value beside `stem` and return what it was: a tensor by its array, all else by its JSON."""
    if isinstance(value, torch.Tensor):
        np.save(stem.with_suffix(".npy"), value.detach().cpu().numpy())
        return {
            "kind": "tensor",
            "dtype": str(value.dtype).removeprefix("torch."),
            "device": str(value.device),
            "file": stem.with_suffix(".npy").name,
        }
    return {"kind": type(value).__name__, "value": json.loads(json.dumps(value, default=str))}


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
        return [ProbeLoad, ProbeSave, ProbeClipVision, ProbeMemory]


async def comfy_entrypoint() -> ProbeExtension:
    """Hand the nodes to the host."""
    return ProbeExtension()
