"""The paper's network: a one-step video U-Net with MPI attention (Eq. 3, Fig. 2), a VAE with refined decode.

Stock parts are the Stable Video Diffusion blocks of diffusers, which is imported with this package and
nowhere else in `bokeh_core`.
"""

from .unet import BokehUNet, UNetConfig
from .vae import RefinedVAE, VAEConfig

__all__ = ["BokehUNet", "RefinedVAE", "UNetConfig", "VAEConfig"]
