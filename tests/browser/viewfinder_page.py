"""The viewfinder's modules in a page of their own, without a host."""

from __future__ import annotations

import base64
import mimetypes
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from playwright.sync_api import Page, Route

from tests.browser.chromium import Chromium

WEB = Path(__file__).resolve().parents[2] / "web"
ADDRESS = "http://viewfinder.test/"


def page_with_modules(chromium: Chromium, files: dict[str, bytes]) -> Page:
    """Open an empty page that can import `/viewfinder/*.js`; files are served by name, in ranges too.

    What is put into `files` later is served as well.
    """
    page = chromium.new_page(900, 900)

    def answer(route: Route) -> None:
        name = route.request.url.removeprefix(ADDRESS).partition("?")[0]
        if not name:
            route.fulfill(body="<!doctype html><body></body>", content_type="text/html")
        elif name in files:
            kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
            asked = route.request.headers.get("range", "bytes=0-").removeprefix("bytes=").split("-")
            content = files[name]
            begin, end = int(asked[0]), min(int(asked[1] or len(content)), len(content) - 1)
            headers = {
                "Content-Type": kind,
                "Accept-Ranges": "bytes",
                "Content-Range": f"bytes {begin}-{end}/{len(content)}",
            }
            route.fulfill(status=206, headers=headers, body=content[begin : end + 1])
        elif (WEB / name).is_file():
            route.fulfill(path=WEB / name, content_type="text/javascript")
        else:
            route.fulfill(status=404)

    page.route(f"{ADDRESS}**", answer)
    page.goto(ADDRESS)
    return page


def imported(page: Page, module: str, code: str, *values: Any) -> Any:
    """Run JavaScript with a module as `m` and values as `v`; return what it returns."""
    body = f"async (v) => {{ const m = await import('/viewfinder/{module}.js'); {code} }}"
    return page.evaluate(body, list(values))


def data_url(picture: NDArray[np.uint8]) -> str:
    """Return a picture, RGB [H, W, 3] or grey [H, W], as an address that holds it."""
    stored = picture if picture.ndim == 2 else picture[..., ::-1]
    encoded: Any = cv2.imencode(".png", stored)[1]
    return "data:image/png;base64," + base64.b64encode(encoded.tobytes()).decode()


def picture_of(url: str) -> NDArray[np.uint8]:
    """Return the RGB picture [H, W, 3] of such an address."""
    raw = np.frombuffer(base64.b64decode(url.partition(",")[2]), np.uint8)
    decoded: Any = cv2.imdecode(raw, cv2.IMREAD_COLOR)
    return np.ascontiguousarray(decoded[..., ::-1])
