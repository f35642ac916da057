"""How sure a preference is: the Wilson score interval and the exact sign test."""

from __future__ import annotations

import math

# 97.5 % quantile of the normal distribution: two sides make 95 %.
Z_95 = 1.959963984540054


def wilson_interval(successes: int, trials: int, z: float = Z_95) -> tuple[float, float]:
    """Return the Wilson score interval of a share, (low, high) in [0, 1].

    The shares p with |successes/n - p| <= z sqrt(p (1 - p) / n), n = trials (E. B. Wilson, J. Am.
    Stat. Assoc. 22, 1927). Without trials nothing is known: (0, 1).

    Raises:
        ValueError: not 0 <= successes <= trials.
    """
    _require_counts(successes, trials)
    if trials == 0:
        return 0.0, 1.0
    share = successes / trials
    shrink = 1 + z * z / trials
    centre = (share + z * z / (2 * trials)) / shrink
    half_width = z / shrink * math.sqrt(share * (1 - share) / trials + z * z / (4 * trials * trials))
    # Rounding must not carry the ends past none and all.
    low = 0.0 if successes == 0 else centre - half_width
    high = 1.0 if successes == trials else centre + half_width
    return low, high


def sign_test(successes: int, trials: int) -> float:
    """Return the two-sided exact binomial p-value against a share of 1/2, in [0, 1].

    min(1, 2 P(X <= k)) with X binomial(trials, 1/2) and k the rarer outcome's count.

    Raises:
        ValueError: not 0 <= successes <= trials.
    """
    _require_counts(successes, trials)
    rarer = min(successes, trials - successes)
    outcomes = sum(math.comb(trials, k) for k in range(rarer + 1))
    return min(1.0, 2 * outcomes / 2**trials)


def _require_counts(successes: int, trials: int) -> None:
    if not 0 <= successes <= trials:
        raise ValueError(f"{successes} of {trials}; it must be 0 to {trials}, and {trials} at least 0.")
