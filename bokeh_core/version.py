"""Which version of Any-to-Bokeh this is."""

from __future__ import annotations

import re
from importlib import metadata
from pathlib import Path

_NAME = "any-to-bokeh"
_PROJECT = Path(__file__).resolve().parents[1] / "pyproject.toml"
_NAME_AND_VERSION = re.compile(rf'^name = "{_NAME}"\nversion = "([^"]+)"$', re.MULTILINE)


def version() -> str:
    """The version of the folder that runs or of the wheel, such as "0.1.0"; "unknown" where neither has one.

    The folder comes first: a wheel of another version may be installed beside it.
    """
    try:
        written = _NAME_AND_VERSION.search(_PROJECT.read_text(encoding="utf-8"))
    except OSError:
        written = None
    if written is not None:
        return written[1]
    try:
        return metadata.version(_NAME)
    except metadata.PackageNotFoundError:
        return "unknown"
