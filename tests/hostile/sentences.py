"""What every kind asks of a refusal: a ValueError that was written for its reader."""

import re

# Words of Python, torch and numpy that reach a user only where nobody looked at the input.
_FOREIGN = re.compile(
    r"could not convert|invalid literal|Exceeds the limit|not enough values|too many values|zip\(\)|unpack|"
    r"Expected |expected scalar|size of tensor|out of bounds|dimension|object is not|NoneType|cannot convert|"
    r"dtype|stack expects|math domain|overflow|'int'|'float'|broadcast",
)
_LONGEST = 700


def refusal(error: Exception) -> str:
    """Return the kind of outcome of a refused input.

    Raises:
        AssertionError: it is no ValueError, or not in our words.
    """
    assert type(error) is ValueError, f"{type(error).__name__}: {error}"
    text = str(error)
    assert text[:1] and text.endswith((".", ")")), f"no sentence: {text!r}"
    assert len(text) <= _LONGEST, f"too long: {text[:200]!r}"
    assert not _FOREIGN.search(text), f"not our words: {text!r}"
    return "refused"
