"""Opening a video: only formats that hold video, never a file that names others, and its picture stream."""

from __future__ import annotations

import errno
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import av

# FFmpeg would also open texts, playlists, subtitles and stream descriptions as video; the latter make it
# open other files and addresses, so only these may be opened.
FORMATS = (
    "3g2,3gp,4xm,amv,anm,apng,asf,asf_o,av1,avi,avif,avs2,avs3,bink,bmp_pipe,cavsvideo,cine,dirac,dnxhd,"
    "dpx_pipe,dv,evc,exr_pipe,film_cpk,flic,flv,gdv,gif,gxf,h261,h263,h264,hdr_pipe,hevc,hnm,iff,idcin,"
    "ipmovie,ipu,ivf,iv8,j2k_pipe,jpeg_pipe,jpegls_pipe,jpegxl_anim,jpegxl_pipe,jv,kux,lvf,lxf,m4v,matroska,"
    "webm,mjpeg,mjpeg_2000,mlv,mm,moflex,mov,mp4,mpeg,mpegts,mpegvideo,mtv,mv,mxf,mxg,nsv,nut,nuv,obu,ogg,"
    "pam_pipe,pbm_pipe,pfm_pipe,pgm_pipe,phm_pipe,pmp,png_pipe,ppm_pipe,psxstr,pva,qoi_pipe,r3d,rl2,rm,roq,rpl,ser,siff,smk,"
    "smush,swf,thp,tiff_pipe,ty,usm,vc1,vc1test,vivo,vmd,vvc,wc3movie,webp,webp_pipe,wsvqa,wtv,xmv,yop,"
    "yuv4mpegpipe"
)
A_VIDEO = "MP4, MOV, MKV, WebM, AVI, MXF, MPEG or GIF"
# Sixteen thousand columns and eight thousand rows; a frame of that takes 1.6 GB in floating point.
MAX_PIXELS = 2**27


def address_of(path: Path) -> str:
    """A path as FFmpeg takes it for a file whatever its name: colons and a leading `-` mean nothing."""
    return f"file:{path.absolute()}"


def open_video(path: Path, wanted: str = A_VIDEO) -> av.container.InputContainer:
    """Open a file that may hold video; a context manager.

    Args:
        path: of the file.
        wanted: what to give in its place, for errors.

    Raises:
        ValueError: it is missing, of no format that holds video, or damaged at its start.
    """
    import av  # imported on first use: the pack must load fast

    # Not `options`, which are for streams too: where those are found behind the header, as in MPEG and FLV,
    # PyAV before 18 reads past the end of its list, and the process dies.
    only = {"format_whitelist": FORMATS, "protocol_whitelist": "file"}
    try:
        return av.open(address_of(path), container_options=only, metadata_errors="replace")
    except av.error.FFmpegError as error:
        if error.errno == errno.EINVAL:
            raise ValueError(
                f"{path.name} is not a video but a text, list, subtitle or sound; give {wanted}."
            ) from error
        if error.errno == errno.ENOENT:
            raise ValueError(f"Nothing at {path}.") from error
        raise ValueError(
            f"{path.name} cannot be decoded at its start ({error.strerror}); give {wanted}."
        ) from error


def picture_stream(container: Any, name: str) -> av.VideoStream:
    """The video stream that players show: no cover or thumbnail, marked as default if any is, the largest.

    Args:
        container: an open file.
        name: of the file, for errors.

    Raises:
        ValueError: there is none, FFmpeg does not know its codec, or its frames are too large.
    """
    streams = container.streams.video
    films = [stream for stream in streams if not _is_attached(stream)]
    if not films:
        raise ValueError(
            f"{name} has no video stream, only {_counted(len(streams))} attached to it; give a video."
            if len(streams)
            else f"{name} has no video stream."
        )
    known = [stream for stream in films if stream.codec_context is not None]
    if not known:
        raise ValueError(f"{name} holds video of a codec that FFmpeg does not know; export it as MP4 or MOV.")
    stream = max(known, key=_rank)
    width, height = stream.codec_context.width or 0, stream.codec_context.height or 0
    if width * height > MAX_PIXELS:
        raise ValueError(
            f"{name} says that its frames are {width} x {height} px; a frame may have up to "
            f"{MAX_PIXELS // 10**6} million pixels."
        )
    return stream


def _rank(stream: Any) -> tuple[bool, int, int]:
    context = stream.codec_context
    return _has(stream, "default"), (context.width or 0) * (context.height or 0), -stream.index


def _is_attached(stream: Any) -> bool:
    return _has(stream, "attached_pic") or _has(stream, "timed_thumbnails")


def _has(stream: Any, disposition: str) -> bool:
    from av.stream import Disposition

    return bool(stream.disposition & Disposition[disposition])


def _counted(pictures: int) -> str:
    return "a picture" if pictures == 1 else f"{pictures} pictures"
