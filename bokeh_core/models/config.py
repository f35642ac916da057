"""A published config.json as a typed dataclass."""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any, TypeVar

ConfigT = TypeVar("ConfigT")


def _frozen(value: Any) -> Any:
    """Lists, as JSON has them, as tuples, at any depth."""
    return tuple(_frozen(item) for item in value) if isinstance(value, (list, tuple)) else value


def read_config(kind: type[ConfigT], values: Mapping[str, Any]) -> ConfigT:
    """Build a config dataclass from a config.json, without the keys that decide nothing (`sample_size`, ...).

    Raises:
        ValueError: the dictionary names no `block_out_channels`, so it is not a model's config.
    """
    if "block_out_channels" not in values:
        raise ValueError(
            "This is not a model's config.json: it has no block_out_channels "
            f"(keys: {', '.join(sorted(values)) or 'none'})."
        )
    known = {field.name for field in fields(kind)}  # type: ignore[arg-type]
    return kind(**{key: _frozen(value) for key, value in values.items() if key in known})
