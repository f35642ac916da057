"""The node that brings the paper's network into the graph: Load Bokeh Model."""

import logging
from pathlib import Path
from typing import Any

import torch
from comfy_api.latest import io

from ..bokeh_core.checkpoint.bundle import (
    included_model,
    mending_maps,
    mixing_light,
    require_same_bundle,
)
from ..bokeh_core.checkpoint.files import COMPONENT_NAMES, Component
from ..bokeh_core.checkpoint.library import best_choice, choices, count_parameters, models_in, state_of_model
from ..bokeh_core.checkpoint.load import (
    load_unet,
    load_vae,
    suited_overlap,
    trained_mpi_mode,
    trained_strength_px,
)
from ..bokeh_core.checkpoint.precision import DTYPES, with_decoder_in
from ..bokeh_core.published import MPI_MODES
from ..bokeh_core.transfer import DEFAULT_LIGHT, GAMMA_OF_LIGHT
from . import categories, host, sockets
from .libraries import needed_libraries
from .newer_host import known_fields

logger = logging.getLogger(__name__)

# Where the host keeps files of each kind; our own folder is searched as well.
SHARED_FOLDERS: dict[Component, str] = {"unet": "diffusion_models", "vae": "vae"}
# None: what the host would choose.
DTYPE_CHOICES: dict[str, torch.dtype | None] = {"auto": None, **DTYPES}
FROM_FILE = "from file"
# No file can have this name, so it never hides a user's file.
INCLUDED_NAME = "bokeh-small (included)"
SOURCE = "https://vivocameraresearch.github.io/any2bokeh/"


def _available(component: Component) -> list[str]:
    """The names that the dropdown of a model shows."""
    own = [name for root in host.own_model_folders() for name in models_in(root, component)]
    included = [INCLUDED_NAME] if included_model() is not None else []
    return choices(host.shared_models(SHARED_FOLDERS[component]), [*own, *included], component)


def _path_of(component: Component, name: str) -> Path:
    """Where a chosen model lies.

    Raises:
        ValueError: it is not there.
    """
    included = included_model()
    if name == INCLUDED_NAME and included is not None:
        return included
    path = host.model_path(SHARED_FOLDERS[component], name) if name in _available(component) else None
    if path is None:
        raise ValueError(
            f"The {COMPONENT_NAMES[component]} {name} is neither in the models folder "
            f"{SHARED_FOLDERS[component]} nor in {host.own_model_folders()[0]}. The authors publish it at "
            f"{SOURCE} for non-commercial use; convert it with python -m bokeh_core.convert, put it into "
            "one of the two folders, and press R. Nothing is downloaded for you. Without it, choose "
            f"{INCLUDED_NAME} for both, or use Lens Blur."
        )
    return path


def _named(unet: str | None, vae: str | None) -> list[tuple[Component, str]]:
    chosen: list[tuple[Component, str | None]] = [("unet", unet), ("vae", vae)]
    return [(component, name) for component, name in chosen if name is not None]


def _load_unet(path: Path, dtype: torch.dtype | None) -> Any:
    dtype = dtype or host.unet_dtype(count_parameters(path, "unet"))
    return host.manage_unet(load_unet(path, dtype, drop_ff_k=True))


def _load_vae(path: Path, dtype: torch.dtype | None, light: str, mend: bool) -> Any:
    coder = with_decoder_in(load_vae(path), dtype or host.vae_dtype())
    return host.manage_vae(mending_maps(mixing_light(coder, GAMMA_OF_LIGHT[light]), mend))


def require_parts_fit(model: sockets.BokehModel, vae: sockets.BokehVAE, clip_vision: Any) -> None:
    """Check that what is connected works together.

    Raises:
        ValueError: not a model, a part of a bundle with another model's, or a CLIP vision
            model is missing.
    """
    sockets.require_kind(model, sockets.BokehModel, "model", "Load Bokeh Model")
    sockets.require_kind(vae, sockets.BokehVAE, "vae", "Load Bokeh Model")
    if model.bundle != vae.bundle:
        raise ValueError(
            f"The U-Net is from {model.bundle or 'a file of its own'} and the VAE from "
            f"{vae.bundle or 'a file of its own'}; connect both from the same Load Bokeh Model."
        )
    if model.patcher.model.reads_images and not hasattr(clip_vision, "patcher"):
        raise ValueError(
            "This model needs clip_vision: connect Load CLIP Vision with clip_vision_h.safetensors."
        )


