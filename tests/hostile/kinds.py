"""The kinds of hostile inputs, found by looking into the package."""

from __future__ import annotations

import importlib
import pkgutil
from collections import Counter
from pathlib import Path
from typing import Protocol, cast

PACKAGE = __package__ or "tests.hostile"


class Kind(Protocol):
    """A module that attacks one thing; see the package."""

    NAME: str
    """What is attacked."""
    SHARE: float
    """How many inputs it gets of a long run, against 1 of the others; 1 if it is not stated."""

    def run(self, seed: int, count: int, folder: Path) -> Counter[str]:
        """Try `count` inputs in an empty folder; return how often each outcome was seen.

        Raises:
            AssertionError: an input led neither to a right answer nor to a ValueError of ours.
        """


def kind_names() -> list[str]:
    """Return the modules that are kinds, sorted."""
    names = [module.name for module in pkgutil.iter_modules([str(Path(__file__).parent)])]
    return sorted(name for name in names if hasattr(importlib.import_module(f"{PACKAGE}.{name}"), "NAME"))


def kind_of(name: str) -> Kind:
    """Return the module of a kind."""
    return cast(Kind, importlib.import_module(f"{PACKAGE}.{name}"))


def share_of(name: str) -> float:
    """Return the share of a kind in a long run."""
    return float(getattr(kind_of(name), "SHARE", 1))
