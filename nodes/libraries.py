"""Which libraries are there, and what to type where one is not."""

import importlib
import importlib.util
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

REQUIREMENTS = Path(__file__).resolve().parents[1] / "requirements.txt"
PACKAGES = {
    "av": "av",
    "cv2": "opencv-python",
    "diffusers": "diffusers",
    "einops": "einops",
    "safetensors": "safetensors",
}
"""What the nodes import -> the package that brings it; all are in requirements.txt."""

# Loading them takes seconds, so only their presence is checked until a node needs them.
_LOADED_LATE = {"av", "diffusers", "safetensors"}


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


def line_to_type() -> str:
    """What installs everything that the pack needs, with the Python that runs the host."""
    # The Python of ComfyUI's portable version must not see the user's own packages.
    alone = "-s " if "python_embeded" in sys.executable else ""
    return f"{_typed(sys.executable)} {alone}-m pip install -r {_typed(str(REQUIREMENTS))}"


def _typed(path: str) -> str:
    # PowerShell reads a quoted program as a string, so quotes are used only where needed.
    return f'"{path}"' if " " in path else path


def advice(library: str, fault: str) -> str:
    """What helps where a library cannot be used."""
    package = PACKAGES[library]
    if "libGL" in fault or "libgthread" in fault:
        return (
            f"{package} wants system libraries that this machine lacks ({fault}). Install them (Debian and "
            "Ubuntu: apt-get install libgl1 libglib2.0-0), or put opencv-python-headless in its place."
        )
    return (
        f"{package} is missing or cannot be loaded ({fault}). Close ComfyUI, type\n    {line_to_type()}\n"
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
