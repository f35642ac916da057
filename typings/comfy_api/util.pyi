from fractions import Fraction
from typing import Any

from torch import Tensor

class VideoComponents:
    def __init__(self, *, images: Tensor, audio: Any, frame_rate: Fraction) -> None: ...
