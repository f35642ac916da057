from enum import Enum

class LatentPreviewMethod(Enum):
    NoPreviews = "none"

class Arguments:
    disable_metadata: bool
    preview_method: LatentPreviewMethod
    preview_size: int

args: Arguments
