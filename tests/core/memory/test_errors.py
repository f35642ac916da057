"""Which errors mean that memory ran out."""

import pytest
import torch

from bokeh_core.memory.errors import is_device_memory_error, is_main_memory_error

MAIN = [
    MemoryError(),
    # As torch words them on Linux and on Windows.
    RuntimeError(
        "[enforce fail at alloc_cpu.cpp:127] err == 0. DefaultCPUAllocator: can't allocate memory: you tried "
        "to allocate 4000000000000 bytes. Error code 12 (Cannot allocate memory)"
    ),
    RuntimeError(
        "[enforce fail at alloc_cpu.cpp:121] data. DefaultCPUAllocator: not enough memory: you tried to "
        "allocate 4000000000000 bytes."
    ),
]
DEVICE = [
    torch.cuda.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 MiB."),
    RuntimeError("MPS backend out of memory (MPS allocated: 8.00 GB)"),
    RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"),
]
NEITHER = [
    RuntimeError("The size of tensor a (3) must match the size of tensor b (4)"),
    ValueError("out of memory"),
]


@pytest.mark.parametrize("error", MAIN)
def test_main_memory(error: Exception):
    assert is_main_memory_error(error)
    assert not is_device_memory_error(error)


@pytest.mark.parametrize("error", DEVICE)
def test_device_memory(error: Exception):
    assert is_device_memory_error(error)
    assert not is_main_memory_error(error)


@pytest.mark.parametrize("error", NEITHER)
def test_other_errors(error: Exception):
    assert not is_main_memory_error(error)
    assert not is_device_memory_error(error)


def test_what_torch_raises_here():
    with pytest.raises(RuntimeError) as raised:
        torch.empty(2**60, dtype=torch.uint8)
    assert is_main_memory_error(raised.value)
