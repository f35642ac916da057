"""Schema fields that only newer hosts know are passed only to hosts that know them."""

import inspect
from collections.abc import Callable
from typing import Any


def known_fields(constructor: Callable[..., Any], **fields: Any) -> dict[str, Any]:
    """Return those of `fields` that the host's `constructor` takes."""
    parameters = inspect.signature(constructor).parameters
    return {name: value for name, value in fields.items() if name in parameters}
