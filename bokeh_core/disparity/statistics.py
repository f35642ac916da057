"""What raw depth maps mean, measured over a whole clip before any frame of it is converted.

Two passes make a clip of any length fit in memory: `DisparityStatistics` sees every frame and keeps a few
numbers, `DisparityConversion` turns one frame after the other into disparity. `prepare_disparity`
is both on a tensor.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from .conversion import DisparityConversion, oriented, raised
from .frame_by_frame import FrameByFrameFinder
from .holes import HOLES, LEAST_DISTANCE, HoleCount, ZeroCount, holes_in
from .in_words import count_frames
from .meaning import DepthMeaning
from .polarity import automatic_polarity
from .samples import Samples

if TYPE_CHECKING:
    from .contour_motion import ContourWitness

_ROBUST_PERCENTILES = (1.0, 99.0)
# Resizers and codecs overshoot [0, 1] by rounding.
_RANGE_SLACK = 1e-4
# A range below the first cannot be divided by; above the second, the difference of two values is no number.
_LEAST, _MOST = torch.finfo(torch.float32).tiny, torch.finfo(torch.float32).max
_REFUSE, _FAR, _FILL = HOLES


class DisparityStatistics:
    """First pass over the raw maps of a clip."""

    def __init__(self, meaning: DepthMeaning) -> None:
        self._meaning = meaning
        self._num_frames = 0
        self._hole_count = HoleCount()
        self._low: list[float] = []
        self._high: list[float] = []
        # NaN and infinite values as (frame, place of the first, how many NaN, how many infinite).
        self._not_finite: list[tuple[int, str, int, int]] = []
        # Distances of 0 or less as (frame, place of the first, how many).
        self._no_distance: list[tuple[int, str, int]] = []
        self._sum: Tensor | None = None
        self._samples = Samples()
        self._frame_by_frame = FrameByFrameFinder()
        self._zeros = ZeroCount()

    @property
    def num_frames(self) -> int:
        """How many frames were seen."""
        return self._num_frames

    def add(self, frame: Tensor) -> None:
        """Take in the next raw map [H, W]."""
        t = self._num_frames
        self._num_frames += 1
        if self._meaning.holes == _REFUSE:
            self._add(t, frame, frame.reshape(-1))
            return
        meaning = self._meaning
        hole = holes_in(frame, meaning.is_distance, meaning.stored_as_one_minus, meaning.zero_is_a_hole)
        self._hole_count.add(t, hole, frame.numel())
        if hole is None:
            self._add(t, frame, frame.reshape(-1))
            return
        known = frame[~hole]
        if len(known):
            self._add(t, frame.masked_fill(hole, known.mean(dtype=torch.float64).item()), known)

    def _add(self, t: int, frame: Tensor, known: Tensor) -> None:
        """Take in a map without holes, and those of its values that are known, [N]."""
        low, high = (value.item() for value in frame.aminmax())
        self._low.append(low)
        self._high.append(high)
        # The extremes are finite if and only if all values are.
        if not (np.isfinite(low) and np.isfinite(high)):
            nan, infinite = frame.isnan(), frame.isinf()
            self._not_finite.append((t, _place(nan | infinite), int(nan.sum()), int(infinite.sum())))
            return
        self._frame_by_frame.add(frame, low, high)
        if low == 0 and not self._meaning.is_distance and self._meaning.polarity != "near black":
            self._zeros.add(known)
        meaning = self._meaning
        if meaning.is_distance:
            none = (1 - frame if meaning.stored_as_one_minus else frame) < LEAST_DISTANCE
            if none.any():
                self._no_distance.append((t, _place(none), int(none.sum())))
        elif meaning.polarity == "auto":
            total = torch.zeros(frame.shape, dtype=torch.float64) if self._sum is None else self._sum
            self._sum = total.add_(frame)
        if meaning.normalisation == "robust percentiles":
            self._samples.add(known)

    def conversion(self, motion: ContourWitness | None = None) -> DisparityConversion:
        """Decide how the frames seen become disparity.

        Args:
            motion: has seen the maps too, and tells which side of their contours is in front; only asked
                where nobody else says it.

        Raises:
            ValueError: no frames, NaN or infinite values, constant maps, depth of 0 or less, values outside
                [0, 1] without normalisation.
        """
        if not self._num_frames:
            raise ValueError("There are no depth maps; give at least one frame.")
        if not self._low:
            raise ValueError("No pixel of any map has depth; check the source.")
        self._require_something_around()
        self._require_finite()
        lowest, highest = min(self._low), max(self._high)
        _require_range(lowest, highest)
        report = [f"Values {lowest:g} to {highest:g} in {count_frames(self.num_frames)}."]
        if warning := self._frame_by_frame.warning():
            report.append(warning)
        if warning := self._zeros.warning(highest):
            report.append(warning)
        inverted, flip_at, line = self._orientation(lowest, highest, motion)
        report.append(line)

        # Every step keeps or reverses the order of values, so the extremes stay extremes.
        exponent = self._meaning.exponent
        ends = oriented(torch.tensor([lowest, highest]), inverted, flip_at)
        if exponent != 1:
            if ends.min().item() < 0:
                raise ValueError(
                    f"exponent {exponent:g} needs values of 0 or more, but the smallest is "
                    f"{ends.min().item():g}; set it to 1."
                )
            report.append(f"Raised to the power {exponent:g}.")
        ends = raised(ends, exponent)
        _require_range(ends.min().item(), ends.max().item())
        low, high, line = self._range(ends.min().item(), ends.max().item(), inverted, flip_at)
        report.append(line)
        treated = "taken as infinitely far" if self._meaning.holes == _FAR else "filled from around"
        report += [line for line in [self._hole_count.report(treated)] if line]
        return DisparityConversion(
            inverted,
            flip_at,
            exponent,
            low,
            high,
            "\n".join(report),
            self._meaning.holes,
            self._meaning.zero_is_a_hole,
        )

    def _require_something_around(self) -> None:
        empty = self._hole_count.first_empty
        if self._meaning.holes == _FILL and empty is not None:
            raise ValueError(
                f"Frame {empty} has no depth at all, so its holes cannot be filled from around; mend it in "
                "the source, or set holes to far."
            )

    def _require_finite(self) -> None:
        if self._not_finite:
            nan, infinite = (sum(int(entry[i]) for entry in self._not_finite) for i in (2, 3))
            frame, place, *_ = self._not_finite[0]
            raise ValueError(
                f"The depth has {nan} NaN and {infinite} infinite values in "
                f"{count_frames(len(self._not_finite))}, first in frame {frame} at {place}; every value must "
                "be a finite number. If they are sky set holes to far, if they were not measured to fill "
                "from around."
            )

    def _orientation(
        self, lowest: float, highest: float, motion: ContourWitness | None
    ) -> tuple[bool, float | None, str]:
        """(inverted, flip_at, what was decided)."""
        in_unit_range = lowest >= 0 and highest <= 1
        polarity = self._meaning.polarity
        if self._meaning.is_distance:
            stored_inverted = self._meaning.stored_as_one_minus
            if stored_inverted and not in_unit_range:
                raise ValueError(
                    f"Metric depth from {lowest:g} to {highest:g} cannot be near white: that means depth "
                    "stored as 1 - v in [0, 1]. Choose near black or auto."
                )
            if self._no_distance:
                frame, place, _ = self._no_distance[0]
                raise ValueError(
                    f"{sum(count for *_, count in self._no_distance)} metric depth values are 0 or less, "
                    f"first in frame {frame} at {place}; a distance must be above 0 (and above {_LEAST:.1g}, "
                    "to be inverted). Where nothing was measured there, set holes to fill from around, or to "
                    "far; if the map was normalised, choose source disparity "
                    f"with polarity near {'white' if stored_inverted else 'black'} and exponent 3."
                )
            if stored_inverted:
                return True, 1.0, "Metric depth stored as 1 - v (near white), inverted to 1 / depth."
            return True, None, "Metric depth: near is small (near black); inverted to 1 / depth."

        decided = f"Polarity: {polarity} (chosen)."
        if self._sum is not None:
            votes = None if motion is None or lowest == highest else motion.votes(lowest, highest)
            polarity, decided = automatic_polarity((self._sum / len(self._low)).float(), votes)
        if polarity == "near white":
            return False, None, decided
        return False, 1.0 if in_unit_range else highest, decided

    def _range(
        self, low: float, high: float, inverted: bool, flip_at: float | None
    ) -> tuple[float | None, float | None, str]:
        """(what becomes 0, what becomes 1, what was decided)."""
        normalisation = self._meaning.normalisation
        if normalisation == "none":
            if low < -_RANGE_SLACK or high > 1 + _RANGE_SLACK:
                raise ValueError(
                    f"Without normalisation the disparity must be in [0, 1], but it is {low:g} to {high:g}; "
                    "choose min-max."
                )
            return None, None, "Not normalised."
        label = "min-max"
        # The farthest that was measured is nearer than what is infinitely far, 1 / infinity = 0.
        infinity = inverted and self._meaning.holes == _FAR and self._hole_count.found
        low = 0.0 if infinity else low
        if high - low < _LEAST:
            raise ValueError(
                f"The depth is constant ({low:g} everywhere), so there is no near and far to normalise. "
                "Check the source; a flat plane needs values in [0, 1] and normalisation none."
            )
        if normalisation == "robust percentiles":
            whole_low, whole_high = low, high
            samples = oriented(self._samples.values(), inverted, flip_at)
            samples = raised(samples, self._meaning.exponent)
            low, high = (float(value) for value in np.percentile(samples.numpy(), _ROBUST_PERCENTILES))
            low = 0.0 if infinity else low
            label = f"percentiles {_ROBUST_PERCENTILES[0]:g} and {_ROBUST_PERCENTILES[1]:g}"
            if high - low < _LEAST:
                raise ValueError(
                    f"98 % of the depth is the same value ({low:g}) in a range of {whole_low:g} to "
                    f"{whole_high:g}; robust percentiles would erase the rest. Choose min-max."
                )
        line = f"Normalised over the whole clip by {label}: {low:g} to {high:g} became 0 to 1."
        return low, high, line


def _place(where: Tensor) -> str:
    """The first pixel of a mask [H, W]."""
    row, column = where.nonzero()[0].tolist()
    return f"column {column}, row {row}"


def _require_range(low: float, high: float) -> None:
    if not high - low <= _MOST:
        raise ValueError(
            f"The depth runs from {low:g} to {high:g}, too far to be normalised; fill the outliers in the "
            "source."
        )
