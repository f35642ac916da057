"""Device and memory of the host, and what it says where they run out."""

from collections.abc import Iterator
from contextlib import contextmanager

import comfy.model_management
import torch

from ...bokeh_core.memory.errors import is_device_memory_error, is_main_memory_error


def compute_device() -> torch.device:
    """Return the device on which the host runs models."""
    return comfy.model_management.get_torch_device()


def room(needed_bytes: int) -> int:
    """Return the free bytes of the device, with models unloaded if fewer than needed were free."""
    device = compute_device()
    comfy.model_management.free_memory(needed_bytes, device)
    return int(comfy.model_management.get_free_memory(device))


@contextmanager
def out_of_memory_advice(what_helps: str) -> Iterator[None]:
    """Turn running out of memory into an error of the host's own type that tells the user what helps.

    Where the device is out of memory the host unloads its models, but only if the error is of its own kind.
    Main memory that runs out is another matter: unloading would move models there.

    Raises:
        MemoryError: main memory ran out.
    """
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        if _device_is_out_of_memory(error):
            device = compute_device()
            free_gib = comfy.model_management.get_free_memory(device) / 2**30
            raise _host_error()(
                f"Out of memory on {device} ({free_gib:.1f} GiB free). Use {what_helps}, close other "
                "programs that use the device, or start the host with --lowvram or --cpu."
            ) from error
        if is_main_memory_error(error):
            free_gib = comfy.model_management.get_free_memory(torch.device("cpu")) / 2**30
            raise MemoryError(
                f"Out of main memory ({free_gib:.1f} GiB free). Use {what_helps}, or close other programs."
            ) from error
        raise


def _device_is_out_of_memory(error: BaseException) -> bool:
    management = comfy.model_management
    if isinstance(error, _host_error()) or is_device_memory_error(error):
        return True
    # Newer hosts recognise more kinds.
    ask = getattr(management, "is_oom", None)
    return ask is not None and bool(ask(error)) and not is_main_memory_error(error)


def _host_error() -> type[Exception]:
    """The type of error at which the host unloads its models."""
    known: type[Exception] = comfy.model_management.OOM_EXCEPTION
    # Without a GPU library the host's type is any exception, which says nothing.
    return torch.cuda.OutOfMemoryError if known is Exception else known
