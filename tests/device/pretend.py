"""A pretend accelerator: computes on the CPU, refuses what CUDA refuses, and counts what a real one does.

Its tensors say that they lie on the device `pretend`. They do not mix with CPU tensors, but for numbers, as
on CUDA, and every operation on them is counted by its name:

- kernels: what a real device would launch;
- questions: what makes the host wait for the device's answer, such as `item`, `nonzero`, a mask as an
  index or a copy to the host;
- uploads: copies from the host to the device.

Views and bare allocations launch nothing and are not counted.
"""

from __future__ import annotations

import copy
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from types import FrameType
from typing import Any, TypeVar

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode
from torch.utils import _pytree as pytree
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.backend_registration import _setup_privateuseone_for_python_backend

from bench.live_bytes import Storages

NAME = "pretend"
_PRODUCT = "bokeh_core"

# Their result depends on values, or its size does, so the host waits for it.
_QUESTIONS = {
    "_local_scalar_dense",
    "_unique2",
    "equal",
    "is_nonzero",
    "masked_select",
    "nonzero",
    "unique_consecutive",
    "unique_dim",
}
_INDEXING = {"index", "index_put", "index_put_", "_index_put_impl_"}
_ALLOCATIONS = {"empty", "empty_like", "empty_strided", "new_empty", "new_empty_strided", "resize_", "set_"}
_COPIES = {"_to_copy", "copy_"}
_MAKERS = {torch.tensor, torch.as_tensor}

Args = tuple[Any, ...]
Kwargs = dict[str, Any]
ModuleT = TypeVar("ModuleT", bound=nn.Module)


@dataclass
class Counts:
    """What was asked of the device, by the names of operations."""

    kernels: Counter[str] = field(default_factory=Counter)
    questions: Counter[str] = field(default_factory=Counter)
    uploads: Counter[str] = field(default_factory=Counter)

    def summary(self) -> str:
        """Return the sums, on one line."""
        return ", ".join(f"{sum(counter.values())} {name}" for name, counter in vars(self).items())


