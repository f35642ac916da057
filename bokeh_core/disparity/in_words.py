"""How numbers of frames and shares of pixels are said."""


def count_frames(count: int) -> str:
    """Say a number of frames."""
    return f"{count} frame" if count == 1 else f"{count} frames"


def percent(share: float) -> str:
    """Say a share in [0, 1], and that there is something where it rounds to nothing."""
    return f"{100 * share:.1f} %" if share >= 0.0005 or share == 0 else "under 0.1 %"
