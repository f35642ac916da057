"""The one door to the host: device, progress, interrupt, folders, model memory."""

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any
from uuid import uuid4

import comfy.cli_args
import comfy.model_management
import comfy.model_patcher
import comfy.ops
import comfy.utils
import folder_paths
import torch
from torch import Tensor, nn

from ..bokeh_core.disk.typed_paths import find_path
from ..bokeh_core.memory.errors import is_device_memory_error, is_main_memory_error
from ..bokeh_core.progress import Progress
from ..bokeh_core.semantics import no_image_encoder
from ..bokeh_core.transfer import DISPLAY
from .frame_on_bar import FrameOnBar, Picture, picture_of_frame

# Our own folder below the host's for models, output and temporary files; models can be moved elsewhere under
# this name.
OWN_FOLDER = "any_to_bokeh"
DEPTH_FOLDER = "depth_anything"
DTYPES = (torch.float16, torch.bfloat16, torch.float32)
CLIP_SIDE_PX = 224
# Layers of the network for which the host has its own of the same name. Group norms stay plain, and so always
# on the device: they are under 1 MB, and the decoder, which norms a clip band by band, reads their weights.
STREAMED_LAYERS = ("Linear", "Conv2d", "Conv3d", "LayerNorm")


def compute_device() -> torch.device:
    """Return the device on which the host runs models."""
    return comfy.model_management.get_torch_device()


def check_interrupt() -> None:
    """Raise the host's interrupt exception if the user pressed cancel."""
    comfy.model_management.throw_exception_if_processing_interrupted()


def progress() -> Progress:
    """Return what moves the node's progress bar; each call is also a point where cancel takes effect."""
    return progress_bar().progress


def progress_bar() -> FrameOnBar:
    """Return the node's progress bar without pictures."""
    return FrameOnBar(_moved_bar(), None)


def frame_on_bar(transfer: str = DISPLAY) -> FrameOnBar:
    """Return the node's progress bar with a picture of the frame in work, where the user has previews on.

    Args:
        transfer: how the numbers of the frames mean light, one of `transfer.TRANSFERS`.
    """
    options = comfy.cli_args.args
    return (
        FrameOnBar(_moved_bar(), picture_of_frame(options.preview_size, transfer))
        if _previews_are_on()
        else progress_bar()
    )


def latents_on_bar(device: torch.device) -> FrameOnBar:
    """Return the bar of a node that makes latents of Stable Video Diffusion, [4, h, w], scaled.

    The picture of them is the host's own, rough or decoded as the user chose for all samplers.
    """
    if not _previews_are_on():
        return progress_bar()
    import comfy.latent_formats
    import latent_preview

    previewer = latent_preview.get_previewer(device, comfy.latent_formats.SD15())
    if previewer is None:
        return progress_bar()

    def picture(latents: Tensor) -> Picture:
        made: Picture = previewer.decode_latent_to_preview_image("JPEG", latents[None].to(device))
        return made

    return FrameOnBar(_moved_bar(), picture)


def _previews_are_on() -> bool:
    # Newer hosts set it before each prompt, to what the user chose in the settings.
    return bool(comfy.cli_args.args.preview_method != comfy.cli_args.LatentPreviewMethod.NoPreviews)


def _moved_bar() -> Callable[[int, int, Picture | None], None]:
    bar = comfy.utils.ProgressBar(1)

    def move(done: int, total: int, picture: Picture | None) -> None:
        check_interrupt()
        bar.update_absolute(done, total, picture)

    return move


@contextmanager
def out_of_memory_advice(what_helps: str) -> Iterator[None]:
    """Turn running out of memory into an error of the host's own type that tells the user what helps.

    Where the device is out of memory the host unloads its models, but only if the error is of its own kind.
    Main memory that runs out is another matter: unloading would move models there.

    Raises:
        MemoryError: main memory ran out.
    """
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        if _device_is_out_of_memory(error):
            device = compute_device()
            free_gib = comfy.model_management.get_free_memory(device) / 2**30
            raise _host_error()(
                f"Out of memory on {device} ({free_gib:.1f} GiB free). Use {what_helps}, close other "
                "programs that use the device, or start the host with --lowvram or --cpu."
            ) from error
        if is_main_memory_error(error):
            free_gib = comfy.model_management.get_free_memory(torch.device("cpu")) / 2**30
            raise MemoryError(
                f"Out of main memory ({free_gib:.1f} GiB free). Use {what_helps}, or close other programs."
            ) from error
        raise


