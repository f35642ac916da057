"""A YAML file into a config: every key must be known, every value of its type."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, fields, is_dataclass
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from .config import STAGES, Stage, TrainConfig, check

ConfigT = TypeVar("ConfigT")

PHASES, COMMON, STAGE = "phases", "common", "stage"


def read_yaml(path: Path | str) -> dict[str, Any]:
    """Read a mapping.

    Raises:
        ValueError: no such file, no YAML, no mapping, or PyYAML is not installed.
    """
    path = Path(path)
    if not path.is_file():
        raise ValueError(f"{path} does not exist; configs to start from are in {CONFIGS}.")
    yaml = _yaml()
    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        raise ValueError(f"{path} is not YAML: {error}") from error
    if not isinstance(values, dict):
        raise ValueError(f"{path} holds no mapping of keys to values.")
    return values


CONFIGS = Path(__file__).resolve().parent / "configs"


def apply_settings(values: Mapping[str, Any], settings: Sequence[str]) -> dict[str, Any]:
    """Replace single values: each setting is KEY.KEY=VALUE, the value as in YAML.

    Raises:
        ValueError: a setting without `=`, or below a key that holds no mapping.
    """
    changed = dict(values)
    for setting in settings:
        key, equals, text = setting.partition("=")
        if not equals or not key:
            raise ValueError(f"{setting!r} is no setting; write KEY=VALUE, such as run.steps=100.")
        parts = key.split(".")
        nested: Any = _yaml().safe_load(text)
        for part in reversed(parts):
            nested = {part: nested}
        changed = merge(changed, nested)
    return changed


def merge(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """`base` with the values of `over`; mappings are merged key by key."""
    merged = dict(base)
    for key, value in over.items():
        old = merged.get(key)
        merged[key] = merge(old, value) if isinstance(old, Mapping) and isinstance(value, Mapping) else value
    return merged


def stage_config(values: Mapping[str, Any], stage: Stage) -> TrainConfig:
    """The config of one stage: the whole file, or the phase of that stage in a file of phases.

    Raises:
        ValueError: a wrong key or value, or there is no phase, or several, of that stage.
    """
    if PHASES not in values:
        return train_config(values)
    found = [config for name, config in phase_configs(values) if name == stage]
    if len(found) != 1:
        raise ValueError(f"The file has {len(found)} phases of {stage}; run them with `recipe`.")
    return found[0]


def phase_configs(values: Mapping[str, Any]) -> list[tuple[Stage, TrainConfig]]:
    """The phases of a recipe, each the common values with its own over them.

    Raises:
        ValueError: a wrong key or value; no phases.
    """
    unknown = [key for key in values if key not in (PHASES, COMMON)]
    phases = values.get(PHASES)
    if unknown or not isinstance(phases, list) or not phases:
        raise ValueError(
            f"A recipe has `{COMMON}` and a list of `{PHASES}`"
            + (f"; {', '.join(map(repr, unknown))} belongs below `{COMMON}`." if unknown else ".")
        )
    configs = []
    for number, phase in enumerate(phases):
        own = dict(phase) if isinstance(phase, Mapping) else {}
        stage = own.pop(STAGE, None)
        if stage not in STAGES:
            raise ValueError(
                f"{PHASES}[{number}].{STAGE} is {stage!r}; it must be one of {', '.join(STAGES)}."
            )
        configs.append((stage, train_config(merge(values.get(COMMON) or {}, own))))
    return configs


def train_config(values: Mapping[str, Any]) -> TrainConfig:
    """Build and check a config.

    Raises:
        ValueError: an unknown key (the nearest known one is named), a missing one, a wrong type or range.
    """
    return check(build(TrainConfig, values, ""))


def build(kind: type[ConfigT], values: Any, path: str) -> ConfigT:
    """Build a dataclass, and those inside it, from mappings.

    Args:
        kind: the dataclass.
        values: a mapping with its fields.
        path: where it stands in the file, for messages.

    Raises:
        ValueError: see `train_config`.
    """
    if not isinstance(values, Mapping):
        raise ValueError(f"{path or 'The file'} is {values!r}; it must hold keys and values.")
    hints = get_type_hints(kind)
    prefix = f"{path}." if path else ""
    for key in values:
        if key not in hints:
            nearest = difflib.get_close_matches(str(key), hints, n=1, cutoff=0.0)
            raise ValueError(f"{prefix}{key} is no known key; did you mean {prefix}{nearest[0]}?")
    required = [
        field.name
        for field in fields(kind)  # type: ignore[arg-type]
        if field.default is MISSING and field.default_factory is MISSING and field.name not in values
    ]
    if required:
        raise ValueError(f"{', '.join(prefix + name for name in required)}: this must be given.")
    return kind(**{key: _value(hints[key], value, prefix + key) for key, value in values.items()})


def _value(hint: Any, value: Any, path: str) -> Any:
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in (Union, UnionType):
        if value is None and NoneType in arguments:
            return None
        return _value(next(kind for kind in arguments if kind is not NoneType), value, path)
    if is_dataclass(hint) and isinstance(hint, type):
        return build(hint, value, path)
    if origin is Literal:
        if value not in arguments:
            raise ValueError(f"{path} is {value!r}; it must be one of {', '.join(map(str, arguments))}.")
        return value
    if origin is tuple:
        return _sequence(arguments, value, path)
    if origin is not None:
        return build_mapping(value, path)
    return _scalar(hint, value, path)


def build_mapping(value: Any, path: str) -> dict[str, Any]:
    """A free mapping, such as a model's config."""
    if not isinstance(value, Mapping):
        raise ValueError(f"{path} is {value!r}; it must hold keys and values.")
    return {str(key): item for key, item in value.items()}


def _sequence(arguments: tuple[Any, ...], value: Any, path: str) -> tuple[Any, ...]:
    open_ended = arguments[-1] is Ellipsis
    # One number for a pair of bounds is both of them.
    items = (
        list(value) if isinstance(value, (list, tuple)) else [value] * (1 if open_ended else len(arguments))
    )
    if not open_ended and len(items) != len(arguments):
        raise ValueError(f"{path} has {len(items)} values; it must have {len(arguments)}.")
    if not items:
        raise ValueError(f"{path} is empty; give at least one value.")
    kinds = [arguments[0]] * len(items) if open_ended else list(arguments)
    pairs = enumerate(zip(kinds, items, strict=True))
    return tuple(_scalar(kind, item, f"{path}[{i}]") for i, (kind, item) in pairs)


def _scalar(kind: Any, value: Any, path: str) -> Any:
    if kind is float:
        # YAML 1.1 reads 1e-5, which has no dot, as text.
        if isinstance(value, str):
            try:
                return float(value)
            except ValueError:
                pass
        elif isinstance(value, (int, float)) and not isinstance(value, bool):
            return float(value)
    elif kind is int:
        if isinstance(value, int) and not isinstance(value, bool):
            return value
    elif isinstance(value, kind):
        return value
    names = {float: "a number", int: "a whole number", bool: "true or false", str: "text"}
    raise ValueError(f"{path} is {value!r}; it must be {names[kind]}.")


def _yaml() -> Any:
    try:
        import yaml  # type: ignore[import-untyped]
    except ImportError as error:
        raise ValueError("Training configs need PyYAML; install it (pip install pyyaml).") from error
    return yaml
