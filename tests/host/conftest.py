"""The `host` fixture: one real host for all the tests of a session."""

from collections.abc import Iterator

import pytest

from tests.host.harness import HostUnderTest, running_host


@pytest.fixture(scope="session")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HostUnderTest]:
    """A running host that has the pack and the probe nodes; see harness.py for what it can do."""
    with running_host(tmp_path_factory.mktemp("host")) as running:
        yield running
