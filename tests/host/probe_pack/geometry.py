"""Geometry as newer hosts' nodes for Depth Anything 3 and MoGe hand it on: a dict of tensors."""

from pathlib import Path

import folder_paths
import numpy as np
import torch
from comfy_api.latest import io


class ProbeGeometry(io.ComfyNode):
    """The arrays of an .npz file of the input folder as a geometry of each kind."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="ProbeGeometry",
            category="probe",
            inputs=[io.String.Input("file")],
            outputs=[io.Custom("DA3_GEOMETRY").Output("da3"), io.Custom("MOGE_GEOMETRY").Output("moge")],
        )

    @classmethod
    def execute(cls, file: str) -> io.NodeOutput:
        with np.load(Path(folder_paths.get_input_directory()) / file) as stored:
            geometry = {name: torch.from_numpy(stored[name]) for name in stored}
        return io.NodeOutput({**geometry, "mode": "mono"}, geometry)


NODES = [ProbeGeometry]
