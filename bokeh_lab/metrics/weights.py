"""Where the networks behind some metrics come from: a folder of the user, or a download that was allowed."""

import importlib.util
import pickle
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from .missing import Missing


@dataclass(frozen=True)
class Backbone:
    """A network with published weights.

    Attributes:
        file: name of its weights in the folder, as published.
        what: which network, and who publishes it.
        build: makes the network from the file.
        url: where it is published, for downloads; None where the user has to fetch the file.
        packages: what `build` imports beside torch.
    """

    file: str
    what: str
    build: Callable[[Path], nn.Module]
    url: Callable[[], str] | None = None
    packages: tuple[str, ...] = ()


class Backbones:
    """The networks of one evaluation, each loaded once, when it is first used.

    Args:
        folder: holds weights under their published names (`Backbone.file`).
        allow_download: fetch what the folder lacks into torch's hub cache, where it may lie already. Without
            it nothing is ever fetched.
        device: where the networks, and the metrics without one, compute.

    Raises:
        ValueError: the folder does not exist.
    """

    def __init__(
        self,
        folder: Path | str | None = None,
        *,
        allow_download: bool = False,
        device: torch.device | str = "cpu",
    ) -> None:
        self.folder = None if folder is None else Path(folder)
        if self.folder is not None and not self.folder.is_dir():
            raise ValueError(f"The weights folder {self.folder} does not exist.")
        self.allow_download = allow_download
        self.device = torch.device(device)
        self._loaded: dict[str, nn.Module] = {}

    def missing(self, backbone: Backbone) -> Missing | None:
        """Say what a backbone lacks, or None where `get` can make it."""
        if backbone.file in self._loaded:
            return None
        absent = missing_packages(*backbone.packages)
        if absent is not None:
            return absent
        if self._in_folder(backbone) is not None or (self.allow_download and backbone.url is not None):
            return None
        where = "a folder and name it as the weights folder" if self.folder is None else f"{self.folder}"
        download = ", or allow downloads" if backbone.url is not None else ""
        return Missing(f"no weights: put {backbone.file} ({backbone.what}) into {where}{download}")

    def get(self, backbone: Backbone) -> nn.Module:
        """Return the network on the device, for inference.

        Raises:
            ValueError: there are no weights (see `missing`), the download fails, or the file is another.
        """
        if backbone.file not in self._loaded:
            missing = self.missing(backbone)
            if missing is not None:
                raise ValueError(str(missing))
            path = self._in_folder(backbone) or _download(backbone)
            try:
                network = backbone.build(path)
            except (RuntimeError, KeyError, EOFError, pickle.UnpicklingError) as error:
                raise ValueError(f"{path} is not {backbone.what}: {error}") from error
            # Not requires_grad_ of the network: TorchScript refuses it.
            for parameter in network.parameters():
                parameter.requires_grad_(False)
            self._loaded[backbone.file] = network.to(self.device).eval()
        return self._loaded[backbone.file]

    def _in_folder(self, backbone: Backbone) -> Path | None:
        if self.folder is None:
            return None
        path = self.folder / backbone.file
        return path if path.is_file() else None


def load_state(path: Path) -> dict[str, Any]:
    """Read a state dict without running code from the file.

    Raises:
        RuntimeError, EOFError, pickle.UnpicklingError: it holds something else.
    """
    state = torch.load(path, map_location="cpu", weights_only=True)
    if not isinstance(state, dict):
        raise RuntimeError(f"it holds a {type(state).__name__}, not a state dict")
    return state


def missing_packages(*packages: str) -> Missing | None:
    """Say which of these packages cannot be imported, or None."""
    absent = [name for name in packages if importlib.util.find_spec(name) is None]
    return Missing(f"no package: pip install {' '.join(absent)}") if absent else None


def _download(backbone: Backbone) -> Path:
    """Fetch a file into torch's hub cache, or find it there; a file that exists there is complete."""
    if backbone.url is None:
        raise ValueError(f"{backbone.file} cannot be downloaded; put it into the weights folder.")
    path = Path(torch.hub.get_dir()) / "checkpoints" / backbone.file
    if path.is_file():
        return path
    path.parent.mkdir(parents=True, exist_ok=True)
    # Published names end in the first digits of the file's SHA-256.
    digits = torch.hub.HASH_REGEX.search(backbone.file)
    url = backbone.url()
    try:
        torch.hub.download_url_to_file(url, str(path), digits.group(1) if digits else None, progress=False)
    except (OSError, RuntimeError) as error:
        raise ValueError(
            f"{url} could not be downloaded ({error}); put {backbone.file} into the weights folder."
        ) from error
    return path
