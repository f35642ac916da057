"""Files of weights -> models: the published ones, single files, and bundles."""

from .load import load_unet, load_vae

__all__ = ["load_unet", "load_vae"]
