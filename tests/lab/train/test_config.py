"""Configs are read strictly: unknown keys, wrong types and wrong ranges are named."""

from pathlib import Path
from typing import Any

import pytest

from bokeh_lab.train.config import STAGES
from bokeh_lab.train.config_file import (
    CONFIGS,
    apply_settings,
    phase_configs,
    read_yaml,
    stage_config,
    train_config,
)
from bokeh_lab.train.disparity_noise import DisparityNoise
from bokeh_lab.train.export import training_facts
from bokeh_lab.train.loop import learning_rate

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
        ("optimiser.lr", ".inf", r"optimiser\.lr is inf; it must be a finite number"),
        ("optimiser.lr", ".nan", r"optimiser\.lr is nan; it must be a finite number"),
        ("optimiser.lr", "1e400", r"optimiser\.lr is '1e400'; it must be a finite number|is inf"),
        ("optimiser.lr", "9" * 400, r"optimiser\.lr is a number of over 100 digits; it must be a finite"),
        ("optimiser.lr", "0x" + "f" * 5000, r"optimiser\.lr is a number of over 100 digits"),
        ("optimiser.betas", "[0.9, 1]", r"optimiser\.betas is 1; it must be 0 to 1"),
        ("optimiser.eps", "0", r"optimiser\.eps is 0; it must be above 0"),
        ("run.steps", "-.inf", r"run\.steps is -inf; it must be a whole number"),
        ("run.steps", "[1]", r"run\.steps is \[1\]; it must be a whole number"),
        ("run.steps", "{a: 1}", r"run\.steps is \{'a': 1\}; it must be a whole number"),
        ("seed", "-1", r"seed is -1; it must be 0 to "),
        ("data.size", "[64000000, 64]", r"data\.size is 64000000; it must be 1 to 16384"),
        ("data.gamma", "0", r"data\.gamma is 0; it must be above 0"),
        ("data.strengths", "[4, -1]", r"data\.strengths is -1; it must be 0 to 200"),
        ("data.ramp_range", "[9, 3]", r"data\.ramp_range is 9 to 3; it must be ascending"),
        ("data.rays_across", "0", r"data\.rays_across is 0; it must be 1 to 1001"),
        ("data.preset", "easy", r"data\.preset is 'easy'; it must be one of paper"),
        ("noise.kernels_px", "[4]", r"noise\.kernels_px is 4; it must be odd, such as 5"),
        ("noise.perlin_scales_px", "[4]", r"noise\.perlin_amplitudes has 3 values; it must have 1"),
        ("model.overlap_frames", "8", r"model\.overlap_frames is 8; it must be 0 to 7"),
        ("validation.size", "[65, 64]", r"validation\.size is 65 x 64; both sides must be multiples of 64"),
        ("x" * 10_000, "1", r"^x{80} is no known key; did you mean "),
    ],
)
def test_wrong_values_are_named(key: str, text: str, message: str):
    with pytest.raises(ValueError, match=message):
        train_config(with_value(key, text))


def test_the_file_tells_the_overlap_of_windows_that_its_users_get():
    def told(values: dict[str, Any]) -> str:
        return training_facts(train_config(values), "pixels")["overlap_frames"]

    assert told(LEAST) == "4"
    assert told(with_value("model.overlap_frames", "0")) == "0"
    # What an ablation leaves out of the held-out clips is no advice to users.
    assert told(with_value("ablation.overlap", "false")) == "4"


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


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("run.steps=[1", r"The value of --set run\.steps=\[1 is not YAML at line 1, column \d+: expected"),
        ("run.steps={", "is not YAML at line"),
        ("run.steps=2021-13-45", "is not YAML: month must be in 1..12"),
        ("run.steps=" + "9" * 5000, "is not YAML: Exceeds the limit"),
        ("run.steps=" + "[" * 5000, "is not YAML"),
        ("run.steps=!!python/object:os.system x", "is not YAML at line 1"),
        ("run.steps", "'run.steps' is no setting; write KEY=VALUE"),
        ("=1", "'=1' is no setting"),
        ("run..steps=1", "run..steps is no key; write names with dots between them"),
        ("a." * 3000 + "a=1", "is no key; write names"),
    ],
)
def test_settings_that_cannot_be_read(setting: str, message: str):
    with pytest.raises(ValueError, match=message) as told:
        train_config(apply_settings(LEAST, [setting]))
    assert "\n" not in str(told.value) and len(str(told.value)) < 500


def test_files_that_cannot_be_read(tmp_path: Path):
    file = tmp_path / "config.yaml"
    for content, message in (
        (b"\xff\xfe\x00", "config.yaml cannot be read: 'utf-8' codec"),
        (b"run: [1", "config.yaml is not YAML at line 1"),
        (b"- 1", "holds no mapping of keys to values"),
        (b"[" * 100_000, "config.yaml is not YAML"),
    ):
        file.write_bytes(content)
        with pytest.raises(ValueError, match=message):
            read_yaml(file)


def test_a_list_in_itself_is_shown_short():
    doubling = "[" + ",".join(["&a0 [x]", *(f"&a{i} [*a{i - 1}, *a{i - 1}]" for i in range(1, 60))]) + "]"
    with pytest.raises(ValueError, match=r"^run\.steps is \[\[") as told:
        train_config(apply_settings(LEAST, ["run.steps=" + doubling]))
    assert len(str(told.value)) < 500


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"phases": 3}, "a list of `phases`"),
        ({"phases": [3]}, r"phases\[0\] is 3; it must hold keys and values"),
        ({"phases": [{"stage": ["stage1"]}]}, r"phases\[0\]\.stage is \['stage1'\]; it must be one of"),
        ({"phases": [{"stage": "stage1"}], "common": [1]}, r"common is \[1\]; it must hold keys and values"),
    ],
)
def test_recipes_that_are_none(values: dict[str, Any], message: str):
    with pytest.raises(ValueError, match=message):
        phase_configs(values)
