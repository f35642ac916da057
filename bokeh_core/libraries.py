"""Libraries of others that may be missing or broken, and what to type then."""

import sys
from pathlib import Path

PACKAGES = {
    "av": "av",
    "cv2": "opencv-python",
    "diffusers": "diffusers",
    "einops": "einops",
    "safetensors": "safetensors",
    "transformers": "transformers",
}
"""What is imported -> the package that brings it; all are in requirements.txt."""

_REQUIREMENTS = Path(__file__).resolve().parents[1] / "requirements.txt"


def missing_library(error: BaseException) -> str:
    """Which library of others an error says is not there; "" for other errors."""
    name = (error.name or "").partition(".")[0] if isinstance(error, ImportError) else ""
    return "" if name == __name__.partition(".")[0] else name


def line_to_type(library: str) -> str:
    """What to type to install what a library needs, with the Python that runs now.

    A clone has the list of all that is needed; beside an installed wheel it is the library alone.
    """
    # The Python of ComfyUI's portable version must not see the user's own packages.
    alone = "-s " if "python_embeded" in sys.executable else ""
    in_list = library in PACKAGES and _REQUIREMENTS.is_file()
    wanted = f"-r {_typed(str(_REQUIREMENTS))}" if in_list else PACKAGES.get(library, library)
    return f"{_typed(sys.executable)} {alone}-m pip install {wanted}"


def lacks_system_libraries(fault: str) -> bool:
    """Whether a fault says that OpenCV misses what the operating system has on machines with a screen."""
    return "libGL" in fault or "libgthread" in fault


def system_libraries_advice(package: str, fault: str) -> str:
    """What helps where `lacks_system_libraries`."""
    return (
        f"{package} wants system libraries that this machine lacks ({fault}). Install them (Debian and "
        "Ubuntu: apt-get install libgl1 libglib2.0-0), or put opencv-python-headless in its place."
    )


def missing_library_message(library: str, fault: str) -> str:
    """What a command says of a library that is missing or cannot be loaded, in one line."""
    if lacks_system_libraries(fault):
        return system_libraries_advice(PACKAGES.get(library, library), fault)
    return f"{library} is missing or cannot be loaded ({fault}). Type {line_to_type(library)}"


def _typed(path: str) -> str:
    # PowerShell takes a program in quotes for a text, so that they stand only where they must.
    return f'"{path}"' if " " in path else path
