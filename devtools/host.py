"""A real ComfyUI as a child process: where it is, how it is started, and how it is stopped."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO

from .environment import (
    PACK,
    ensure_environment_for,
    ensure_full_environment,
    ensure_test_host,
    fail,
    log,
    runs,
)

# The folder name in custom_nodes; the front end takes it as a template source: letters, digits, - and _.
PACK_NAME = "any-to-bokeh"
BASE_FOLDERS = ("custom_nodes", "models", "input", "output", "temp", "user")
NOT_COPIED = (
    *(".venv", ".git", "output", "__pycache__"),
    # What tools note, perhaps while files are copied.
    *(".hypothesis", ".import_linter_cache", ".mypy_cache", ".pytest_cache", ".ruff_cache"),
)

# Another program may take a port between the moment it was found free and the host's own use of it.
PORTS_TRIED = 5
_ADDRESS_IN_USE = re.compile(r"address already in use|Errno (98|48|10048)\b|WinError 10048", re.IGNORECASE)

HAS_ACCELERATOR = """
import sys, torch
xpu = getattr(torch, "xpu", None)
found = torch.cuda.is_available() or torch.backends.mps.is_available() or (xpu and xpu.is_available())
sys.exit(0 if found else 1)
"""


class HostFailed(Exception):
    """The host did not start, or died; the message carries the end of its log."""


class PortTaken(HostFailed):
    """Another program took the host's port first."""


@dataclass(frozen=True)
class HostInstall:
    """A ComfyUI folder and the interpreter that runs it."""

    folder: Path
    python: Path


def find_user_host() -> Path | None:
    """Return the user's ComfyUI: COMFYUI_PATH, or the one whose custom_nodes the pack sits in."""
    named = os.environ.get("COMFYUI_PATH", "").strip()
    if named:
        folder = Path(named).expanduser().resolve()
        if not (folder / "main.py").is_file():
            raise fail(f"COMFYUI_PATH is {folder}, which holds no main.py; it must be the ComfyUI folder.")
        return folder
    around = PACK.parent.parent
    if PACK.parent.name == "custom_nodes" and (around / "main.py").is_file():
        return around
    return None


def find_python_of(host_folder: Path) -> Path | None:
    """Return the interpreter a user's ComfyUI runs with, None if there is no telling."""
    named = os.environ.get("COMFYUI_PYTHON", "").strip()
    if named:
        return Path(named).expanduser()
    candidates = [host_folder.parent / "python_embeded" / "python.exe"]
    for venv in (host_folder / "venv", host_folder / ".venv"):
        candidates += [venv / "Scripts" / "python.exe", venv / "bin" / "python"]
    # With conda and the like, ComfyUI runs in the environment that is active.
    if runs([sys.executable, "-c", "import torch, aiohttp, comfyui_frontend_package"]):
        candidates.append(Path(sys.executable))
    return next((python for python in candidates if python.is_file()), None)


def locate_host() -> HostInstall:
    """Return the user's ComfyUI if there is one, else the test host, with all that it needs installed."""
    user_host = find_user_host()
    if user_host is None:
        python = ensure_full_environment()
        return HostInstall(ensure_test_host(python), python)
    user_python = find_python_of(user_host)
    if user_python is None:
        log(f"Found no interpreter of {user_host}; COMFYUI_PYTHON can name it. Installing its requirements.")
        return HostInstall(user_host, ensure_environment_for(user_host))
    if not runs([user_python, "-c", "import torch, aiohttp"]):
        raise fail(f"{user_python} does not run ComfyUI; name the interpreter that does in COMFYUI_PYTHON.")
    if not runs([user_python, "-c", "import av, cv2, einops"]):
        raise fail(
            "Your ComfyUI lacks packages of this pack. ComfyUI-Manager installs them; by hand:\n"
            f'"{user_python}" -m pip install -r "{PACK / "requirements.txt"}"'
        )
    return HostInstall(user_host, user_python)


def prepare_base(base: Path, packs: Sequence[Path] = ()) -> None:
    """Lay out a base directory of our own with the pack, and any further packs, linked in.

    A user's models, outputs and other packs are neither seen nor touched by a host that runs in it.
    """
    for name in BASE_FOLDERS:
        (base / name).mkdir(parents=True, exist_ok=True)
    link_folder(PACK, base / "custom_nodes" / PACK_NAME)
    for pack in packs:
        link_folder(pack, base / "custom_nodes" / pack.name)


def link_folder(source: Path, link: Path) -> None:
    """Make `link` show `source`: a symbolic link, on Windows a junction, at worst a copy."""
    if link.exists() and link.samefile(source):
        return
    remove_link(link)
    try:
        link.symlink_to(source, target_is_directory=True)
    except OSError:
        # Windows gives symbolic links only to administrators and developers; junctions to everyone.
        if not (os.name == "nt" and runs(["cmd", "/c", "mklink", "/J", link, source])):
            shutil.copytree(source, link, ignore=shutil.ignore_patterns(*NOT_COPIED))


