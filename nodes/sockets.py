"""The pack's own socket types.

The settings of a photographer, CPU float32 or uint8 tensors:

DISPARITY      float32 [T, H, W] in [0, 1], 1 = nearest (inverse depth, normalised over the clip); maps that
               were mended by the frames are marked, see `marked_as_refined`.
FOCUS          `FocusPull`: float32 [T] or [1], focal disparity in [0, 1], one value serves the whole clip;
               and the points that it was measured at. Bare values are taken too.
BLUR_STRENGTH  float32 [T] or [1], K >= 0: blur radius in px per unit of disparity from the focal
               plane, for a frame 1024 px wide (Eq. 1: r = K |d - d_f|); or `BreathingStrength`.
MPI_REGIONS    uint8 [T, H, W], 0 = in focus ... n - 1 = farthest from the focal plane (Eq. 2).
LENS           `bokeh_core.lens.Lens`, stated for frames 1024 px wide; its numbers may move.
INTRINSICS     float32 [T, 3, 3], the camera's matrix, its first row divided by the frame's width and its
               second by the height: fx / W on the diagonal, principal point 0.5, 0.5 in the middle.

The paper's model:
BOKEH_MODEL    `BokehModel`, the U-Net.
BOKEH_VAE      `BokehVAE`.
BOKEH_WINDOWS  `bokeh_core.pipeline.by_stage.BokehWindows`, latents of every window.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from comfy_api.latest import io
from torch import Tensor

from ..bokeh_core.camera import CameraPath
from ..bokeh_core.clip.checks import as_plain_float
from ..bokeh_core.focus.pull import FocusPull as MeasuredFocus
from ..bokeh_core.published import OVERLAP_FRAMES, TRAINED_STRENGTH_PX, MPIMode

Disparity = io.Custom("DISPARITY")
Focus = io.Custom("FOCUS")
BlurStrength = io.Custom("BLUR_STRENGTH")
MPIRegions = io.Custom("MPI_REGIONS")
Intrinsics = io.Custom("INTRINSICS")
Lens = io.Custom("LENS")
# Of newer hosts; a socket is known by the name of its type.
BoundingBox = io.Custom("BOUNDING_BOX")
BokehModelSocket = io.Custom("BOKEH_MODEL")
BokehVAESocket = io.Custom("BOKEH_VAE")
BokehWindowsSocket = io.Custom("BOKEH_WINDOWS")

# Attribute of a DISPARITY that was mended by the frames.
_REFINED = "any_to_bokeh_refined"

# Key of a LATENT under which the working geometry travels from the assembly to the decode.
GEOMETRY_KEY = "any_to_bokeh_geometry"
# The same for disparity and lens, which a small model's VAE reads.
CLIP_KEY = "any_to_bokeh_clip"


def require_kind(value: Any, kind: type | tuple[type, ...], name: str, source: str) -> None:
    """Check what came through a socket, which sockets of any type let through.

    Args:
        value: what came.
        kind: what it must be, or several.
        name: of the input.
        source: the node that gives it.

    Raises:
        ValueError: it is something else.
    """
    if not isinstance(value, kind):
        raise ValueError(f"The input {name} got {type(value).__name__}; connect {source}.")


def marked_as_refined(disparity: Tensor) -> Tensor:
    """The same DISPARITY, of which `is_refined` tells that the frames have mended it; copies do not tell."""
    setattr(disparity, _REFINED, True)
    return disparity


def is_refined(disparity: Any) -> bool:
    """Whether a DISPARITY was mended by the frames, so that no model need do it again."""
    return getattr(disparity, _REFINED, False) is True


def latent_samples(latent: Any) -> Tensor:
    """Return the samples of a LATENT, float32 [T, 4, h, w].

    Raises:
        ValueError: a latent of another model, or none; NaN or infinite values.
    """
    samples = latent.get("samples") if isinstance(latent, Mapping) else None
    if isinstance(samples, Tensor) and samples.ndim == 4 and samples.shape[1] == 4 and 0 not in samples.shape:
        samples = as_plain_float(samples, "latent")
        bad = ~samples.isfinite().flatten(1).all(1)
        if bool(bad.any()):
            raise ValueError(
                f"The latent holds NaN or infinite values in {int(bad.sum())} of {len(bad)} frames, first in "
                f"frame {int(bad.nonzero()[0])}; sample it again, with dtype fp32 if it was fp16."
            )
        return samples
    found = f"has shape {tuple(samples.shape)}" if isinstance(samples, Tensor) else "has no samples"
    raise ValueError(
        f"The latent {found}; it must be [T, 4, h, w], one per frame, as Assemble Overlapping Windows "
        "gives it."
    )


class FocusPull(MeasuredFocus):
    """A FOCUS whose size hosts can tell that keep results within a limit of memory."""

    def _comfy_cache_tensors(self) -> list[Tensor]:
        return [tensor for tensor in (self.focal_disparity, self.points_px) if tensor is not None]


@dataclass(frozen=True)
class BreathingStrength:
    """A BLUR_STRENGTH of a camera that breathes; where none does, it is the bare values.

    Attributes:
        blur_strength: [T], K of the frames before they are magnified.
        magnification: [T], 1 or more, see `camera.breathe`.
    """

    blur_strength: Tensor
    magnification: Tensor

    def _comfy_cache_tensors(self) -> list[Tensor]:
        return [self.blur_strength, self.magnification]


def blur_strength_of(path: CameraPath) -> Tensor | BreathingStrength:
    """The BLUR_STRENGTH of a camera."""
    if path.magnification is None:
        return path.blur_strength
    return BreathingStrength(path.blur_strength, path.magnification)


def strength_values_of(blur_strength: Any) -> Any:
    """Return K [T] or [1] of a BLUR_STRENGTH, unchecked."""
    return blur_strength.blur_strength if isinstance(blur_strength, BreathingStrength) else blur_strength


def magnification_of(blur_strength: Any) -> Tensor | None:
    """Return what blurred frames are magnified by, [T]; None where no camera breathes."""
    return blur_strength.magnification if isinstance(blur_strength, BreathingStrength) else None


def focal_disparity_of(focus: Any) -> Any:
    """Return the focal disparity [T] or [1] of a FOCUS, unchecked; bare values pass as they are."""
    return focus.focal_disparity if isinstance(focus, MeasuredFocus) else focus


def focus_points_of(focus: Any) -> Tensor | None:
    """Return the points [T, 2] or [1, 2] that a FOCUS was measured at; None where there are none."""
    return focus.points_px if isinstance(focus, MeasuredFocus) else None


@dataclass(frozen=True)
class BokehModel:
    """The U-Net in the host's keeping, and how it is to be run.

    Attributes:
        patcher: the host's ModelPatcher around a BokehUNet.
        mpi_mode: `released` or `paper`.
        bundle: path of the file that holds both U-Net and VAE; empty where they are files of their own.
        trained_px: K that it was trained for, in px at the working size, least and most.
        overlap: frames that windows are to share where nobody says it.
    """

    patcher: Any
    mpi_mode: MPIMode
    bundle: str = ""
    trained_px: tuple[float, float] = TRAINED_STRENGTH_PX
    overlap: int = OVERLAP_FRAMES


@dataclass(frozen=True)
class BokehVAE:
    """The VAE in the host's keeping: the host's ModelPatcher around a RefinedVAE.

    Attributes:
        patcher: the ModelPatcher.
        bundle: as `BokehModel`'s.
    """

    patcher: Any
    bundle: str = ""
