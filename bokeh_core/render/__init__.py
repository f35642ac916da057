"""Clips of any length from file to file: streamed, in parts that survive a stop, with either renderer."""

from .depth import DepthSource, FileDepth, GivenDepth
from .job import (
    PART_FRAMES,
    STAGES,
    Progress,
    RenderJob,
    RenderReport,
    overall_share,
    render_clip,
    stored_under_key,
)
from .renderers import ClipRenderer, LensRenderer, ModelRenderer
from .settings import GivenFocus, GivenStrength, Strength, parse_focus
from .source import ClipSource, FileClip, TensorClip

__all__ = [
    "PART_FRAMES",
    "STAGES",
    "ClipRenderer",
    "ClipSource",
    "DepthSource",
    "FileClip",
    "FileDepth",
    "GivenDepth",
    "GivenFocus",
    "GivenStrength",
    "LensRenderer",
    "ModelRenderer",
    "Progress",
    "RenderJob",
    "RenderReport",
    "Strength",
    "TensorClip",
    "overall_share",
    "parse_focus",
    "render_clip",
    "stored_under_key",
]
