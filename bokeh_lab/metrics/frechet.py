"""The Frechet distance between two sets of features, each taken as a Gaussian."""

import torch
from torch import Tensor


def frechet_distance(features: Tensor, others: Tensor, *, correction: int = 1) -> float:
    """Squared Frechet (2-Wasserstein) distance of the Gaussians fitted to two sets of features.

    |m_1 - m_2|^2 + tr(S_1 + S_2 - 2 (S_1 S_2)^(1/2)). With S_1 = A^T A and S_2 = B^T B, A and B the centred
    features over the root of their number, the last trace is the sum of the singular values of A B^T. It is
    exact where there are fewer samples than dimensions, where a matrix root of S_1 S_2 loses digits.

    Args:
        features: [N, D], N >= 2.
        others: [M, D], M >= 2.
        correction: covariances divide by N - correction: 1 unbiased, 0 of the sample.

    Returns:
        A number >= 0.

    Raises:
        ValueError: too few samples or different dimensions.
    """
    if features.ndim != 2 or others.ndim != 2 or features.shape[1] != others.shape[1]:
        raise ValueError(
            f"Features have shapes {tuple(features.shape)} and {tuple(others.shape)}; "
            "they must be [N, D] and [M, D]."
        )
    if min(len(features), len(others)) < 2:
        raise ValueError(f"{len(features)} and {len(others)} samples; a covariance needs at least 2.")
    first, second = features.detach().cpu().double(), others.detach().cpu().double()
    means = first.mean(dim=0), second.mean(dim=0)
    roots = (
        (first - means[0]) / (len(first) - correction) ** 0.5,
        (second - means[1]) / (len(second) - correction) ** 0.5,
    )
    overlap = torch.linalg.svdvals(roots[0] @ roots[1].T).sum()
    distance = (means[0] - means[1]).square().sum() + sum(root.square().sum() for root in roots) - 2 * overlap
    return max(float(distance), 0.0)
