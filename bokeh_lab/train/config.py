"""The settings of a training run: a tree of frozen dataclasses, one field for each key of the YAML file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from bokeh_core.models.small.options import SmallOptions
from bokeh_core.published import OVERLAP_FRAMES

from .disparity_noise import DisparityNoise
from .faults_over_time import FaultsOverTime

Stage = Literal["stage0", "stage1", "stage2", "stage3", "pixels"]
STAGES: tuple[Stage, ...] = ("stage0", "stage1", "stage2", "stage3", "pixels")


@dataclass(frozen=True)
class ModelConfig:
    """Where weights come from, and sizes where there are none.

    Attributes:
        unet: published file or folder, or the `unet` folder of Stable Video Diffusion; null = random weights.
        vae: the same of the VAE.
        layers: file of the `options`' own layers; null = as they are initialised.
        image_encoder: folder of Stable Video Diffusion's image encoder; null = zero embeddings.
        unet_config: sizes of a random U-Net, as in its config.json.
        vae_config: sizes of a random VAE.
        skip_init: of a random VAE's skip convolutions: `published` is the constant 1e-5, which keeps a good
            decoder as it is; `random` lets details of the sharp frame through from the start.
        time_init: of random residual blocks over time: `identity` lets them start as passing on what they
            get, so that a network may first learn single frames.
        options: departures from the published layout.
        overlap_frames: that neighbouring windows of 8 share where nobody says it, 0 to 7; written into the
            file, and used in validation. 4 as published.
    """

    unet: str | None = None
    vae: str | None = None
    layers: str | None = None
    image_encoder: str | None = None
    unet_config: Mapping[str, Any] = field(default_factory=dict)
    vae_config: Mapping[str, Any] = field(default_factory=dict)
    skip_init: Literal["published", "random"] = "published"
    time_init: Literal["random", "identity"] = "random"
    options: SmallOptions = field(default_factory=SmallOptions)
    overlap_frames: int = OVERLAP_FRAMES


@dataclass(frozen=True)
class DataConfig:
    """The clips to learn from; K in px of a frame 1024 px wide.

    Attributes:
        preset: of `make_scene`.
        hard_share: share of the scenes that are of the preset `hard` instead.
        library: folder of pictures; null = the set in the repository. Its training split is used.
        size: (width, height) of the scenes in px.
        crop: (width, height) of a random part of each clip; null = the whole frames.
        shrinks: the network works at the size of `crop`, of a part that is larger by one of these whole
            numbers, drawn for each batch. For `lens_mix`, whose gates are enlarged.
        flip: mirror half of the clips.
        turn: turn half of the clips by swapping height and width, and mirror half of them top to bottom.
        recolour: swap, weaken and invert colours of scenes of gamma 1. Exact, as light is a mean.
        scene_frames: length of a scene, of which a sample is a part.
        frames: fewest and most consecutive frames of a sample, drawn for each batch.
        strengths: K is one of these, 0 to 200 ...
        ramp_probability: ... or, with this probability, ramps between two values ...
        ramp_range: ... inside these bounds.
        gamma: light = display ** gamma adds up; 1 as in the paper.
        mend: maps, also those without a fault, are mended by the frames of the sample, as those of a model
            with the option `mend` are when it renders.
        linear_share: share of the scenes in which light adds up as in a camera, gamma 2.2, instead.
        rays_across: lens grid of the ground truth, 51 in the paper; null = as many as the blur needs.
        scenes: how many different scenes there are; null = a new one for each sample.
        shards: folder of pre-rendered clips to read, or for `shards` to write; null = render on the fly.
        shard_scenes: scenes in one shard.
        workers: processes that prepare batches on the CPU; 0 = one background thread, on `device`.
        prefetch: batches prepared ahead (by each worker).
        device: where rays are traced: `auto` is the training device.
    """

    preset: str = "paper"
    hard_share: float = 0.0
    library: str | None = None
    size: tuple[int, int] = (1024, 576)
    crop: tuple[int, int] | None = None
    shrinks: tuple[int, ...] = (1,)
    flip: bool = True
    turn: bool = False
    recolour: bool = False
    scene_frames: int = 25
    frames: tuple[int, int] = (4, 4)
    strengths: tuple[float, ...] = (12.0, 16.0, 20.0, 24.0, 28.0)
    ramp_probability: float = 0.5
    ramp_range: tuple[float, float] = (1.0, 31.0)
    gamma: float = 1.0
    linear_share: float = 0.0
    mend: bool = False
    rays_across: int | None = 51
    scenes: int | None = None
    shards: str | None = None
    shard_scenes: int = 32
    workers: int = 0
    prefetch: int = 2
    device: Literal["auto", "cpu"] = "auto"

    @property
    def frame_size(self) -> tuple[int, int]:
        """(width, height) of what the network sees."""
        return self.crop or self.size


@dataclass(frozen=True)
class LossConfig:
    """Weights of the losses.

    Attributes:
        texture_weight: of Eq. 4 beside L1, in stage 3 and `pixels`.
        texture: `paper` squares the Sobel differences, `released` takes their size.
        mse_weight: of the squared pixel error beside L1 in stage 0.
        kl_weight: of the divergence from the unit Gaussian in stage 0.
        margin_px: px along the borders of a crop that the pixel loss leaves out, since their truth shows
            what lies outside of the crop.
        latent_weight: of the latent loss beside the pixel loss in `pixels`.
        change_weight: of the error of the change from frame to frame beside L1, in stage 3 and `pixels`.
    """

    texture_weight: float = 1.0
    texture: Literal["paper", "released"] = "paper"
    mse_weight: float = 3.0
    kl_weight: float = 1e-6
    latent_weight: float = 0.0
    change_weight: float = 0.0
    margin_px: int = 0


@dataclass(frozen=True)
class OptimiserConfig:
    """Adam and its learning rate.

    Attributes:
        lr: learning rate.
        name: `adam` as in the paper, or `adamw`.
        betas, eps, weight_decay: of the optimiser.
        warmup_steps: over which the rate rises from 0.
        schedule: `constant`, or `cosine` down to 0 at the last step.
        clip_norm: greatest norm of the gradients; null = unlimited.
    """

    lr: float
    name: Literal["adam", "adamw"] = "adam"
    betas: tuple[float, float] = (0.9, 0.999)
    eps: float = 1e-8
    weight_decay: float = 0.0
    warmup_steps: int = 0
    schedule: Literal["constant", "cosine"] = "constant"
    clip_norm: float | None = 1.0


@dataclass(frozen=True)
class RunConfig:
    """How long and on what.

    Attributes:
        steps: optimiser steps.
        batch: clips a device takes at once.
        accumulation: batches that make one step.
        mixed_precision: `no`, `fp16` or `bf16`; weights stay float32.
        gradient_checkpointing: compute activations again in the backward pass: less memory, more time.
        ema_decay: of the moving average that is validated and exported; null = none.
        train_encoder: let the VAE's encoder learn in `pixels`.
        still: leave the residual blocks over time out and untrained, for single frames.
        cpu: do not use an accelerator.
        log_every, checkpoint_every: steps.
        keep_checkpoints: how many of the latest stay.
    """

    steps: int
    batch: int = 1
    accumulation: int = 1
    mixed_precision: Literal["no", "fp16", "bf16"] = "no"
    gradient_checkpointing: bool = False
    ema_decay: float | None = 0.9999
    train_encoder: bool = False
    still: bool = False
    cpu: bool = False
    log_every: int = 10
    checkpoint_every: int = 1000
    keep_checkpoints: int = 3


@dataclass(frozen=True)
class ValidationConfig:
    """Held-out clips that are measured during training.

    Attributes:
        every: steps; 0 = never.
        clips: how many, of which `shown` go to the log as pictures and videos.
        preset: of `make_scene`.
        first_seed: of the scenes.
        frames: length of a clip.
        size: (width, height); null = that of the training scenes.
        strengths: K in turn, in px of a frame 1024 px wide.
        shown: clips that are logged.
    """

    every: int = 0
    clips: int = 4
    preset: str = "paper"
    first_seed: int = 0
    frames: int = 12
    size: tuple[int, int] | None = None
    strengths: tuple[float, ...] = (4.0, 8.0, 16.0, 32.0)
    shown: int = 2


@dataclass(frozen=True)
class AblationConfig:
    """What Tab. 3 and 4 take away; all true is the full method.

    Attributes:
        mpi: MPI attention; without it only the embedding of K is added to the original block.
        pretrained: start from the weights that `model.unet` names, else from random ones of the same sizes.
        overlap: windows of held-out clips share frames.
        refine: skip connections from the encoder to the decoder.
    """

    mpi: bool = True
    pretrained: bool = True
    overlap: bool = True
    refine: bool = True


@dataclass(frozen=True)
class TrainConfig:
    """One stage of training.

    Attributes:
        output: folder of the run: checkpoints, logs, samples, results.
        run, optimiser, model, data, loss, validation, ablation: see their classes.
        noise: faults of the disparity. Null = none, but in stage 2 the published ones.
        faults: faults of the disparity that differ from frame to frame; null = none.
        seed: of weights, clips and noise.
    """

    output: str
    run: RunConfig
    optimiser: OptimiserConfig
    model: ModelConfig = field(default_factory=ModelConfig)
    data: DataConfig = field(default_factory=DataConfig)
    loss: LossConfig = field(default_factory=LossConfig)
    noise: DisparityNoise | None = None
    faults: FaultsOverTime | None = None
    validation: ValidationConfig = field(default_factory=ValidationConfig)
    ablation: AblationConfig = field(default_factory=AblationConfig)
    seed: int = 0

    def disparity_noise(self, stage: Stage) -> DisparityNoise | None:
        """The noise of a stage."""
        return DisparityNoise() if self.noise is None and stage == "stage2" else self.noise
