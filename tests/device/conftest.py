"""The pretend accelerator as a fixture."""

from collections.abc import Iterator

import pytest

from tests.device.pretend import PretendDevice


@pytest.fixture
def pretend() -> Iterator[PretendDevice]:
    """A pretend accelerator in use, nothing counted yet."""
    with PretendDevice().in_use() as device:
        yield device
