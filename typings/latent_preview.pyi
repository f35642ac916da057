import torch
from comfy.latent_formats import SD15
from PIL.Image import Image

class LatentPreviewer:
    def decode_latent_to_preview_image(
        self, preview_format: str, x0: torch.Tensor
    ) -> tuple[str, Image, int]: ...

def get_previewer(device: torch.device, latent_format: SD15) -> LatentPreviewer | None: ...
