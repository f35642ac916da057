"""What a node's schema says, in the form the tests compare."""

import inspect
from collections.abc import Callable
from typing import Any

from tests.host.harness import HostUnderTest


def inputs_of(host: HostUnderTest, node_id: str) -> dict[str, tuple[Any, dict[str, Any]]]:
    """Return type and options of every input, in order, required ones first."""
    sections = host.object_info()[node_id]["input"]
    specs = {**sections.get("required", {}), **sections.get("optional", {})}
    return {name: (spec[0], spec[1] if len(spec) > 1 else {}) for name, spec in specs.items()}


def schema_defaults(host: HostUnderTest, node_id: str) -> dict[str, Any]:
    """Return the default of every input that has one."""
    inputs = inputs_of(host, node_id)
    return {name: options["default"] for name, (_, options) in inputs.items() if "default" in options}


def function_defaults(function: Callable[..., Any], renamed: dict[str, str] | None = None) -> dict[str, Any]:
    """Return the defaults of a function's parameters, under the names the node gives them."""
    parameters = inspect.signature(function).parameters.items()
    names = renamed or {}
    return {names.get(n, n): p.default for n, p in parameters if p.default is not inspect.Parameter.empty}


def choices_of(host: HostUnderTest, node_id: str, name: str) -> list[str]:
    """Return the options of a dropdown."""
    kind, options = inputs_of(host, node_id)[name]
    choices: list[str] = kind if isinstance(kind, list) else options["options"]
    return choices