class LoadBokehModel(io.ComfyNode):
    """Files -> BOKEH_MODEL, BOKEH_VAE."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="AnyToBokehLoadModel",
            display_name="Load Bokeh Model",
            category=categories.PAPERS_MODEL,
            description="Loads the network of the Any-to-Bokeh paper: its U-Net and its VAE, two files that "
            "you get from the authors. Their licence allows non-commercial use only. Choose bokeh-small "
            "(included) for both to do without them: a small network of our own, best where depth is "
            "estimated, soft or torn, as it mends it by the frames; then it corrects the picture of Lens "
            "Blur, which on good depth is as good and several times as fast.",
            inputs=[
                io.Combo.Input(
                    "unet",
                    options=_available("unet"),
                    default=best_choice(_available("unet")),
                    tooltip="The U-Net: a .safetensors file in the models folder diffusion_models or "
                    "any_to_bokeh, or the published folder in any_to_bokeh.",
                ),
                io.Combo.Input(
                    "vae",
                    options=_available("vae"),
                    default=best_choice(_available("vae")),
                    tooltip="The paper's VAE with refined decode, not the one of Stable Video Diffusion: a "
                    ".safetensors file in the models folder vae or any_to_bokeh, or the published folder in "
                    "any_to_bokeh.",
                ),
                io.Combo.Input(
                    "dtype",
                    options=list(DTYPE_CHOICES),
                    default="auto",
                    optional=True,
                    tooltip="Precision of the U-Net and the VAE's decoder; its encoder always keeps fp32. "
                    "auto (default) is ComfyUI's choice for your device: fp16 or bf16 on most GPUs, fp32 on "
                    "the CPU. fp32 is the most exact and takes twice the memory.",
                ),
                io.Combo.Input(
                    "mpi_mode",
                    options=[FROM_FILE, *MPI_MODES],
                    default=FROM_FILE,
                    optional=True,
                    tooltip="Which attention the weights were trained with. from file (default) reads it "
                    "from the U-Net's metadata and takes released where that says nothing. released: the "
                    "authors' weights, which ignore the MPI masks. paper: weights trained with the masks as "
                    "the paper states them.",
                    **known_fields(io.Combo.Input, advanced=True),
                ),
                io.Combo.Input(
                    "light",
                    options=list(GAMMA_OF_LIGHT),
                    default=DEFAULT_LIGHT,
                    optional=True,
                    tooltip="How bokeh-small adds light up. linear (default): as in a camera (gamma 2.2), "
                    "bright points stay bright. display: pixel values are averaged. The authors' weights "
                    "have their light from their training and do not read this.",
                    **known_fields(io.Combo.Input, advanced=True),
                ),
                io.Boolean.Input(
                    "mend",
                    default=True,
                    optional=True,
                    tooltip="Lets bokeh-small mend depth by the frames before it blurs, as Refine Depth "
                    "does: flicker, soft outlines, torn limbs. Default on; what comes from Refine Depth is "
                    "not mended again. Off for exact depth, as of a renderer. The authors' weights never do "
                    "it.",
                    **known_fields(io.Boolean.Input, advanced=True),
                ),
            ],
            outputs=[
                sockets.BokehModelSocket.Output(display_name="model", tooltip="The U-Net and its MPI mode."),
                sockets.BokehVAESocket.Output(
                    display_name="vae", tooltip="The VAE; the sampler and the refined decode both need it."
                ),
            ],
            **known_fields(
                io.Schema, search_aliases=["any-to-bokeh", "checkpoint", "depth of field model", "bokeh"]
            ),
        )

    @classmethod
    def execute(
        cls,
        unet: str,
        vae: str,
        dtype: str = "auto",
        mpi_mode: str = FROM_FILE,
        light: str = DEFAULT_LIGHT,
        mend: bool = True,
    ) -> io.NodeOutput:
        unet_path, vae_path = _path_of("unet", unet), _path_of("vae", vae)
        metadata = require_same_bundle(unet_path, vae_path)
        mode: Any = trained_mpi_mode(unet_path) if mpi_mode == FROM_FILE else mpi_mode
        bundle = "" if metadata is None else str(unet_path)
        trained_px, overlap = trained_strength_px(unet_path), suited_overlap(unet_path)
        with needed_libraries():
            patcher = _load_unet(unet_path, DTYPE_CHOICES[dtype])
            model = sockets.BokehModel(patcher, mode, bundle, trained_px, overlap)
            network = _load_vae(vae_path, DTYPE_CHOICES[dtype], light, mend)
            coder = sockets.BokehVAE(network, bundle)
        return io.NodeOutput(model, coder)

    @classmethod
    def validate_inputs(cls, unet: str | None = None, vae: str | None = None) -> bool:
        """Let names pass that are not in the list.

        What is said here, front ends show as a red outline at most; what `execute` raises, as a message.
        """
        return True

    @classmethod
    def fingerprint_inputs(cls, unet: str | None = None, vae: str | None = None, **_: Any) -> str:
        """Files that change on disk make the node run again."""
        try:
            return " ".join(state_of_model(_path_of(part, name), part) for part, name in _named(unet, vae))
        except ValueError as error:
            return str(error)
