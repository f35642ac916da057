"""Schema fields that only newer hosts know are passed only to hosts that know them."""

import inspect
from collections.abc import Callable
from typing import Any

from comfy_api.latest import io

_GRADIENT = "gradientslider"


def known_fields(constructor: Callable[..., Any], **fields: Any) -> dict[str, Any]:
    """Return those of `fields` that the host's `constructor` takes."""
    parameters = inspect.signature(constructor).parameters
    return {name: value for name, value in fields.items() if name in parameters}


def gradient_slider(*greys: int) -> dict[str, Any]:
    """Return the fields of a FLOAT input that is drawn as a slider over greys, where the host has such.

    Its value, and what is saved of it, are those of the plain number.

    Args:
        greys: 0 to 255, from the least value to the greatest at equal distances; at least two.
    """
    stops = [{"offset": number / (len(greys) - 1), "color": [grey] * 3} for number, grey in enumerate(greys)]
    fields = known_fields(io.Float.Input, gradient_stops=stops)
    kinds = [kind for kind in io.NumberDisplay if kind.value == _GRADIENT] if fields else []
    return {"display_mode": kinds[0], **fields} if kinds else {}
