"""The renderers behind one interface: frames of a streamed clip in order, from any part boundary on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol, cast

import torch
from einops import rearrange
from torch import Tensor

from ..clip.channels import to_rgb
from ..coc import EQ_1, Falloff
from ..lens import DEFAULT_LENS, Lens, LensOverTime, LensSettings, Room, at_width, lens_blur, lens_report
from ..lens.other_frames import CONTINUE, HIDDEN_BACKGROUNDS, REACH_FRAMES, OtherFrames
from ..lens.over_time import past_the_end, require_strength, still_part
from ..memory.needs import ENCODE_BATCH, SKIP_MAPS, decode_bytes, encode_bytes, unet_bytes
from ..pipeline.inputs import BokehInputs
from ..pipeline.report import mixing_note, strength_warning
from ..pipeline.working_size import WorkingSize, working_geometry
from ..progress import Check, checking
from ..published import (
    DECODE_FRAMES,
    OVERLAP_FRAMES,
    PUBLISHED_MPI_MODE,
    TRAINED_STRENGTH_PX,
    WINDOW_FRAMES,
    MPIMode,
)
from ..reference_width import REFERENCE_WIDTH_PX
from ..setting_checks import require_choice
from ..strength import strength_in_pixels
from ..transfer import DISPLAY, HLG, LINEAR, PQ, TRANSFERS, as_picture, from_picture
from ..windows import plan_windows
from .clip_stream import ClipStream, SlidingFrames
from .stretches import stretches

if TYPE_CHECKING:
    from ..pipeline.streaming import BokehPipeline

# Frames handed to Lens Blur together; it decides how many to work on at a time.
_LENS_FRAMES = 8
# Frames whose features wait for their decode call: the call's, and half a window more.
_WAITING_FRAMES = DECODE_FRAMES + WINDOW_FRAMES // 2
_AS_NUMBERS = "The network blurs {} as numbers and not as light: lamps come out dimmer than through a lens."
_LIGHT_OF_A_MODEL = {
    LINEAR: "The network knows display values from black to white: what is brighter or below is clipped. "
    "Lens Blur keeps it.",
    PQ: _AS_NUMBERS.format("PQ"),
    HLG: _AS_NUMBERS.format("HLG"),
}


class ClipRenderer(Protocol):
    """Renders a streamed clip: frames, disparity in [0, 1], focus in [0, 1] and K in, blurred frames out."""

    @property
    def keeps_light(self) -> bool:
        """Whether light beyond white goes through it."""

    @property
    def mends_maps(self) -> bool:
        """Whether it is to be given maps that are mended by the frames, see `RenderJob.refining`."""

    def fingerprint(self) -> str:
        """A text that differs where two renderers give different pictures of the same clip."""

    def require_strength(self, strength: Tensor) -> None:
        """Check the blur strength before anything that takes long.

        Args:
            strength: K >= 0 of every frame, [T], in px of blur radius per unit of disparity on a frame
                1024 px wide.

        Raises:
            ValueError: more than this renderer takes.
        """

    def describe(self, clip: ClipStream) -> str:
        """What will be done, with its sizes in px, and warnings, one a line.

        Raises:
            ValueError: the clip cannot be rendered.
        """

    def frames(self, clip: ClipStream, start: int, check: Check) -> Iterator[Tensor]:
        """Yield rendered frames float32 [H, W, C], numbers as the clip's, from number `start` on.

        Args:
            clip: what to render.
            start: first frame, counted from 0, a multiple of 8; the frames do not depend on it.
            check: called at least once a frame; may raise to stop.
        """


@dataclass(frozen=True)
class LensRenderer:
    """Lens Blur; see `lens.lens_blur`.

    Attributes:
        lens: its settings, stated for frames 1024 px wide, which may move.
        device: where to compute.
        room: what is free there, see `lens.lens_blur`.
        hidden_background: "continue" what is seen around it, or take it from "other frames" of the clip.

    Raises:
        ValueError: a contour tolerance out of range, or an unknown choice.
    """

    lens: Lens = DEFAULT_LENS
    device: torch.device = field(default=torch.device("cpu"), compare=False)
    room: Room | None = field(default=None, compare=False)
    hidden_background: str = CONTINUE

    def __post_init__(self) -> None:
        require_choice("hidden_background", self.hidden_background, HIDDEN_BACKGROUNDS)
        at_width(self.lens, 1, REFERENCE_WIDTH_PX)

    keeps_light = True
    mends_maps = False

    def require_strength(self, strength: Tensor) -> None:
        lens = at_width(self.lens, len(strength), REFERENCE_WIDTH_PX)
        require_strength(lens, strength, REFERENCE_WIDTH_PX)

    def fingerprint(self) -> str:
        looks_around = "" if self.hidden_background == CONTINUE else f" {self.hidden_background}"
        return f"lens {self.lens!r}{looks_around}"

    def describe(self, clip: ClipStream) -> str:
        averaged = "as numbers" if still_part(self.lens).gamma == 1 else "as light"
        done = f"Lens Blur on {self.device}, of {TRANSFERS[clip.transfer].name} {averaged}."
        look = [] if self.lens == DEFAULT_LENS else [f"The lens: {lens_report(self.lens)}"]
        hidden = [] if self.hidden_background == CONTINUE else ["Hidden background from other frames."]
        return "\n".join([done, *look, *hidden, *past_the_end(self.lens, clip.num_frames)])

    def frames(self, clip: ClipStream, start: int, check: Check) -> Iterator[Tensor]:
        width = clip.size[1]
        lens = at_width(self.lens, clip.num_frames, width)
        strength_px = strength_in_pixels(clip.blur_strength, width)
        reach = 0 if self.hidden_background == CONTINUE else REACH_FRAMES
        first = max(start - reach, 0)
        pairs = zip(clip.frames(first), clip.disparity(first), strict=False)
        for stretch in stretches(pairs, start - first, _LENS_FRAMES, reach):
            part = slice(start, start + stretch.count)
            others = (
                OtherFrames(stretch.frames, stretch.disparity, first=stretch.first, transfer=clip.transfer)
                if reach
                else None
            )
            yield from lens_blur(
                stretch.frames[stretch.part],
                stretch.disparity[stretch.part],
                clip.focal_disparity[part],
                strength_px[part],
                lens if isinstance(lens, LensSettings) else lens[part],
                transfer=clip.transfer,
                first_frame=start,
                other_frames=others,
                device=self.device,
                room=self.room,
                progress=checking(check),
                check=check,
            )
            start += stretch.count


@dataclass(frozen=True)
class ModelRenderer:
    """The paper's network; see `BokehPipeline.stream` for the settings.

    Attributes:
        pipeline: with its weights.
        weights: a text that differs where the weights do.
        mpi_mode: `released` or `paper`.
        overlap: frames that neighbouring windows of 8 share, 0 to 7.
        working_size: "auto" (at most the area it was trained at), "native", or (width, height) in px.
        name: of the network in reports.
        trained_px: (least, greatest) K that it was trained for, in px at the working size.
        falloff: how the blur radius grows, its largest radius stated for frames 1024 px wide; or a lens of
            which no more than that moves, see `lens.falloff_alone`.

    Raises:
        ValueError: an overlap that windows of 8 cannot have.
    """

    pipeline: BokehPipeline
    weights: str
    mpi_mode: MPIMode = PUBLISHED_MPI_MODE
    overlap: int = OVERLAP_FRAMES
    working_size: WorkingSize = "auto"
    name: str = "The paper's model"
    trained_px: tuple[float, float] = TRAINED_STRENGTH_PX
    falloff: Falloff | LensOverTime = EQ_1

    def __post_init__(self) -> None:
        plan_windows(WINDOW_FRAMES, overlap=self.overlap)

    @property
    def keeps_light(self) -> bool:
        return self.pipeline.vae.gives_gates

    @property
    def mends_maps(self) -> bool:
        return self.pipeline.vae.mends_maps

    def require_strength(self, strength: Tensor) -> None:
        """Take every strength; beyond what it was trained for, `describe` warns."""
        require_falloff_length(self.falloff, len(strength))

    def fingerprint(self) -> str:
        return model_fingerprint(
            self.weights, self.mpi_mode, self.overlap, self.working_size, falloff=self.falloff
        )

    def describe(self, clip: ClipStream) -> str:
        inputs = self._inputs(clip)
        (height, width), (inner_height, inner_width) = clip.size, inputs.geometry.inner
        lines = [
            f"Worked on at {inner_width} x {inner_height} px, the frames being {width} x {height}.",
            f"{self.name}, MPI mode {self.mpi_mode}, {self.overlap} frames shared by windows of "
            f"{WINDOW_FRAMES}, on {self.pipeline.device}.",
            mixing_note(inputs.geometry, self.trained_px) if self.keeps_light else "",
            strength_warning(inputs.blur_strength_px, self.trained_px),
            *past_the_end(self.falloff, clip.num_frames),
            self._light_of(clip),
        ]
        return "\n".join(line for line in lines if line)

    def _light_of(self, clip: ClipStream) -> str:
        """What becomes of the frames' light."""
        if not self.keeps_light:
            return _LIGHT_OF_A_MODEL.get(clip.transfer, "")
        averaged = "as numbers" if self.pipeline.vae.gamma == 1 else "as light"
        return (
            f"{TRANSFERS[clip.transfer].name[0].upper()}{TRANSFERS[clip.transfer].name[1:]} mixed {averaged}."
        )

    def frames(self, clip: ClipStream, start: int, check: Check) -> Iterator[Tensor]:
        pieces = self.pipeline.stream(
            self._inputs(clip),
            mpi_mode=self.mpi_mode,
            overlap=self.overlap,
            start_frame=start,
            progress=checking(check),
        )
        sharp_frames = clip.frames(start)
        for _, piece in pieces:
            for picture, source in zip(rearrange(piece, "t c h w -> t h w c"), sharp_frames, strict=False):
                frame = picture if self.keeps_light else from_picture(picture, clip.transfer)
                # The network has no alpha channel; the source's is passed on.
                yield torch.cat((frame.cpu(), source[..., 3:]), dim=-1) if source.shape[-1] == 4 else frame
                check()

    def needed_bytes(self, height: int, width: int) -> int:
        """Peak memory in bytes besides the weights, for frames of `height` x `width` px."""
        unet, vae = self.pipeline.unet, self.pipeline.vae
        size = working_geometry(height, width, self.working_size, vae.auto_size_px).padded
        channels = vae.config.block_out_channels[0]
        rest = DECODE_FRAMES - 1 if vae.joins_rest else 0
        waiting = (_WAITING_FRAMES + rest) * SKIP_MAPS * channels * size[0] * size[1] * vae.dtype.itemsize
        dtype, unet_channels = unet.conv_in.weight.dtype, unet.config.block_out_channels[0]
        return round(waiting) + max(
            encode_bytes(ENCODE_BATCH, *size, channels, vae.quant_conv.weight.dtype),
            unet_bytes(WINDOW_FRAMES + rest, *size, unet_channels, dtype),
            decode_bytes(DECODE_FRAMES + rest, *size, channels, vae.dtype),
        )

    def _inputs(self, clip: ClipStream) -> BokehInputs:
        count, (height, width) = clip.num_frames, clip.size
        geometry = working_geometry(height, width, self.working_size, self.pipeline.vae.auto_size_px)
        numbers = self.keeps_light

        def shown(frame: Tensor) -> Tensor:
            return to_rgb((frame if numbers else as_picture(frame, clip.transfer))[None])[0]

        rgb = SlidingFrames(
            lambda start: map(shown, clip.frames(start)), torch.Size((count, 3, height, width))
        )
        disparity = SlidingFrames(clip.disparity, torch.Size((count, height, width)))
        working_width = geometry.inner[1]
        falloff = (
            self.falloff
            if isinstance(self.falloff, Falloff)
            else [lens.falloff for lens in self.falloff.at_frames(count)]
        )
        # They can be sliced like the tensors they stand for.
        return BokehInputs(
            cast(Tensor, rgb),
            cast(Tensor, disparity),
            clip.focal_disparity,
            strength_in_pixels(clip.blur_strength, working_width),
            geometry,
            transfer=clip.transfer if numbers else DISPLAY,
        ).with_falloff(falloff)


def require_falloff_length(falloff: Falloff | LensOverTime, num_frames: int) -> None:
    """Check that no list or table of a lens that moves is shorter than a clip.

    Raises:
        ValueError: one is.
    """
    if isinstance(falloff, LensOverTime):
        falloff.values(num_frames)


def model_fingerprint(*settings: object, falloff: Falloff | LensOverTime) -> str:
    """A text that differs where weights, other settings or falloff of the paper's model do."""
    return " ".join(["model", *map(str, settings), *([] if falloff == EQ_1 else [repr(falloff)])])


def require_whole_calls(part_frames: int) -> None:
    """Check that parts of `part_frames` frames end where decode calls do.

    Raises:
        ValueError: not a multiple of 8, or less than 8.
    """
    if part_frames < 1 or part_frames % DECODE_FRAMES:
        raise ValueError(f"Parts of {part_frames} frames; the number must be a multiple of {DECODE_FRAMES}.")
