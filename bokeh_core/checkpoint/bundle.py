"""A bundle: U-Net, VAE and layers of a small model in one .safetensors file; the pack comes with one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from .files import (
    COMPONENT_KEY,
    CONFIG_KEY,
    SAFETENSORS,
    Component,
    config_of,
    parse_json,
    read_safetensors_header,
)

if TYPE_CHECKING:
    from ..models import RefinedVAE

OPTIONS_KEY = "small_options"
BUNDLE_COMPONENT = "bundle"

INCLUDED_MODEL = Path(__file__).resolve().parents[2] / "models" / "bokeh-small.safetensors"
"""The small model of this repository; it is not there where `bokeh_core` is installed alone."""

# Prefixes of the tensor names in the file; the rest is as in separate files.
_PREFIXES: dict[Component, str] = {"unet": "unet.", "vae": "vae."}
LAYERS_PREFIX = "layers."


def is_bundle(metadata: Mapping[str, str]) -> bool:
    """Whether a file's metadata is that of a bundle."""
    return metadata.get(COMPONENT_KEY) == BUNDLE_COMPONENT


def bundle_at(path: Path | str) -> dict[str, str] | None:
    """Metadata of a bundle; None where the path is another file, or none.

    Raises:
        ValueError: a .safetensors file that is damaged.
    """
    path = Path(path)
    if not path.is_file() or path.suffix != SAFETENSORS:
        return None
    metadata = read_safetensors_header([path])[1]
    return metadata if is_bundle(metadata) else None


def included_model() -> Path | None:
    """The small model that the pack comes with; None where it was deleted."""
    return INCLUDED_MODEL if INCLUDED_MODEL.is_file() else None


def mixes_pictures(metadata: Mapping[str, str] | None, source: str) -> bool:
    """Whether a file's network gives gates of pictures that are mixed as light, at the size of the frames.

    Others, such as the authors', give pictures of display values themselves.

    Args:
        metadata: of a bundle; None for other files.
        source: the file, for messages.

    Raises:
        ValueError: the bundle has no readable configs.
    """
    return _has_option("lens_mix", metadata, source)


def mends_maps(metadata: Mapping[str, str] | None, source: str) -> bool:
    """Whether a file asks to have maps mended by the frames; arguments and errors as `mixes_pictures`."""
    return _has_option("mend", metadata, source)


def _has_option(name: str, metadata: Mapping[str, str] | None, source: str) -> bool:
    if metadata is None:
        return False
    return bundle_configs(metadata, source)[OPTIONS_KEY].get(name) is True


def mixing_light(vae: RefinedVAE, gamma: float) -> RefinedVAE:
    """The VAE, which mixes light = display ** gamma where it gives gates of pictures."""
    if vae.gives_gates:
        vae.gamma = gamma
    return vae


def mending_maps(vae: RefinedVAE, wanted: bool) -> RefinedVAE:
    """The VAE, for which maps are mended where its file asks for it and it is wanted."""
    vae.mends_maps = vae.mends_maps and wanted
    return vae


def require_same_bundle(unet: Path, vae: Path) -> dict[str, str] | None:
    """Check that parts of bundles are not mixed: their layers read what their own other half gives.

    Returns:
        Metadata of the bundle that both are; None for files of their own.

    Raises:
        ValueError: one is a bundle, and the other another file.
    """
    if unet.resolve() == vae.resolve():
        return bundle_at(unet)
    bundled = [path for path in (unet, vae) if bundle_at(path) is not None]
    if bundled:
        raise ValueError(
            f"{bundled[0].name} holds a U-Net and a VAE that only work together; choose it for both, "
            f"not {unet.name} with {vae.name}."
        )
    return None


def names_of_part(component: Component, names: Iterable[str]) -> dict[str, str]:
    """What the tensors of the U-Net or the VAE are called in the file, and then in the network.

    The options' layers come with the VAE.
    """
    prefix = _PREFIXES[component]
    kept = (prefix, LAYERS_PREFIX) if component == "vae" else (prefix,)
    return {name: name.removeprefix(prefix) for name in names if name.startswith(kept)}


def empty_part(component: Component, metadata: Mapping[str, str], source: str) -> nn.Module:
    """The U-Net or the VAE that a bundle describes, on the meta device.

    Raises:
        ValueError: no readable configs, or an option that is not known here.
    """
    from ..models import UNetConfig, VAEConfig
    from ..models.config import read_config
    from ..models.small.options import read_options
    from ..models.small.parts import SmallUNet, SmallVAE

    configs = bundle_configs(metadata, source)
    with torch.device("meta"), config_of(source):
        options = read_options(configs[OPTIONS_KEY])
        if component == "unet":
            return SmallUNet(read_config(UNetConfig, configs["unet"]), options)
        return SmallVAE(read_config(VAEConfig, configs["vae"]), options)


def bundle_configs(metadata: Mapping[str, str], source: str) -> dict[str, Any]:
    """Configs of the U-Net (`unet`), the VAE (`vae`) and the options, from a bundle's metadata.

    Raises:
        ValueError: they are missing, or not readable.
    """
    configs = parse_json(metadata.get(CONFIG_KEY, "{}"), f"The config that {source} carries")
    found = {name: configs.get(name) for name in ("unet", "vae", OPTIONS_KEY)}
    if not all(isinstance(config, dict) for config in found.values()):
        raise ValueError(
            f"{source} is a bundle without readable configs of its U-Net, VAE and options. Download it again."
        )
    return found
