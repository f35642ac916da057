"""What an encoding cannot keep of a video, in sentences, to be told before anything is rendered."""

from __future__ import annotations

from .codecs import CODECS, Encoding
from .colour import BT709
from .format import VideoFormat
from .hdr import TRANSFER_NAMES

_FULL_CHROMA = ("4:4:4", "4:2:2")


def picture_losses(video: VideoFormat, encoding: Encoding) -> list[str]:
    """Tell what is lost or changed of a picture, and which codec keeps it.

    Args:
        video: format of the source.
        encoding: codec and quality of the result.
    """
    codec = encoding.codec
    curve = TRANSFER_NAMES.get(video.colour.transfer, "")
    found = []
    if encoding.is_pictures:
        return [*_losses_of_pictures(video, codec), *_lying_tags(video, curve)]
    if video.bits > CODECS[codec].bits and not video.is_light:
        deeper = [name for name, other in CODECS.items() if other.bits > CODECS[codec].bits]
        keeping = [name for name in deeper if CODECS[name].bits >= video.bits] or deeper
        hdr = f" in {curve} (HDR), which shows steps in 8 bit" if curve and CODECS[codec].bits == 8 else ""
        if keeping:
            found.append(
                f"Warning: the video has {video.bits} bits a level{hdr}; {codec} keeps {CODECS[codec].bits}. "
                f"{_either(keeping)} keeps more."
            )
    if video.is_light:
        found.append(
            f"Warning: {codec} ends at white: light beyond it is clipped, and the rest stored for displays "
            "(gamma 2.2). exr-half keeps it."
        )
    if video.chroma in _FULL_CHROMA and codec.startswith("h264"):
        pixel_format, _ = encoding.pixel_format(video)
        if "420" in pixel_format:
            found.append(
                f"The video's colour has {video.chroma}; {codec} stores it at half the width and height "
                "(4:2:0), which softens coloured text. prores or ffv1 keeps it."
            )
    if video.dynamic_hdr:
        base = f" The picture itself stays {curve}." if curve else ""
        found.append(
            f"Warning: the metadata of {' and '.join(video.dynamic_hdr)} are left out; they were made for "
            f"the picture without blur.{base}"
        )
    return [*found, *_lying_tags(video, curve)]


def _losses_of_pictures(video: VideoFormat, codec: str) -> list[str]:
    found = []
    if codec == "png-8bit" and video.bits > 8:
        found.append(
            f"Warning: the frames have more than 8 bits a level; {codec} keeps 8. png-16bit or exr-half "
            "keeps more."
        )
    if video.is_light and codec.startswith("png"):
        found.append(
            "Warning: PNG ends at white: light beyond it is clipped, and the rest stored for displays (gamma "
            "2.2). exr-half keeps it."
        )
    if video.hdr is not None or video.dynamic_hdr:
        found.append(
            "Warning: HDR metadata (mastering display, light levels) are left out: pictures hold none."
        )
    return found


def _lying_tags(video: VideoFormat, curve: str) -> list[str]:
    found = []
    if curve and (video.bits == 8 or video.colour.primaries == BT709):
        why = "8 bits a level" if video.bits == 8 else "the colours of BT.709"
        found.append(
            f"Warning: the video is tagged as {curve} (HDR) but has {why}, which HDR hardly ever has. If it "
            "is ordinary video, set transfer to display."
        )
    return found


def _either(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} or {names[-1]}"


def require_size_fits(video: VideoFormat, encoding: Encoding) -> None:
    """Check that a codec takes frames of a video's size.

    Raises:
        ValueError: they are too large.
    """
    most = CODECS[encoding.codec].most_px
    if max(video.width, video.height) > most:
        larger = [name for name, codec in CODECS.items() if codec.most_px >= max(video.width, video.height)]
        raise ValueError(
            f"Frames of {video.width} x {video.height} px; {encoding.codec} takes up to {most} columns and "
            f"rows. {f'Choose {_either(larger)}, or m' if larger else 'M'}ake the video smaller."
        )
