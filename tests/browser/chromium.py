"""A Chromium under test, driven by Playwright."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright

from devtools.browser import find_chromium

# Only so that a hang ends at some time; nothing depends on how long anything takes.
TIMEOUT_S = 300
FLAGS = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def installed_chromium() -> Path:
    """Return the Chromium of this machine; tests never install one.

    Raises:
        RuntimeError: there is none.
    """
    executable = find_chromium()
    if executable is None or not executable.is_file():
        where = executable or "looked for on PATH and in CHROMIUM_PATH"
        raise RuntimeError(f"No Chromium ({where}). `python dev.py test --only browser` installs one.")
    return executable


class Chromium:
    """A Chromium with one page at a time; a context manager that closes it."""

    def __init__(self) -> None:
        """Start the browser."""
        executable = installed_chromium()
        self._playwright = sync_playwright().start()
        self._browser: Browser = self._playwright.chromium.launch(
            executable_path=executable, args=FLAGS, timeout=1000 * TIMEOUT_S
        )
        self.uncaught: list[str] = []

    def __enter__(self) -> Chromium:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._browser.close()
        self._playwright.stop()

    def new_page(self, width_px: int, height_px: int, **options: Any) -> Page:
        """Close the page and open another in a context of its own: nothing remembered reaches it.

        What the page throws and nobody catches is noted in `uncaught`.
        """
        for context in self._browser.contexts:
            context.close()
        self.uncaught.clear()
        context = self._browser.new_context(viewport={"width": width_px, "height": height_px}, **options)
        page = context.new_page()
        page.set_default_timeout(1000 * TIMEOUT_S)
        page.on("pageerror", lambda error: self.uncaught.append(str(error.stack or error)))
        return page
