"""The loop: resumed runs equal uninterrupted ones, batches may be split, results load as published ones."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml  # type: ignore[import-untyped]
from safetensors.torch import load_file
from torch import Tensor, nn

from bokeh_core.checkpoint.files import read_safetensors_header
from bokeh_core.checkpoint.load import load_unet, load_vae, trained_mpi_mode
from bokeh_lab.train.__main__ import main
from bokeh_lab.train.averaging import MovingAverage
from bokeh_lab.train.config_file import train_config
from bokeh_lab.train.journal import Journal, read_log
from bokeh_lab.train.loop import train

ROOT = Path(__file__).resolve().parents[3]


def same_file(first: str | Path, second: str | Path) -> bool:
    """Tensors and metadata equal bit by bit; the order of the metadata in a file is left to chance."""
    tensors, others = load_file(first), load_file(second)
    metadata = [read_safetensors_header([Path(file)])[1] for file in (first, second)]
    return (
        metadata[0] == metadata[1]
        and tensors.keys() == others.keys()
        and all(torch.equal(value, others[name]) for name, value in tensors.items())
    )


WAITS_AFTER_STEP_3 = """
import sys
from bokeh_lab.train.__main__ import main
from bokeh_lab.train.journal import Journal

report = Journal.report

def report_and_wait(self, step, *values):
    report(self, step, *values)
    if step == 3:
        print("step 3", flush=True)
        sys.stdin.read()

Journal.report = report_and_wait
main(["stage1", "--config", sys.argv[1]])
"""


# One step, as long as the gradients say: Adam would magnify the rounding of those that are nearly zero.
PLAIN_GRADIENTS = {"lr": 1.0, "eps": 1.0, "clip_norm": None}


def distance(first: dict[str, Tensor], second: dict[str, Tensor]) -> float:
    """The greatest difference of two networks' weights."""
    return max(float((value - second[name]).abs().max()) for name, value in first.items())


