"""How sure a preference is: the Wilson score interval and the exact sign test."""

from __future__ import annotations

from typing import Any


def wilson_interval(successes: int, trials: int) -> tuple[float, float]:
    """Return the 95 % Wilson score interval of a share, (low, high) in [0, 1].

    The shares p with |successes/n - p| <= 1.96 sqrt(p (1 - p) / n), n = trials (E. B. Wilson, J. Am.
    Stat. Assoc. 22, 1927). Without trials nothing is known: (0, 1).

    Raises:
        ValueError: not 0 <= successes <= trials, or SciPy is not installed.
    """
    test = _binomial_test(successes, trials)
    if test is None:
        return 0.0, 1.0
    interval = test.proportion_ci(0.95, method="wilson")
    return float(interval.low), float(interval.high)


def sign_test(successes: int, trials: int) -> float:
    """Return the two-sided exact binomial p-value against a share of 1/2, in [0, 1]; 1 without trials.

    Raises:
        ValueError: not 0 <= successes <= trials, or SciPy is not installed.
    """
    test = _binomial_test(successes, trials)
    return 1.0 if test is None else float(test.pvalue)


def _binomial_test(successes: int, trials: int) -> Any:
    """The test of a share of 1/2; None without trials, of which older SciPy makes an error."""
    if not 0 <= successes <= trials:
        raise ValueError(f"{successes} of {trials}; it must be 0 to {trials}, and {trials} at least 0.")
    if trials == 0:
        return None
    try:
        from scipy.stats import binomtest
    except ImportError as error:
        raise ValueError("The tally needs SciPy; install it (pip install scipy).") from error
    return binomtest(successes, trials)
