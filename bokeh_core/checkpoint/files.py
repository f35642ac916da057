"""Where a model's weights and config lie on disk, and what kind of model they are, told from names."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

Component = Literal["unet", "vae"]
Shapes = Mapping[str, tuple[int, ...]]

COMPONENT_NAMES: dict[str, str] = {"unet": "U-Net", "vae": "VAE"}
# Keys of the metadata in our own .safetensors files.
COMPONENT_KEY, CONFIG_KEY, MPI_MODE_KEY = "component", "config", "mpi_mode"
STRENGTH_KEYS = ("training_k_min_px", "training_k_max_px")
OVERLAP_KEY = "overlap_frames"
SAFETENSORS = ".safetensors"
PICKLES = (".bin", ".pth", ".pt", ".ckpt")
# What diffusers and transformers name weights inside a model folder, best first.
FOLDER_WEIGHTS = tuple(
    stem + suffix
    for suffix in (SAFETENSORS, ".fp16" + SAFETENSORS, ".safetensors.index.json", ".bin", ".pth", ".pt")
    for stem in ("diffusion_pytorch_model", "pytorch_model", "model")
)
FLOAT_DTYPES = ("F32", "F16", "BF16", "F64", "F8_E4M3", "F8_E5M2")
# The index of a model of ten thousand tensors has a tenth of this.
_LARGEST_INDEX_BYTES = 16 * 2**20
# A published U-Net without its config is recognised by these widths; heads cannot be read from shapes.
PUBLISHED_UNET_WIDTHS = (320, 640, 1280, 1280)


@dataclass(frozen=True)
class ModelFiles:
    """One model on disk: its weight files (several when sharded) and its config.json, if there is one."""

    weights: tuple[Path, ...]
    config: Path | None

    @property
    def is_safetensors(self) -> bool:
        """Whether every weight file is safetensors, whose header can be read without the weights."""
        return all(path.suffix == SAFETENSORS for path in self.weights)


def _weights_in(folder: Path) -> tuple[Path, ...]:
    """The weight files of a model folder, or none."""
    for name in FOLDER_WEIGHTS:
        path = folder / name
        if path.is_file():
            return _shards(path) if path.suffix == ".json" else (path,)
    single = sorted(p for p in folder.iterdir() if p.suffix in (SAFETENSORS, *PICKLES) and p.is_file())
    return tuple(single) if len(single) == 1 else ()


def _shards(index: Path) -> tuple[Path, ...]:
    names = read_json(index, _LARGEST_INDEX_BYTES).get("weight_map")
    parts = list(names.values()) if isinstance(names, dict) else []
    # A name with a folder in it would reach out of the model's own.
    odd = [name for name in parts if not isinstance(name, str) or Path(name).name != name]
    if odd or not parts:
        raise ValueError(
            f"{index} has no weight_map of tensors to files beside it"
            + (f" (one is {odd[0]!r:.80})" if odd else "")
            + ". Download it again, or convert the model: python -m bokeh_core.convert."
        )
    shards = tuple(index.parent / name for name in sorted(set(parts)))
    missing = [path.name for path in shards if not path.is_file()]
    if missing:
        raise ValueError(f"{index} names parts that are not there: {', '.join(missing[:5])}.")
    other = [path.name for path in shards if path.suffix not in (SAFETENSORS, *PICKLES)]
    if other:
        raise ValueError(f"{index} names {other[0]} as a part of the weights; they are {SAFETENSORS} files.")
    return shards


def _config_beside(weights: Path) -> Path | None:
    """The config of a weight file: FILE.json, or config.json where the file is the folder's model."""
    own = weights.with_suffix(".json")
    if own.is_file():
        return own
    shared = weights.parent / "config.json"
    return shared if weights.name in FOLDER_WEIGHTS and shared.is_file() else None


def find_model(path: Path | str, component: Component | None = None) -> ModelFiles:
    """Find the weights of one model in a file, a diffusers folder, or a folder that holds it one level down.

    Args:
        path: what the user named.
        component: which model to take where a folder holds several.

    Raises:
        ValueError: nothing there, no weights in it, or several models of which none is meant.
    """
    path = Path(path)
    try:
        return _found(path, component)
    except OSError as error:
        raise ValueError(f"{path!s:.200} cannot be read ({error.strerror or error}).") from error


def _found(path: Path, component: Component | None) -> ModelFiles:
    if path.is_file():
        if path.suffix not in (SAFETENSORS, *PICKLES):
            raise ValueError(f"{path} is not a model file; give a .safetensors file or a diffusers folder.")
        return ModelFiles((path,), _config_beside(path))
    if not path.is_dir():
        raise ValueError(
            f"Nothing at {path}; give a .safetensors file or a folder with config.json and weights."
        )
    below = (p for p in path.iterdir() if p.is_dir() and _weights_in(p))
    folders = [path] if _weights_in(path) else sorted(below)
    if len(folders) > 1 and component is not None:
        folders = [folder for folder in folders if folder.name == component] or folders
    if not folders:
        raise ValueError(
            f"{path} holds no model: there is no {FOLDER_WEIGHTS[0]} nor another weight file in it "
            "or one level down."
        )
    if len(folders) > 1:
        raise ValueError(
            f"{path} holds several models; name one of the folders in it: "
            f"{', '.join(folder.name for folder in folders)}."
        )
    config = folders[0] / "config.json"
    return ModelFiles(_weights_in(folders[0]), config if config.is_file() else None)


