"""Every conversion of a picture gives all of its pixels, however many threads FFmpeg may use."""

import numpy as np

from bokeh_core.video_io.colour import BT709, LIMITED, Colour
from bokeh_core.video_io.pixels import to_frame


def test_the_same_picture_every_time():
    """On several threads, FFmpeg's scaler left chroma unwritten in about one of 200 of these."""
    columns = np.linspace(0, 1, 48, dtype=np.float32)
    pixels = np.stack(
        [np.tile(columns, (32, 1)), np.full((32, 48), 0.5, np.float32), np.eye(32, 48)], axis=-1
    )
    colour = Colour(BT709, LIMITED)
    seen = set()
    for _ in range(500):
        frame = to_frame(pixels.astype(np.float32), "yuv422p10le", 10, colour)
        chroma = np.frombuffer(frame.planes[1], np.uint16).reshape(32, -1)[:, :24]
        seen.add(chroma.tobytes())
    assert len(seen) == 1
