"""Synthetic scenes whose every layer is known, for ground truth, evaluation and training."""
