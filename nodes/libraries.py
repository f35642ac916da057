"""Which libraries are there, and what to type where one is not."""

import importlib
import importlib.util
from collections.abc import Iterator
from contextlib import contextmanager

from ..bokeh_core.libraries import PACKAGES, lacks_system_libraries, line_to_type, system_libraries_advice

# Loading them takes seconds, so only their presence is checked until a node needs them.
_LOADED_LATE = {"av", "diffusers", "safetensors", "transformers"}


def fault_of(library: str) -> str | None:
    """Why a library cannot be used; None where it can, as far as that is seen without loading much."""
    try:
        if library not in _LOADED_LATE:
            importlib.import_module(library)
        elif importlib.util.find_spec(library) is None:
            return f"No module named {library!r}"
    except (ImportError, OSError, ValueError) as error:
        return str(error)
    return None


def advice(library: str, fault: str) -> str:
    """What helps where a library cannot be used."""
    package = PACKAGES[library]
    if lacks_system_libraries(fault):
        return system_libraries_advice(package, fault)
    return (
        f"{package} is missing or cannot be loaded ({fault}). Close ComfyUI, type\n"
        f"    {line_to_type(library)}\n"
        "and start it again. If it is installed already, pip check says what does not fit together."
    )


@contextmanager
def needed_libraries() -> Iterator[None]:
    """Tell users what to type where a library turns out, in use, to be missing or broken."""
    try:
        yield
    except (ImportError, RuntimeError) as error:
        # diffusers wraps what it could not import in a RuntimeError.
        if isinstance(error, RuntimeError) and not str(error).startswith("Failed to import"):
            raise
        name = (getattr(error, "name", None) or "diffusers").partition(".")[0]
        raise ImportError(advice(name if name in PACKAGES else "diffusers", str(error))) from error
