"""What reports say of frames and samples."""

from torch import Tensor
from torch.nn import functional


def frame_spans(chosen: Tensor, first_frame: int = 0, most: int = 6) -> str:
    """Name the frames of a bool tensor [T], as "frames 3 to 5, 9".

    Args:
        chosen: the frames to name.
        first_frame: number of the first of them.
        most: runs that are named; of further ones there is only the number.
    """
    edges = functional.pad(chosen.int(), (1, 1)).diff()
    begins = (edges == 1).nonzero()[:, 0].tolist()
    ends = (edges == -1).nonzero()[:, 0].tolist()
    spans = [
        f"{first_frame + a}" if b - a == 1 else f"{first_frame + a} to {first_frame + b - 1}"
        for a, b in zip(begins, ends, strict=True)
    ]
    more = f" and {len(spans) - most} more runs" if len(spans) > most else ""
    return f"{'frame' if int(chosen.sum()) == 1 else 'frames'} {', '.join(spans[:most])}{more}"


def edge_line(frame: int, radius_px: int, taken: float, other: float) -> str:
    """Warn of a disk at a point that two surfaces share."""
    return (
        f"Warning: the sample at frame {frame} (radius {radius_px} px) lies across an edge: disparity "
        f"{taken:.2f} was taken, and {other:.2f} lies in it too. If that was meant, move the point, or make "
        "the radius smaller."
    )
