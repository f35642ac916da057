"""VIDEO objects as newer hosts have them: trimmed, cropped, joined, in memory with alpha.

Only what the pack may ask of them, with the behaviour of those hosts: a file that is trimmed or cropped still
gives the whole file as its stream source.
"""

import io as memory
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace

import av
import numpy as np
import torch
from comfy_api.latest import InputImpl, io


class EditedFile(InputImpl.VideoFromFile):
    """A file of which a part is meant: seconds, and a rectangle x, y, width, height."""

    def __init__(self, file, window=(0.0, 0.0), rectangle=None):
        super().__init__(file)
        self._window, self._rectangle = window, rectangle

    def get_active_trim_window(self):
        return self._window

    def has_pending_frame_edits(self):
        return self._rectangle is not None

    def get_dimensions(self):
        return super().get_dimensions() if self._rectangle is None else self._rectangle[2:]

    def get_bit_depth(self):
        return 8

    def _frames(self):
        start, duration = self._window
        x, y, width, height = self._rectangle or (0, 0, *super().get_dimensions())
        with av.open(self.get_stream_source()) as container:
            for frame in container.decode(video=0):
                if frame.time < start or (duration and frame.time >= start + duration):
                    continue
                yield frame.to_ndarray(format="rgb24")[y : y + height, x : x + width]

    def get_components(self):
        images = torch.from_numpy(np.stack(list(self._frames()))).float() / 255
        return SimpleNamespace(images=images, audio=None, frame_rate=Fraction(24), alpha=None)


class Streaming:
    """Writes itself frame by frame; holding all frames is forbidden."""

    def get_dimensions(self):
        raise NotImplementedError

    def _frames(self):
        raise NotImplementedError

    def get_bit_depth(self):
        return 8

    def get_components(self):
        raise AssertionError("All frames were held in memory.")

    def save_to(self, path, format="auto", codec="auto", metadata=None, bit_depth=None, crf=None):
        assert (format, codec, crf, bit_depth) == ("mp4", "h264", 0, 8)
        with av.open(path, "w", format="mp4") as container:
            stream = container.add_stream("libx264", rate=24, options={"crf": str(crf)})
            stream.width, stream.height = self.get_dimensions()
            stream.pix_fmt = "yuv420p"
            for picture in self._frames():
                frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="rgb24")
                container.mux(stream.encode(frame))
            container.mux(stream.encode(None))


class StreamingFile(EditedFile):
    """A file that does so."""

    get_components = Streaming.get_components
    save_to = Streaming.save_to


class JoinedVideos(Streaming):
    """Videos one after the other."""

    def __init__(self, videos):
        self.videos = videos

    def get_dimensions(self):
        return self.videos[0].get_dimensions()

    def _frames(self):
        for video in self.videos:
            yield from video._frames()


class SilentlyCropped(InputImpl.VideoFromFile):
    """Of a host that cannot be asked about edits: only the size tells."""

    def __init__(self, file, rectangle):
        super().__init__(file)
        self._edited = EditedFile(file, rectangle=rectangle)

    def get_dimensions(self):
        return self._edited.get_dimensions()

    def get_components(self):
        return self._edited.get_components()


class WithAlpha:
    """Frames in memory, their opacity beside them; of another pack, with nothing but what must be."""

    def __init__(self, images, alpha):
        self._parts = SimpleNamespace(images=images, audio={}, frame_rate=24.0, alpha=alpha)

    def get_components(self):
        return self._parts


def _in_memory(path):
    return memory.BytesIO(Path(path).read_bytes())


# By this name newer hosts have it.
InputImpl.VideoFromList = JoinedVideos
MAKERS = {
    "trimmed": lambda path: EditedFile(path, (0.25, 0.5)),
    "trimmed in memory": lambda path: EditedFile(_in_memory(path), (0.25, 0.5)),
    "in memory": lambda path: InputImpl.VideoFromFile(_in_memory(path)),
    "cropped": lambda path: StreamingFile(path, rectangle=(16, 8, 32, 24)),
    "trimmed and cropped": lambda path: StreamingFile(path, (0.25, 0.5), (16, 8, 32, 24)),
    "joined": lambda path: JoinedVideos([StreamingFile(path, window) for window in ((0, 0.25), (0.5, 0.5))]),
    "cropped to an odd size": lambda path: EditedFile(path, rectangle=(16, 8, 31, 24)),
    "silently cropped": lambda path: SilentlyCropped(path, (16, 8, 32, 24)),
    "gone": lambda path: InputImpl.VideoFromFile(path + ".gone"),
    "no video": lambda path: path,
}


class ProbeEditedVideo(io.ComfyNode):
    """A VIDEO of one of the kinds above, from Load Video."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="ProbeEditedVideo",
            category="probe",
            inputs=[io.Video.Input("video"), io.String.Input("kind")],
            outputs=[io.Video.Output("edited")],
        )

    @classmethod
    def execute(cls, video: InputImpl.VideoFromFile, kind: str) -> io.NodeOutput:
        return io.NodeOutput(MAKERS[kind](video.get_stream_source()))


class ProbeVideoWithAlpha(io.ComfyNode):
    """A VIDEO in memory of frames and alpha that are given."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="ProbeVideoWithAlpha",
            category="probe",
            inputs=[io.AnyType.Input("images"), io.AnyType.Input("alpha")],
            outputs=[io.Video.Output("edited")],
        )

    @classmethod
    def execute(cls, images: torch.Tensor, alpha: torch.Tensor) -> io.NodeOutput:
        return io.NodeOutput(WithAlpha(images, alpha))


NODES = [ProbeEditedVideo, ProbeVideoWithAlpha]
