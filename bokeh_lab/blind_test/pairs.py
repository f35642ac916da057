"""Which pairs a rater sees: neutral names, and sides that favour nobody."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePath

_NAME_BITS = 32


@dataclass(frozen=True)
class Pair:
    """Our version of a clip against a peer's.

    Attributes:
        pair: neutral name of the pair.
        clip: file name of the clip in the folders.
        peer: name of the peer.
        ours_file: neutral file name of our version. Each pair has a copy of its own: a name that
            came back with every peer would give ours away.
        peer_file: neutral file name of the peer's version.
        ours_left: whether ours is at the left; the page swaps all pairs for a random half of the raters.
    """

    pair: str
    clip: str
    peer: str
    ours_file: str
    peer_file: str
    ours_left: bool

    @property
    def left_then_right(self) -> tuple[str, str]:
        """The two neutral file names from left to right."""
        return (self.ours_file, self.peer_file) if self.ours_left else (self.peer_file, self.ours_file)


@dataclass(frozen=True)
class PairPlan:
    """All pairs of a test.

    Attributes:
        pairs: sorted by their neutral names, which is a random order.
        sharp_files: clip -> neutral file name of its all-in-focus source.
    """

    pairs: tuple[Pair, ...]
    sharp_files: dict[str, str]


def plan_pairs(clips: Sequence[str], peers: Sequence[str], seed: int) -> PairPlan:
    """Pair every clip of ours with every peer's.

    Against each peer, and overall, ours is as often left as right; with an odd number of pairs one
    side has one more. The same arguments give the same plan.
    """
    rng = random.Random(seed)
    names = iter(_neutral_names(rng, 3 * len(clips) * len(peers) + len(clips)))
    # With an odd number of clips every peer has one pair too many for balance: the peers take turns.
    extra_left = rng.random() < 0.5
    pairs = []
    for peer in peers:
        sides = [True, False] * (len(clips) // 2)
        if len(clips) % 2:
            sides.append(extra_left)
            extra_left = not extra_left
        rng.shuffle(sides)
        for clip, ours_left in zip(clips, sides, strict=True):
            suffix = PurePath(clip).suffix.lower()
            pair, ours_file, peer_file = next(names), next(names) + suffix, next(names) + suffix
            pairs.append(Pair(pair, clip, peer, ours_file, peer_file, ours_left))
    sharp_files = {clip: next(names) + PurePath(clip).suffix.lower() for clip in clips}
    return PairPlan(tuple(sorted(pairs, key=lambda pair: pair.pair)), sharp_files)


def _neutral_names(rng: random.Random, count: int) -> list[str]:
    return [f"{number:0{_NAME_BITS // 4}x}" for number in rng.sample(range(2**_NAME_BITS), count)]
