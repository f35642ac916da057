"""Decoded pictures -> float32 RGB, and back, for every pixel format that FFmpeg knows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from .colour import FULL, LIMITED, RGB, UNSPECIFIED, Colour, rgb_to_yuv, yuv_to_rgb
from .scaling import one_thread, with_colour_in_the_middle

if TYPE_CHECKING:
    import av

_ALPHA_FORMATS = ("yuva", "rgba", "bgra", "argb", "abgr", "gbrap", "ya8", "ya16", "pal8")


def has_alpha(pixel_format: str) -> bool:
    """Tell whether pictures of a format say how opaque they are."""
    return pixel_format.startswith(_ALPHA_FORMATS)


def colour_of(frame: av.VideoFrame, decoder: Any = None) -> Colour:
    """Read the colour tags of a picture; a yuvj format is full range whatever the tag says.

    Args:
        frame: as decoded.
        decoder: that it came from; older PyAV tells primaries and transfer only there.
    """
    name = frame.format.name
    full = int(frame.color_range) == FULL or name.startswith("yuvj")
    source = frame if hasattr(frame, "color_primaries") else decoder
    return Colour(
        RGB if frame.format.is_rgb or name.startswith("pal") else int(frame.colorspace),
        FULL if full else LIMITED,
        int(getattr(source, "color_primaries", UNSPECIFIED)),
        int(getattr(source, "color_trc", UNSPECIFIED)),
    )


def chroma_of(frame: av.VideoFrame) -> str:
    """Resolution of a picture's colour: 4:4:4, 4:2:2, 4:2:0 or `lower`; `none` without colour."""
    kind = frame.format
    if kind.is_rgb or kind.name.startswith("pal"):
        return "4:4:4"
    if len(kind.components) < 3:
        return "none"
    across, down = kind.chroma_width(64), kind.chroma_height(64)
    return {(64, 64): "4:4:4", (32, 64): "4:2:2", (32, 32): "4:2:0"}.get((across, down), "lower")


def to_rgb(frame: av.VideoFrame, colour: Colour, with_alpha: bool = False) -> NDArray[np.float32]:
    """Picture -> [H, W, 3] in [0, 1], or [H, W, 4] with straight alpha.

    What levels of more than 8 bits hold beyond black and white is kept; in 8 bits it is a codec's error.
    Chroma is enlarged by FFmpeg; the matrix is applied in floating point, see `colour`.
    """
    name, bits = frame.format.name, frame.format.components[0].bits
    if name.endswith(("555be", "565be")):
        # FFmpeg's way from these to 24 bits mixes up the order of their bytes.
        frame = frame.reformat(format=f"{name[:-2]}le", **one_thread())
    alpha = with_alpha and has_alpha(name)
    if frame.format.is_rgb or name.startswith(("gray", "ya", "pal", "mono")):
        deep = bits > 8
        target = f"rgba{'64le' if deep else ''}" if alpha else _rgb(deep)
        stored = frame.to_ndarray(format=target, **one_thread())
        pixels: NDArray[np.float32] = stored.astype(np.float32) / (65535 if deep else 255)
    else:
        bits = 8 if bits == 8 else 10 if bits <= 10 else 12 if bits <= 12 and not alpha else 16
        # Older PyAV takes the range of these formats from their name only.
        full = "yuvj444p" if name.startswith("yuvj") else "yuv444p"
        target = _planar("yuva444p" if alpha else full, bits)
        # The same range on both sides: FFmpeg must enlarge chroma and leave levels alone.
        if frame.format.chroma_width(2) == 1:
            frame = with_colour_in_the_middle(frame)
        planar = frame.reformat(format=target, **_range(colour), interpolation=_interpolation())
        levels = _planes(planar, bits)
        pixels = yuv_to_rgb(levels[:3], bits, colour, beyond=frame.format.components[0].bits > 8)
        if alpha:
            opacity = levels[3][..., None] / (2**bits - 1)
            pixels = np.concatenate([pixels, opacity], axis=-1)
    if with_alpha and not alpha:
        pixels = np.concatenate([pixels, np.ones_like(pixels[..., :1])], axis=-1)
    return pixels


def to_frame(pixels: NDArray[np.float32], pixel_format: str, bits: int, colour: Colour) -> av.VideoFrame:
    """[H, W, 3 or 4], white 1 -> a picture in a planar Y'CbCr format; alpha is dropped if that has none."""
    import av  # imported on first use: the pack must load fast

    alpha = has_alpha(pixel_format)
    levels = rgb_to_yuv(np.ascontiguousarray(pixels[..., :3]), bits, colour)
    if alpha:
        opacity = pixels[..., 3] if pixels.shape[-1] == 4 else np.ones(pixels.shape[:2], np.float32)
        levels = np.concatenate([levels, opacity[None] * (2**bits - 1)])
    stored = np.clip(np.rint(levels), 0, 2**bits - 1).astype(np.uint8 if bits == 8 else "<u2")
    height, width = pixels.shape[:2]
    frame = av.VideoFrame(width, height, _planar("yuva444p" if alpha else "yuv444p", bits))
    for plane, values in zip(frame.planes, stored, strict=True):
        rows = np.zeros((plane.height, plane.line_size // values.itemsize), values.dtype)
        rows[:, :width] = values
        plane.update(rows.tobytes())
    if frame.format.name != pixel_format:
        frame = frame.reformat(format=pixel_format, **_range(colour), interpolation=_interpolation())
    # Some encoders write what the picture says into its header; the tags of reformatting are not its.
    frame.color_range = colour.sample_range
    frame.colorspace = colour.matrix
    return frame


def _rgb(deep: bool) -> str:
    return "rgb48le" if deep else "rgb24"


def _planar(name: str, bits: int) -> str:
    return name if bits == 8 else f"{name}{bits}le"


def _range(colour: Colour) -> dict[str, int]:
    # Any matrix will do as long as both sides have the same: Y'CbCr stays Y'CbCr.
    return {
        "src_color_range": colour.sample_range,
        "dst_color_range": colour.sample_range,
        "src_colorspace": 1,
        "dst_colorspace": 1,
        **one_thread(),
    }


def _interpolation() -> Any:
    from av.video.reformatter import Interpolation

    # Bilinear would blur colour a little more with every pass.
    return Interpolation.BICUBIC


def _planes(frame: av.VideoFrame, bits: int) -> NDArray[np.float32]:
    """Levels [planes, H, W] of a format without subsampling."""
    dtype = np.dtype(np.uint8 if bits == 8 else "<u2")
    return np.stack(
        [
            np.frombuffer(plane, dtype).reshape(plane.height, -1)[:, : frame.width].astype(np.float32)
            for plane in frame.planes
        ]
    )
