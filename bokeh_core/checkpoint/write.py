"""Write a model as .safetensors, whole or not at all, and never over a file of the user's."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from torch import Tensor

from ..disk.space import free_bytes_in
from ..disk.whole_file import whole_file
from .files import COMPONENT_KEY, SAFETENSORS, read_safetensors_header

# Room for a header besides the numbers themselves: names, shapes and config.
_HEADER_BYTES = 2**20


def require_destination(path: Path, inputs: Iterable[Path] = ()) -> None:
    """Check that a model may be written there, before any work.

    Args:
        path: the .safetensors file to write; one that we wrote may be there, and is replaced.
        inputs: files that are read, under whatever name `path` may reach them.

    Raises:
        ValueError: another ending, no folder, no permission, one of the inputs, or somebody else's file.
    """
    try:
        if path.suffix != SAFETENSORS or path.is_dir():
            raise ValueError(f"{path} is where the result goes; name a file that ends in {SAFETENSORS}.")
        folder = path.absolute().parent
        if not folder.is_dir():
            raise ValueError(f"{folder} does not exist; make the folder first.")
        if not os.access(folder, os.W_OK):
            raise ValueError(f"{folder} may not be written to; name another folder.")
        if path.is_symlink() and not path.exists():
            raise ValueError(f"{path} is a link to nowhere; name another file.")
        if path.exists():
            for source in inputs:
                if source.exists() and path.samefile(source):
                    raise ValueError(f"{path} is {source}, which is read; name another file for the result.")
            _require_ours(path)
    except OSError as error:
        raise ValueError(f"{path!s:.200} cannot be written ({error.strerror or error}).") from error


def _require_ours(path: Path) -> None:
    try:
        ours = COMPONENT_KEY in read_safetensors_header([path])[1]
    except ValueError:
        ours = False
    if not ours:
        raise ValueError(f"{path} exists and was not written here; name another file, or move it away.")


def write_model(path: Path, tensors: dict[str, Tensor], metadata: Mapping[str, str]) -> None:
    """Write a model beside its destination and move it there.

    Raises:
        ValueError: the disk is too full, or it cannot be written; what was there before stays.
    """
    from safetensors import SafetensorError
    from safetensors.torch import save_file

    folder = path.absolute().parent
    needed = sum(value.nbytes for value in tensors.values()) + _HEADER_BYTES
    try:
        free = free_bytes_in(folder)
        if needed > free:
            raise ValueError(
                f"The disk of {folder} is too full: {path.name} needs about {needed / 1e6:.1f} MB there, "
                f"{free / 1e6:.1f} MB are free. Make room, or write to another disk."
            )
        with whole_file(path) as beside:
            save_file(tensors, beside, metadata=dict(metadata))
    except (OSError, SafetensorError) as error:
        raise ValueError(
            f"{path} was not written ({error!s:.200}); nothing of it is left, and what was there before is "
            "as it was. Make room, or write to another disk."
        ) from error
