"""Whether an error speaks in our words: raised by our code, in a sentence of its own."""

from __future__ import annotations

import traceback
from pathlib import Path

OURS = tuple(str(Path(__file__).resolve().parents[2] / folder) for folder in ("bokeh_core", "nodes"))


def require_our_words(error: ValueError, *named: str) -> None:
    """Check that an error was raised by our code, is a sentence, and names what is at fault.

    Raises:
        AssertionError: it is a library's, or says nothing.
    """
    innermost = traceback.extract_tb(error.__traceback__)[-1].filename
    text = str(error)
    assert str(Path(innermost).resolve()).startswith(OURS), f"raised in {innermost}: {text}"
    assert text[:1].strip() and text.rstrip()[-1:] in ".)", f"not a sentence: {text!r}"
    for word in named:
        assert word in text, f"{text!r} does not name {word}"
