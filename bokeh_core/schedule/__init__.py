"""Text that a user types or pastes -> one number a frame: keyframes, tables, lists."""

from .values import EASINGS, schedule_values

__all__ = ["EASINGS", "schedule_values"]
