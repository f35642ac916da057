"""What raw depth maps mean, measured over a whole clip once and then applied to any frame of it.

Two passes make a clip of any length fit in memory: `DisparityStatistics` sees every frame and keeps a few
numbers, `DisparityConversion` turns one frame after the other into disparity. `prepare_disparity`
is both on a tensor.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ..setting_checks import require_number
from .frame_by_frame import FrameByFrameFinder
from .polarity import nearness_of_white

SOURCES = ("disparity", "metric depth")
POLARITIES = ("auto", "near white", "near black")
# Beyond these every map becomes black or white.
_EXPONENTS = (0.01, 100.0)
NORMALISATIONS = ("min-max", "robust percentiles", "none")

_ROBUST_PERCENTILES = (1.0, 99.0)
# Percentiles of more samples than this cost seconds and differ in the fourth digit.
_MAX_PERCENTILE_SAMPLES = 4_000_000
# Below this a picture speaks against white being near.
_DOUBTFUL_NEARNESS = -0.05
# Resizers and codecs overshoot [0, 1] by rounding.
_RANGE_SLACK = 1e-4
# Below the first, 1 / distance is no number, and a range cannot be divided by; above the second, the
# difference of two values is none.
_LEAST, _MOST = torch.finfo(torch.float32).tiny, torch.finfo(torch.float32).max


@dataclass(frozen=True)
class DepthMeaning:
    """How raw maps are to be read; see `disparity.prepare.prepare_disparity` for each field.

    Raises:
        ValueError: an unknown choice, or an exponent outside of 0.01 to 100.
    """

    source: str = "disparity"
    polarity: str = "auto"
    normalisation: str = "min-max"
    exponent: float = 1.0

    def __post_init__(self) -> None:
        _require_option("source", self.source, SOURCES)
        _require_option("polarity", self.polarity, POLARITIES)
        _require_option("normalisation", self.normalisation, NORMALISATIONS)
        require_number(
            "exponent", self.exponent, *_EXPONENTS, meaning="1 = unchanged, 2 undoes a square root"
        )


@dataclass(frozen=True)
class DisparityConversion:
    """Raw maps -> disparity in [0, 1], near = 1, frame by frame.

    Attributes:
        inverted: metric depth: 1 / v, or 1 / (1 - v) where `flip_at` is given.
        flip_at: near black: c - v.
        exponent: power applied after that.
        low: what becomes 0; with `high`, or neither where the values are kept.
        high: what becomes 1.
        report: what was decided, one fact a line.
    """

    inverted: bool
    flip_at: float | None
    exponent: float
    low: float | None
    high: float | None
    report: str

    def apply(self, values: Tensor) -> Tensor:
        """Raw [..., H, W] -> disparity, float32 of the same shape; the input is not written to."""
        maps = _raised(_oriented(values, self.inverted, self.flip_at), self.exponent)
        if self.low is None or self.high is None:
            return maps.clamp(0, 1)
        return (maps - self.low).div_(self.high - self.low).clamp_(0, 1)


class DisparityStatistics:
    """First pass over the raw maps of a clip."""

    def __init__(self, meaning: DepthMeaning) -> None:
        self._meaning = meaning
        self._low: list[float] = []
        self._high: list[float] = []
        # NaN and infinite values as (frame, place of the first, how many NaN, how many infinite).
        self._not_finite: list[tuple[int, str, int, int]] = []
        # Distances of 0 or less as (frame, place of the first, how many).
        self._no_distance: list[tuple[int, str, int]] = []
        self._sum: Tensor | None = None
        self._samples = _Samples()
        self._frame_by_frame = FrameByFrameFinder()

    @property
    def num_frames(self) -> int:
        """How many frames were seen."""
        return len(self._low)

    def add(self, frame: Tensor) -> None:
        """Take in the next raw map [H, W]."""
        t = self.num_frames
        low, high = (value.item() for value in frame.aminmax())
        self._low.append(low)
        self._high.append(high)
        # An extreme is not finite exactly if some value is not.
        if not (np.isfinite(low) and np.isfinite(high)):
            nan, infinite = frame.isnan(), frame.isinf()
            self._not_finite.append((t, _place(nan | infinite), int(nan.sum()), int(infinite.sum())))
            return
        self._frame_by_frame.add(frame, low, high)
        meaning = self._meaning
        if meaning.source == "metric depth":
            none = (1 - frame if meaning.polarity == "near white" else frame) < _LEAST
            if none.any():
                self._no_distance.append((t, _place(none), int(none.sum())))
        elif meaning.polarity == "auto":
            total = torch.zeros(frame.shape, dtype=torch.float64) if self._sum is None else self._sum
            self._sum = total.add_(frame)
        if meaning.normalisation == "robust percentiles":
            self._samples.add(frame)

    def conversion(self) -> DisparityConversion:
        """Decide how the frames seen become disparity.

        Raises:
            ValueError: no frames, NaN or infinite values, constant maps, depth of 0 or less, values outside
                [0, 1] without normalisation.
        """
        if not self._low:
            raise ValueError("There are no depth maps; give at least one frame.")
        self._require_finite()
        lowest, highest = min(self._low), max(self._high)
        _require_range(lowest, highest)
        report = [f"Values {lowest:g} to {highest:g} in {count_frames(self.num_frames)}."]
        if warning := self._frame_by_frame.warning():
            report.append(warning)
        inverted, flip_at, line = self._orientation(lowest, highest)
        report.append(line)

        # Every step keeps or reverses the order of values, so the extremes stay extremes.
        exponent = self._meaning.exponent
        ends = _oriented(torch.tensor([lowest, highest]), inverted, flip_at)
        if exponent != 1:
            if ends.min().item() < 0:
                raise ValueError(
                    f"exponent {exponent:g} needs values of 0 or more, but the smallest is "
                    f"{ends.min().item():g}; set it to 1."
                )
            report.append(f"Raised to the power {exponent:g}.")
        ends = _raised(ends, exponent)
        _require_range(ends.min().item(), ends.max().item())
        low, high, line = self._range(ends.min().item(), ends.max().item(), inverted, flip_at)
        report.append(line)
        return DisparityConversion(inverted, flip_at, exponent, low, high, "\n".join(report))

    def _require_finite(self) -> None:
        if self._not_finite:
            nan, infinite = (sum(int(entry[i]) for entry in self._not_finite) for i in (2, 3))
            frame, place, *_ = self._not_finite[0]
            raise ValueError(
                f"The depth has {nan} NaN and {infinite} infinite values in "
                f"{count_frames(len(self._not_finite))}, first in frame {frame} at {place}; every value must "
                "be a finite number. Fill the holes in the source; for sky use a large distance."
            )

    def _orientation(self, lowest: float, highest: float) -> tuple[bool, float | None, str]:
        """(inverted, flip_at, what was decided)."""
        in_unit_range = lowest >= 0 and highest <= 1
        polarity = self._meaning.polarity
        if self._meaning.source == "metric depth":
            stored_inverted = polarity == "near white"
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
                    "to be inverted). Fill the holes, or, if the map was normalised, choose source disparity "
                    f"with polarity near {'white' if stored_inverted else 'black'} and exponent 3."
                )
            if stored_inverted:
                return True, 1.0, "Metric depth stored as 1 - v (near white), inverted to 1 / depth."
            return True, None, "Metric depth: near is small (near black); inverted to 1 / depth."

        decided = f"Polarity: {polarity} (chosen)."
        if self._sum is not None:
            # All current estimators of depth give near white; a composition is no proof against it.
            polarity = "near white"
            nearness, reason = nearness_of_white((self._sum / self.num_frames).float())
            decided = "Polarity: near white (auto, as depth estimators give it)."
            if nearness < _DOUBTFUL_NEARNESS:
                decided += (
                    f"\nWarning: white looks far in this picture ({reason}). If near and far are swapped in "
                    "the preview, set polarity to near black."
                )
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
        if high - low < _LEAST:
            raise ValueError(
                f"The depth is constant ({low:g} everywhere), so there is no near and far to normalise. "
                "Check the source; a flat plane needs values in [0, 1] and normalisation none."
            )
        label = "min-max"
        if normalisation == "robust percentiles":
            whole_low, whole_high = low, high
            samples = _oriented(self._samples.values(), inverted, flip_at)
            samples = _raised(samples, self._meaning.exponent)
            low, high = (float(value) for value in np.percentile(samples.numpy(), _ROBUST_PERCENTILES))
            label = f"percentiles {_ROBUST_PERCENTILES[0]:g} and {_ROBUST_PERCENTILES[1]:g}"
            if high - low < _LEAST:
                raise ValueError(
                    f"98 % of the depth is the same value ({low:g}) in a range of {whole_low:g} to "
                    f"{whole_high:g}; robust percentiles would erase the rest. Choose min-max."
                )
        line = f"Normalised over the whole clip by {label}: {low:g} to {high:g} became 0 to 1."
        return low, high, line


class _Samples:
    """Values of every frame, equally many of each, in bounded memory."""

    def __init__(self, most: int = _MAX_PERCENTILE_SAMPLES) -> None:
        self._most = most
        self._per_frame = most
        self._frames: list[Tensor] = []
        self._count = 0

    def add(self, frame: Tensor) -> None:
        self._frames.append(_some_of(frame.reshape(-1), self._per_frame, len(self._frames)).clone())
        self._count += len(self._frames[-1])
        while self._count > self._most and self._per_frame > 1:
            self._per_frame = min(self._per_frame, max(map(len, self._frames))) // 2
            self._frames = [_some_of(kept, self._per_frame, t).clone() for t, kept in enumerate(self._frames)]
            self._count = sum(map(len, self._frames))

    def values(self) -> Tensor:
        return torch.cat(self._frames)


def _some_of(values: Tensor, count: int, seed: int) -> Tensor:
    """At most `count` of values [N], at random: an even stride could see the same columns in every row."""
    if len(values) <= count:
        return values
    return values[torch.randint(len(values), (count,), generator=torch.Generator().manual_seed(seed))]


def count_frames(count: int) -> str:
    """Say a number of frames."""
    return f"{count} frame" if count == 1 else f"{count} frames"


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


def _require_option(name: str, value: str, options: tuple[str, ...]) -> None:
    if value not in options:
        raise ValueError(f"{name} is {value!r}; choose one of {', '.join(options)}.")


def _oriented(values: Tensor, inverted: bool, flip_at: float | None) -> Tensor:
    flipped = values if flip_at is None else flip_at - values
    return 1 / flipped if inverted else flipped


def _raised(maps: Tensor, exponent: float) -> Tensor:
    return maps if exponent == 1 else maps**exponent
