"""Configs are read strictly: unknown keys, wrong types and wrong ranges are named."""

from pathlib import Path
from typing import Any

import pytest

from bokeh_core.train.config import STAGES
from bokeh_core.train.config_file import (
    CONFIGS,
    apply_settings,
    phase_configs,
    read_yaml,
    stage_config,
    train_config,
)
from bokeh_core.train.disparity_noise import DisparityNoise
from bokeh_core.train.loop import learning_rate

LEAST: dict[str, Any] = {"output": "out", "run": {"steps": 10}, "optimiser": {"lr": 1e-4}}


def with_value(key: str, text: str) -> dict[str, Any]:
    return apply_settings(LEAST, [f"{key}={text}"])


def test_unknown_key_names_the_nearest():
    with pytest.raises(
        ValueError, match=r"data\.rays_acros is no known key; did you mean data\.rays_across\?"
    ):
        train_config(with_value("data.rays_acros", "3"))
    with pytest.raises(ValueError, match=r"optimizer is no known key; did you mean optimiser\?"):
        train_config(with_value("optimizer", "{lr: 1}"))


@pytest.mark.parametrize(
    ("key", "text", "message"),
    [
        ("run.steps", "1.5", r"run\.steps is 1\.5; it must be a whole number"),
        ("run.steps", "0", r"run\.steps is 0; it must be above 0"),
        ("run.cpu", "1", r"run\.cpu is 1; it must be true or false"),
        ("optimiser.lr", "fast", r"optimiser\.lr is 'fast'; it must be a number"),
        ("optimiser.name", "sgd", r"optimiser\.name is 'sgd'; it must be one of adam, adamw"),
        ("data.size", "[100, 64]", r"100 x 64; both sides must be multiples of 64 px, such as 128 x 64"),
        ("data.crop", "[2048, 64]", r"data\.crop is \(2048, 64\); it must fit into data\.size"),
        ("data.frames", "[5, 3]", r"data\.frames is 5 to 3; it must be ascending"),
        ("data.size", "[64]", r"data\.size has 1 values; it must have 2"),
        ("noise.probability", "2", r"noise\.probability is 2; it must be 0 to 1"),
        ("data.shards", "folder", r"data\.shards needs data\.scenes"),
        ("model.options", "yes", r"model\.options is True; it must hold keys and values"),
    ],
)
def test_wrong_values_are_named(key: str, text: str, message: str):
    with pytest.raises(ValueError, match=message):
        train_config(with_value(key, text))


def test_missing_keys_are_named():
    with pytest.raises(ValueError, match=r"run\.steps: this must be given"):
        train_config({"output": "out", "run": {}, "optimiser": {"lr": 1}})


def test_values_become_what_the_fields_say():
    config = train_config(with_value("optimiser.lr", "1e-5"))
    assert config.optimiser.lr == 1e-5  # YAML reads it as text
    assert train_config(with_value("data.frames", "3")).data.frames == (3, 3)
    assert train_config(with_value("run.ema_decay", "null")).run.ema_decay is None


def test_stage_2_is_disturbed_as_published_unless_told_otherwise():
    assert train_config(LEAST).disparity_noise("stage2") == DisparityNoise(probability=0.5)
    assert train_config(LEAST).disparity_noise("stage1") is None
    calm = train_config(with_value("noise.probability", "0.25"))
    assert calm.disparity_noise("stage2") == DisparityNoise(probability=0.25)


def test_phases_have_the_common_values_under_their_own():
    common = {**LEAST, "data": {"frames": 2, "scene_frames": 4}}
    phases = [{"stage": "stage0", "data": {"frames": 1}}, {"stage": "stage1"}]
    found = phase_configs({"common": common, "phases": phases})
    assert [(stage, config.data.frames, config.data.scene_frames) for stage, config in found] == [
        ("stage0", (1, 1), 4),
        ("stage1", (2, 2), 4),
    ]
    assert stage_config({"common": common, "phases": phases}, "stage1") == found[1][1]
    with pytest.raises(ValueError, match="0 phases of stage3"):
        stage_config({"common": common, "phases": phases}, "stage3")
    with pytest.raises(ValueError, match="'data' belongs below `common`"):
        phase_configs({"common": common, "phases": phases, "data": {}})
    with pytest.raises(ValueError, match=r"phases\[0\]\.stage is 'stage9'"):
        phase_configs({"common": common, "phases": [{"stage": "stage9"}]})


@pytest.mark.parametrize("file", sorted(CONFIGS.glob("*.yaml")), ids=lambda file: file.stem)
def test_examples_are_valid(file: Path):
    values = read_yaml(file)
    configs = (
        [config for _, config in phase_configs(values)] if "phases" in values else [train_config(values)]
    )
    assert all(config.run.steps > 0 for config in configs)


def test_published_recipe():
    stages = [read_yaml(CONFIGS / f"published_stage{n}.yaml") for n in (1, 2, 3)]
    configs = [train_config(values) for values in stages]
    assert [config.optimiser.lr for config in configs] == [1e-5, 5e-6, 5e-6]
    assert [config.data.frames for config in configs] == [(4, 4), (8, 8), (3, 8)]
    assert all(config.data.size == (1024, 576) and config.data.crop is None for config in configs)
    assert all(config.run.batch == 1 and config.optimiser.name == "adam" for config in configs)
    assert len(STAGES) == 5


def test_learning_rate_rises_then_falls_as_a_cosine():
    optimiser = train_config(
        apply_settings(LEAST, ["optimiser={lr: 8, warmup_steps: 4, schedule: cosine}"])
    ).optimiser
    rates = [learning_rate(optimiser, step, 12) for step in range(12)]
    assert rates[:4] == [2, 4, 6, 8]
    assert rates[4] == 8
    # Half-way between step 4 and step 12.
    assert rates[8] == pytest.approx(4)


def test_missing_file_says_where_examples_are(tmp_path: Path):
    with pytest.raises(ValueError, match="configs to start from are in"):
        read_yaml(tmp_path / "none.yaml")
