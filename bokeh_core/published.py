"""What the published inference fixes: the weights were trained with these numbers; others change the result.

From the paper "Any-to-Bokeh" (sections and equations) and the inference that its authors released with the
weights; where the two differ, the comment says which one is meant.
"""

from typing import Literal, get_args

import torch

MPIMode = Literal["released", "paper"]
"""What MPI attention sees: no object token ever, as in the released training and inference, or those that
Eq. 2 lets through, as the paper states and the model that comes with us was trained."""

MPI_MODES: tuple[MPIMode, ...] = get_args(MPIMode)

PUBLISHED_MPI_MODE: MPIMode = "released"
"""Of the authors' weights, whose files do not say it."""

WINDOW_FRAMES = 8
"""Frames that go through the U-Net together, 2L of Eq. 5."""

OVERLAP_FRAMES = 4
"""Frames that a window shares with the one before it, L of Eq. 5."""

DECODE_FRAMES = 8
"""Frames that the VAE decodes together, from multiples of 8 on; its temporal layers see them all."""

MPI_LAYERS = 4
"""n of Eq. 2."""

MPI_ALPHA = 1.0
"""alpha of Eq. 2 in the paper and in training. The released inference has 1.5, and reads no region."""

K_DTYPE = torch.float16
"""In which K is embedded, on every device: for large K its features are far from those of float32."""

TRAINED_STRENGTH_PX = (1.0, 32.0)
"""Least and greatest K of the training, in px at the working size."""

TRAINED_SIZE_PX = (1024, 576)
"""Width and height of the training frames."""

TIMESTEP = 1.0
"""Of the one step."""

ADDED_TIME_IDS = (6.0, 127.0, 0.0)
"""Frames per second, motion bucket and noise augmentation of the released inference (its training: 7)."""
