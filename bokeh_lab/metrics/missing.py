"""What stands in a table where a number cannot be measured: the reason, never a number."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Missing:
    """Why a value is missing.

    Attributes:
        reason: "what is missing: what to do about it", or only the first half.
    """

    reason: str

    @property
    def short(self) -> str:
        """The part before the colon, for the cell of a table, such as "no weights"."""
        return self.reason.partition(":")[0]

    def __str__(self) -> str:
        return self.reason


Value = float | Missing