@pytest.mark.slow
def test_a_killed_run_ends_with_the_same_bits(tiny_run: dict[str, Any], tmp_path: Path):
    tiny_run["run"] = {**tiny_run["run"], "steps": 8}
    whole = train(train_config({**tiny_run, "output": str(tmp_path / "whole")}), "stage1")

    config = tmp_path / "killed.yaml"
    config.write_text(yaml.safe_dump({**tiny_run, "output": str(tmp_path / "killed")}), encoding="utf-8")
    with subprocess.Popen(
        [sys.executable, "-c", WAITS_AFTER_STEP_3, str(config)],
        cwd=ROOT,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        assert process.stdout is not None
        reached = "step 3\n" in process.stdout
        process.kill()
    assert reached and process.returncode != 0
    first = tmp_path / "killed" / "checkpoints" / "step-00000002"
    assert first.is_dir() and not (tmp_path / "killed" / "result.json").exists()
    assert [report["step"] for report in read_log(tmp_path / "killed")] == [1, 2, 3]

    assert main(["stage1", "--config", str(config)]) == 0
    assert same_file(tmp_path / "killed" / "unet.safetensors", whole.files["unet"])
    logs = [
        [(report["step"], report["loss"]) for report in read_log(tmp_path / name)]
        for name in ("whole", "killed")
    ]
    assert logs[0] == logs[1]
    assert [step for step, _ in logs[0]] == list(range(1, 9))
    # The last three of the checkpoints at 2, 4, 6 and 8.
    kept = sorted(path.name for path in first.parent.iterdir())
    assert kept == ["step-00000004", "step-00000006", "step-00000008"]


def test_results_are_in_the_published_layout(tiny_run: dict[str, Any]):
    tiny_run["data"] = {**tiny_run["data"], "strengths": [64, 192], "ramp_range": [16, 176]}
    values = {**tiny_run, "run": {**tiny_run["run"], "steps": 1}, "validation": {"every": 1, "clips": 1}}
    values["validation"].update(frames=3, strengths=[64], shown=1)
    result = train(train_config(values), "pixels")
    unet, vae = load_unet(result.files["unet"]), load_vae(result.files["vae"])
    assert unet.config.block_out_channels == (32, 32, 32, 32)
    assert vae.config.layers_per_block == 1
    assert trained_mpi_mode(result.files["unet"]) == "paper"
    metadata = read_safetensors_header([Path(result.files["unet"])])[1]
    assert metadata["component"] == "unet"
    # K for 1024 px, of which these frames have 64: constant 64 and 192, ramps from 16 to 176.
    assert (metadata["training_k_min_px"], metadata["training_k_max_px"]) == ("1", "12")
    assert (metadata["training_stage"], metadata["training_steps"]) == ("pixels", "1")
    assert set(result.files) == {"unet", "vae"}
    assert set(result.validation) == {"psnr", "edge_psnr", "ssim", "rm"}
    assert result.baselines["gather"].keys() == result.validation.keys()
    samples = sorted(path.name for path in (Path(values["output"]) / "samples").iterdir())
    assert samples == ["step-00000001-clip-0.mp4", "step-00000001-clip-0.png"]
    # Finished: the same command does nothing, and says the same.
    assert train(train_config(values), "pixels") == result


def test_a_recipe_hands_weights_on_and_becomes_one_file(tiny_run: dict[str, Any], tmp_path: Path):
    tiny_run["run"] = {**tiny_run["run"], "steps": 1}
    tiny_run["model"]["options"] = {"input_skip": True, "latent_difference": True, "defocus_skips": True}
    phases = [{"stage": stage} for stage in ("stage0", "stage1", "pixels")]
    config = tmp_path / "recipe.yaml"
    config.write_text(yaml.safe_dump({"common": tiny_run, "phases": phases}), encoding="utf-8")
    assert main(["recipe", "--config", str(config)]) == 0
    file = tmp_path / "small.safetensors"
    assert main(["bundle", "--config", str(config), "--to", str(file), "--dtype", "fp32"]) == 0
    assert trained_mpi_mode(file) == "paper"
    last = Path(tiny_run["output"]) / "3-pixels"
    vae: Any = load_vae(file)
    parts: list[tuple[str, Any, Any]] = [("unet", load_unet, load_unet(file)), ("vae", load_vae, vae)]
    for part, loaded, bundled in parts:
        expected = loaded(last / f"{part}.safetensors").state_dict()
        found = {n: value for n, value in bundled.state_dict().items() if not n.startswith("layers.")}
        assert expected.keys() == found.keys()
        assert all(torch.equal(found[name], value) for name, value in expected.items())
    assert vae.options.input_skip and bool(vae.layers.image_skip.weight.any())
    # The first stage's encoder is the last one's, and the U-Net of stage 1 was learnt further.
    encoder = load_vae(Path(tiny_run["output"]) / "1-stage0" / "vae.safetensors").encoder.state_dict()
    assert all(torch.equal(vae.encoder.state_dict()[name], value) for name, value in encoder.items())
    shapes, _ = read_safetensors_header([file])
    assert {name.split(".")[0] for name in shapes} == {"unet", "vae", "layers"}


def test_accumulated_batches_equal_one_large_batch(
    tiny_run: dict[str, Any], shallow_unet: dict[str, Any], tmp_path: Path
):
    tiny_run["model"]["unet_config"] = shallow_unet
    states = {}
    for name, sizes in (("start", {"batch": 2}), ("one", {"batch": 2}), ("two", {"accumulation": 2})):
        run = {**tiny_run["run"], **sizes, "steps": 1, "ema_decay": None}
        own = {"lr": 1e-12} if name == "start" else PLAIN_GRADIENTS
        values = {**tiny_run, "optimiser": own, "run": run, "output": str(tmp_path / name)}
        states[name] = load_unet(train(train_config(values), "stage1").files["unet"]).state_dict()
    moved = distance(states["one"], states["start"])
    # Gradients of a sum instead of a mean would move the weights about twice as far.
    assert moved > 0.01
    assert distance(states["one"], states["two"]) < 1e-4 * moved


def test_moving_average_by_hand():
    parameter = nn.Parameter(torch.tensor([1.0]))
    average = MovingAverage([parameter], decay=0.9)
    with torch.no_grad():
        parameter.fill_(3.0)
    average.step([parameter])  # d = 0: the average is 3
    with torch.no_grad():
        parameter.fill_(14.0)
    average.step([parameter])  # d = 2 / 11: 3 * 2 / 11 + 14 * 9 / 11 = 12
    average.swap_in([parameter])
    assert parameter.item() == pytest.approx(12.0)
    average.swap_out([parameter])
    assert parameter.item() == 14.0


def test_another_run_in_the_same_folder_is_refused(tiny_run: dict[str, Any]):
    one_step = {**tiny_run, "run": {**tiny_run["run"], "steps": 1, "checkpoint_every": 1}}
    train(train_config(one_step), "stage1")
    (Path(tiny_run["output"]) / "result.json").unlink()
    other = train_config({**one_step, "optimiser": {"lr": 0.5}, "seed": 3})
    with pytest.raises(ValueError, match=r"other values of optimiser\.lr, seed"):
        train(other, "stage1")
    # What does not touch the result may change.
    again = train_config(one_step)
    train(replace(again, run=replace(again.run, log_every=7)), "stage1")


def test_command_line_names_what_is_wrong(tiny_run: dict[str, Any], tmp_path: Path, capsys: Any):
    config = tmp_path / "config.yaml"
    config.write_text(yaml.safe_dump(tiny_run), encoding="utf-8")
    assert main(["stage1", "--config", str(config), "--set", "run.stepz=3"]) == 1
    assert "did you mean run.steps?" in capsys.readouterr().err
    assert main(["recipe", "--config", str(config)]) == 1
    assert "needs a recipe" in capsys.readouterr().err
    assert main(["stage1", "--config", str(config), "--set", "run.steps=[1"]) == 1
    assert "The value of --set run.steps=[1 is not YAML" in capsys.readouterr().err
    (tmp_path / "file").write_bytes(b"")
    assert main(["stage1", "--config", str(config), "--set", f"output={tmp_path / 'file' / 'run'}"]) == 1
    assert "The system says: " in capsys.readouterr().err
    odd = "model.unet_config.layers_per_block=0"
    assert main(["stage1", "--config", str(config), "--set", odd]) == 1
    assert (
        "The config of model.unet_config makes no network: layers_per_block is 0" in capsys.readouterr().err
    )
    config.write_text("phases: [1]", encoding="utf-8")
    assert main(["recipe", "--config", str(config), "--set", "seed=1"]) == 1
    assert "phases[0] is 1; it must hold keys and values" in capsys.readouterr().err


def test_journal_forgets_what_came_after_the_checkpoint(tmp_path: Path):
    journal = Journal(tmp_path, 0)
    for step in (1, 2, 3):
        journal.report(step, {"loss": 1.0 / step})
    journal.close()
    with (tmp_path / "log.jsonl").open("a", encoding="utf-8") as file:
        file.write('{"step": 4, "lo')  # a line cut off by a kill
    Journal(tmp_path, 2).close()
    assert [report["step"] for report in read_log(tmp_path)] == [1, 2]
    lines = (tmp_path / "log.jsonl").read_text(encoding="utf-8").splitlines()
    assert json.loads(lines[1]) == {"step": 2, "group": "train", "loss": 0.5}


@pytest.mark.slow
def test_two_processes_learn_what_one_learns_from_twice_the_batch(
    tiny_run: dict[str, Any], shallow_unet: dict[str, Any], tmp_path: Path
):
    tiny_run["model"]["unet_config"] = shallow_unet
    tiny_run["optimiser"] = PLAIN_GRADIENTS
    tiny_run["run"] = {**tiny_run["run"], "steps": 1, "ema_decay": None}
    tiny_run["validation"] = {"every": 1, "clips": 1, "frames": 2, "strengths": [64]}
    config = tmp_path / "two.yaml"
    config.write_text(yaml.safe_dump({**tiny_run, "output": str(tmp_path / "two")}), encoding="utf-8")
    launch = ["-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2"]
    command = [sys.executable, *launch, "-m", "bokeh_lab.train", "stage1", "--config", str(config)]
    finished = subprocess.run(
        command, cwd=ROOT, env={**os.environ, "OMP_NUM_THREADS": "1"}, capture_output=True, text=True
    )
    assert finished.returncode == 0, finished.stderr[-2000:]
    tiny_run["run"]["batch"] = 2
    one = train(train_config({**tiny_run, "output": str(tmp_path / "one")}), "stage1")
    tiny_run["optimiser"] = {"lr": 1e-12}
    start = train(train_config({**tiny_run, "output": str(tmp_path / "start")}), "stage1")
    found, expected = load_file(tmp_path / "two" / "unet.safetensors"), load_file(one.files["unet"])
    moved = distance(expected, load_file(start.files["unet"]))
    assert moved > 0.01
    assert distance(found, expected) < 1e-4 * moved
    assert read_log(tmp_path / "two")[0]["loss"] == pytest.approx(
        read_log(tmp_path / "one")[0]["loss"], rel=1e-5
    )
