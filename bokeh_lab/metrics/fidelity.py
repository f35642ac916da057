"""Likeness of single frames to the ground truth: PSNR, PSNR near occlusion edges, SSIM."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from .clip_pair import ClipPair, frame_chunks
from .missing import Missing, Value

SSIM_SIGMA_PX = 1.5
SSIM_WINDOW_PX = 11
_C1, _C2 = 0.01**2, 0.03**2
_FRAMES_AT_ONCE = 4


def psnr(pair: ClipPair, device: torch.device | str = "cpu") -> float:
    """Peak signal-to-noise ratio in dB, 10 log10(1 / MSE), with the MSE over the whole clip.

    Returns:
        inf for identical clips.
    """
    return _psnr(pair, None, device)


def edge_psnr(pair: ClipPair, device: torch.device | str = "cpu") -> Value:
    """`psnr` with the MSE over the pixels of `pair.edges` alone."""
    if not bool(pair.edges.any()):
        return Missing("no edges: the clip has no pixel near an occlusion edge")
    return _psnr(pair, pair.edges, device)


def ssim(pair: ClipPair) -> Value:
    """Structural similarity (Wang et al. 2004), per frame and colour channel, then the mean over the clip.

    Gaussian window of 11 x 11 px and sigma 1.5 px, data range 1, K1 = 0.01, K2 = 0.03, population covariance.
    As in that paper, only windows that lie inside the frame count: borders are never made up.
    """
    if min(pair.truth.shape[1:3]) < SSIM_WINDOW_PX:
        return Missing(f"needs frames of {SSIM_WINDOW_PX} px or more")
    frames = zip(pair.prediction, pair.truth, strict=True)
    return sum(_frame_ssim(prediction, truth) for prediction, truth in frames) / pair.num_frames


def _frame_ssim(prediction: Tensor, truth: Tensor) -> float:
    import cv2

    window = cv2.getGaussianKernel(SSIM_WINDOW_PX, SSIM_SIGMA_PX, cv2.CV_64F)
    inside = slice(SSIM_WINDOW_PX // 2, -(SSIM_WINDOW_PX // 2))

    def mean(values: NDArray[np.float64]) -> NDArray[np.float64]:
        return cv2.sepFilter2D(values, cv2.CV_64F, window, window)[inside, inside]

    # E[x^2] - E[x]^2 cancels: libraries that convolve in float32 are off by up to 2e-3 where both pictures
    # are smooth, which in bokeh is almost everywhere, and their float64 takes ten times as long as this.
    p, g = (frame.cpu().numpy().astype(np.float64) for frame in (prediction, truth))
    mean_p, mean_g = mean(p), mean(g)
    variances = mean(p * p) - mean_p**2 + mean(g * g) - mean_g**2
    covariance = mean(p * g) - mean_p * mean_g
    luminance = (2 * mean_p * mean_g + _C1) / (mean_p**2 + mean_g**2 + _C1)
    return float((luminance * (2 * covariance + _C2) / (variances + _C2)).mean())


def _psnr(pair: ClipPair, mask: Tensor | None, device: torch.device | str) -> float:
    from torchmetrics.image import PeakSignalNoiseRatio

    # In a process group torchmetrics would wait for the others, who measure other clips.
    ratio = PeakSignalNoiseRatio(data_range=1.0, sync_on_compute=False).to(device)
    for part in frame_chunks(pair.num_frames, _FRAMES_AT_ONCE):
        prediction, truth = pair.prediction[part], pair.truth[part]
        if mask is not None:
            prediction, truth = prediction[mask[part]], truth[mask[part]]
        if len(truth):
            ratio.update(prediction.to(device, torch.float32), truth.to(device, torch.float32))
    return float(ratio.compute())
