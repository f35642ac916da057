"""PSNR and SSIM against hand-computed values and the formula of SSIM, window by window."""

import math

import numpy as np
import pytest
import torch
from numpy.lib.stride_tricks import sliding_window_view
from torchmetrics.functional.image import structural_similarity_index_measure

from bokeh_lab.metrics import Missing
from bokeh_lab.metrics.fidelity import edge_psnr, psnr, ssim


def reference_ssim(first, second):
    """Wang et al. 2004, Eq. 13, for one channel [H, W]: the mean over all 11 x 11 windows inside."""
    offsets = np.arange(11) - 5
    gauss = np.exp(-(offsets**2) / (2 * 1.5**2))
    weights = np.outer(gauss, gauss) / np.outer(gauss, gauss).sum()
    a, b = (sliding_window_view(picture.double().numpy(), (11, 11)) for picture in (first, second))

    def mean(values):
        return (values * weights).sum(axis=(2, 3))

    mean_a, mean_b = mean(a), mean(b)
    centred_a, centred_b = a - mean_a[..., None, None], b - mean_b[..., None, None]
    numerator = (2 * mean_a * mean_b + 0.01**2) * (2 * mean(centred_a * centred_b) + 0.03**2)
    denominator = (mean_a**2 + mean_b**2 + 0.01**2) * (mean(centred_a**2) + mean(centred_b**2) + 0.03**2)
    return (numerator / denominator).mean()


def test_constant_offset_is_20_db(make_pair):
    truth = torch.full((3, 4, 5, 3), 0.4)
    assert psnr(make_pair(truth + 0.1, truth)) == pytest.approx(20, abs=1e-4)


def test_error_is_taken_over_the_whole_clip(make_pair):
    truth = torch.full((9, 4, 5, 3), 0.4)
    prediction = truth.clone()
    prediction[:3] += 0.1  # MSE 0.01 / 3, where a mean of decibels would be infinite
    assert psnr(make_pair(prediction, truth)) == pytest.approx(20 + 10 * math.log10(3), abs=1e-4)


def test_identical_clips(make_pair):
    clip = torch.rand(5, 16, 12, 3, generator=torch.Generator().manual_seed(0))
    pair = make_pair(clip, clip.clone())
    assert psnr(pair) == math.inf
    assert edge_psnr(pair) == math.inf
    assert ssim(pair) == pytest.approx(1, abs=1e-9)


def test_edge_psnr_sees_only_edges(make_pair):
    truth = torch.full((6, 4, 5, 3), 0.5)
    edges = torch.zeros(6, 4, 5, dtype=torch.bool)
    edges[1, 2, 3] = edges[5, 0, 0] = True
    prediction = truth + 0.3  # off the edges
    prediction[1, 2, 3] = 0.5 + torch.tensor([0.1, 0.1, 0.1])
    prediction[5, 0, 0] = 0.5
    # MSE (0.01 + 0) / 2
    expected = 20 + 10 * math.log10(2)
    assert edge_psnr(make_pair(prediction, truth, edges=edges)) == pytest.approx(expected, abs=1e-4)


def test_no_edges(make_pair):
    clip = torch.full((1, 4, 5, 3), 0.5)
    value = edge_psnr(make_pair(clip, clip, edges=torch.zeros(1, 4, 5, dtype=torch.bool)))
    assert isinstance(value, Missing)
    assert value.short == "no edges"


def test_ssim_is_the_published_formula(make_pair, texture):
    truth = torch.stack([texture(19, 23, seed) for seed in range(5)])
    noise = torch.randn(truth.shape, generator=torch.Generator().manual_seed(9))
    prediction = (truth + 0.1 * noise).clamp(0, 1)
    expected = np.mean(
        [reference_ssim(prediction[t, ..., c], truth[t, ..., c]) for t in range(5) for c in range(3)]
    )
    assert 0.3 < expected < 0.9
    assert ssim(make_pair(prediction, truth)) == pytest.approx(expected, abs=1e-9)


def test_ssim_agrees_with_torchmetrics_inside_the_frame(make_pair, texture):
    truth, prediction = (texture(24, 40, seed)[None] for seed in (0, 1))
    first, second = (clip.permute(0, 3, 1, 2).double() for clip in (prediction, truth))
    _, similarity = structural_similarity_index_measure(
        first, second, sigma=1.5, data_range=1.0, return_full_image=True
    )
    expected = similarity[..., 5:-5, 5:-5].mean().item()
    assert ssim(make_pair(prediction, truth)) == pytest.approx(expected, abs=1e-9)


def test_ssim_of_flat_frames(make_pair):
    # Without structure only the luminance term is left.
    truth, prediction = torch.full((1, 11, 11, 3), 0.25), torch.full((1, 11, 11, 3), 0.75)
    expected = (2 * 0.25 * 0.75 + 1e-4) / (0.25**2 + 0.75**2 + 1e-4)
    assert ssim(make_pair(prediction, truth)) == pytest.approx(expected, abs=1e-9)


def test_frames_smaller_than_the_window(make_pair):
    clip = torch.full((1, 10, 40, 3), 0.5)
    assert ssim(make_pair(clip, clip)) == Missing("needs frames of 11 px or more")
