"""What the sampler tells its user: sizes, windows, and settings outside what the model was trained for."""

from collections.abc import Sequence
from itertools import pairwise

from torch import Tensor

from ..published import TRAINED_STRENGTH_PX
from ..windows import Window
from .working_size import WorkingGeometry

# Half a step of 8-bit pictures above white, which resizing overshoots by.
_BRIGHTER_THAN_WHITE = 1 + 0.5 / 255


def strength_warning(blur_strength_px: Tensor, trained_px: tuple[float, float] = TRAINED_STRENGTH_PX) -> str:
    """Say how far K [T] leaves the trained range, both in px at the working size; empty where it does not."""
    least, most = blur_strength_px.min().item(), blur_strength_px.max().item()
    lowest, highest = trained_px
    if lowest <= least and most <= highest:
        return ""
    return (
        f"Warning: K is {_range(least, most)} px at the working size; the model was trained for "
        f"{lowest:g} to {highest:g} px, and outside it the blur may be wrong."
    )


def mixing_note(geometry: WorkingGeometry, trained_px: tuple[float, float]) -> str:
    """Say what a model that gives gates does to frames, and up to which K it was trained.

    Args:
        geometry: of the clip.
        trained_px: K that the model was trained for, least and most, in px at the working size.
    """
    height, width = geometry.source
    most_px = trained_px[1] * width / geometry.inner[1]
    return (
        f"Lens Blur at {width} x {height} px, corrected by the network, which was trained for K up to "
        f"{most_px:.3g} px of these frames."
    )


def overlap_note(overlap: int, asked: int) -> str:
    """Say that windows share another number of frames than the model's file asks for; empty where they do."""
    if overlap == asked:
        return ""
    return (
        f"Windows share {overlap} frames as set; the model's file asks for {asked}, which overlap -1 takes."
    )


def cut_light_note(frames: Tensor) -> str:
    """Say that the network sees nothing brighter than white; empty where no frame [H, W, C] is."""
    highest = max(frame.max().item() for frame in frames)
    if highest <= _BRIGHTER_THAN_WHITE:
        return ""
    return f"The frames reach {highest:.3g}; the network works from black to white, brighter counts as white."


def sampling_report(
    geometry: WorkingGeometry,
    windows: Sequence[Window],
    blur_strength_px: Tensor,
    mpi_mode: str,
    computed_in: str,
    trained_px: tuple[float, float] = TRAINED_STRENGTH_PX,
    gives_gates: bool = False,
) -> str:
    """Describe a run in a few lines.

    Args:
        geometry: of the clip.
        windows: of the clip.
        blur_strength_px: [T], K in pixels at the working size.
        mpi_mode: `released` or `paper`.
        computed_in: dtype and device, for people.
        trained_px: K that the model was trained for, least and most.
        gives_gates: see `RefinedVAE`.
    """
    height, width = geometry.source
    inner_height, inner_width = geometry.inner
    padded_height, padded_width = geometry.padded
    count = len(windows)
    overlaps = sorted({earlier.stop - later.start for earlier, later in pairwise(windows)})
    lengths = sorted({window.stop - window.start for window in windows})
    shared = f", {' or '.join(map(str, overlaps))} frames shared" if overlaps else ""
    lines = [
        f"{windows[-1].stop} frames of {width} x {height} px, worked on at {inner_width} x {inner_height} "
        f"(with border {padded_width} x {padded_height}).",
        f"{count} window{'s' if count > 1 else ''} of {' and '.join(map(str, lengths))} frames{shared}.",
        f"K {_range(blur_strength_px.min().item(), blur_strength_px.max().item())} px at the working size.",
        f"MPI mode {mpi_mode}; {computed_in}.",
        mixing_note(geometry, trained_px) if gives_gates else "",
        strength_warning(blur_strength_px, trained_px),
    ]
    return "\n".join(line for line in lines if line)


def _range(least: float, most: float) -> str:
    return f"{least:.3g}" if least == most else f"{least:.3g} to {most:.3g}"
