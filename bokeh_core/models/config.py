"""A published config.json as a typed dataclass, every value checked: files of models come from strangers."""

from collections.abc import Callable, Mapping
from dataclasses import fields
from typing import Any, TypeVar

ConfigT = TypeVar("ConfigT")

# Far beyond any model of this kind; a network that a config asks for must not outgrow memory or patience.
MOST_LEVELS, MOST_LAYERS, MOST_CHANNELS, MOST_HEADS = 8, 16, 8192, 512
# Channels are normalised in 32 groups.
GROUPS = 32
BLOCK_TYPES: dict[str, tuple[str, ...]] = {
    "unet.down": ("CrossAttnDownBlockSpatioTemporal", "DownBlockSpatioTemporal"),
    "unet.up": ("UpBlockSpatioTemporal", "CrossAttnUpBlockSpatioTemporal"),
    "vae.down": ("DownEncoderBlock2D",),
}


def _frozen(value: Any) -> Any:
    """Lists, as JSON has them, as tuples, at any depth."""
    return tuple(_frozen(item) for item in value) if isinstance(value, (list, tuple)) else value


def read_config(kind: type[ConfigT], values: Mapping[str, Any]) -> ConfigT:
    """Build a config dataclass from a config.json, without the keys that decide nothing (`sample_size`, ...).

    A class that has a method `check` is asked whether its values make a network.

    Raises:
        ValueError: the dictionary names no `block_out_channels`, so it is not a model's config; or a value
            is not what it must be, by its key.
    """
    if "block_out_channels" not in values:
        keys = ", ".join(sorted(str(key) for key in values)) or "none"
        raise ValueError(
            f"This is not a model's config.json: it has no block_out_channels (keys: {keys:.300})."
        )
    known = {field.name for field in fields(kind)}  # type: ignore[arg-type]
    try:
        given = {key: _frozen(value) for key, value in values.items() if key in known}
    except RecursionError as error:
        raise ValueError("A value of the config.json holds lists in lists without end.") from error
    config = kind(**given)
    check: Callable[[], None] | None = getattr(config, "check", None)
    if check is not None:
        check()
    return config


def require_whole(key: str, value: Any, least: int, most: int) -> None:
    """Check a whole number.

    Raises:
        ValueError: it is another kind of value, or out of range.
    """
    if type(value) is not int or not least <= value <= most:
        raise ValueError(f"{key} is {value!r:.80}; it must be a whole number from {least} to {most}.")


def require_number(key: str, value: Any) -> None:
    """Check a number above 0.

    Raises:
        ValueError: it is none, or not finite.
    """
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 < value < 1e30:
        raise ValueError(f"{key} is {value!r:.80}; it must be a number above 0.")


def require_widths(key: str, value: Any) -> int:
    """Check the channels of the levels; return how many levels there are.

    Raises:
        ValueError: no list, too many levels, or a width that does not divide into groups.
    """
    if not isinstance(value, tuple) or not 1 <= len(value) <= MOST_LEVELS:
        raise ValueError(f"{key} is {value!r:.80}; it must be a list of 1 to {MOST_LEVELS} whole numbers.")
    for i, width in enumerate(value):
        require_whole(f"{key}[{i}]", width, GROUPS, MOST_CHANNELS)
        if width % GROUPS:
            nearest = max(round(width / GROUPS), 1) * GROUPS
            raise ValueError(f"{key}[{i}] is {width}; it must be a multiple of {GROUPS}, such as {nearest}.")
    return len(value)


def require_types(key: str, value: Any, levels: int, allowed: tuple[str, ...]) -> None:
    """Check the names of the blocks, one a level.

    Raises:
        ValueError: another number of them, or a name that is not known here.
    """
    if not isinstance(value, tuple) or len(value) != levels:
        raise ValueError(
            f"{key} is {value!r:.200}; it must be a list of {levels} names, as block_out_channels has."
        )
    for name in value:
        if name not in allowed:
            raise ValueError(f"{key} has {name!r:.80}; this version knows {', '.join(allowed)}.")


def require_by_level(key: str, value: Any, levels: int, least: int, most: int) -> tuple[int, ...]:
    """Check a whole number for all levels, or one for each; return it for each.

    Raises:
        ValueError: neither, or out of range.
    """
    if not isinstance(value, tuple):
        require_whole(key, value, least, most)
        return (value,) * levels
    if len(value) != levels:
        raise ValueError(f"{key} has {len(value)} values; it must have {levels}, as block_out_channels has.")
    for i, item in enumerate(value):
        require_whole(f"{key}[{i}]", item, least, most)
    return value
