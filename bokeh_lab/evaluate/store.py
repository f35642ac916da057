"""Files that are whole or not there: results as JSON, tensors as safetensors."""

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import Tensor

from bokeh_core.disk.whole_file import whole_file, write_whole_text


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Write a whole file or none; infinities become the text "inf".

    Raises:
        ValueError: a NaN, which no measurement may give.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole_text(path, json.dumps(_plain(content), indent=1, allow_nan=False) + "\n")


def read_json(path: Path, key: str) -> dict[str, Any] | None:
    """Return what was written under this key; None where the file is missing, damaged or of another key."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):  # ValueError: not UTF-8, or not JSON
        return None
    return content if isinstance(content, dict) and content.get("key") == key else None


def number(value: float | str) -> float:
    """Read a number as `write_json` wrote it."""
    return float(value)


def write_tensors(path: Path, tensors: Mapping[str, Tensor]) -> None:
    """Save tensors without loss, as a whole file or none."""
    from safetensors.torch import save_file

    path.parent.mkdir(parents=True, exist_ok=True)
    with whole_file(path) as beside:
        save_file({name: tensor.cpu().contiguous() for name, tensor in tensors.items()}, beside)


def read_tensors(path: Path) -> dict[str, Tensor] | None:
    """Load tensors; None where the file is missing or damaged."""
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        return load_file(str(path))
    except (OSError, SafetensorError):
        return None


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _plain(part) for name, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(part) for part in value]
    if isinstance(value, float) and math.isinf(value):
        return str(value)
    return value
