"""Depth Anything V2 through the library transformers: a frame -> relative disparity, frame by frame."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from ..clip.channels import to_rgb
from ..memory.errors import is_device_memory_error
from .meaning import DepthMeaning

if TYPE_CHECKING:
    from transformers import DepthAnythingForDepthEstimation

MODEL_TYPE = "depth_anything"
SMALL = "depth-anything/Depth-Anything-V2-Small-hf"
REPOSITORIES = {
    SMALL: "Apache-2.0, 99 MB",
    "depth-anything/Depth-Anything-V2-Base-hf": "non-commercial, 390 MB",
    "depth-anything/Depth-Anything-V2-Large-hf": "non-commercial, 1.3 GB",
}
"""Repository -> licence and size of its weights."""

EACH_BY_ITSELF = (
    "Each frame was estimated by itself, so that depth may waver from one to the next; a video depth model "
    "(Video Depth Anything, DepthCrafter) is steadier."
)

_CONFIG, _PREPROCESSOR = "config.json", "preprocessor_config.json"
_WANTED_FILES = (_CONFIG, _PREPROCESSOR, "*.safetensors")
# Of ImageNet, as the published preprocessors have them.
_MEAN, _STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
_SIDE_PX, _MULTIPLE_PX = 518, 14
# A long strip would else be enlarged to any width.
_MOST_PIXELS = 4 * _SIDE_PX**2
# Activations for each pixel that goes in, in float32: the Large model takes 1850, the Small one 740.
_BYTES_PER_PIXEL = 2000
_LARGEST_CONFIG_BYTES = 2**20
# In a folder that the hub's library has begun to fill.
_DOWNLOADS = Path(".cache") / "huggingface"
# Frames that keep a GPU busy.
_AT_ONCE = 4


@dataclass(frozen=True)
class EstimatorFiles:
    """A folder with a depth model in the layout of transformers: config.json and a .safetensors file.

    Raises:
        ValueError: it is none.
    """

    folder: Path

    def __post_init__(self) -> None:
        if _model_type(self.folder) != MODEL_TYPE or not any(self.folder.glob("*.safetensors")):
            raise ValueError(
                f"{self.folder} is no Depth Anything model; it must hold config.json (of the model type "
                f"{MODEL_TYPE}) and model.safetensors, as {SMALL} has them."
            )

    def fingerprint(self) -> str:
        """A text that changes when the files do: their names, sizes and times of change."""
        files = sorted(path for pattern in _WANTED_FILES for path in self.folder.glob(pattern))
        states = [(path.name, path.stat().st_size, path.stat().st_mtime_ns) for path in files]
        return hashlib.sha256(repr(states).encode()).hexdigest()

    @property
    def gives_distances(self) -> bool:
        """Whether the model estimates metres rather than relative disparity."""
        return str(_json(self.folder / _CONFIG).get("depth_estimation_type", "relative")) == "metric"

    def meaning(self, normalisation: str = DepthMeaning.normalisation) -> DepthMeaning:
        """How the model's maps are to be read."""
        if self.gives_distances:
            return DepthMeaning("metric depth", "near black", normalisation)
        return DepthMeaning("disparity", "near white", normalisation)

    def load(self, dtype: torch.dtype = torch.float32) -> DepthEstimator:
        """Load the network into main memory.

        Raises:
            ValueError: damaged or incomplete files.
            ImportError: transformers is missing, or older than the model.
        """
        from safetensors import SafetensorError
        from transformers import DepthAnythingForDepthEstimation

        try:
            network, found = DepthAnythingForDepthEstimation.from_pretrained(
                str(self.folder), local_files_only=True, use_safetensors=True, output_loading_info=True
            )
        except (OSError, ValueError, RuntimeError, KeyError, TypeError, SafetensorError) as error:
            raise ValueError(f"{self.folder} cannot be loaded ({error}); fetch the model again.") from error
        lacking = [*found["missing_keys"], *found["mismatched_keys"]]
        if lacking:
            raise ValueError(
                f"{self.folder} lacks {len(lacking)} of the model's weights, such as {lacking[0]}; fetch the "
                "model again."
            )
        return DepthEstimator(network.eval().requires_grad_(False).to(dtype), _Preprocessing.of(self.folder))