class PretendTensor(Tensor):
    """A tensor that says it lies on the pretend device, around the CPU tensor that holds its values."""

    held: Tensor

    @staticmethod
    def __new__(cls, held: Tensor) -> PretendTensor:
        wrapper: PretendTensor = torch.Tensor._make_wrapper_subclass(
            cls,
            held.size(),
            strides=held.stride(),
            storage_offset=held.storage_offset(),
            dtype=held.dtype,
            device=torch.device(NAME, 0),
        )
        wrapper.held = held
        return wrapper

    @classmethod
    def __torch_dispatch__(  # type: ignore[override]
        cls, func: Any, types: Sequence[type], args: Args = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        raise RuntimeError(f"{func} on a tensor of a pretend device that is not in use.")


class PretendDevice(TorchDispatchMode):
    """While `in_use`, tensors of the device `pretend` compute, and `counts` counts.

    Args:
        refuses: told the name of each operation and its tensors; raises where the device does, such as for
            float64 or for an operation that its backend lacks.

    Attributes:
        counts: what was asked of the device.
        storages: the bytes on it.
        allocations: which function of the product made each tensor, in order.
        fails_at: the number of the one allocation, counted from 1, for which there is no memory.
        capacity: bytes of its memory; None = as many as asked for.
    """

    def __init__(self, refuses: Callable[[str, Sequence[Tensor]], None] | None = None) -> None:
        super().__init__()
        if torch._C._get_privateuse1_backend_name() != NAME:
            _setup_privateuseone_for_python_backend(NAME)
            getattr(torch, NAME).get_amp_supported_dtype = lambda: [torch.float16, torch.bfloat16]
        self.device = torch.device(NAME, 0)
        self.counts = Counts()
        self.storages = Storages()
        self.allocations: list[str] = []
        self.refuses = refuses
        self.fails_at: int | None = None
        self.capacity: int | None = None

    @contextmanager
    def in_use(self) -> Iterator[PretendDevice]:
        """Compute and count, from here on to the end of the block."""
        with self, _MadeOnTheHost():
            yield self

    def __torch_dispatch__(
        self, func: Any, types: Sequence[type], args: Args = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        kwargs = dict(kwargs or {})
        given = [value for value in pytree.tree_leaves((args, kwargs)) if isinstance(value, Tensor)]
        if any(isinstance(value, PretendTensor) for value in given) or _is_ours(kwargs.get("device")):
            return self._compute(func, args, kwargs, given)
        return func(*args, **kwargs)

    def _compute(self, func: Any, args: Args, kwargs: Kwargs, given: list[Tensor]) -> Any:
        name = func.overloadpacket.__name__
        on_host = [value for value in given if not isinstance(value, PretendTensor)]
        wanted = kwargs.get("device")
        to_host = (wanted is not None and not _is_ours(wanted)) or (
            name == "copy_" and not isinstance(args[0], PretendTensor)
        )
        if name not in _COPIES and any(value.dim() > 0 for value in on_host):
            shapes = [tuple(value.shape) for value in on_host]
            raise RuntimeError(f"{func}: expected all tensors on {NAME}, found {shapes} on the CPU.")
        if self.refuses is not None:
            self.refuses(name, given)
        self._count(func, name, given, on_host=bool(on_host), to_host=to_host)

        held_args, held_kwargs = pytree.tree_map_only(PretendTensor, lambda value: value.held, (args, kwargs))
        if "device" in held_kwargs:
            held_kwargs["device"] = torch.device("cpu")
        result = func(*held_args, **held_kwargs)
        if to_host:
            return result
        self._allocate(result, held_args)
        return _on_device(func, result, args, kwargs)

    def _allocate(self, result: Any, held: Any) -> None:
        """Count what is on the device, and run out of memory where asked to."""
        given, made = (
            [value for value in pytree.tree_leaves(values) if isinstance(value, Tensor)]
            for values in (held, result)
        )
        there = {value.untyped_storage()._cdata for value in given}
        for value in made:
            if value.untyped_storage()._cdata in there:
                continue
            self.allocations.append(_place())
            wanted = value.untyped_storage().nbytes()
            full = self.capacity is not None and self.storages.live + wanted > self.capacity
            if full or len(self.allocations) == self.fails_at:
                raise torch.OutOfMemoryError(f"Tried to allocate {wanted} bytes on {NAME}.")
            self.storages.follow(value)

    def _count(self, func: Any, name: str, given: list[Tensor], *, on_host: bool, to_host: bool) -> None:
        by_mask = name in _INDEXING and any(value.dtype == torch.bool for value in given[1:])
        # How often each is repeated must be known to size the result.
        repeats = name == "repeat_interleave" and func._overloadname == "Tensor"
        if to_host:
            self.counts.questions[name] += 1
        elif name in _COPIES and on_host:
            self.counts.uploads[name] += 1
        elif name in _QUESTIONS or by_mask or repeats:
            self.counts.questions[name] += 1
            self.counts.kernels[name] += 1
        elif name not in _ALLOCATIONS and not _is_view(func):
            self.counts.kernels[name] += 1


class _MadeOnTheHost(TorchFunctionMode):
    """What torch does not hand to subclasses of its tensors: lists become tensors, and tensors lists."""

    def __torch_function__(
        self, func: Any, types: Sequence[type], args: Args = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        kwargs = dict(kwargs or {})
        if func in _MAKERS and _is_ours(kwargs.get("device")) and not isinstance(args[0], Tensor):
            device = kwargs.pop("device")
            return func(*args, **kwargs).to(device)
        if func is Tensor.tolist and isinstance(args[0], PretendTensor):
            return args[0].cpu().tolist()
        if func is Tensor.new_tensor and isinstance(args[0], PretendTensor):
            return torch.tensor(*args[1:], **{"dtype": args[0].dtype, **kwargs}).to(args[0].device)
        return func(*args, **kwargs)


def _place() -> str:
    """Which function of the product is at work, as `folder/file.py:function`."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        if file := _file_of_product(frame.f_code.co_filename):
            return f"{file}:{frame.f_code.co_name}"
        frame = frame.f_back
    return "outside"


@cache
def _file_of_product(path: str) -> str:
    parts = Path(path).parts
    return "/".join(parts[parts.index(_PRODUCT) + 1 :]) if _PRODUCT in parts else ""


def _is_ours(device: Any) -> bool:
    return device is not None and torch.device(device).type == NAME


def _is_view(func: Any) -> bool:
    """Whether all that an operation returns shares its values with what it was given."""
    returns = func._schema.returns
    return bool(returns) and all(
        value.alias_info is not None and not value.alias_info.is_write for value in returns
    )


def _on_device(func: Any, result: Any, args: Args, kwargs: Kwargs) -> Any:
    """Results as tensors of the device; what was written to comes back as the tensor that was given."""
    written: dict[int, PretendTensor] = {}
    named = zip((argument for argument in func._schema.arguments), args, strict=False)
    for argument, value in (*named, *((one, kwargs.get(one.name)) for one in func._schema.arguments)):
        if argument.alias_info is not None and argument.alias_info.is_write:
            ours = (one for one in pytree.tree_leaves(value) if isinstance(one, PretendTensor))
            written |= {id(one.held): one for one in ours}
    return pytree.tree_map_only(
        Tensor, lambda value: written[id(value)] if id(value) in written else PretendTensor(value), result
    )


def on_device(module: ModuleT, device: torch.device) -> ModuleT:
    """A copy of a module whose parameters and buffers lie on the pretend device.

    `Module.to` would put them into the tensors that are there, which cannot become tensors of another class.
    """
    moved = copy.deepcopy(module)
    for part in moved.modules():
        for name, value in part.named_parameters(recurse=False):
            part.register_parameter(name, nn.Parameter(value.detach().to(device), value.requires_grad))
        for name, buffer in part.named_buffers(recurse=False):
            part.register_buffer(name, buffer.to(device), name not in part._non_persistent_buffers_set)
    return moved