def _device_is_out_of_memory(error: BaseException) -> bool:
    management = comfy.model_management
    if isinstance(error, _host_error()) or is_device_memory_error(error):
        return True
    # Newer hosts recognise more kinds.
    ask = getattr(management, "is_oom", None)
    return ask is not None and bool(ask(error)) and not is_main_memory_error(error)


def _host_error() -> type[Exception]:
    """The type of error at which the host unloads its models."""
    known: type[Exception] = comfy.model_management.OOM_EXCEPTION
    # Without a GPU library the host's type is any exception, which says nothing.
    return torch.cuda.OutOfMemoryError if known is Exception else known


def input_path(text: str) -> Path:
    """Resolve a user's path: absolute, or relative to the host's input folder.

    Names as the host's own widgets write them, `clip.mp4 [output]`, are read too.

    Raises:
        ValueError: the text is no path, or nothing exists there; see `typed_paths.find_path`.
    """
    places = {
        "input": Path(folder_paths.get_input_directory()),
        "output": Path(folder_paths.get_output_directory()),
        "temp": Path(folder_paths.get_temp_directory()),
    }
    return find_path(text, places["input"], places, "the host's input folder")


def output_folder() -> Path:
    """Return our folder in the host's output folder; it exists afterwards, and can be written to.

    Raises:
        ValueError: it cannot.
    """
    return _own_folder(Path(folder_paths.get_output_directory()), "--output-directory")


def temporary_folder() -> Path:
    """Return our folder among the host's temporary files, which the host clears when it starts.

    Raises:
        ValueError: it cannot be written to.
    """
    return _own_folder(Path(folder_paths.get_temp_directory()), "--temp-directory")


def temporary_file(name: str) -> dict[str, str]:
    """Return how front ends ask for a file of `temporary_folder`."""
    return {"filename": name, "subfolder": OWN_FOLDER, "type": "temp"}


def _own_folder(parent: Path, option: str) -> Path:
    folder = parent / OWN_FOLDER
    try:
        folder.mkdir(parents=True, exist_ok=True)
        # Permissions alone do not tell: network shares and full disks refuse as well.
        with TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise ValueError(
            f"Nothing can be written to {folder} ({error.strerror}); make it writable, or start ComfyUI with "
            f"another {option}."
        ) from error
    return folder


def input_folder() -> Path:
    """Return the host's input folder, into which browsers upload."""
    return Path(folder_paths.get_input_directory())


def video_components(frames: Tensor, frame_rate: Fraction) -> Any:
    """Return frames [T, H, W, C] as nodes get them from a VIDEO, without sound."""
    from comfy_api.util import VideoComponents

    return VideoComponents(images=frames, audio=None, frame_rate=frame_rate)


def video_in_memory(frames: Tensor, frames_per_second: int) -> Any:
    """Return a VIDEO without sound of frames [T, H, W, C] in memory."""
    from comfy_api.latest import InputImpl

    return InputImpl.VideoFromComponents(video_components(frames, Fraction(frames_per_second)))


def video_of(path: Path) -> Any:
    """Return a VIDEO that is read from a file when it is needed."""
    from comfy_api.latest import InputImpl

    return InputImpl.VideoFromFile(str(path))


def origin_of(hidden: Any) -> dict[str, str]:
    """Return what the host's own Save Video writes into a file: prompt and workflow, as JSON by name.

    Args:
        hidden: a node's hidden inputs `prompt` and `extra_pnginfo`.

    Returns:
        Nothing where people started the host with --disable-metadata, or where it was not told.
    """
    if comfy.cli_args.args.disable_metadata:
        return {}
    facts = {**(hidden.extra_pnginfo or {}), **({} if hidden.prompt is None else {"prompt": hidden.prompt})}
    return {name.lower(): json.dumps(fact) for name, fact in facts.items()}


