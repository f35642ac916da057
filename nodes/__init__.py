"""The pack's nodes, in the order of the method."""

from comfy_api.latest import ComfyExtension, io

from .assembly import AssembleWindows
from .decode import RefinedDecode
from .disparity import DisparityFromImages, LoadDisparity
from .focus import FocusAtPoint, FocusAtValue, FocusOnMask
from .lens import LensBlur
from .model import LoadBokehModel
from .mpi import MPIMask
from .preview import FocusPreview
from .sampler import OneStepSampler
from .strength import BlurStrength
from .video import AnyToBokehVideo

NODES: list[type[io.ComfyNode]] = [
    LoadDisparity,
    DisparityFromImages,
    FocusAtValue,
    FocusAtPoint,
    FocusOnMask,
    BlurStrength,
    MPIMask,
    FocusPreview,
    LensBlur,
    LoadBokehModel,
    OneStepSampler,
    AssembleWindows,
    RefinedDecode,
    AnyToBokehVideo,
]


class AnyToBokehExtension(ComfyExtension):
    """What the host asks for the pack's nodes."""

    async def get_node_list(self) -> list[type[io.ComfyNode]]:
        return NODES
