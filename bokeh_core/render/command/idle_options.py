"""Options of a command line that would do nothing beside the others."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass

from .depth_arguments import ESTIMATE


@dataclass(frozen=True)
class _Idle:
    """Options that do nothing in some command lines.

    Attributes:
        names: of the options, as the parser stores them.
        when: whether they do nothing.
        advice: what they are for and what would work.
    """

    names: tuple[str, ...]
    when: Callable[[argparse.Namespace], bool]
    advice: str


_IDLE = (
    _Idle(
        ("crf",),
        lambda given: not given.codec.startswith("h264"),
        "is the quality of H.264; leave it out, or choose --codec h264 or h264-10bit",
    ),
    _Idle(
        ("unet", "vae", "image_encoder", "dtype", "mpi_mode", "overlap", "working_size"),
        lambda given: given.renderer != "model",
        "is for the paper's model; leave it out, or add --renderer model",
    ),
    _Idle(
        ("hidden_background",),
        lambda given: given.renderer == "model",
        "is for Lens Blur; leave it out, or add --renderer lens",
    ),
    _Idle(
        ("depth_source", "polarity", "exponent", "holes", "fit", "frame_offset", "frames_per_map"),
        lambda given: given.disparity == ESTIMATE,
        "says how maps are to be read, which is known of estimated ones; leave it out",
    ),
)


def require_none_idle(given: argparse.Namespace, default_of: Callable[[str], object]) -> None:
    """Check that no option was given in vain; one that states its default may stand anywhere.

    Args:
        given: the options.
        default_of: tells what the option of a name is where it is left out.

    Raises:
        ValueError: one was.
    """
    for idle in _IDLE:
        for name in idle.names:
            value = getattr(given, name)
            if value != default_of(name) and idle.when(given):
                raise ValueError(f"--{name.replace('_', '-')} {value} {idle.advice}.")
