"""Whether an error says that memory ran out, and which; some are recognised only by their message."""

import torch

# Linux and macOS, then Windows, from torch's own allocator.
_MAIN_MEMORY_WORDS = ("defaultcpuallocator: can't allocate memory", "defaultcpuallocator: not enough memory")
# Of cuBLAS, of Apple's devices, of Intel's, and of CUDA itself where an earlier call failed.
_DEVICE_WORDS = ("cublas_status_alloc_failed", "backend out of memory", "out of device memory")
_ACCELERATOR_WORDS = "out of memory"


def is_main_memory_error(error: BaseException) -> bool:
    """Tell whether main memory ran out."""
    if isinstance(error, MemoryError):
        return True
    return isinstance(error, RuntimeError) and _says(error, *_MAIN_MEMORY_WORDS)


def is_device_memory_error(error: BaseException) -> bool:
    """Tell whether the memory of a GPU or another accelerator ran out."""
    if isinstance(error, torch.cuda.OutOfMemoryError):
        return True
    accelerator = getattr(torch, "AcceleratorError", None)
    if accelerator is not None and isinstance(error, accelerator):
        return _says(error, _ACCELERATOR_WORDS)
    return isinstance(error, RuntimeError) and _says(error, *_DEVICE_WORDS)


def is_out_of_memory(error: BaseException) -> bool:
    """Tell whether memory ran out, that of the machine or that of a device."""
    return is_main_memory_error(error) or is_device_memory_error(error)


def _says(error: BaseException, *phrases: str) -> bool:
    text = str(error).casefold()
    return any(phrase in text for phrase in phrases)
