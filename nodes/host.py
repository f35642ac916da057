"""The one door to the host: device, progress, interrupt, folders."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import comfy.model_management
import comfy.utils
import folder_paths
import torch


def compute_device() -> torch.device:
    """Return the device on which the host runs models."""
    return comfy.model_management.get_torch_device()


def check_interrupt() -> None:
    """Raise the host's interrupt exception if the user pressed cancel."""
    comfy.model_management.throw_exception_if_processing_interrupted()


def progress(total: int) -> Callable[[int], None]:
    """Return a tick that moves the node's progress bar to an absolute count out of `total`.

    Each tick is also a point where cancel takes effect.
    """
    bar = comfy.utils.ProgressBar(total)

    def tick(done: int) -> None:
        check_interrupt()
        bar.update_absolute(done)

    return tick


@contextmanager
def out_of_memory_advice(what_helps: str) -> Iterator[None]:
    """Turn the accelerator's out-of-memory error into one that tells the user what helps."""
    try:
        yield
    except comfy.model_management.OOM_EXCEPTION as error:
        device = compute_device()
        free_gib = comfy.model_management.get_free_memory(device) / 2**30
        raise RuntimeError(
            f"Out of memory on {device} ({free_gib:.1f} GiB free). Use {what_helps}, close other programs "
            "that use the device, or start the host with --lowvram or --cpu."
        ) from error


def input_path(text: str) -> Path:
    """Resolve a user's path: absolute, or relative to the host's input folder.

    Raises:
        ValueError: the text is empty or nothing exists at the path.
    """
    cleaned = text.strip().strip('"')
    if not cleaned:
        raise ValueError(
            "The path is empty; give a file or folder, absolute or inside the host's input folder."
        )
    input_folder = Path(folder_paths.get_input_directory())
    path = Path(cleaned).expanduser()
    path = path if path.is_absolute() else input_folder / path
    if not path.exists():
        raise ValueError(
            f"Nothing exists at {path}; give a file or folder, absolute or relative to {input_folder}."
        )
    return path