def video_preview(path: Path) -> Any:
    """Return what makes a node show a video of the host's output folder or of its temporary files."""
    from comfy_api.latest import io, ui

    folder, kind = Path(folder_paths.get_output_directory()), io.FolderType.output
    if not path.is_relative_to(folder):
        folder, kind = Path(folder_paths.get_temp_directory()), io.FolderType.temp
    within = path.parent.relative_to(folder).as_posix()
    return ui.PreviewVideo([ui.SavedResult(path.name, within, kind)])


def small_video_preview(frames: Iterable[Tensor], frame_rate: Fraction, stem: str) -> Any:
    """Return what makes a node show frames [H, W, C] as a small video among the host's temporary files."""
    from ..bokeh_core.video_io.small_copy import write_small_copy

    path = temporary_folder() / f"{stem}_{uuid4().hex[:12]}.mp4"
    write_small_copy(path, frames, frame_rate, check_interrupt)
    return video_preview(path)


def own_model_folders() -> list[Path]:
    """Return our model folders, registered with the host beside its own."""
    default = Path(folder_paths.models_dir) / OWN_FOLDER
    folder_paths.add_model_folder_path(OWN_FOLDER, str(default))
    return [Path(folder) for folder in folder_paths.get_folder_paths(OWN_FOLDER)]


def depth_model_folders() -> list[Path]:
    """Return the folders with depth models, registered with the host beside its own; ours among them."""
    folder_paths.add_model_folder_path(DEPTH_FOLDER, str(Path(folder_paths.models_dir) / DEPTH_FOLDER))
    return [*map(Path, folder_paths.get_folder_paths(DEPTH_FOLDER)), *own_model_folders()]


def shared_models(folder_name: str) -> list[str]:
    """Return the names of the files in one of the host's model folders, as its dropdowns show them."""
    return list(folder_paths.get_filename_list(folder_name))


def model_path(folder_name: str, name: str) -> Path | None:
    """Return where a model of a dropdown lies: in the host's folder, else in ours; None if it is gone."""
    shared = folder_paths.get_full_path(folder_name, name)
    if shared is not None:
        return Path(shared)
    return next((root / name for root in own_model_folders() if (root / name).exists()), None)


def unet_dtype(num_parameters: int) -> torch.dtype:
    """Return the dtype in which the host would run a U-Net of this size on its device."""
    management = comfy.model_management
    device = compute_device()
    stored = management.unet_dtype(device, num_parameters, supported_dtypes=list(DTYPES))
    cast = management.unet_manual_cast(stored, device, supported_dtypes=list(DTYPES))
    computed: torch.dtype = stored if cast is None else cast
    # A command line may ask for 8-bit weights, which this network does not have.
    return computed if computed in DTYPES else torch.float16


def vae_dtype() -> torch.dtype:
    """Return the dtype in which the host would run a VAE that takes float16 and bfloat16."""
    chosen: torch.dtype = comfy.model_management.vae_dtype(vae_device(), list(DTYPES[:2]))
    return chosen


def vae_device() -> torch.device:
    """Return the device on which the host runs VAEs."""
    return comfy.model_management.vae_device()


def manage_unet(model: nn.Module) -> Any:
    """Hand a U-Net into the host's keeping; returns its ModelPatcher."""
    return _managed(model, compute_device(), comfy.model_management.unet_offload_device())


def manage_vae(model: nn.Module) -> Any:
    """Hand a VAE into the host's keeping; returns its ModelPatcher."""
    return _managed(model, vae_device(), comfy.model_management.vae_offload_device())


