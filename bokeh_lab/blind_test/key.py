"""The key of a blind test: which neutral name is whose. It stays with whoever runs the test."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from .pairs import Pair

KEY_FORMAT = "blind test key 1"


@dataclass(frozen=True)
class Key:
    """What the tally needs to know.

    Attributes:
        test: identifier of the test; answers carry it too.
        title: heading of the page.
        seed: of the plan.
        peers: their names in the order of the tables.
        pairs: all pairs.
    """

    test: str
    title: str
    seed: int
    peers: tuple[str, ...]
    pairs: tuple[Pair, ...]


def write_key(key: Key, file: Path) -> None:
    """Write the key as JSON."""
    text = json.dumps({"format": KEY_FORMAT, **asdict(key)}, indent=1, ensure_ascii=False)
    file.write_text(text + "\n", encoding="utf-8")


def read_key(file: Path) -> Key:
    """Read what `write_key` wrote.

    Raises:
        ValueError: no such file, no JSON, or not a key.
    """
    content = read_json(file)
    if not isinstance(content, dict) or content.get("format") != KEY_FORMAT:
        raise ValueError(f"{file} is not a key of a blind test; give the key.json that `make` wrote.")
    try:
        pairs = tuple(Pair(**pair) for pair in content["pairs"])
        key = Key(content["test"], content["title"], content["seed"], tuple(content["peers"]), pairs)
    except (KeyError, TypeError) as error:
        raise ValueError(
            f"{file} is not a whole key ({error!s:.200}); give the key.json that `make` wrote."
        ) from error
    names = [key.test, key.title, *key.peers]
    names += [name for pair in pairs for name in (pair.pair, pair.ours_file, pair.peer_file)]
    if not all(isinstance(name, str) for name in names):
        raise ValueError(f"{file} has no name where one belongs; give the key.json that `make` wrote.")
    return key


def read_json(file: Path) -> Any:
    """Read a JSON file.

    Raises:
        ValueError: no such file, or no JSON.
    """
    try:
        return json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ValueError(f"{file} does not exist.") from error
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{file} is not JSON: {error!s:.200}.") from error
