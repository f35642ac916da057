"""Fixtures of the browser tests: one real host, one Chromium, and a freshly opened front end a test."""

from collections.abc import Iterator

import pytest

from tests.browser.chromium import Chromium
from tests.browser.clip import put_small_clip
from tests.browser.front_end import FrontEnd
from tests.host.harness import HostUnderTest, running_host


@pytest.fixture(scope="session")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HostUnderTest]:
    """A running host whose input folder has a small clip under the names of the bundled one."""
    with running_host(tmp_path_factory.mktemp("browser")) as running:
        put_small_clip(running.input_dir)
        yield running


@pytest.fixture(scope="session")
def chromium() -> Iterator[Chromium]:
    """A Chromium for all the tests."""
    with Chromium() as running:
        yield running


@pytest.fixture(params=[False, True], ids=["canvas_nodes", "vue_nodes"])
def front_end(chromium: Chromium, host: HostUnderTest, request: pytest.FixtureRequest) -> FrontEnd:
    """The front end, opened anew, with either kind of nodes."""
    return FrontEnd(chromium, host, vue_nodes=request.param)