def _managed(model: nn.Module, device: torch.device, offload_device: torch.device) -> Any:
    # With the host's own layers it can leave weights in main memory and stream them when memory is short.
    layers = comfy.ops.disable_weight_init
    streamed = {getattr(nn, name): getattr(layers, name) for name in STREAMED_LAYERS}
    for module in model.modules():
        if type(module) in streamed:
            module.__class__ = streamed[type(module)]
    # Newer hosts name the kind that they keep themselves; another beside it would drive theirs out.
    kind = getattr(comfy.model_patcher, "CoreModelPatcher", comfy.model_patcher.ModelPatcher)
    return kind(model, load_device=device, offload_device=offload_device)


def room(needed_bytes: int) -> int:
    """Return the free bytes of the device, with models unloaded if fewer than needed were free."""
    device = compute_device()
    comfy.model_management.free_memory(needed_bytes, device)
    return int(comfy.model_management.get_free_memory(device))


def load_models(patchers: Sequence[Any], memory_required: int) -> None:
    """Bring models to their devices with room for `memory_required` bytes beside them."""
    comfy.model_management.load_models_gpu(list(patchers), memory_required=memory_required)
    for patcher in patchers:
        pinned = _pinned_by_module(patcher)
        for name, module in patcher.model.named_modules():
            # The host leaves single parameters behind when it loads a model in part.
            if not hasattr(module, "comfy_cast_weights"):
                # The host must let go of what it pinned in main memory before that is moved.
                for key in pinned.get(name, ()):
                    patcher.unpin_weight(key)
                module._apply(lambda value, to=patcher.load_device: value.to(to), recurse=False)


def _pinned_by_module(patcher: Any) -> dict[str, list[str]]:
    """Names of the parameters that newer hosts pinned in main memory, by the module that has them.

    None of those whose host brings weights as they are read, and looks after what it pinned.
    """
    pinned: dict[str, list[str]] = {}
    if hasattr(patcher, "is_dynamic") and patcher.is_dynamic():
        return pinned
    for key in sorted(getattr(patcher, "pinned", ())):
        pinned.setdefault(key.rpartition(".")[0], []).append(key)
    return pinned


def image_encoder(unet: Any, clip_vision: Any) -> Callable[[Tensor], Tensor]:
    """Return what embeds images for a U-Net: the tower of a CLIP_VISION, or zeros where it reads none."""
    embed = vision_tower(clip_vision, unet.embedding_width)
    return embed if unet.reads_images else no_image_encoder(unet.embedding_width)


def vision_tower(clip_vision: Any, embedding_width: int) -> Callable[[Tensor], Tensor]:
    """Return the image encoder inside a CLIP_VISION, fed without the host's normalisation.

    Args:
        clip_vision: the host's; loaded by the caller through its `patcher`.
        embedding_width: what the U-Net reads.

    Returns:
        [N, 3, 224, 224] in [0, 1] -> [N, embedding_width].

    Raises:
        ValueError: when called, if it is another model than CLIP ViT-H/14.
    """

    def encode(images: Tensor) -> Tensor:
        side = getattr(clip_vision, "image_size", CLIP_SIDE_PX)
        if side != CLIP_SIDE_PX:
            raise ValueError(_wrong_clip(f"wants pictures of {side} px", embedding_width))
        pixels = images.to(clip_vision.load_device, torch.float32)
        # The host's own calls name a layer whose output they want beside the embedding.
        embeds: Tensor | None = clip_vision.model(pixel_values=pixels, intermediate_output=-2)[2]
        if embeds is None or embeds.ndim != 2:
            raise ValueError(_wrong_clip("gives no embedding of a whole picture", embedding_width))
        if embeds.shape[1] != embedding_width:
            raise ValueError(_wrong_clip(f"gives embeddings of width {embeds.shape[-1]}", embedding_width))
        return embeds

    return encode


def _wrong_clip(fault: str, embedding_width: int) -> str:
    return (
        f"This CLIP vision model {fault}; the bokeh model needs width {embedding_width} from pictures of "
        f"{CLIP_SIDE_PX} px. Choose clip_vision_h.safetensors (CLIP ViT-H/14) in Load CLIP Vision."
    )
