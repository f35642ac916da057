"""The training loop, on one device or many: every step depends on its number, not on where a run began."""

from __future__ import annotations

import json
import logging
import math
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from bokeh_core.console import progress_bar
from bokeh_core.disk.whole_file import write_whole_json

from .averaging import MovingAverage
from .checkpoints import Checkpoints
from .config import OptimiserConfig, Stage, TrainConfig
from .export import mpi_mode_of, write_results
from .journal import Journal
from .loader import batches
from .network import BokehNetwork
from .networks import build_network
from .objective import Objective
from .samples import RenderedScenes, Sample, Samples, SceneSource
from .shards import ShardedScenes
from .trainable import set_trainable
from .validation import Validation

if TYPE_CHECKING:
    from accelerate import Accelerator  # type: ignore[import-untyped]

logger = logging.getLogger(__name__)

RESULT_FILE = "result.json"


@dataclass(frozen=True)
class Result:
    """What a finished run leaves behind.

    Attributes:
        files: the weights, by the name of their key in `model`: unet, vae, layers.
        validation: metrics at the end; empty without validation.
        baselines: the same of doing nothing and of plain gather.
    """

    files: dict[str, str]
    validation: dict[str, float]
    baselines: dict[str, dict[str, float]]


def learning_rate(optimiser: OptimiserConfig, step: int, steps: int) -> float:
    """Rate of a step, counted from 0: a linear rise, then constant or half a cosine down to 0."""
    rate = optimiser.lr
    if step < optimiser.warmup_steps:
        return rate * (step + 1) / optimiser.warmup_steps
    if optimiser.schedule == "constant":
        return rate
    share = (step - optimiser.warmup_steps) / max(steps - optimiser.warmup_steps, 1)
    return rate * 0.5 * (1 + math.cos(math.pi * share))


def train(config: TrainConfig, stage: Stage) -> Result:
    """Run a stage, from its latest checkpoint where there is one.

    Raises:
        ValueError: accelerate is missing, files do not fit, or the folder belongs to another run.
        RuntimeError: the loss is no longer a number.
    """
    output = Path(config.output)
    finished = output / RESULT_FILE
    if finished.is_file():
        logger.info("%s is finished already.", output)
        return Result(**json.loads(finished.read_text(encoding="utf-8")))
    accelerator = _accelerator(config)
    run = _Run(config, stage, accelerator)
    try:
        run.go()
    finally:
        run.close()
    return run.finish(finished)


