"""ComfyUI's front end, opened in a Chromium."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from devtools.client import Prompt
from devtools.environment import NEWEST_FRONT_END_FOLDER
from tests.browser.chromium import TIMEOUT_S, Chromium
from tests.host.harness import HostUnderTest

IN_PAGE = Path(__file__).with_name("in_page.js")
VUE_NODES = "Comfy.VueNodes.Enabled"
HOSTS_OWN, NEWEST = "hosts_own", "newest"
ON_BOTH = pytest.mark.parametrize("host", [HOSTS_OWN, NEWEST], indirect=True)
ON_NEWEST = pytest.mark.parametrize("host", [NEWEST], indirect=True)
# Wide enough for a whole workflow at a zoom where both kinds of nodes draw their widgets.
VIEWPORT_PX = (2800, 1500)
# Playwright limits the time of clicks and waits, but not of what runs inside the page.
CALL = """
([name, values, timeout_ms]) => Promise.race([
  window.inPage[name](...values),
  new Promise((_, reject) =>
    setTimeout(() => reject(new Error(`${name}: no answer from the page in ${timeout_ms} ms.`)), timeout_ms)
  ),
])
"""
IS_TRUE = "([name, values]) => window.inPage[name](...values)"

Workflow = dict[str, Any]


def front_end_folder(name: str) -> Path | None:
    """Return the folder of a front end to serve; None for the host's own.

    Raises:
        RuntimeError: dev.py has not fetched it yet.
    """
    if name == HOSTS_OWN:
        return None
    if not NEWEST_FRONT_END_FOLDER.is_dir():
        raise RuntimeError(
            "The newest front end is not installed; `python dev.py test --only browser` does it."
        )
    return NEWEST_FRONT_END_FOLDER


class FrontEnd:
    """The front end of a running host, opened as on a user's second visit."""

    def __init__(
        self,
        chromium: Chromium,
        host: HostUnderTest,
        vue_nodes: bool,
        language: str = "en",
        viewport_px: tuple[int, int] = VIEWPORT_PX,
        address: str = "",
    ) -> None:
        """Open it with nodes drawn on the canvas, or by Vue where this front end can do that.

        Args:
            chromium: the browser.
            host: which serves it.
            vue_nodes: whether Vue draws the nodes.
            language: of its texts.
            viewport_px: width and height of the page.
            address: what follows the host's address, as `/?template=...`.
        """
        self._chromium = chromium
        self._pictures = host.output_dir / "screenshots"
        self._pictures.mkdir(exist_ok=True)
        # The first visit opens a tutorial, which would take the clicks.
        settings = {"Comfy.TutorialCompleted": True, VUE_NODES: vue_nodes, "Comfy.Locale": language}
        settings_file = host.process.base / "user" / "default" / "comfy.settings.json"
        settings_file.parent.mkdir(parents=True, exist_ok=True)
        settings_file.write_text(json.dumps(settings), encoding="utf-8")
        self.page = chromium.new_page(*viewport_px)
        self.page.add_init_script(path=IN_PAGE)
        self.page.goto(host.process.url + address)
        self.wait("isReady")
        self.draws_vue_nodes = vue_nodes and bool(self.call("knowsSetting", VUE_NODES))

    def is_closed(self) -> bool:
        """Whether another page was opened in its place."""
        return self.page.is_closed()

    def start_over(self) -> None:
        """Leave what the test before had open, and answer its requests as usual again."""
        self.page.unroute_all(behavior="ignoreErrors")
        self.call("startOver")
        self.wait("hasNodes", [])

    def call(self, name: str, *values: Any) -> Any:
        """Call a function of in_page.js."""
        return self.page.evaluate(CALL, [name, list(values), 1000 * TIMEOUT_S])

    def wait(self, name: str, *values: Any) -> None:
        """Wait until a function of in_page.js returns true."""
        # Polled by time and not by animation frame: frames may be slow in coming without a GPU.
        self.page.wait_for_function(IS_TRUE, arg=[name, list(values)], polling=200)

    def click(self, test_id: str) -> None:
        """Click what the front end marks with this test id."""
        self.page.get_by_test_id(test_id).first.click()

    def pick_files(self, node_type: str, button: str, files: Path) -> None:
        """Press a node's button that opens a file chooser, and choose a file or folder there."""
        with self.page.expect_file_chooser() as opened:
            if self.draws_vue_nodes:
                self.page.get_by_role("button", name=button).first.click()
            else:
                self.page.mouse.click(*self.call("placeOfWidget", node_type, button))
        opened.value.set_files(files)

    def search(self, query: str) -> None:
        """Type into the search box for nodes, opened where it is closed."""
        self.call("openSearch")
        self.wait("isTyping")
        self.page.keyboard.press("Control+A")
        self.page.keyboard.type(query)

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
        return [*self.call("complaints"), *self._chromium.uncaught]

    def screenshot(self, name: str) -> None:
        """Save a picture of the page, for people to look at: output/screenshots/NAME.png of the host."""
        self.call("fitView")
        self.page.screenshot(path=self._pictures / f"{name}.png")
