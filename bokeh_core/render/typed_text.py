"""What people type, whatever their keyboard."""

from __future__ import annotations

import unicodedata


def plain_characters(text: str) -> str:
    """The digits and punctuation of Chinese and Japanese keyboards as ASCII."""
    return unicodedata.normalize("NFKC", text).replace("\u3001", ",")