class _Run:
    def __init__(self, config: TrainConfig, stage: Stage, accelerator: Accelerator) -> None:
        self.config, self.stage, self.accelerator = config, stage, accelerator
        self.output = Path(config.output)
        self.device: torch.device = accelerator.device
        self.mpi_mode = mpi_mode_of(config)
        self.network = build_network(config, stage, self.device)
        names = set_trainable(
            self.network,
            stage,
            config.ablation,
            train_encoder=config.run.train_encoder,
            still=config.run.still,
        )
        self.parameters = [p for p in self.network.parameters() if p.requires_grad]
        count = sum(p.numel() for p in self.parameters)
        logger.info("%s trains %d tensors, %.2f million numbers.", stage, len(names), count / 1e6)
        self.average = (
            MovingAverage(self.parameters, config.run.ema_decay) if config.run.ema_decay is not None else None
        )
        objective = Objective(self.network, stage, config.loss, self.mpi_mode, config.data.frame_size)
        self.optimiser: Any
        self.objective, self.optimiser = accelerator.prepare(
            objective, make_optimiser(self.parameters, config.optimiser, self.device)
        )
        if self.average is not None:
            accelerator.register_for_checkpointing(self.average.state)
        self.checkpoints = Checkpoints(self.output, config, stage)
        self.start = self.checkpoints.resume(accelerator)
        if self.average is not None:
            self.average.state.to(self.device)
        self.journal = Journal(self.output, self.start) if accelerator.is_main_process else None
        self.validation = Validation(config, self.device)
        self.measured: dict[str, float] = {}
        self.baselines: dict[str, dict[str, float]] = {}

    def go(self) -> None:
        run, steps = self.config.run, self.config.run.steps
        if self.start:
            logger.info("Goes on after step %d of %d.", self.start, steps)
        samples = Samples(
            self._source(),
            self.config.data,
            self.config.disparity_noise(self.stage),
            self.config.seed,
            self.config.faults,
            self.config.model.options.lens_mix,
        )
        with (
            batches(
                samples,
                batch=run.batch,
                start=self.start * run.accumulation,
                stop=steps * run.accumulation,
                rank=self.accelerator.process_index,
                num_ranks=self.accelerator.num_processes,
                workers=self.config.data.workers,
                prefetch=self.config.data.prefetch,
            ) as incoming,
            progress_bar(
                self.stage, "step", steps, done=self.start, shown=self.accelerator.is_main_process
            ) as bar,
        ):
            since, began = self.start, time.monotonic()
            for step in range(self.start, steps):
                losses = self._step(step, incoming)
                done = step + 1
                bar.update()
                if done % run.log_every == 0 or done == steps:
                    seconds = (time.monotonic() - began) / (done - since)
                    bar.set_postfix(self._log(done, losses, seconds))
                if self._is_due(self.config.validation.every, done):
                    self._validate(done)
                if done % run.checkpoint_every == 0 or done == steps:
                    self.checkpoints.save(self.accelerator, done)
                if done % run.log_every == 0:
                    # What lies between, such as validation, is no part of a step's time.
                    since, began = done, time.monotonic()

    def _step(self, step: int, incoming: Iterator[Sample]) -> dict[str, Tensor]:
        rate = learning_rate(self.config.optimiser, step, self.config.run.steps)
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        totals: dict[str, Tensor] = {}
        for _ in range(self.config.run.accumulation):
            sample = next(incoming).to(self.device)
            with self.accelerator.accumulate(self.objective):
                losses = self.objective(sample)
                self.accelerator.backward(losses["loss"])
                if self.accelerator.sync_gradients and self.config.optimiser.clip_norm is not None:
                    self.accelerator.clip_grad_norm_(self.parameters, self.config.optimiser.clip_norm)
                self.optimiser.step()
                self.optimiser.zero_grad()
            for name, value in losses.items():
                totals[name] = totals.get(name, 0) + value.detach() / self.config.run.accumulation
        if self.average is not None:
            self.average.step(self.parameters)
        return totals

    def _log(self, step: int, losses: Mapping[str, Tensor], seconds: float) -> dict[str, str]:
        values = {name: float(self.accelerator.reduce(value, "mean")) for name, value in losses.items()}
        if not math.isfinite(values["loss"]):
            raise RuntimeError(
                f"The loss is {values['loss']} at step {step}. Lower optimiser.lr, or use bf16 in place of "
                f"fp16; the latest checkpoints are in {self.output}."
            )
        if self.journal is not None:
            rate = learning_rate(self.config.optimiser, step - 1, self.config.run.steps)
            self.journal.report(step, {**values, "lr": rate, "seconds_per_step": seconds})
        return {name: f"{value:.4g}" for name, value in values.items()}

    def _is_due(self, every: int, done: int) -> bool:
        return every > 0 and (done % every == 0 or done == self.config.run.steps)

    def _validate(self, step: int) -> None:
        """Measure the averaged weights, and log on the main process. A VAE alone renders no bokeh.

        Every process measures the same clips: metrics of torchmetrics wait for all of them.
        """
        if self.stage == "stage0":
            return
        if not self.baselines:
            self.baselines = self.validation.baselines()
        with self._exported_weights():
            self.measured, rendered = self.validation.measure(self.network, self.mpi_mode)
        if self.journal is not None:
            self.journal.report(step, self.measured, "validation")
            shown = list(zip(self.validation.clips(), rendered, strict=True))
            for number, (clip, picture) in enumerate(shown[: self.config.validation.shown]):
                rows = {"all in focus": clip.frames, "network": picture, "ray-traced": clip.bokeh}
                self.journal.clip(step, f"clip-{number}", rows)
        self.accelerator.wait_for_everyone()

    def _exported_weights(self) -> _Swapped:
        return _Swapped(self.network, self.average, self.parameters)

    def _source(self) -> SceneSource:
        data = self.config.data
        if data.shards is not None:
            return ShardedScenes(data, self.config.seed)
        on_cpu = data.device == "cpu" or data.workers > 0
        return RenderedScenes(data, self.config.seed, "cpu" if on_cpu else self.device)

    def finish(self, file: Path) -> Result:
        """Write the weights, and last the file that says that the run is finished."""
        files: dict[str, str] = {}
        if self.accelerator.is_main_process:
            with self._exported_weights():
                paths = write_results(self.network, self.config, self.stage, self.output)
            files = {path.stem: str(path) for path in paths}
            result = Result(files, self.measured, self.baselines)
            write_whole_json(file, asdict(result), indent=1)
        self.accelerator.wait_for_everyone()
        return Result(**json.loads(file.read_text(encoding="utf-8")))

    def close(self) -> None:
        if self.journal is not None:
            self.journal.close()


class _Swapped:
    """The weights that users get, in the network for a while: averaged where there is an average."""

    def __init__(
        self, network: BokehNetwork, average: MovingAverage | None, parameters: list[torch.nn.Parameter]
    ) -> None:
        self._network, self._average, self._parameters = network, average, parameters

    def __enter__(self) -> None:
        self._network.eval()
        if self._average is not None:
            self._average.swap_in(self._parameters)

    def __exit__(self, *_: object) -> None:
        if self._average is not None:
            self._average.swap_out(self._parameters)
        self._network.train()


def make_optimiser(
    parameters: list[torch.nn.Parameter], config: OptimiserConfig, device: torch.device
) -> torch.optim.Optimizer:
    """Adam or AdamW, fused where the device has it."""
    kind = torch.optim.AdamW if config.name == "adamw" else torch.optim.Adam
    return kind(
        parameters,
        lr=config.lr,
        betas=config.betas,
        eps=config.eps,
        weight_decay=config.weight_decay,
        fused=device.type in ("cpu", "cuda"),
    )


def _accelerator(config: TrainConfig) -> Accelerator:
    try:
        from accelerate import Accelerator, DistributedDataParallelKwargs
        from accelerate.state import AcceleratorState  # type: ignore[import-untyped]
    except ImportError as error:
        raise ValueError("Training needs accelerate; install it (pip install accelerate).") from error
    # Accelerate keeps one state a process and refuses another precision, which a later phase may have.
    AcceleratorState._reset_state()
    return Accelerator(
        gradient_accumulation_steps=config.run.accumulation,
        mixed_precision=config.run.mixed_precision,
        cpu=config.run.cpu,
        # A batch without any cell inside a level's MPI regions leaves the layers of its object tokens out.
        kwargs_handlers=[DistributedDataParallelKwargs(find_unused_parameters=True)],
    )
