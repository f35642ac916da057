"""A YAML file into a config: every key must be known, every value of its type.

Own code: OmegaConf and pydantic take the text "7" for a number and 1 for true, but no number for a pair.
"""

from __future__ import annotations

import difflib
import reprlib
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, fields, is_dataclass
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from .config import STAGES, Stage, TrainConfig
from .config_checks import check

ConfigT = TypeVar("ConfigT")

PHASES, COMMON, STAGE = "phases", "common", "stage"
# Of keys in keys; no config has a fifth level.
_DEEPEST = 5
_LARGEST = 1e300


def read_yaml(path: Path | str) -> dict[str, Any]:
    """Read a YAML file that holds a mapping.

    Raises:
        ValueError: no such file, no YAML, no mapping, or PyYAML is not installed.
    """
    path = Path(path)
    if not path.is_file():
        fault = "is a folder" if path.is_dir() else "does not exist"
        raise ValueError(f"{path} {fault}; configs to start from are in {CONFIGS}.")
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"{path} cannot be read: {error}.") from error
    values = parse_yaml(text, str(path))
    if not isinstance(values, dict):
        raise ValueError(f"{path} holds no mapping of keys to values.")
    return values


def parse_yaml(text: str, source: str) -> Any:
    """Parse YAML; `source` names where it stands.

    Raises:
        ValueError: it is none, in one line.
    """
    yaml = _yaml()
    try:
        return yaml.safe_load(text)
    # Beside its own errors, YAML passes on what dates, numbers and nesting without end raise.
    except (yaml.YAMLError, ValueError, RecursionError, OverflowError) as error:
        mark = getattr(error, "problem_mark", None)
        place = "" if mark is None else f" at line {mark.line + 1}, column {mark.column + 1}"
        reason = getattr(error, "problem", None) or str(error).splitlines()[0]
        raise ValueError(f"{source} is not YAML{place}: {reason:.200}.") from error


class _Shown(reprlib.Repr):
    """Values of a config for messages, cut short: YAML can repeat a list in a list without end."""

    def __init__(self) -> None:
        super().__init__()
        self.maxstring = self.maxother = 80
        self.maxlevel = 3

    def repr_int(self, x: int, level: int) -> str:
        return super().repr_int(x, level) if abs(x) < 10**100 else "a number of over 100 digits"


shown = _Shown().repr


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
            raise ValueError(f"{setting!r:.80} is no setting; write KEY=VALUE, such as run.steps=100.")
        parts = key.split(".")
        if not all(parts) or len(parts) > _DEEPEST:
            raise ValueError(f"{key:.80} is no key; write names with dots between them, such as run.steps.")
        nested: Any = parse_yaml(text, f"The value of --set {setting:.80}")
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
            + (f"; {', '.join(map(shown, unknown[:5]))} belongs below `{COMMON}`." if unknown else ".")
        )
    common = values.get(COMMON) or {}
    if not isinstance(common, Mapping):
        raise ValueError(f"{COMMON} is {shown(common)}; it must hold keys and values.")
    configs = []
    for number, phase in enumerate(phases):
        if not isinstance(phase, Mapping):
            raise ValueError(f"{PHASES}[{number}] is {shown(phase)}; it must hold keys and values.")
        own = dict(phase)
        stage = own.pop(STAGE, None)
        if stage not in STAGES:
            raise ValueError(
                f"{PHASES}[{number}].{STAGE} is {shown(stage)}; it must be one of {', '.join(STAGES)}."
            )
        configs.append((stage, train_config(merge(common, own))))
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
            name = key[:80] if isinstance(key, str) else shown(key)
            nearest = difflib.get_close_matches(name, hints, n=1, cutoff=0.0)
            raise ValueError(f"{prefix}{name} is no known key; did you mean {prefix}{nearest[0]}?")
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
            raise ValueError(f"{path} is {shown(value)}; it must be one of {', '.join(map(str, arguments))}.")
        return value
    if origin is tuple:
        return _sequence(arguments, value, path)
    if origin is not None:
        return build_mapping(value, path)
    return _scalar(hint, value, path)


def build_mapping(value: Any, path: str) -> dict[str, Any]:
    """A free mapping, such as a model's config."""
    if not isinstance(value, Mapping):
        raise ValueError(f"{path} is {shown(value)}; it must hold keys and values.")
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
            value = _number_in(value)
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            # Compared before it is converted: a whole number may be too large for a float.
            if -_LARGEST < value < _LARGEST:
                return float(value)
            raise ValueError(f"{path} is {shown(value)}; it must be a finite number.")
    elif kind is int:
        if isinstance(value, int) and not isinstance(value, bool):
            return value
    elif isinstance(value, kind):
        return value
    names = {float: "a number", int: "a whole number", bool: "true or false", str: "text"}
    raise ValueError(f"{path} is {shown(value)}; it must be {names[kind]}.")


def _number_in(text: str) -> float | str:
    try:
        return float(text)
    except ValueError:
        return text


def _yaml() -> Any:
    try:
        import yaml  # type: ignore[import-untyped]
    except ImportError as error:
        raise ValueError("Training configs need PyYAML; install it (pip install pyyaml).") from error
    return yaml
