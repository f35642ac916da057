"""The pack's nodes, in the order of the method; those whose libraries are missing are left out."""

import importlib
import logging
from dataclasses import dataclass

from comfy_api.latest import ComfyExtension, io

from .libraries import advice, fault_of

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Entry:
    """Where a node is defined, what users know it by, and the libraries without which it can do nothing."""

    module: str
    name: str
    title: str
    needs: tuple[str, ...] = ()


_MODEL = ("cv2", "diffusers", "einops", "safetensors")

ENTRIES = (
    Entry("example", "ExampleClip", "Example Clip (with Depth)", ("av", "cv2")),
    Entry("disparity", "LoadDisparity", "Load Depth (Disparity)", ("cv2",)),
    Entry("disparity", "DisparityFromImages", "Disparity from Images (Depth)"),
    Entry("geometry", "DisparityFromGeometry", "Disparity from Geometry (MoGe, DA3)"),
    Entry(
        "estimate",
        "EstimateDisparity",
        "Estimate Depth (Depth Anything V2)",
        ("cv2", "einops", "safetensors", "transformers"),
    ),
    Entry("refine", "RefineDisparity", "Refine Depth (Steady, Sharp Outlines)", ("cv2", "safetensors")),
    Entry("focus", "FocusAtValue", "Focus at Value (Focus Pull)"),
    Entry("focus", "FocusAtPoint", "Focus at Point (Rack Focus)"),
    Entry("focus", "FocusOnMask", "Focus on Mask"),
    Entry("viewfinder", "Viewfinder", "Viewfinder (Click to Focus)", ("cv2",)),
    Entry("strength", "BlurStrength", "Aperture (Blur Strength)"),
    Entry("camera", "ThinLensCamera", "Camera (f-stop, mm)"),
    Entry("mpi", "MPIMask", "MPI Focal-Plane Mask", ("einops",)),
    Entry("preview", "FocusPreview", "Focus Preview", ("cv2",)),
    Entry("lens_settings", "Lens", "Choose Lens (Swirl, Anamorphic)", ("cv2",)),
    Entry("lens", "LensBlur", "Lens Blur (Depth of Field)", ("cv2",)),
    Entry("model", "LoadBokehModel", "Load Bokeh Model", _MODEL),
    Entry("sampler", "OneStepSampler", "One-Step Bokeh Sampler", _MODEL),
    Entry("assembly", "AssembleWindows", "Assemble Overlapping Windows", _MODEL),
    Entry("decode", "RefinedDecode", "Refined VAE Decode", _MODEL),
    Entry("sequence", "LoadSequence", "Load Image Sequence (EXR, PNG)", ("av", "cv2")),
    Entry("video", "AnyToBokehVideo", "Any-to-Bokeh Video (Cinematic DOF)", ("av", "cv2", "einops")),
)


def available_nodes() -> list[type[io.ComfyNode]]:
    """The nodes whose libraries are there; what is missing is logged with the line that brings it."""
    faults = {library: fault_of(library) for library in sorted({n for e in ENTRIES for n in e.needs})}
    nodes: dict[str, type[io.ComfyNode]] = {}
    for entry in ENTRIES:
        if all(faults[library] is None for library in entry.needs):
            nodes[entry.name] = getattr(importlib.import_module(f".{entry.module}", __name__), entry.name)
    for library, fault in faults.items():
        if fault is not None:
            gone = ", ".join(entry.title for entry in ENTRIES if library in entry.needs)
            logger.warning("Any-to-Bokeh starts without %s. %s", gone, advice(library, fault))
    return list(nodes.values())


NODES = available_nodes()


class AnyToBokehExtension(ComfyExtension):
    """What the host asks for the pack's nodes."""

    async def get_node_list(self) -> list[type[io.ComfyNode]]:
        return NODES
