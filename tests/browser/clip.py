"""A few small frames of the bundled clip, for a run that takes no time."""

from __future__ import annotations

from itertools import islice
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np

from devtools.demo import BUNDLED_CLIP, BUNDLED_DISPARITY, BUNDLED_DISPARITY_NAME

FRAME_COUNT = 6
WIDTH_PX, HEIGHT_PX = 240, 180
LEFT_PX, TOP_PX = 240, 160  # of the crop, in the bundled clip


def cropped(picture: Any) -> Any:
    """Return the crop of a picture [H, W] or [H, W, C]."""
    return np.ascontiguousarray(picture[TOP_PX : TOP_PX + HEIGHT_PX, LEFT_PX : LEFT_PX + WIDTH_PX])


def put_small_clip(input_dir: Path) -> None:
    """Write the crop of clip and disparity where the workflow looks for the bundled ones; no sound."""
    with av.open(str(BUNDLED_CLIP)) as source, av.open(str(input_dir / BUNDLED_CLIP.name), "w") as target:
        stream = target.add_stream("libx264", rate=12)
        stream.width, stream.height, stream.pix_fmt = WIDTH_PX, HEIGHT_PX, "yuv420p"
        for frame in islice(source.decode(video=0), FRAME_COUNT):
            picture = cropped(frame.to_ndarray(format="rgb24"))
            target.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        target.mux(stream.encode())
    disparity = input_dir / BUNDLED_DISPARITY_NAME
    disparity.mkdir()
    for file in sorted(BUNDLED_DISPARITY.iterdir())[:FRAME_COUNT]:
        cv2.imwrite(str(disparity / file.name), cropped(cv2.imread(str(file), cv2.IMREAD_UNCHANGED)))
