"""Counting the answers of a blind test, as the paper's Tab. 2, with how sure each preference is."""

from __future__ import annotations

import csv
import io
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from .answers import Rating
from .key import Key
from .preference import sign_test, wilson_interval

_CSV_HEADER = (
    "first",
    "second",
    "prefer_first",
    "prefer_second",
    "skipped",
    "share_first",
    "low_95",
    "high_95",
    "p_two_sided",
)
_NOTE = (
    "Shares leave out skipped pairs. Interval: 95 % Wilson score. p: exact two-sided binomial test against "
    "one half. Both take all ratings for independent; a rater gives several, so with few raters they look "
    "surer than they are. The last row checks for bias: left and right should be preferred equally often."
)


@dataclass(frozen=True)
class Comparison:
    """How often the first of two was preferred.

    Attributes:
        first, second: what is compared.
        prefer_first, prefer_second, skipped: counts of ratings.
    """

    first: str
    second: str
    prefer_first: int
    prefer_second: int
    skipped: int

    @property
    def decided(self) -> int:
        """Ratings that prefer one of the two."""
        return self.prefer_first + self.prefer_second

    @property
    def share(self) -> float | None:
        """Share of the decided ratings that prefer the first, in [0, 1]; None without any."""
        return self.prefer_first / self.decided if self.decided else None

    @property
    def interval(self) -> tuple[float, float]:
        """95 % Wilson score interval of the share."""
        return wilson_interval(self.prefer_first, self.decided)

    @property
    def p_value(self) -> float:
        """Two-sided p-value of the sign test."""
        return sign_test(self.prefer_first, self.decided)


@dataclass(frozen=True)
class Tally:
    """The outcome of a test.

    Attributes:
        title: of the page.
        raters: how many sent answers.
        ratings: how many pairs they answered, skipped ones included.
        median_seconds: that a pair was looked at; None without ratings.
        ours_left: ratings with ours at the left.
        peers: ours against each peer.
        overall: ours against all of them.
        sides: left against right.
    """

    title: str
    raters: int
    ratings: int
    median_seconds: float | None
    ours_left: int
    peers: tuple[Comparison, ...]
    overall: Comparison
    sides: Comparison

    @property
    def rows(self) -> tuple[Comparison, ...]:
        """Every comparison in the order of the tables."""
        return (*self.peers, self.overall, self.sides)


def count(key: Key, ratings: Sequence[Rating]) -> Tally:
    """Count the ratings per peer, overall, and by side."""
    peers = tuple(
        _ours_against(peer, (rating for rating in ratings if rating.pair.peer == peer)) for peer in key.peers
    )
    by_side = [sum(rating.choice == choice for rating in ratings) for choice in ("left", "right", "skip")]
    return Tally(
        title=key.title,
        raters=len({rating.rater for rating in ratings}),
        ratings=len(ratings),
        median_seconds=statistics.median(rating.seconds for rating in ratings) if ratings else None,
        ours_left=sum(rating.ours_left for rating in ratings),
        peers=peers,
        overall=_ours_against("all peers", ratings),
        sides=Comparison("left", "right", *by_side),
    )


def to_markdown(tally: Tally) -> str:
    """Return the tally as a Markdown page."""
    seconds = "" if tally.median_seconds is None else f", {tally.median_seconds:.1f} s a pair (median)"
    lines = [
        f"# {tally.title}",
        "",
        f"{_counted(tally.raters, 'rater')}, {_counted(tally.ratings, 'rating')}{seconds}; "
        f"ours at the left in {tally.ours_left}.",
        "",
        "| Comparison | First preferred | Second preferred | Skipped | Share of first | 95 % interval | p |",
        "|---|---:|---:|---:|---:|---:|---:|",
    ]
    for row in tally.rows:
        low, high = row.interval
        name = f"{row.first} vs. {row.second}".replace("|", "\\|")
        share, interval, p_value = "–", "–", "–"
        if row.share is not None:
            share, interval = f"{100 * row.share:.1f} %", f"{100 * low:.1f} to {100 * high:.1f} %"
            p_value = f"{row.p_value:.2g}"
        counts = f"{row.prefer_first} | {row.prefer_second} | {row.skipped}"
        lines.append(f"| {name} | {counts} | {share} | {interval} | {p_value} |")
    return "\n".join([*lines, "", _NOTE, ""])


def to_csv(tally: Tally) -> str:
    """Return the tally as CSV, a header and one comparison a line; no share where nothing was decided."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(_CSV_HEADER)
    for row in tally.rows:
        counts = (row.first, row.second, row.prefer_first, row.prefer_second, row.skipped)
        if row.share is None:
            writer.writerow((*counts, "", "", "", ""))
        else:
            numbers = (row.share, *row.interval, row.p_value)
            writer.writerow((*counts, *(f"{number:.6g}" for number in numbers)))
    return text.getvalue()


def _ours_against(peer: str, ratings: Iterable[Rating]) -> Comparison:
    ours = other = skipped = 0
    for rating in ratings:
        skipped += rating.skipped
        ours += rating.prefers_ours
        other += not rating.skipped and not rating.prefers_ours
    return Comparison("ours", peer, ours, other, skipped)


def _counted(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
