"""The one door to the host: nothing else imports `comfy` or its folders when a node runs."""

from .bar import check_interrupt, frame_on_bar, latents_on_bar, progress, progress_bar
from .device import compute_device, out_of_memory_advice, room
from .folders import (
    depth_model_folders,
    input_folder,
    input_path,
    model_path,
    output_folder,
    own_model_folders,
    shared_models,
    temporary_file,
    temporary_folder,
)
from .models import load_models, manage_unet, manage_vae, unet_dtype, vae_device, vae_dtype
from .videos import origin_of, small_video_preview, video_components, video_in_memory, video_of, video_preview
from .vision import image_encoder, vision_tower

__all__ = [
    "check_interrupt",
    "compute_device",
    "depth_model_folders",
    "frame_on_bar",
    "image_encoder",
    "input_folder",
    "input_path",
    "latents_on_bar",
    "load_models",
    "manage_unet",
    "manage_vae",
    "model_path",
    "origin_of",
    "out_of_memory_advice",
    "output_folder",
    "own_model_folders",
    "progress",
    "progress_bar",
    "room",
    "shared_models",
    "small_video_preview",
    "temporary_file",
    "temporary_folder",
    "unet_dtype",
    "vae_device",
    "vae_dtype",
    "video_components",
    "video_in_memory",
    "video_of",
    "video_preview",
    "vision_tower",
]
