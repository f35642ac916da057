"""What training minimises: latent error, pixel error, texture error (section 3.4, Eq. 4)."""

import torch
import torch.nn.functional as F
from torch import Tensor

_SOBEL = ((-1.0, 0.0, 1.0), (-2.0, 0.0, 2.0), (-1.0, 0.0, 1.0))


def latent_loss(predicted: Tensor, target: Tensor) -> Tensor:
    """Mean squared error of latents of equal shape, in float32: stages 1 and 2."""
    return F.mse_loss(predicted.float(), target.float())


def sobel_gradients(frames: Tensor) -> Tensor:
    """Horizontal and vertical Sobel derivatives, [N, C, H, W] -> [N, 2 C, H - 2, W - 2], no borders."""
    horizontal = torch.tensor(_SOBEL, device=frames.device, dtype=frames.dtype)
    taps = torch.stack([horizontal, horizontal.T])[:, None]  # [2, 1, 3, 3]
    channels = frames.shape[1]
    return F.conv2d(frames, taps.repeat(channels, 1, 1, 1), groups=channels)


def texture_loss(predicted: Tensor, target: Tensor) -> Tensor:
    """Squared difference of the Sobel gradients of [N, C, H, W] frames (Eq. 4).

    The paper sums over all pixels; the mean differs by a constant factor and keeps the weight between the two
    losses independent of the size of the frames.
    """
    return F.mse_loss(sobel_gradients(predicted.float()), sobel_gradients(target.float()))


def texture_loss_released(predicted: Tensor, target: Tensor) -> Tensor:
    """Absolute difference of the Sobel gradients, mean: what the authors' code has in place of Eq. 4."""
    return F.l1_loss(sobel_gradients(predicted.float()), sobel_gradients(target.float()))


def change_loss(predicted: Tensor, target: Tensor) -> Tensor:
    """Mean absolute error of the change from frame to frame, of clips [B, F, C, H, W]; 0 where F is 1."""
    if predicted.shape[1] == 1:
        return predicted.new_zeros(())
    return F.l1_loss(predicted.float().diff(dim=1), target.float().diff(dim=1))


def pixel_loss(
    predicted: Tensor, target: Tensor, texture_weight: float = 1.0, texture: str = "paper"
) -> Tensor:
    """L1 in pixels plus the weighted texture loss (Eq. 4): stage 3.

    Args:
        predicted: [N, 3, H, W] in about [-1, 1], not clamped.
        target: the same of the true frames.
        texture_weight: >= 0; 0 leaves the texture loss out.
        texture: `paper` for `texture_loss`, `released` for `texture_loss_released`.
    """
    loss = F.l1_loss(predicted.float(), target.float())
    if texture_weight:
        textures = {"paper": texture_loss, "released": texture_loss_released}
        loss = loss + texture_weight * textures[texture](predicted, target)
    return loss
