"""The embedding E(K) of the blur strength that every fuser reads (Fig. 2b)."""

import torch
from torch import Tensor

NUM_FREQUENCIES = 16
HIGHEST_FREQUENCY = 100.0
FEATURES = 2 * NUM_FREQUENCIES
# The float32 frequencies of the published reference. Powers differ in their last bit between processors, and
# at K = 32 that bit moves a feature by 6e-5.
FLOAT32_FREQUENCIES = (
    1.0,
    1.35935640335083,
    1.8478498458862305,
    2.5118865966796875,
    3.4145491123199463,
    4.641589164733887,
    6.309574604034424,
    8.576960563659668,
    11.65914249420166,
    15.848929405212402,
    21.544343948364258,
    29.286447525024414,
    39.81071853637695,
    54.1169548034668,
    73.56422424316406,
    100.0,
)


def _frequencies(dtype: torch.dtype) -> Tensor:
    """100^(i / 15) for i = 0..15, on the CPU.

    The exponents are rounded to `dtype`, in steps of a rounded 1/15 counted from both ends: in float16 a
    frequency of 63 is then 0.06 away from the exact one, K multiplies that, and the published weights were
    trained on what comes out. Spelt out because what `torch.linspace` rounds to depends on the processor.
    """
    if dtype == torch.float32:
        return torch.tensor(FLOAT32_FREQUENCIES)
    index = torch.arange(NUM_FREQUENCIES)
    step = (torch.ones((), dtype=dtype) / (NUM_FREQUENCIES - 1)).double()
    rising, falling = step * index, 1 - step * (NUM_FREQUENCIES - 1 - index)
    exponents = torch.where(index < NUM_FREQUENCIES // 2, rising, falling)
    return HIGHEST_FREQUENCY ** exponents.to(dtype)


def fourier_features(blur_strength_px: Tensor) -> Tensor:
    """Sine and cosine of K at 16 frequencies from 1 to 100, computed in the dtype K arrives in.

    Args:
        blur_strength_px: [...], K in px of the frames that the network sees, floating point. The published
            pipeline passes float16, whose features for large K differ from the float32 ones by more than 1.

    Returns:
        [..., 32], features interleaved (sin f0 K, cos f0 K, sin f1 K, ...), in that same dtype.

    Raises:
        ValueError: K is not floating point.
    """
    if not blur_strength_px.is_floating_point():
        raise ValueError(
            f"blur_strength_px has dtype {blur_strength_px.dtype}; give float16 (as published) or float32."
        )
    # On the CPU even where the default device is another one, so that they are the same everywhere.
    with torch.device("cpu"):
        frequencies = _frequencies(blur_strength_px.dtype)
    angle = blur_strength_px[..., None] * frequencies.to(blur_strength_px.device)
    # Filled in, as autocast on a CPU refuses to stack float16.
    features = torch.empty(*angle.shape, 2, dtype=angle.dtype, device=angle.device)
    features[..., 0], features[..., 1] = angle.sin(), angle.cos()
    return features.flatten(-2)
