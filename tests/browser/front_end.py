"""A Chromium under test, and ComfyUI's front end opened in it."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from types import TracebackType
from typing import Any

from devtools.browser import find_chromium
from devtools.client import Prompt
from devtools.environment import VENV
from tests.host.harness import HostUnderTest

HERE = Path(__file__).parent
VUE_NODES = "Comfy.VueNodes.Enabled"
# Only so that a hang ends at some time; nothing depends on how long anything takes.
TIMEOUT_S = 300
# Wide enough for a whole workflow at a zoom where both kinds of nodes draw their widgets.
VIEWPORT_PX = (2800, 1500)

Workflow = dict[str, Any]


class PageError(Exception):
    """A command failed in the browser; the message is the browser's."""


def installed_browser() -> tuple[Path, Path]:
    """Return Chromium and the folder of node modules that drives it; tests never install them.

    Raises:
        RuntimeError: one of them is not installed.
    """
    chromium = find_chromium()
    modules = Path(os.environ.get("NODE_PATH") or VENV / "node" / "node_modules")
    missing = []
    if chromium is None or not chromium.is_file():
        missing.append(f"Chromium ({chromium or 'looked for on PATH and in CHROMIUM_PATH'})")
    if not (modules / "playwright-core").is_dir():
        missing.append(f"playwright-core (looked for in {modules})")
    if chromium is None or missing:
        raise RuntimeError(f"Missing: {', '.join(missing)}. `python dev.py test --only browser` installs it.")
    return chromium, modules


class Chromium:
    """A Chromium with one page, run by a Node.js process; a context manager that closes both."""

    def __init__(self, log_file: Path) -> None:
        """Start the browser; what Node.js has to say goes to `log_file`."""
        executable, modules = installed_browser()
        self._log_file = log_file
        with log_file.open("wb") as log:
            self._driver = subprocess.Popen(
                ["node", str(HERE / "driver.js"), str(executable), str(1000 * TIMEOUT_S)],
                env={**os.environ, "NODE_PATH": str(modules)},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                encoding="utf-8",
            )

    def __enter__(self) -> Chromium:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._driver.stdin is not None:
            self._driver.stdin.close()
        try:
            self._driver.wait(timeout=30)
        except subprocess.TimeoutExpired:
            self._driver.kill()
            self._driver.wait()

    def ask(self, command: str, **options: Any) -> Any:
        """Have driver.js carry out one of its commands; return its answer.

        Raises:
            PageError: the command failed, or the browser is gone.
        """
        assert self._driver.stdin is not None and self._driver.stdout is not None
        try:
            self._driver.stdin.write(json.dumps({"command": command, **options}) + "\n")
            self._driver.stdin.flush()
        except OSError:
            pass  # it has ended, and said why in its last line
        line = self._driver.stdout.readline()
        if not line:
            raise PageError(f"The browser is gone.\n{self._log_file.read_text(encoding='utf-8')}")
        answer = json.loads(line)
        if "error" in answer:
            raise PageError(answer["error"])
        return answer["value"]


class FrontEnd:
    """The front end of a running host, freshly opened as on a user's second visit."""

    def __init__(self, chromium: Chromium, host: HostUnderTest, vue_nodes: bool) -> None:
        """Open it with nodes drawn on the canvas, or by Vue where this front end can do that."""
        self._chromium = chromium
        self._pictures = host.output_dir / "screenshots"
        self._pictures.mkdir(exist_ok=True)
        # The first visit opens a tutorial, which would take the clicks.
        settings = {"Comfy.TutorialCompleted": True, VUE_NODES: vue_nodes}
        settings_file = host.process.base / "user" / "default" / "comfy.settings.json"
        settings_file.parent.mkdir(parents=True, exist_ok=True)
        settings_file.write_text(json.dumps(settings), encoding="utf-8")
        width, height = VIEWPORT_PX
        chromium.ask("open", url=host.process.url, width=width, height=height)
        self.wait("isReady")
        self.draws_vue_nodes = vue_nodes and bool(self.call("knowsSetting", VUE_NODES))

    def call(self, name: str, *values: Any) -> Any:
        """Call a function of in_page.js."""
        return self._chromium.ask("call", name=name, values=values)

    def wait(self, name: str, *values: Any) -> None:
        """Wait until a function of in_page.js returns true."""
        self._chromium.ask("wait", name=name, values=values)

    def click(self, test_id: str) -> None:
        """Click what the front end marks with this test id."""
        self._chromium.ask("click", selector=f'[data-testid="{test_id}"]')

    def load(self, workflow: Workflow) -> None:
        """Open a workflow and wait until its nodes are drawn."""
        self.call("load", workflow)
        self.call("fitView")
        self.wait("hasVueNodes", len(workflow["nodes"]) if self.draws_vue_nodes else 0)

    def prompt(self) -> Prompt:
        """Return what the front end would queue."""
        prompt: Prompt = self.call("prompt")
        return prompt

    def complaints(self) -> list[str]:
        """Return what the front end complains of: dialogs, warnings, errors, uncaught exceptions."""
        return [*self.call("complaints"), *self._chromium.ask("uncaught")]

    def screenshot(self, name: str) -> None:
        """Save a picture of the page, for people to look at: output/screenshots/NAME.png of the host."""
        self.call("fitView")
        self._chromium.ask("screenshot", file=str(self._pictures / f"{name}.png"))
