"""The one rule for how many values a clip needs: one per frame, or one for the whole clip."""

from torch import Tensor


def broadcast_over_frames(values: Tensor, num_frames: int, name: str) -> Tensor:
    """Return `values` with one entry per video frame, repeating a single entry without copying it.

    Args:
        values: [1, ...] or [num_frames, ...].
        num_frames: length of the clip, >= 1.
        name: what the values are, for the message.

    Returns:
        [num_frames, ...]; a view, so it must not be written to.

    Raises:
        ValueError: any other length.
    """
    require_clip_length(values.shape[0], num_frames, name)
    return values if values.shape[0] == num_frames else values.expand(num_frames, *values.shape[1:])


def require_clip_length(count: int, num_frames: int, name: str) -> None:
    """Check that there is one value per frame or one for the whole clip.

    Raises:
        ValueError: any other number.
    """
    if count not in (1, num_frames):
        allowed = "1" if num_frames == 1 else f"{num_frames}, or 1 for the whole clip"
        raise ValueError(f"{count} {name} frames for {num_frames} video frames; give {allowed}.")
