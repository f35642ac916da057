"""A rater of a blind test: plays the whole page through by clicks and keys, and reports what it saw."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlparse
from urllib.request import url2pathname

from playwright.sync_api import ConsoleMessage, Page

VIDEOS = '["left", "right", "sharp"].map((id) => document.getElementById(id))'
DRAWS = "() => Array.from({ length: 60 }, newSession)"


class Rater:
    """Prefers the videos of some names, whichever side they are on.

    Attributes:
        saw: what was seen, by name.
    """

    def __init__(self, page: Page, preferred: Mapping[str, bool], folder: Path) -> None:
        """Take a page that is not yet open; pictures and the download go into a folder."""
        self._page = page
        self._preferred = preferred
        self._folder = folder
        self.saw: dict[str, Any] = {"errors": [], "requests": [], "progress": []}
        page.on("pageerror", lambda error: self.saw["errors"].append(str(error.stack or error)))
        page.on("console", self._note_errors)
        page.on("request", lambda request: self.saw["requests"].append(request.url))
        page.on("dialog", lambda dialog: dialog.accept())

    def play_through(self, url: str, one_peer_url: str) -> None:
        """Rate all pairs of a test with six, going back, skipping and closing the page on the way."""
        self._open(url)
        self._first_pair()
        self._second_pair()
        self._third_pair_and_reload()
        self._other_pairs()
        self._another_rater(url)
        # What many raters are given where each sees a clip once.
        self._page.goto(one_peer_url)
        self.saw["draws"] = self._page.evaluate(DRAWS)

    def _note_errors(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.saw["errors"].append(message.text)

    def _open(self, url: str) -> None:
        page, saw = self._page, self.saw
        page.goto(url)
        page.wait_for_selector("#start:not([hidden])")
        saw["title"] = page.title()
        saw["source"] = page.content()
        self._picture("start")

    def _first_pair(self) -> None:
        """The players, then a choice by click."""
        page, saw = self._page, self.saw
        page.click("#begin")
        self._ready()
        saw["document_px"] = page.evaluate(
            "() => [document.documentElement.scrollWidth, document.documentElement.scrollHeight]"
        )
        self._until("left.currentTime > 0.3")
        page.keyboard.press("Space")
        saw["paused_by_space"] = self._of_videos("paused")
        self._picture("first_pair")
        page.keyboard.press("r")
        self._until("!left.paused && left.currentTime > 0")
        saw["paused_after_restart"] = self._of_videos("paused")
        # A loop has been gone round when time has run backwards.
        page.evaluate(
            """() => {
              const left = document.getElementById("left");
              let last = left.currentTime;
              left.addEventListener("timeupdate", () => {
                if (left.currentTime < last) window.hasLooped = true;
                last = left.currentTime;
              });
            }"""
        )
        self._until("window.hasLooped === true")
        page.click("#loop")
        self._until("videos.every((video) => video.ended)")
        self._until('document.getElementById("play").textContent.startsWith("Play")')

        # One video is carried off; without a loop to mend it, the players bring all together again.
        page.click("#play")
        self._until("left.currentTime > 0 && !left.paused")
        saw["apart_s"] = page.evaluate(
            """() => {
              const [left, right] = ["left", "right"].map((id) => document.getElementById(id));
              right.currentTime = left.currentTime + 0.6;
              return right.currentTime - left.currentTime;
            }"""
        )
        self._until(
            "videos.every((video) => !video.ended && !video.paused && !video.seeking) && "
            "Math.max(...times) - Math.min(...times) < 0.1"
        )
        page.keyboard.press("l")
        self._note_progress()
        page.click(f"#choose_{self._wish()}")
        self._next()

    def _second_pair(self) -> None:
        """Chosen wrongly by key; then back, and chosen again."""
        page, saw = self._page, self.saw
        # Space after a choice by click plays or pauses, and does not choose again.
        page.keyboard.press("Space")
        self._until("left.paused")
        self._note_progress()
        saw["wrong_choice"] = "ArrowRight" if self._wish() == "left" else "ArrowLeft"
        page.keyboard.press(saw["wrong_choice"])
        self._next()
        page.keyboard.press("Backspace")
        self._next("Pair 3 of 6")
        saw["marked_after_back"] = page.evaluate(
            "() => Array.from(document.querySelectorAll('#choices [aria-pressed=\"true\"]'), ({ id }) => id)"
        )
        self._picture("after_back")
        self._choose()
        self._next()

    def _third_pair_and_reload(self) -> None:
        """The third is skipped; at the fourth the page is closed and opened again."""
        page, saw = self._page, self.saw
        self._note_progress()
        page.keyboard.press("s")
        self._next()
        saw["before_reload"] = [self._progress(), *self._shown()]
        page.reload()
        page.wait_for_selector("#start:not([hidden])")
        saw["resume_note"] = page.text_content("#resume_note")
        self._picture("resume")
        page.keyboard.press("Enter")
        self._ready()
        saw["after_reload"] = [self._progress(), *self._shown()]

    def _other_pairs(self) -> None:
        page = self._page
        for left in (3, 2, 1):
            self._note_progress()
            self._choose()
            if left > 1:
                self._next()
        page.wait_for_selector("#end:not([hidden])")
        self._picture("end")
        with page.expect_download() as waiting:
            page.click("#save")
        self.saw["download"] = waiting.value.suggested_filename
        waiting.value.save_as(self._folder / waiting.value.suggested_filename)
        self._picture("saved")

    def _another_rater(self, url: str) -> None:
        """Opened again, the page is where it was; the next rater starts from nothing."""
        page, saw = self._page, self.saw
        page.reload()
        page.wait_for_selector("#end:not([hidden])")
        page.click("#another")
        page.wait_for_selector("#start:not([hidden])")
        saw["begin_anew"] = page.text_content("#begin")
        # Videos that the browser cannot play can only be skipped.
        for file in Path(url2pathname(urlparse(url).path)).with_name("videos").iterdir():
            file.write_text("no video", encoding="utf-8")
        page.click("#begin")
        self._ready()
        saw["trouble"] = page.text_content("#trouble")
        saw["open_choices"] = page.locator("#choices button:enabled").all_text_contents()
        self._picture("trouble")

    def _picture(self, name: str) -> None:
        self._page.screenshot(path=self._folder / f"{name}.png")

    def _ready(self) -> None:
        self._page.wait_for_selector('#rate:not([hidden])[aria-busy="false"]')

    def _progress(self) -> str | None:
        return self._page.text_content("#progress")

    def _note_progress(self) -> None:
        self.saw["progress"].append(self._progress())

    def _next(self, before: str | None = None) -> None:
        """Wait for another pair than the one noted last."""
        self._page.wait_for_function(
            'text => document.getElementById("progress").textContent !== text',
            arg=before or self.saw["progress"][-1],
        )
        self._ready()

    def _shown(self) -> list[str]:
        names: list[str] = self._page.evaluate(
            f"() => {VIDEOS}.slice(0, 2).map((v) => v.currentSrc.split('/').pop())"
        )
        return names

    def _wish(self) -> str:
        return "left" if self._preferred.get(self._shown()[0]) else "right"

    def _choose(self) -> None:
        self._page.keyboard.press("ArrowLeft" if self._wish() == "left" else "ArrowRight")

    def _of_videos(self, name: str) -> list[Any]:
        values: list[Any] = self._page.evaluate(f"(name) => {VIDEOS}.map((video) => video[name])", name)
        return values

    def _until(self, condition: str) -> None:
        """Wait until a condition on the videos holds."""
        self._page.wait_for_function(
            f"""() => {{
              const videos = {VIDEOS};
              const left = videos[0];
              const times = videos.map((video) => video.currentTime);
              return {condition};
            }}""",
            polling=50,
        )
