"""The subject of one decision, followed through the frames that it decides, from its own on and back."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from torch import Tensor

from .decision import FocusDecision
from .track import SubjectTracker, Tracked
from .view import View, view_of

MOST_FRAMES_BACK = 300
"""How far back from its decision a subject is followed; each frame waits in memory, with about 0.4 MB."""


class FollowedSubject:
    """Follows what lies at a decision's place, seen frame by frame; a cut ends it on either side."""

    def __init__(self, decision: FocusDecision, cuts: Sequence[int]) -> None:
        """Begin before the first frame that the decision serves.

        Args:
            decision: of the kind "follow".
            cuts: first frames of the clip's shots.
        """
        self._decision = decision
        self._cuts = frozenset(cuts)
        self._before: deque[tuple[int, View]] = deque(maxlen=MOST_FRAMES_BACK)
        self._tracker: SubjectTracker | None = None

    def look(self, t: int, frame: Tensor, disparity: Tensor) -> dict[int, Tracked]:
        """Look at the next frame [H, W, C] and its map [h, w]; returns what is known now, by frame."""
        decision = self._decision
        if t > decision.frame:
            if t in self._cuts:
                self._tracker = None
            return {} if self._tracker is None else {t: self._tracker.step(view_of(frame, disparity))}
        if t in self._cuts:
            self._before.clear()
        view = view_of(frame, disparity)
        if t < decision.frame:
            self._before.append((t, view))
            return {}
        radius = decision.radius / disparity.shape[1]
        self._tracker = SubjectTracker(view, decision.x, decision.y, radius)
        found = {t: self._tracker.here}
        backwards = SubjectTracker(view, decision.x, decision.y, radius)
        while self._before:
            earlier, view = self._before.pop()
            found[earlier] = backwards.step(view)
        return found
