"""Boxes as detectors of newer hosts hand them on: BOUNDING_BOX, a dict or lists of dicts."""

import json

from comfy_api.latest import io


class ProbeBoxes(io.ComfyNode):
    """Boxes from their JSON."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="ProbeBoxes",
            category="probe",
            inputs=[io.String.Input("text")],
            outputs=[io.Custom("BOUNDING_BOX").Output("boxes")],
        )

    @classmethod
    def execute(cls, text: str) -> io.NodeOutput:
        return io.NodeOutput(json.loads(text))


NODES = [ProbeBoxes]
