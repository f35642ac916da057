from collections.abc import Sequence
from enum import Enum
from typing import Any

from .ui import PreviewVideo

class FolderType(Enum):
    input = ...
    output = ...
    temp = ...

# Newer hosts have more of them.
class NumberDisplay(str, Enum):
    number = ...
    slider = ...

class Input:
    # `extra_dict`: more options of the widget, as its default.
    def __init__(
        self,
        id: str,
        *,
        optional: bool = ...,
        tooltip: str | None = ...,
        extra_dict: dict[str, Any] | None = ...,
    ) -> None: ...

class Output:
    def __init__(self, *, display_name: str | None = ..., tooltip: str | None = ...) -> None: ...

class Socket:
    class Input(Input): ...
    class Output(Output): ...

def Custom(io_type: str) -> type[Socket]: ...

class AnyType(Socket): ...
class ClipVision(Socket): ...
class Image(Socket): ...
class Latent(Socket): ...
class Mask(Socket): ...
class Video(Socket): ...

class Boolean(Socket):
    class Input(Input):
        def __init__(
            self, id: str, *, default: bool, optional: bool = ..., tooltip: str | None = ...
        ) -> None: ...

class Int(Socket):
    class Input(Input):
        def __init__(
            self,
            id: str,
            *,
            default: int,
            min: int,
            max: int,
            step: int = ...,
            optional: bool = ...,
            tooltip: str | None = ...,
        ) -> None: ...

class Float(Socket):
    class Input(Input):
        # `round`: to what the widget rounds; False = not at all.
        def __init__(
            self,
            id: str,
            *,
            default: float,
            min: float,
            max: float,
            step: float,
            round: float | bool = ...,
            optional: bool = ...,
            tooltip: str | None = ...,
        ) -> None: ...

class String(Socket):
    class Input(Input):
        def __init__(
            self,
            id: str,
            *,
            default: str = ...,
            multiline: bool = ...,
            placeholder: str | None = ...,
            optional: bool = ...,
            tooltip: str | None = ...,
        ) -> None: ...

class MultiType:
    class Input(Input):
        def __init__(
            self,
            id: str,
            types: Sequence[type[Socket]],
            *,
            optional: bool = ...,
            tooltip: str | None = ...,
        ) -> None: ...

class Combo(Socket):
    class Input(Input):
        def __init__(
            self,
            id: str,
            *,
            options: Sequence[str],
            default: str | None = ...,
            optional: bool = ...,
            tooltip: str | None = ...,
        ) -> None: ...

class Hidden(Enum):
    prompt = ...
    extra_pnginfo = ...

class Schema:
    def __init__(
        self,
        *,
        node_id: str,
        display_name: str,
        category: str,
        description: str = ...,
        inputs: Sequence[Input] = ...,
        outputs: Sequence[Output] = ...,
        hidden: Sequence[Hidden] = ...,
        is_output_node: bool = ...,
    ) -> None: ...

class NodeOutput:
    def __init__(self, *values: Any, ui: PreviewVideo | dict[str, list[Any]] | None = ...) -> None: ...

class ComfyNode:
    hidden: Any
    @classmethod
    def define_schema(cls) -> Schema: ...
    @classmethod
    def execute(cls, *args: Any, **kwargs: Any) -> NodeOutput: ...
    @classmethod
    def validate_inputs(cls, *args: Any, **kwargs: Any) -> bool | str: ...
    @classmethod
    def fingerprint_inputs(cls, *args: Any, **kwargs: Any) -> str: ...