@dataclass(frozen=True)
class _Preprocessing:
    """What becomes of frames before the network sees them; as transformers' DPTImageProcessor."""

    side_px: tuple[int, int]
    multiple_px: int
    keeps_aspect: bool
    mean: tuple[float, ...]
    std: tuple[float, ...]

    @classmethod
    def of(cls, folder: Path) -> _Preprocessing:
        """Read what the model's folder says; what it does not say is as published."""
        said = _json(folder / _PREPROCESSOR) if (folder / _PREPROCESSOR).is_file() else {}
        try:
            size = said.get("size", {})
            return cls(
                (int(size.get("height", _SIDE_PX)), int(size.get("width", _SIDE_PX))),
                int(said.get("ensure_multiple_of", _MULTIPLE_PX)),
                bool(said.get("keep_aspect_ratio", True)),
                tuple(map(float, said.get("image_mean", _MEAN))),
                tuple(map(float, said.get("image_std", _STD))),
            )
        except (AttributeError, TypeError, ValueError) as error:
            raise ValueError(
                f"{folder / _PREPROCESSOR} is damaged ({error}); fetch the model again."
            ) from error

    def size_of(self, size: tuple[int, int]) -> tuple[int, int]:
        """(height, width) in px at which the network sees frames of (height, width)."""
        scales = [wanted / given for wanted, given in zip(self.side_px, size, strict=True)]
        if self.keeps_aspect:
            # As little as possible; of two that are equally far from 1, that of the height.
            scale = min(scales, key=lambda scale: abs(1 - scale))
            scale = min(scale, (_MOST_PIXELS / (size[0] * size[1])) ** 0.5)
            scales = [scale, scale]
        height, width = (
            max(round(scale * given / self.multiple_px), 1) * self.multiple_px
            for scale, given in zip(scales, size, strict=True)
        )
        return height, width

    def prepared(self, frames: Tensor) -> Tensor:
        """RGB [B, 3, H, W] in [0, 1] -> what the network takes."""
        size = self.size_of((frames.shape[2], frames.shape[3]))
        scaled = functional.interpolate(frames, size, mode="bicubic", antialias=True, align_corners=False)
        mean, std = (frames.new_tensor(values)[:, None, None] for values in (self.mean, self.std))
        return (scaled.clamp(0, 1) - mean) / std


class _MapsOnly(nn.Module):
    """The network alone: a host marks modules in its keeping, which transformers' classes do not take."""

    def __init__(self, inner: DepthAnythingForDepthEstimation) -> None:
        super().__init__()
        self.inner = inner

    def forward(self, pictures: Tensor) -> Tensor:
        maps: Tensor = self.inner(pixel_values=pictures).predicted_depth
        return maps


class DepthEstimator:
    """A loaded model; `network` may be moved between devices by its owner."""

    def __init__(self, network: DepthAnythingForDepthEstimation, preprocessing: _Preprocessing) -> None:
        self.network = _MapsOnly(network)
        self._preprocessing = preprocessing

    def size_of(self, size: tuple[int, int]) -> tuple[int, int]:
        """(height, width) of the maps of frames of (height, width) in px."""
        return self._preprocessing.size_of(size)

    def needed_bytes(self, size: tuple[int, int], at_once: int = 1) -> int:
        """Memory for computing beside the weights, for frames of (height, width)."""
        height, width = self.size_of(size)
        share = next(self.network.parameters()).element_size() / torch.float32.itemsize
        return round(height * width * at_once * _BYTES_PER_PIXEL * share)

    @torch.no_grad()
    def maps(self, frames: Tensor) -> Tensor:
        """Estimate frames [B, H, W, C] in [0, 1], each by itself.

        Returns:
            float32 [B, h, w] in main memory: disparity up to scale and offset, or metres.

        Half precision that overflows is left for good: this and later frames are computed in float32.

        Raises:
            ValueError: the network gives numbers that are not finite in float32.
        """
        weight = next(self.network.parameters())
        pictures = self._preprocessing.prepared(to_rgb(frames).to(weight.device, torch.float32))
        maps: Tensor = self.network(pictures.to(weight.dtype)).float().cpu()
        if bool(maps.isfinite().all()):
            return maps
        if weight.dtype == torch.float32:
            raise ValueError(
                "The depth model gave values that are not finite, also in float32; fetch the model again."
            )
        self.network.to(torch.float32)
        return self.maps(frames)


