"""Convolution of image planes with lens kernels and Gaussians, frame borders replicated."""

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

# Up to this width a direct depthwise convolution beats a Fourier transform on an accelerator.
_DIRECT_KERNEL_WIDTH_PX = 9


def spread(planes: Tensor, kernel: np.ndarray) -> Tensor:
    """Let every pixel spread over its surroundings in the shape of `kernel`.

    Args:
        planes: [C, H, W].
        kernel: [k, k] float32, k odd, the image of one bright point.

    Returns:
        [C, H, W]; beyond the frame the border pixels are repeated.
    """
    if kernel.shape == (1, 1):
        return planes * float(kernel[0, 0])
    # Correlation with the mirrored kernel is scattering with the kernel itself.
    mirrored = np.ascontiguousarray(kernel[::-1, ::-1])
    if planes.device.type == "cpu":
        return _on_cpu(
            planes, lambda image: cv2.filter2D(image, -1, mirrored, borderType=cv2.BORDER_REPLICATE)
        )
    if kernel.shape[0] <= _DIRECT_KERNEL_WIDTH_PX:
        return correlate_direct(planes, mirrored)
    return correlate_fourier(planes, mirrored)


def gaussian(planes: Tensor, sigma_px: float) -> Tensor:
    """Blur [C, H, W] planes with a Gaussian cut at three sigma."""
    width = 2 * int(3 * sigma_px) + 1
    if planes.device.type == "cpu":
        border = cv2.BORDER_REPLICATE
        return _on_cpu(
            planes, lambda image: cv2.GaussianBlur(image, (width, width), sigma_px, borderType=border)
        )
    profile = cv2.getGaussianKernel(width, sigma_px, cv2.CV_32F)
    return correlate_direct(correlate_direct(planes, profile), profile.T)


def correlate_direct(planes: Tensor, kernel: np.ndarray) -> Tensor:
    """Correlate [C, H, W] planes with [kh, kw] taps in the pixel domain."""
    weight = torch.from_numpy(np.ascontiguousarray(kernel)).to(planes)
    padded = _replicate(planes, kernel.shape[0] // 2, kernel.shape[1] // 2)
    return F.conv2d(padded[:, None], weight[None, None])[:, 0]


def correlate_fourier(planes: Tensor, kernel: np.ndarray) -> Tensor:
    """Correlate [C, H, W] planes with [kh, kw] taps in the frequency domain."""
    half_height, half_width = kernel.shape[0] // 2, kernel.shape[1] // 2
    padded = _replicate(planes, half_height, half_width)
    size = padded.shape[-2:]
    taps = torch.from_numpy(np.ascontiguousarray(kernel[::-1, ::-1])).to(planes)
    spectrum = torch.fft.rfft2(padded) * torch.fft.rfft2(taps, s=size)
    wrapped = torch.fft.irfft2(spectrum, s=size)
    # Circular wrap-around only reaches the first k - 1 rows and columns, which are cut here.
    return wrapped[:, 2 * half_height :, 2 * half_width :]


def _replicate(planes: Tensor, rows: int, columns: int) -> Tensor:
    return F.pad(planes[None], (columns, columns, rows, rows), mode="replicate")[0]


def _on_cpu(planes: Tensor, filter_image) -> Tensor:  # type: ignore[no-untyped-def]
    channels_last = planes.permute(1, 2, 0).contiguous().numpy()
    filtered = filter_image(channels_last).reshape(
        channels_last.shape
    )  # OpenCV drops a single channel's axis
    return torch.from_numpy(filtered).permute(2, 0, 1)
