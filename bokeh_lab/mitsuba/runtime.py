"""Mitsuba 3, which is imported only where a scene is rendered."""

import importlib.util
from functools import cache
from typing import Any

VARIANTS = ("llvm_ad_rgb", "scalar_rgb")
"""Vectorised where an LLVM library is found (DRJIT_LIBLLVM_PATH names one elsewhere), else ray by ray."""


def missing() -> str | None:
    """Say why Mitsuba cannot be used here; None = it can."""
    if importlib.util.find_spec("mitsuba") is None:
        return "Mitsuba 3 is not installed: pip install mitsuba"
    return None


@cache
def mitsuba() -> Any:
    """Import Mitsuba in the first of `VARIANTS` that runs here.

    Raises:
        ValueError: it is not installed.
    """
    why_not = missing()
    if why_not is not None:
        raise ValueError(f"{why_not}.")
    import mitsuba as mi

    mi.set_log_level(mi.LogLevel.Error)
    for variant in VARIANTS:
        if variant not in mi.variants():
            continue
        mi.set_variant(variant)
        if _runs(mi):
            return mi
    raise ValueError(f"This build of Mitsuba has none of the variants {', '.join(VARIANTS)}.")


def _runs(mi: Any) -> bool:
    """Compute something: without its library a vectorised variant fails only then."""
    if not mi.variant().startswith("llvm"):
        return True
    import drjit

    if not drjit.has_backend(drjit.JitBackend.LLVM):
        return False
    return bool(drjit.all(mi.Float([1.0, 2.0]) + 1 == mi.Float([2.0, 3.0])))