def read_json(path: Path, largest_bytes: int = 2**20) -> dict[str, Any]:
    """Read a JSON object.

    Raises:
        ValueError: not readable, not JSON, not an object, or larger than `largest_bytes`.
    """
    try:
        size = path.stat().st_size
        if size > largest_bytes:
            raise ValueError(f"{size} bytes are too many")
        text = path.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        raise ValueError(f"{path} is not readable JSON ({error}).") from error
    return parse_json(text, str(path))


def parse_json(text: str, source: str) -> dict[str, Any]:
    """Parse a JSON object; `source` names where it stands.

    Raises:
        ValueError: not JSON, not an object, or nested so deep that it cannot be read.
    """
    try:
        values = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{source} is not readable JSON ({error!s:.200}).") from error
    if not isinstance(values, dict):
        raise ValueError(f"{source} holds {type(values).__name__}; a config is an object in braces.")
    return values


@contextmanager
def config_of(source: str) -> Iterator[None]:
    """Say whose config it is that makes no network.

    Raises:
        ValueError: what the body raised, with the file before it.
    """
    try:
        yield
    except ValueError as error:
        raise ValueError(f"The config of {source} makes no network: {error}") from error


def read_safetensors_header(paths: Iterable[Path]) -> tuple[dict[str, tuple[int, ...]], dict[str, str]]:
    """Names with shapes, and the metadata, of one or several .safetensors files.

    Raises:
        ValueError: a file is truncated or no safetensors file.
    """
    from safetensors import SafetensorError, safe_open

    shapes: dict[str, tuple[int, ...]] = {}
    metadata: dict[str, str] = {}
    for path in paths:
        try:
            with safe_open(path, framework="pt") as file:
                metadata.update(file.metadata() or {})
                shapes.update({key: tuple(file.get_slice(key).get_shape()) for key in file.keys()})  # noqa: SIM118
        except SafetensorError as error:
            raise ValueError(
                f"{path} ({path.stat().st_size} bytes) is cut short or not a safetensors file "
                f"({error!s:.200}). Download it again."
            ) from error
        except OSError as error:
            raise ValueError(f"{path} cannot be read ({error.strerror or error}).") from error
    return shapes, metadata


def require_float(paths: Iterable[Path]) -> None:
    """Check that .safetensors files hold floating-point numbers alone.

    Raises:
        ValueError: a tensor is of another kind, as quantised weights are; names it.
    """
    from safetensors import safe_open

    for path in paths:
        with safe_open(path, framework="pt") as file:
            for name in file.keys():  # noqa: SIM118
                dtype = file.get_slice(name).get_dtype()
                if dtype not in FLOAT_DTYPES:
                    raise ValueError(
                        f"{path} stores {name:.200} as {dtype}; weights must be one of "
                        f"{', '.join(FLOAT_DTYPES)}. A quantised model cannot be used here."
                    )


def identify(names: Iterable[str]) -> tuple[Component | None, str]:
    """Say whose tensor names these are: the component they can serve as, if any, and a phrase for people."""
    names = set(names)

    def has(*parts: str) -> bool:
        return any(all(part in name for part in parts) for name in names)

    if has("model.diffusion_model."):
        return None, "a single-file checkpoint in the original layout, without fuser layers"
    if has("vision_model.") or has("visual.transformer."):
        return None, "a CLIP image encoder"
    if "conv_in.weight" in names and has("down_blocks."):
        if has(".fuser."):
            return "unet", "an Any-to-Bokeh U-Net"
        if has("temporal_transformer_blocks."):
            return None, "a plain SVD U-Net: it has no fuser layers"
        return None, "an image U-Net: it has no temporal and no fuser layers"
    if "encoder.conv_in.weight" in names and "decoder.conv_in.weight" in names:
        if has("decoder.skip_conv_"):
            return "vae", "an Any-to-Bokeh VAE"
        if "decoder.time_conv_out.weight" in names:
            return None, "a plain SVD VAE: it has no decoder.skip_conv layers"
        return None, "an image VAE: it has no temporal and no decoder.skip_conv layers"
    return None, "no model known here"


def _count(names: Iterable[str], prefix: str) -> int:
    """How many numbered modules there are under `prefix`."""
    return len({name[len(prefix) :].split(".")[0] for name in names if name.startswith(prefix)})


def infer_config(component: Component, shapes: Shapes) -> dict[str, Any] | None:
    """The config that shapes decide, or None where they do not: a U-Net's heads leave no trace in them."""
    if component == "unet":
        levels = _count(shapes, "down_blocks.")
        first = "down_blocks.{}.resnets.0.spatial_res_block.conv1.weight"
        widths = tuple(shapes.get(first.format(i), (0,))[0] for i in range(levels))
        return {"block_out_channels": list(widths)} if widths == PUBLISHED_UNET_WIDTHS else None
    levels = _count(shapes, "encoder.down_blocks.")
    first = "encoder.down_blocks.{}.resnets.0.conv1.weight"
    if any(first.format(i) not in shapes for i in range(levels)) or "quant_conv.weight" not in shapes:
        return None
    return {
        "block_out_channels": [shapes[first.format(i)][0] for i in range(levels)],
        "down_block_types": ["DownEncoderBlock2D"] * levels,
        "layers_per_block": _count(shapes, "encoder.down_blocks.0.resnets."),
        "latent_channels": shapes["quant_conv.weight"][0] // 2,
    }