def remove_link(link: Path) -> None:
    """Remove a link, junction or copy that link_folder made; never what a link points to."""
    if link.is_symlink():
        link.unlink()
    elif link.is_dir():
        try:
            link.rmdir()  # a junction, or an empty folder
        except OSError:
            shutil.rmtree(link)


def free_port() -> int:
    """Return a TCP port that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class HostProcess:
    """One running host in a base directory of ours; a context manager that stops it on the way out."""

    def __init__(
        self, install: HostInstall, base: Path, *, cpu: bool | None = None, front_end: Path | None = None
    ) -> None:
        """Prepare a host.

        Args:
            install: the ComfyUI and its interpreter.
            base: a folder laid out by prepare_base.
            cpu: True keeps it off the accelerator; None uses one if the interpreter's torch finds it.
            front_end: the folder with a front end to serve; None serves the host's own.
        """
        self.install = install
        self.base = base
        self.log_file = base / "host.log"
        self._take_port()
        self._cpu = cpu
        self._front_end = front_end
        self._process: subprocess.Popen[bytes] | None = None
        self._log_handle: IO[bytes] | None = None

    def __enter__(self) -> HostProcess:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def command(self) -> list[str]:
        """Return the host's command line."""
        cpu = self._cpu
        if cpu is None:
            cpu = not runs([self.install.python, "-c", HAS_ACCELERATOR])
        argv = [str(self.install.python), str(self.install.folder / "main.py")]
        argv += ["--base-directory", str(self.base), "--listen", "127.0.0.1", "--port", str(self.port)]
        argv += ["--disable-auto-launch", "--disable-api-nodes", "--database-url", "sqlite:///:memory:"]
        if self._front_end is not None:
            argv += ["--front-end-root", str(self._front_end)]
        return [*argv, "--cpu"] if cpu else argv

    def start(self, timeout_s: float = 300.0) -> None:
        """Start the host and wait until it answers.

        Raises:
            HostFailed: it exits, does not answer in time, or cannot import the pack.
        """
        for _ in range(PORTS_TRIED - 1):
            try:
                self._start(timeout_s)
            except PortTaken:
                self._take_port()
            else:
                return
        self._start(timeout_s)

    def _start(self, timeout_s: float) -> None:
        environment = {**os.environ, "PYTHONUNBUFFERED": "1", "PYTHONUTF8": "1"}
        self._log_handle = self.log_file.open("wb")
        self._process = subprocess.Popen(
            self.command(),
            cwd=self.install.folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=self._log_handle,
            stderr=subprocess.STDOUT,
        )
        try:
            self._wait_until_it_answers(timeout_s)
            self._check_imports()
        except BaseException:
            self.stop()
            raise

    def _take_port(self) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"

    def stop(self) -> None:
        """Stop the host by its own handle: politely, then firmly."""
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            self._process = None
        if self._log_handle is not None:
            self._log_handle.close()
            self._log_handle = None

    def wait(self) -> None:
        """Block until the host exits by itself."""
        if self._process is not None:
            self._process.wait()

    def log_text(self) -> str:
        """Return all the host has printed."""
        return self.log_file.read_text(encoding="utf-8", errors="replace")

    def import_times_s(self) -> dict[str, float]:
        """Return what the log says each custom node pack took to import, by folder name."""
        found = re.findall(r"^\s*(\d+\.\d+) seconds[^:]*: (.+)$", self.log_text(), re.MULTILINE)
        return {Path(path.strip()).name: float(seconds) for seconds, path in found}

    def _wait_until_it_answers(self, timeout_s: float) -> None:
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline:
            if self._process is None or self._process.poll() is not None:
                if _ADDRESS_IN_USE.search(self.log_text()):
                    raise PortTaken(f"Port {self.port} was taken.\n{self._log_tail()}")
                raise HostFailed(f"The host stopped while starting.\n{self._log_tail()}")
            if self._answers():
                return
            time.sleep(0.2)
        raise HostFailed(f"The host did not answer within {timeout_s:.0f} s.\n{self._log_tail()}")

    def _answers(self) -> bool:
        """Whether it is this host that answers, and not another that took its port first."""
        try:
            # The address is that of a host that was started here.
            with urllib.request.urlopen(f"{self.url}/system_stats", timeout=5) as answer:  # nosec B310
                return str(self.base) in json.load(answer)["system"]["argv"]
        except (OSError, ValueError, KeyError):
            return False

    def _check_imports(self) -> None:
        # The host itself goes on, and even exits with 0, when a pack fails to import.
        text = self.log_text()
        for failed in re.findall(r"\(IMPORT FAILED\): (.+)$", text, re.MULTILINE):
            # Logged after the traceback, if there is one: the pack's file may fail, or its entry point.
            reason = re.search(
                rf"^(Cannot import|Error while).*{re.escape(failed.strip())}.*$", text, re.MULTILINE
            )
            end = reason.end() if reason else len(text)
            begin = text.rfind("\nTraceback", 0, end) + 1
            raise HostFailed(f"IMPORT FAILED: {failed}\n{text[begin:end]}")

    def _log_tail(self, lines: int = 60) -> str:
        return "\n".join(self.log_text().splitlines()[-lines:])
