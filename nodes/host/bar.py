"""Progress bar, pictures on it, and the cancel button of the host."""

from collections.abc import Callable

import comfy.cli_args
import comfy.model_management
import comfy.utils
import torch
from torch import Tensor

from ...bokeh_core.progress import Progress
from ...bokeh_core.transfer import DISPLAY
from ..frame_on_bar import FrameOnBar, Picture, picture_of_frame


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
