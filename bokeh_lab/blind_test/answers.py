"""Reading the files that raters send back, and checking them against the key."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .key import Key, read_json
from .pairs import Pair

ANSWERS_FORMAT = "blind test answers 1"
CHOICES = ("left", "right", "skip")
_MOST_SECONDS = 1e9


@dataclass(frozen=True)
class Rating:
    """What one rater chose of one pair.

    Attributes:
        rater: random identifier of the rater.
        pair: what was compared.
        choice: one of `CHOICES`.
        ours_left: whether ours stood at the left.
        seconds: how long the pair was shown before the choice.
    """

    rater: str
    pair: Pair
    choice: str
    ours_left: bool
    seconds: float

    @property
    def skipped(self) -> bool:
        """Whether the rater preferred neither."""
        return self.choice == "skip"

    @property
    def prefers_ours(self) -> bool:
        """Whether the rater chose our version."""
        return self.choice == ("left" if self.ours_left else "right")


def read_answers(key: Key, files: Sequence[Path]) -> list[Rating]:
    """Read the ratings in all files.

    Raises:
        ValueError: no file; a file that is missing, no JSON or no answers; answers of another test;
            an unknown pair; videos that are not the pair's; a pair answered twice; an unknown
            choice; seconds that are no number >= 0; one rater in two files.
    """
    if not files:
        raise ValueError("There are no answers to count; give at least one answers file.")
    pairs = {pair.pair: pair for pair in key.pairs}
    file_of_rater: dict[str, Path] = {}
    ratings: list[Rating] = []
    for file in files:
        content = read_json(file)
        if not isinstance(content, dict) or content.get("format") != ANSWERS_FORMAT:
            raise ValueError(f"{file} is not an answers file; give what the page saved.")
        if content.get("test") != key.test:
            raise ValueError(
                f"{file} belongs to test {content.get('test')!r:.80} and the key to test {key.test!r}; "
                "give the key that was made with the page."
            )
        rater, answers = content.get("rater"), content.get("answers")
        if not isinstance(rater, str) or not isinstance(answers, list):
            raise ValueError(f"{file} has no rater or no answers; ask the rater to save it again.")
        if rater in file_of_rater:
            raise ValueError(
                f"Rater {rater} is in {file_of_rater[rater]} and in {file}; leave out one of the two."
            )
        file_of_rater[rater] = file
        answered: set[str] = set()
        for answer in answers:
            rating = _rating(file, rater, answer, pairs)
            if rating.pair.pair in answered:
                raise ValueError(
                    f"{file} answers pair {rating.pair.pair} twice; ask the rater to save it again."
                )
            answered.add(rating.pair.pair)
            ratings.append(rating)
    return ratings


def _rating(file: Path, rater: str, answer: Any, pairs: dict[str, Pair]) -> Rating:
    if not isinstance(answer, dict) or not isinstance(answer.get("pair"), str):
        raise ValueError(f"{file} has an answer without a pair: {answer!r:.80}.")
    name = answer["pair"]
    if name not in pairs:
        raise ValueError(f"{file} answers pair {name!r:.80}, which the key does not know.")
    pair = pairs[name]
    shown = (answer.get("left"), answer.get("right"))
    if shown not in ((pair.ours_file, pair.peer_file), (pair.peer_file, pair.ours_file)):
        raise ValueError(
            f"{file}, pair {name}: the videos were {shown[0]!r:.80} and {shown[1]!r:.80}; "
            f"the key has {pair.ours_file!r} and {pair.peer_file!r}."
        )
    if answer.get("choice") not in CHOICES:
        raise ValueError(
            f"{file}, pair {name}: {answer.get('choice')!r:.80} is none of {', '.join(CHOICES)}."
        )
    seconds = answer.get("seconds")
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 0 <= seconds < _MOST_SECONDS:
        raise ValueError(f"{file}, pair {name}: {seconds!r:.80} seconds; it must be a number, 0 or more.")
    return Rating(rater, pair, answer["choice"], shown[0] == pair.ours_file, float(seconds))
