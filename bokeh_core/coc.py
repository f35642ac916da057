"""Circle of confusion (paper Eq. 1): how far a point out of focus spreads."""

import torch
from torch import Tensor


def _per_frame(values: Tensor, disparity: Tensor, name: str) -> Tensor:
    if values.shape != disparity.shape[:1]:
        raise ValueError(
            f"{name} has shape {tuple(values.shape)} for {disparity.shape[0]} disparity frames; "
            "give one value per frame."
        )
    if not bool(values.isfinite().all()):
        frame = int((~values.isfinite()).nonzero()[0])
        raise ValueError(f"{name} is {values[frame].item()} in frame {frame}; it must be a finite number.")
    return values.to(disparity)[:, None, None]


def signed_circle_of_confusion_px(
    disparity: Tensor, focal_disparity: Tensor, blur_strength_px: Tensor
) -> Tensor:
    """Signed blur radius K (d - d_f) in pixels: positive in front of the focal plane, negative behind.

    Args:
        disparity: [T, H, W] in [0, 1], 1 = near.
        focal_disparity: [T] in [0, 1].
        blur_strength_px: [T], K >= 0 in px of this frame.

    Returns:
        [T, H, W] in pixels, dtype and device of `disparity`.

    Raises:
        ValueError: a per-frame value has another length than the clip or is not finite, or K is negative.
    """
    strength = _per_frame(blur_strength_px, disparity, "blur_strength_px")
    focal = _per_frame(focal_disparity, disparity, "focal_disparity")
    if bool((blur_strength_px < 0).any()):
        raise ValueError(
            f"blur_strength_px is {blur_strength_px.min().item():g}; it must be 0 or more pixels."
        )
    return strength * (disparity - focal)


def circle_of_confusion_px(disparity: Tensor, focal_disparity: Tensor, blur_strength_px: Tensor) -> Tensor:
    """Blur radius r = K |d - d_f| in pixels (Eq. 1); arguments as `signed_circle_of_confusion_px`."""
    return torch.abs(signed_circle_of_confusion_px(disparity, focal_disparity, blur_strength_px))