def estimated(estimator: DepthEstimator, frames: Iterator[Tensor], at_once: int) -> Iterator[Tensor]:
    """Estimate a stream of frames [H, W, C]; yields a map [h, w] for each.

    Args:
        estimator: the model.
        frames: each [H, W, C] in [0, 1].
        at_once: frames that the model takes together; one by one once a device cannot hold more.
    """
    while waiting := list(islice(frames, at_once)):
        try:
            found: Iterable[Tensor] = estimator.maps(torch.stack(waiting))
        except RuntimeError as error:
            if at_once == 1 or not is_device_memory_error(error):
                raise
            at_once = 1
            found = (estimator.maps(frame[None])[0] for frame in waiting)
        yield from found


def suited_to(device: torch.device) -> tuple[torch.dtype, int]:
    """The dtype to load the network in for a device, and how many frames it takes at once there.

    On a CPU half precision and frames together gain nothing.
    """
    return (torch.float32, 1) if device.type == "cpu" else (torch.float16, _AT_ONCE)


def estimators_in(folders: Iterable[Path]) -> dict[str, EstimatorFiles]:
    """Find depth models in folders and in the folders in them; name -> files, in the order of names."""
    found: dict[str, EstimatorFiles] = {}
    for root in folders:
        for config in sorted([*root.glob(f"*/{_CONFIG}"), *root.glob(f"*/*/{_CONFIG}")]):
            try:
                files = EstimatorFiles(config.parent)
            except ValueError:
                continue
            found.setdefault(config.parent.relative_to(root).as_posix(), files)
    return dict(sorted(found.items()))


def weights_without_configuration(folders: Iterable[Path]) -> list[str]:
    """Names of weights that lie in folders as single files, which say nothing of their network."""
    found = (sorted([*root.glob("*.safetensors"), *root.glob("*/*.safetensors")]) for root in folders)
    return [file.name for files in found for file in files if not (file.parent / _CONFIG).is_file()]


def fetched(repository: str, into: Path | None = None) -> EstimatorFiles:
    """Find one of `REPOSITORIES` on this machine, or download it: only where a user has named it.

    Args:
        repository: its name on the Hugging Face hub.
        into: folder in which it gets a folder of its own; the hub's own cache if None.

    Raises:
        ValueError: another repository, or it cannot be fetched.
    """
    if repository not in REPOSITORIES:
        raise ValueError(
            f"{repository} is no folder with a depth model, and none of the models that can be fetched: "
            f"{', '.join(REPOSITORIES)}."
        )
    if into is None:
        present = cached(repository)
        if present is not None:
            return present
    else:
        folder = into / repository.rpartition("/")[2]
        if folder.is_dir() and not (folder / _DOWNLOADS).is_dir():
            # Nobody but its owner may change what is in it.
            return EstimatorFiles(folder)
        with suppress(ValueError):
            return EstimatorFiles(folder)
    from huggingface_hub import snapshot_download

    place: dict[str, Any] = {} if into is None else {"local_dir": into / repository.rpartition("/")[2]}
    try:
        found = snapshot_download(repository, allow_patterns=list(_WANTED_FILES), **place)
    except (OSError, ValueError) as error:
        raise ValueError(
            f"{repository} could not be downloaded ({str(error)[:200]}). Download config.json, "
            f"{_PREPROCESSOR} and model.safetensors from there by hand into a folder, and name that."
        ) from error
    return EstimatorFiles(Path(found))


def cached(repository: str) -> EstimatorFiles | None:
    """A model that the hub's cache on this machine holds; None if it does not, and nothing is downloaded."""
    from huggingface_hub import snapshot_download

    try:
        return EstimatorFiles(Path(snapshot_download(repository, local_files_only=True)))
    except (OSError, ValueError):
        return None


def _model_type(folder: Path) -> str:
    try:
        return str(_json(folder / _CONFIG).get("model_type", ""))
    except ValueError:
        return ""


def _json(path: Path) -> dict[str, Any]:
    try:
        if path.stat().st_size > _LARGEST_CONFIG_BYTES:
            raise ValueError(f"{path} is too large for a configuration.")
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, RecursionError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise ValueError(f"{path} cannot be read ({error}).") from error
    if not isinstance(content, dict):
        raise ValueError(f"{path} holds no configuration.")
    return content
