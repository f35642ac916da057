"""A Chromium to test in: found on the machine, or installed where that is allowed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from .environment import log, runs

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "msedge")
PLACES = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    r"C:\Program Files\Google\Chrome\Application\chrome.exe",
    r"C:\Program Files (x86)\Google\Chrome\Application\chrome.exe",
    r"C:\Program Files (x86)\Microsoft\Edge\Application\msedge.exe",
)


class BrowserMissing(Exception):
    """There is no browser to test in; the message says what would give one."""


def ensure_browser() -> Path:
    """Return the Chromium executable.

    Raises:
        BrowserMissing: there is none, and it cannot be installed.
    """
    chromium = find_chromium()
    if chromium is None:
        apt_install("chromium", "fonts-dejavu-core")
        chromium = find_chromium()
    if chromium is None:
        raise BrowserMissing("no Chromium; install one or name it in CHROMIUM_PATH.")
    return chromium


def find_chromium() -> Path | None:
    """Return a Chromium of this machine: CHROMIUM_PATH, on PATH, or where installers put it."""
    named = os.environ.get("CHROMIUM_PATH")
    if named:
        return Path(named)
    on_path = next((found for name in NAMES if (found := shutil.which(name))), None)
    if on_path:
        return Path(on_path)
    return next((Path(place) for place in PLACES if Path(place).is_file()), None)


def apt_install(*packages: str) -> None:
    """Install system packages where that takes no password: as root on a Debian; else do nothing."""
    if not sys.platform.startswith("linux") or shutil.which("apt-get") is None or os.geteuid() != 0:
        return
    log(f"  apt-get install {' '.join(packages)}")
    runs(["apt-get", "update", "-qq"])
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    command = ["apt-get", "install", "--yes", "-qq", "--no-install-recommends", *packages]
    subprocess.run(command, env=environment, stdout=subprocess.DEVNULL, check=False)
