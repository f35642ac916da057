"""Clips of any length from file to file: streamed, in parts that survive a stop, with either renderer."""

from .depth import DepthSource, FileDepth, GivenDepth, GivenMaps
from .job import PART_FRAMES, RenderJob, stored_under_key
from .parts import remove_stale_parts
from .renderers import ClipRenderer, LensRenderer, ModelRenderer
from .run import RenderReport, check_job, run_job
from .settings import GivenFocus, GivenStrength, Strength, parse_focus
from .source import ClipSource, FileClip, TensorClip
from .stages import STAGES, StageProgress, overall_share
from .trimmed_clip import TrimmedClip

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
    "GivenMaps",
    "GivenStrength",
    "LensRenderer",
    "ModelRenderer",
    "RenderJob",
    "RenderReport",
    "StageProgress",
    "Strength",
    "TensorClip",
    "TrimmedClip",
    "check_job",
    "overall_share",
    "parse_focus",
    "remove_stale_parts",
    "run_job",
    "stored_under_key",
]
