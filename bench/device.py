"""What is asked of a GPU or another accelerator while something is measured on it, whatever its maker."""

import platform
from typing import Any

import torch


def device_name(device: torch.device) -> str:
    """What the maker calls it."""
    if device.type == "cpu":
        return f"{platform.machine()} CPU"
    module: Any = torch.get_device_module(device)
    return str(module.get_device_name(device)) if hasattr(module, "get_device_name") else device.type


def default_device() -> str:
    """The type of the accelerator at hand, or `cpu`."""
    found = torch.accelerator.current_accelerator(check_available=True)
    return "cpu" if found is None else found.type


def wait(device: torch.device) -> None:
    """Wait until the device has done what it was given."""
    if device.type != "cpu":
        torch.accelerator.synchronize()


def forget_peak(device: torch.device) -> None:
    """Let `peak_bytes` count from here; a CPU counts none."""
    if device.type != "cpu":
        torch.accelerator.empty_cache()
        torch.accelerator.reset_peak_memory_stats()


def peak_bytes(device: torch.device) -> int:
    """Most bytes of tensors on the device at once since `forget_peak`; 0 on a CPU."""
    if device.type == "cpu":
        return 0
    wait(device)
    return torch.accelerator.max_memory_allocated()
