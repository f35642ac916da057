"""A bundle: U-Net, VAE and layers of a small model in one .safetensors file; one comes with us."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from .checkpoint_files import Component, read_safetensors_header

if TYPE_CHECKING:
    from .models.small_options import SmallOptions

COMPONENT_KEY, CONFIG_KEY, OPTIONS_KEY, QUALITY_KEY = "component", "config", "small_options", "quality"
BUNDLE_COMPONENT, DEMO = "bundle", "demo"

INCLUDED_MODEL = Path(__file__).resolve().parents[1] / "models" / "bokeh-small.safetensors"
"""The small model of this repository; it is not there where `bokeh_core` is installed alone."""

# Names in the file begin so, and then go on as in files of their own.
_PREFIXES: dict[Component, str] = {"unet": "unet.", "vae": "vae."}
_LAYERS = "layers."


def is_bundle(metadata: Mapping[str, str]) -> bool:
    """Tell from a file's metadata."""
    return metadata.get(COMPONENT_KEY) == BUNDLE_COMPONENT


def bundle_at(path: Path | str) -> dict[str, str] | None:
    """Metadata of a bundle; None where the path is another file, or none.

    Raises:
        ValueError: a .safetensors file that is damaged.
    """
    path = Path(path)
    if not path.is_file() or path.suffix != ".safetensors":
        return None
    metadata = read_safetensors_header([path])[1]
    return metadata if is_bundle(metadata) else None


def included_model() -> Path | None:
    """The small model that comes with us, where it is there."""
    return INCLUDED_MODEL if INCLUDED_MODEL.is_file() else None


def quality_warning(metadata: Mapping[str, str]) -> str:
    """What users of a bundle should know before they judge it by its pictures; empty where nothing."""
    if metadata.get(QUALITY_KEY) != DEMO:
        return ""
    return (
        "This model is a demo of the method, small and briefly trained: Lens Blur gives better pictures. "
        f"It was trained for blur of up to {metadata.get('training_k_max_px', '?')} px."
    )


def require_same_bundle(unet: Path, vae: Path) -> None:
    """Check that parts of bundles are not mixed: their layers read what their own other half gives.

    Raises:
        ValueError: one is a bundle, and the other another file.
    """
    bundled = [path for path in (unet, vae) if bundle_at(path) is not None]
    if bundled and unet.resolve() != vae.resolve():
        raise ValueError(
            f"{bundled[0].name} holds a U-Net and a VAE that only work together; choose it for both, "
            f"not {unet.name} with {vae.name}."
        )


def load_part(
    component: Component, path: Path, metadata: Mapping[str, str], dtype: torch.dtype, device: torch.device
) -> nn.Module:
    """The U-Net or the VAE of a bundle; the options' layers come with the VAE, or act in the U-Net.

    Raises:
        ValueError: the file does not fit its config, or has an option that is not known here.
    """
    from safetensors import safe_open

    from .checkpoint import require_fit

    prefix = _PREFIXES[component]
    kept = (prefix, _LAYERS) if component == "vae" else (prefix,)
    with safe_open(path, framework="pt") as file:
        tensors = {
            name.removeprefix(prefix): file.get_tensor(name).to(device, dtype)
            for name in file.keys()  # noqa: SIM118
            if name.startswith(kept)
        }
    model = _empty(component, _configs(metadata, path))
    require_fit(model, {name: tuple(value.shape) for name, value in tensors.items()}, str(path))
    model.load_state_dict(tensors, strict=True, assign=True)
    return model.eval().requires_grad_(False)


def _configs(metadata: Mapping[str, str], path: Path) -> dict[str, Any]:
    try:
        configs = json.loads(metadata[CONFIG_KEY])
        return {name: dict(configs[name]) for name in ("unet", "vae", OPTIONS_KEY)}
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(
            f"{path} is a bundle without readable configs of its U-Net, VAE and options."
        ) from error


def _empty(component: Component, configs: Mapping[str, Any]) -> nn.Module:
    from .models import UNetConfig, VAEConfig
    from .models.config import read_config
    from .models.small_options import read_options
    from .models.small_parts import SmallUNet, SmallVAE

    options: SmallOptions = read_options(configs[OPTIONS_KEY])
    with torch.device("meta"):
        if component == "unet":
            return SmallUNet(read_config(UNetConfig, configs["unet"]), options)
        return SmallVAE(read_config(VAEConfig, configs["vae"]), options)
