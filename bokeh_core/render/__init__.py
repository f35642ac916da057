"""Clips of any length from file to file: streamed, in parts that survive a stop, with either renderer."""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .depth import DepthSource, FileDepth, GivenDepth, GivenMaps
    from .focus_settings import GivenFocus
    from .job import PART_FRAMES, RenderJob, stored_under_key
    from .parts_folder import remove_stale_parts
    from .renderers import ClipRenderer, LensRenderer, ModelRenderer
    from .run import RenderReport, check_job, run_job
    from .sequence import SequenceClip
    from .source import ClipSource, FileClip, TensorClip
    from .stages import STAGES, StageProgress, overall_share
    from .strength_settings import CameraStrength, GivenStrength, Strength
    from .trimmed_clip import TrimmedClip
    from .typed_focus import parse_focus

__all__ = [
    "PART_FRAMES",
    "STAGES",
    "CameraStrength",
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
    "SequenceClip",
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

_MODULES = {
    "depth": ("DepthSource", "FileDepth", "GivenDepth", "GivenMaps"),
    "focus_settings": ("GivenFocus",),
    "job": ("PART_FRAMES", "RenderJob", "stored_under_key"),
    "parts_folder": ("remove_stale_parts",),
    "renderers": ("ClipRenderer", "LensRenderer", "ModelRenderer"),
    "run": ("RenderReport", "check_job", "run_job"),
    "sequence": ("SequenceClip",),
    "source": ("ClipSource", "FileClip", "TensorClip"),
    "stages": ("STAGES", "StageProgress", "overall_share"),
    "strength_settings": ("CameraStrength", "GivenStrength", "Strength"),
    "trimmed_clip": ("TrimmedClip",),
    "typed_focus": ("parse_focus",),
}
_MODULE_OF = {name: module for module, names in _MODULES.items() for name in names}


def __getattr__(name: str) -> object:
    # `python -m bokeh_core.render` imports this package before any line of the command can run, and has to
    # say in a sentence which library is missing.
    if name not in _MODULE_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{_MODULE_OF[name]}", __name__), name)
