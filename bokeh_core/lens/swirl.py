"""Swirl: towards the corners a point's image stretches around the middle of the frame (Petzval lenses)."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from .coverage import Shape, Weight

# Length over width in the corners, less 1, at full swirl. It grows with the square of the distance from the
# middle, as astigmatism of third order does.
_MOST_STRETCH = 2.0

Plane = Callable[[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]
"""(x, y) -> (x, y)."""


@dataclass(frozen=True)
class Swirl:
    """The stretch at one place of the frame: along the tangent by a factor, along the radius by its inverse.

    Points of a kernel are given in units of its longer side, so that undoing the stretch leaves the tangent
    alone and lengthens the radius by `squeeze`.

    Attributes:
        toward: unit vector (x, y) away from the middle of the frame.
        squeeze: length over width, 1 or more.
    """

    toward: tuple[float, float]
    squeeze: float

    @classmethod
    def at(cls, swirl: float, field: tuple[float, float]) -> "Swirl":
        """The stretch at a position in the frame, whose length 1 is the corner."""
        distance = math.hypot(*field)
        if swirl == 0 or distance == 0:
            return cls((1.0, 0.0), 1.0)
        return cls((field[0] / distance, field[1] / distance), 1 + _MOST_STRETCH * swirl * distance**2)

    @classmethod
    def in_corner(cls, swirl: float) -> "Swirl":
        """The greatest stretch of the frame."""
        return cls.at(swirl, (1.0, 0.0))

    @property
    def length(self) -> float:
        """How much longer the image becomes; its area stays."""
        return math.sqrt(self.squeeze)

    def undone(self, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Points of the kernel, in units of its longer side -> points of the opening."""
        along = (self.squeeze - 1) * (x * self.toward[0] + y * self.toward[1])
        return x + along * self.toward[0], y + along * self.toward[1]

    def of_shape(self, shape: Shape) -> Shape:
        """A shape of the opening as a shape of the kernel."""
        (middle_x, middle_y), (toward_x, toward_y) = shape.middle, self.toward
        along = (1 / self.squeeze - 1) * (middle_x * toward_x + middle_y * toward_y)
        # Angles around the middle turn faster too where the shape is squeezed.
        steepness = 1 + self.squeeze * (shape.steepness - 1)
        return Shape(
            lambda x, y: shape.margin(*self.undone(x, y)),
            (middle_x + along * toward_x, middle_y + along * toward_y),
            shape.inner_radius / self.squeeze,
            self.squeeze * steepness,
        )

    def of_weight(self, weight: Weight) -> Weight:
        """A weight of the opening as one of the kernel."""
        return lambda x, y: weight(*self.undone(x, y))
