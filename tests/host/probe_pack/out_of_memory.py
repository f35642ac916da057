"""Values that fail in a node as memory that runs out does, and what the host did about it."""

import comfy.model_management
import torch
from comfy_api.latest import io

# A few of what every renderer does to its frames.
COMPUTING = {"mul", "sub", "div", "add", "pow", "float", "to", "clamp", "aminmax"}
_unloads = 0


def _count_unloads() -> None:
    unload = comfy.model_management.unload_all_models

    def counted() -> None:
        global _unloads
        _unloads += 1
        unload()

    comfy.model_management.unload_all_models = counted


_count_unloads()


class OutOfDevice(torch.Tensor):
    """Runs out of the device's memory as soon as something is computed."""

    @classmethod
    def __torch_function__(cls, func, types, args=(), kwargs=None):
        if func.__name__ in COMPUTING:
            cls.run_out()
        return super().__torch_function__(func, types, args, kwargs or {})

    @staticmethod
    def run_out():
        raise torch.cuda.OutOfMemoryError("Tried to allocate 20.00 GiB.")


class OutOfMain(OutOfDevice):
    """Runs out of main memory."""

    @staticmethod
    def run_out():
        raise RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 1 bytes.")


class OutOfAccelerator(OutOfDevice):
    """Runs out of memory in a way that only newer hosts know."""

    @staticmethod
    def run_out():
        raise RuntimeError("accelerator error 2")


# Newer hosts have such a function.
comfy.model_management.is_oom = lambda error: "accelerator error 2" in str(error)
KINDS = {"device": OutOfDevice, "main": OutOfMain, "accelerator": OutOfAccelerator}


class ProbeOutOfMemory(io.ComfyNode):
    """A tensor on which the first computation runs out of memory, on the `device` or of `main` memory."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="ProbeOutOfMemory",
            category="probe",
            inputs=[io.AnyType.Input("value"), io.String.Input("kind")],
            outputs=[io.AnyType.Output("failing")],
        )

    @classmethod
    def execute(cls, value: torch.Tensor, kind: str) -> io.NodeOutput:
        return io.NodeOutput(value.as_subclass(KINDS[kind]))


class ProbeUnloads(io.ComfyNode):
    """How often the host has unloaded all models."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="ProbeUnloads",
            category="probe",
            inputs=[io.String.Input("when")],
            outputs=[io.AnyType.Output("count")],
        )

    @classmethod
    def execute(cls, when: str) -> io.NodeOutput:
        return io.NodeOutput(_unloads)


NODES = [ProbeOutOfMemory, ProbeUnloads]
