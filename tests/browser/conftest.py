"""Fixtures of the browser tests: real hosts, one Chromium, and a freshly opened front end a test."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import cache

import pytest

from tests.browser.chromium import Chromium
from tests.browser.clip import put_small_clip
from tests.browser.front_end import HOSTS_OWN, FrontEnd, front_end_folder
from tests.host.harness import HostUnderTest, running_host


@pytest.fixture(scope="session")
def host_serving(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], HostUnderTest]]:
    """Hosts by the front end that they serve, each started when it is first asked for.

    Their input folders have a small clip under the names of the bundled one.
    """
    with ExitStack() as running:

        @cache
        def start(front_end: str) -> HostUnderTest:
            base = tmp_path_factory.mktemp("browser")
            host = running.enter_context(running_host(base, front_end_folder(front_end)))
            put_small_clip(host.input_dir)
            return host

        yield start


@pytest.fixture
def host(host_serving: Callable[[str], HostUnderTest], request: pytest.FixtureRequest) -> HostUnderTest:
    """A running host with its own front end, or the one that a test asks for: see `front_end.ON_BOTH`."""
    return host_serving(getattr(request, "param", HOSTS_OWN))


@pytest.fixture(scope="session")
def chromium() -> Iterator[Chromium]:
    """A Chromium for all the tests."""
    with Chromium() as running:
        yield running


@pytest.fixture(scope="session")
def kept_pages() -> dict[tuple[str, bool], FrontEnd]:
    """The page that stands open and may be used again, by host and kind of nodes."""
    return {}


@pytest.fixture(params=[False, True], ids=["canvas_nodes", "vue_nodes"])
def front_end(
    kept_pages: dict[tuple[str, bool], FrontEnd],
    chromium: Chromium,
    host: HostUnderTest,
    request: pytest.FixtureRequest,
) -> FrontEnd:
    """The front end with either kind of nodes, an empty graph on its canvas.

    The page is that of the test before; it is opened anew after another page was, and after a complaint,
    which no later test shall see. A test that needs a first visit opens a `FrontEnd` itself.
    """
    which = (host.process.url, bool(request.param))
    kept = kept_pages.get(which)
    if kept is None or kept.is_closed() or kept.complaints():
        kept_pages.clear()
        kept = kept_pages[which] = FrontEnd(chromium, host, vue_nodes=request.param)
    kept.start_over()
    return kept


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let tests that can share a page follow one another: opening it takes longer than most of them."""
    items.sort(key=page_of_test)


def page_of_test(item: pytest.Item) -> tuple[bool, str, bool]:
    """Return a sort key: tests that open pages of their own first, others by front end and kind of nodes."""
    shares = "front_end" in getattr(item, "fixturenames", [])
    values = item.callspec.params if isinstance(item, pytest.Function) and hasattr(item, "callspec") else {}
    return shares, str(values.get("host", HOSTS_OWN)) * shares, bool(values.get("front_end")) and shares
