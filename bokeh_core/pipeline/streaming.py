"""One pass over a clip: encode each frame once, predict windows, fuse them, decode with refinement (Fig. 2a).

Frames come in and results go out piece by piece; what waits in between is a few frames' features.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from ..clip.checks import checked_frames
from ..inference import inference
from ..progress import Check, Progress, no_progress
from ..published import (
    DECODE_FRAMES,
    K_DTYPE,
    MPI_ALPHA,
    OVERLAP_FRAMES,
    PUBLISHED_MPI_MODE,
    WINDOW_FRAMES,
    MPIMode,
)
from ..semantics import ImageEncoder
from ..windows import DecodeCall, LatentFusion, Window, plan_decode, plan_windows
from .inputs import BokehInputs, bokeh_inputs
from .mending import mended_maps
from .steps import EncodedFrames, decode_call, encode_frames, predict_latents
from .working_size import WorkingSize

if TYPE_CHECKING:
    from ..models import BokehUNet, RefinedVAE


class _Features:
    """Encoded frames from their first use to their last."""

    def __init__(self, encode: Callable[[int, int], EncodedFrames], batch: int, start: int = 0) -> None:
        self._encode = encode
        self._batch = batch
        self._encoded = start
        self._latents: dict[int, Tensor] = {}
        self._image_embeds: dict[int, Tensor] = {}
        self._skips: dict[int, list[Tensor]] = {}

    def encode_up_to(self, stop: int, check: Check) -> None:
        while self._encoded < stop:
            check()
            first, last = self._encoded, min(self._encoded + self._batch, stop)
            encoded = self._encode(first, last)
            for i, frame in enumerate(range(first, last)):
                self._latents[frame] = encoded.latents[i]
                self._image_embeds[frame] = encoded.image_embeds[i]
                self._skips[frame] = encoded.skips[i]
            self._encoded = last

    def window(self, window: Window) -> tuple[Tensor, Tensor]:
        frames = range(*window)
        latents = torch.stack([self._latents[f] for f in frames])
        return latents, torch.stack([self._image_embeds[f] for f in frames])

    def skips(self, call: DecodeCall) -> list[tuple[Tensor, ...]]:
        """By level, each as its frames."""
        return list(zip(*(self._skips[f] for f in range(call.start, call.stop)), strict=True))

    def drop_before(self, window_start: int, still_decoded: set[int]) -> None:
        for features in (self._latents, self._image_embeds):
            for frame in [f for f in features if f < window_start]:
                del features[frame]
        for frame in [f for f in self._skips if f not in still_decoded]:
            del self._skips[frame]


def batch_start(windows: Sequence[Window], batch: int, frame: int) -> int:
    """First frame of the batch in which a run from the clip's beginning encodes `frame`.

    A run that begins later makes the same batches, as rounding may depend on what is computed together.
    """
    start = 0
    for window in windows:
        while start < window.stop:
            stop = min(start + batch, window.stop)
            if frame < stop:
                return start
            start = stop
    return start


class BokehPipeline:
    """The published pipeline on a whole clip: frames in, bokeh frames of the same size out.

    Args:
        unet: predicts latents.
        vae: encodes and decodes.
        image_encoder: [N, 3, 224, 224] in [0, 1] -> [N, D], Stable Video Diffusion's CLIP ViT-H/14 with
            projection, called without CLIP's normalisation.
        device: where to compute; by default where the U-Net's weights are.
    """

    def __init__(
        self,
        unet: BokehUNet,
        vae: RefinedVAE,
        image_encoder: ImageEncoder,
        *,
        device: torch.device | str | None = None,
    ) -> None:
        self.unet = unet
        self.vae = vae
        self.image_encoder = image_encoder
        self.device = torch.device(device) if device is not None else unet.conv_in.weight.device

    def __call__(
        self,
        frames: Tensor,
        disparity: Tensor,
        focal_disparity: Tensor,
        blur_strength_px: Tensor,
        *,
        mpi_mode: MPIMode = PUBLISHED_MPI_MODE,
        window: int = WINDOW_FRAMES,
        overlap: int = OVERLAP_FRAMES,
        regions: Tensor | None = None,
        mpi_alpha: float = MPI_ALPHA,
        working_size: WorkingSize = "auto",
        k_dtype: torch.dtype = K_DTYPE,
        encode_batch: int = 2,
        mend: bool = True,
        progress: Progress = no_progress,
    ) -> Tensor:
        """Render the clip with the lens that focus and blur strength describe.

        Args:
            frames: [T, 3, H, W] in [0, 1], T >= 1, sides of 64 px or more.
            disparity: [T, H, W] in [0, 1], 1 = near.
            focal_disparity: [T] or [1], disparity in focus; see `mending.mending_for`.
            blur_strength_px: [T] or [1], K >= 0 in pixels at the working size; trained for 1 to 32.
            mpi_mode: `released` for the published weights, `paper` for weights trained with Eq. 2's masks.
            window: frames per U-Net pass (8 as trained).
            overlap: frames that consecutive windows share (4 as published).
            regions: uint8 [T, H, W] for `paper` mode; made from the disparity by Eq. 2 when None.
            mpi_alpha: alpha of Eq. 2 where `regions` is None: 1 in the paper, 1.5 in released inference.
            working_size: 'auto', 'native' or (width, height), see `working_geometry`.
            k_dtype: dtype in which K is embedded; float16 as published, on every device.
            encode_batch: frames encoded together; memory only, the result does not depend on it.
            mend: False for maps that are mended already; only a VAE that `mends_maps` mends them.
            progress: see `stream`.

        Returns:
            float32 [T, 3, H, W] in [0, 1], on the device of `frames`; of a VAE that gives gates as
            `mixing.mixed_frames` gives it.

        Raises:
            ValueError: inputs that do not belong together, see `bokeh_inputs` and `plan_windows`.
        """
        if mend and self.vae.mends_maps:
            frames = checked_frames(frames, channels_last=False)
            disparity = mended_maps(frames, disparity, focal_disparity).disparity
        inputs = bokeh_inputs(
            frames,
            disparity,
            focal_disparity,
            blur_strength_px,
            regions=regions,
            mpi_alpha=mpi_alpha,
            working_size=working_size,
            auto_size_px=self.vae.auto_size_px,
        )
        output = torch.empty(frames.shape, dtype=torch.float32, device=frames.device)
        for start, piece in self.stream(
            inputs,
            mpi_mode=mpi_mode,
            window=window,
            overlap=overlap,
            k_dtype=k_dtype,
            encode_batch=encode_batch,
            progress=progress,
        ):
            output[start : start + len(piece)] = piece
        return output

    def stream(
        self,
        inputs: BokehInputs,
        *,
        mpi_mode: MPIMode = PUBLISHED_MPI_MODE,
        window: int = WINDOW_FRAMES,
        overlap: int = OVERLAP_FRAMES,
        k_dtype: torch.dtype = K_DTYPE,
        encode_batch: int = 2,
        start_frame: int = 0,
        progress: Progress = no_progress,
    ) -> Iterator[tuple[int, Tensor]]:
        """Render piece by piece: a decode call's frames as soon as no later window changes them.

        Those of a VAE that gives gates come in smaller pieces, as many frames as are mixed together.

        Args:
            inputs: see `bokeh_inputs`; of mended maps where the VAE `mends_maps`.
            mpi_mode: see `__call__`, as for the other settings.
            window: frames per U-Net pass.
            overlap: frames that consecutive windows share.
            k_dtype: dtype in which K is embedded.
            encode_batch: frames encoded together.
            start_frame: first frame wanted, a multiple of 8. Of the frames before it only those that share a
                window or a decode call with it are looked at; the result is that of the whole clip.
            progress: told of windows and decode calls, before and after each and before each encoding; what
                it raises ends the run.

        Returns:
            (first frame, float32 [N, 3, H, W] as `decode_call` gives it) in order, covering the clip from
            `start_frame` on.

        Raises:
            ValueError: see `plan_windows`, or `start_frame` is none of these.
        """
        joins = self.vae.joins_rest
        windows = plan_windows(inputs.num_frames, window, overlap, join_rest=joins)
        if start_frame % DECODE_FRAMES or not 0 <= start_frame < inputs.num_frames:
            raise ValueError(
                f"start_frame is {start_frame} in a clip of {inputs.num_frames} frames; it must be a "
                f"multiple of {DECODE_FRAMES} inside the clip."
            )
        calls = [call for call in plan_decode(inputs.num_frames, join_rest=joins) if call.stop > start_frame]
        # A call that a rest has joined may begin earlier.
        calls[0] = calls[0]._replace(keep_from=start_frame)
        return self._run(inputs, windows, calls, mpi_mode, k_dtype, encode_batch, progress)

    def _run(
        self,
        inputs: BokehInputs,
        windows: list[Window],
        calls: list[DecodeCall],
        mpi_mode: MPIMode,
        k_dtype: torch.dtype,
        encode_batch: int,
        progress: Progress,
    ) -> Iterator[tuple[int, Tensor]]:
        first = next(k for k, window in enumerate(windows) if window.stop > calls[0].start)
        total = len(windows) - first + len(calls)
        done = 0

        def report() -> None:
            progress(done, total)

        def encode(start: int, stop: int) -> EncodedFrames:
            return encode_frames(
                self.vae, self.image_encoder, inputs, start, stop, device=self.device, keep_skips=True
            )

        features = _Features(encode, encode_batch, batch_start(windows, encode_batch, windows[first].start))
        fusion = LatentFusion(windows, first)
        with inference(self.device):
            for window in windows[:first]:
                # In the same batches as a run from the beginning, whose windows end here.
                features.encode_up_to(window.stop, report)
        for k, window in enumerate(windows[first:], first):
            with inference(self.device):
                features.encode_up_to(window.stop, report)
                report()
                fusion.add(
                    predict_latents(
                        self.unet,
                        *features.window(window),
                        inputs,
                        window.start,
                        window.stop,
                        mpi_mode=mpi_mode,
                        k_dtype=k_dtype,
                    )
                )
            done += 1
            report()
            while calls and calls[0].stop <= fusion.final_frames:
                call = calls.pop(0)
                latents, levels = fusion.frames(call.start, call.stop), features.skips(call)
                fusion.drop_before(calls[0].start if calls else inputs.num_frames)
                first = call.keep_from
                for pixels in decode_call(self.vae, latents, levels, call, inputs.geometry, inputs, report):
                    stop = first + len(pixels)
                    if stop == call.stop:
                        done += 1
                        report()
                    yield first, pixels.to(inputs.frames.device)
                    first = stop
            next_start = windows[k + 1].start if k + 1 < len(windows) else inputs.num_frames
            features.drop_before(next_start, {f for call in calls for f in range(call.start, call.stop)})
