"""What the refinement did."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


@dataclass
class RefineReport:
    """Counts over a clip, as far as it is refined.

    Attributes:
        trained: whether the network took part.
        frames: maps that are finished.
        changed_share: pixels whose disparity changed by more than a step of 8 bits, of those of the clip,
            in [0, 1].
        shots: stretches of frames that can be followed from one to the next.
        filled: frames whose subject was made whole by its mask.
        smoothed: frames whose 8-bit steps were smoothed.
        outlined: frames that had soft outlines.
        outlined_share: pixels of outlines that changed, of those of the clip, in [0, 1].
        rescaled: frames whose scale and shift were brought to the course of those around.
        levelled: frames that slow waves were taken out of.
        settled: frames whose outlines jumped and were brought to where those around have them.
        mended: frames that a surface came back in.
        mended_share: of the pixels of the clip, in [0, 1].
        replaced: frames in which the trained network gave pixels another disparity.
        replaced_share: of the pixels of the clip, in [0, 1].
    """

    trained: bool = False
    frames: int = 0
    changed_share: float = 0.0
    shots: int = 0
    filled: int = 0
    smoothed: int = 0
    outlined: int = 0
    outlined_share: float = 0.0
    rescaled: int = 0
    levelled: int = 0
    settled: int = 0
    mended: int = 0
    mended_share: float = 0.0
    replaced: int = 0
    replaced_share: float = 0.0

    def count(
        self,
        *,
        changed: float,
        outlined: float,
        rescaled: bool,
        levelled: bool,
        settled: bool,
        mended: float,
        replaced: float,
    ) -> None:
        """Add a frame; `changed`, `outlined`, `mended` and `replaced` are shares of its pixels."""
        self.changed_share = (self.changed_share * self.frames + changed) / (self.frames + 1)
        self.outlined_share = (self.outlined_share * self.frames + outlined) / (self.frames + 1)
        self.mended_share = (self.mended_share * self.frames + mended) / (self.frames + 1)
        self.replaced_share = (self.replaced_share * self.frames + replaced) / (self.frames + 1)
        self.frames += 1
        self.outlined += outlined > 0
        self.rescaled += rescaled
        self.levelled += levelled
        self.settled += settled
        self.mended += mended > 0
        self.replaced += replaced > 0

    def saved(self) -> dict[str, Any]:
        """Numbers that JSON holds; `RefineReport(**saved)` is the report again."""
        return asdict(self)

    def __str__(self) -> str:
        facts = [
            *([f"the subject made whole in {self.filled}"] if self.filled else []),
            *([f"steps of 8 bits smoothed in {self.smoothed}"] if self.smoothed else []),
            f"outlines sharpened in {self.outlined} ({self.outlined_share:.2%} of all pixels)",
            f"scale and shift steadied in {self.rescaled}",
            f"waves taken out of {self.levelled}",
            *([f"jumping outlines settled in {self.settled}"] if self.settled else []),
            f"surfaces restored in {self.mended} ({self.mended_share:.2%} of all pixels)",
            *self._by_network(),
        ]
        shots = f" in {self.shots} shots" if self.shots > 1 else ""
        changed = f"In all {self.changed_share:.2%} of the pixels changed by more than a step of 8 bits."
        frames = "1 frame" if self.frames == 1 else f"{self.frames} frames"
        return " ".join([f"Of {frames}{shots}: {', '.join(facts)}.", changed, *self._alone()])

    def _alone(self) -> list[str]:
        if not self.frames or self.shots < self.frames:
            return []
        return ["No frame can be followed into another, so steady and limbs had nothing to go by."]

    def _by_network(self) -> list[str]:
        if not self.trained:
            return []
        return [f"pixels chosen anew in {self.replaced} ({self.replaced_share:.2%} of all pixels)"]
