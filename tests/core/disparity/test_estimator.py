"""Depth Anything V2, on a model of a few weights in the same layout."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file
from transformers import DepthAnythingForDepthEstimation, DPTImageProcessor

from bokeh_core.disparity import estimator
from bokeh_core.disparity.estimator import (
    REPOSITORIES,
    SMALL,
    EstimatorFiles,
    cached,
    estimated,
    estimators_in,
    fetched,
    weights_without_configuration,
)
from tests.core.disparity.tiny_estimator import write_tiny_estimator

PREPROCESSOR = {
    "size": {"height": 56, "width": 56},
    "ensure_multiple_of": 14,
    "keep_aspect_ratio": True,
    "image_mean": [0.485, 0.456, 0.406],
    "image_std": [0.229, 0.224, 0.225],
    "resample": 3,
}


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = write_tiny_estimator(tmp_path_factory.mktemp("models") / "tiny")
    (folder / "preprocessor_config.json").write_text(json.dumps(PREPROCESSOR), encoding="utf-8")
    return folder


def pictures(count: int, height: int = 90, width: int = 160) -> torch.Tensor:
    """Soft noise in whole 8-bit levels, which another library's resizing sees alike."""
    random = torch.rand((count, 3, 9, 16), generator=torch.Generator().manual_seed(0))
    soft = torch.nn.functional.interpolate(random, (height, width), mode="bicubic").clamp(0, 1)
    return (soft.permute(0, 2, 3, 1) * 255).round() / 255


@pytest.mark.parametrize("size", [(90, 160), (160, 90), (64, 64), (300, 121)])
def test_frames_are_prepared_as_transformers_prepares_them(tiny: Path, size: tuple[int, int]):
    frames = pictures(1, *size)
    processor = DPTImageProcessor(**PREPROCESSOR)
    image = Image.fromarray((frames[0] * 255).round().to(torch.uint8).numpy())
    expected = processor([image], return_tensors="pt")["pixel_values"]
    found = estimator._Preprocessing.of(tiny).prepared(frames.movedim(-1, 1))
    assert found.shape == expected.shape
    # That one rounds to 8-bit levels after each of two passes of resizing, and cuts off overshoot in between.
    levels = (found - expected).abs() * torch.tensor(PREPROCESSOR["image_std"])[:, None, None] * 255
    assert levels.max().item() < 2.5 and levels.mean().item() < 0.5


def test_maps_are_those_of_transformers_own_pipeline(tiny: Path):
    frames = pictures(2)
    found = EstimatorFiles(tiny).load().maps(frames)
    network = DepthAnythingForDepthEstimation.from_pretrained(tiny)
    processor = DPTImageProcessor(**PREPROCESSOR)
    images = [Image.fromarray((frame * 255).round().to(torch.uint8).numpy()) for frame in frames]
    pixels = processor(images, return_tensors="pt")["pixel_values"]
    with torch.no_grad():
        expected = network(pixel_values=pixels).predicted_depth
    assert found.shape == expected.shape == (2, 56, 98)
    # That pipeline resizes in 8-bit levels.
    spread = (expected.max() - expected.min()).item()
    assert spread > 0.1
    assert (found - expected).abs().max().item() < 0.03 * spread


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        # The short side becomes 518 where frames are larger; 518 / 1080 * 1920 = 920.9, 66 times 14.
        ((1080, 1920), (518, 924)),
        ((1920, 1080), (924, 518)),
        # Smaller frames grow by the smaller of the two factors.
        ((90, 160), (294, 518)),
        ((1, 1), (518, 518)),
    ],
)
def test_frames_are_seen_at_the_model_s_size(
    size: tuple[int, int], expected: tuple[int, int], tmp_path: Path
):
    files = EstimatorFiles(write_tiny_estimator(tmp_path / "plain"))
    assert files.load().size_of(size) == expected


def test_a_strip_does_not_fill_the_memory(tmp_path: Path):
    height, width = EstimatorFiles(write_tiny_estimator(tmp_path / "plain")).load().size_of((100, 20000))
    assert height * width < 5 * 518**2 and height % 14 == width % 14 == 0


def test_how_many_at_once_makes_no_difference(tiny: Path):
    model = EstimatorFiles(tiny).load()
    frames = pictures(5, 48, 64)
    one = torch.stack(list(estimated(model, iter(frames), 1)))
    three = torch.stack(list(estimated(model, iter(frames), 3)))
    assert len(one) == 5
    torch.testing.assert_close(one, three, atol=1e-4, rtol=0)
    grey = model.maps(frames[..., :1])
    torch.testing.assert_close(grey, model.maps(frames[..., :1].expand(-1, -1, -1, 3)))


def test_what_maps_mean(tiny: Path, tmp_path: Path):
    relative = EstimatorFiles(tiny).meaning("robust percentiles")
    assert (relative.source, relative.polarity, relative.normalisation) == (
        "disparity",
        "near white",
        "robust percentiles",
    )
    metric = write_tiny_estimator(tmp_path / "metric", depth_estimation_type="metric", max_depth=20)
    assert EstimatorFiles(metric).meaning().source == "metric depth"


def test_models_are_found_by_their_configuration(tiny: Path, tmp_path: Path):
    shutil.copytree(tiny, tmp_path / "a" / "deep")
    shutil.copytree(tiny, tmp_path / "b")
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "config.json").write_text('{"model_type": "clip"}')
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "config.json").write_text("{")
    assert list(estimators_in([tmp_path, tmp_path / "nowhere"])) == ["a/deep", "b"]


def test_single_files_of_weights_are_told_from_models(tiny: Path, tmp_path: Path):
    shutil.copytree(tiny, tmp_path / "model")
    (tmp_path / "depth_anything_v2_vits_fp16.safetensors").touch()
    assert weights_without_configuration([tmp_path, tmp_path / "nowhere"]) == [
        "depth_anything_v2_vits_fp16.safetensors"
    ]


def test_a_fingerprint_follows_the_files(tiny: Path, tmp_path: Path):
    folder = tmp_path / "m"
    shutil.copytree(tiny, folder)
    before = EstimatorFiles(folder).fingerprint()
    assert EstimatorFiles(folder).fingerprint() == before
    (folder / "preprocessor_config.json").unlink()
    assert EstimatorFiles(folder).fingerprint() != before


class TestBadFiles:
    def test_a_folder_of_something_else(self, tmp_path: Path):
        with pytest.raises(ValueError, match=r"is no Depth Anything model; it must hold config.json"):
            EstimatorFiles(tmp_path)

    def test_weights_that_are_missing_are_never_drawn_at_random(self, tiny: Path, tmp_path: Path):
        folder = tmp_path / "m"
        shutil.copytree(tiny, folder)
        weights = load_file(folder / "model.safetensors")
        weights.pop("head.conv1.weight")
        save_file(weights, folder / "model.safetensors", {"format": "pt"})
        with pytest.raises(ValueError, match=r"lacks 1 of the model's weights, such as head.conv1.weight"):
            EstimatorFiles(folder).load()

    def test_a_cut_file(self, tiny: Path, tmp_path: Path):
        folder = tmp_path / "m"
        shutil.copytree(tiny, folder)
        whole = (folder / "model.safetensors").read_bytes()
        (folder / "model.safetensors").write_bytes(whole[:-100])
        with pytest.raises(ValueError, match="cannot be loaded"):
            EstimatorFiles(folder).load()

    def test_a_damaged_preprocessor(self, tiny: Path, tmp_path: Path):
        folder = tmp_path / "m"
        shutil.copytree(tiny, folder)
        (folder / "preprocessor_config.json").write_text('{"size": 518}')
        with pytest.raises(ValueError, match=r"preprocessor_config.json is damaged"):
            EstimatorFiles(folder).load()

    @pytest.mark.parametrize("dtype", [torch.float32, torch.float16])
    def test_numbers_that_are_not_finite(self, tiny: Path, dtype: torch.dtype):
        model = EstimatorFiles(tiny).load(dtype)
        network: Any = model.network
        torch.nn.init.constant_(network.inner.head.conv3.bias, float("inf"))
        with pytest.raises(ValueError, match=r"not finite, also in float32; fetch the model again"):
            model.maps(pictures(1, 48, 64))


def test_half_precision_that_overflows_goes_on_in_float32(tiny: Path):
    frames = pictures(3, 48, 64)
    model, exact = EstimatorFiles(tiny).load(torch.float16), EstimatorFiles(tiny).load()
    # Beyond 65504, the largest number of float16, on the way; the last layers bring it back.
    for one in (model, exact):
        network: Any = one.network
        with torch.no_grad():
            network.inner.head.conv1.weight.mul_(3e4)
            network.inner.head.conv2.weight.mul_(1e-4)
    found = torch.stack(list(estimated(model, iter(frames), 2)))
    assert next(model.network.parameters()).dtype == torch.float32
    assert bool(found.isfinite().all()) and found.shape == (3, 42, 56)


def test_a_full_device_takes_frames_one_by_one(tiny: Path):
    model = EstimatorFiles(tiny).load()
    plain, asked = model.maps, []

    def narrow(frames: torch.Tensor) -> torch.Tensor:
        asked.append(len(frames))
        if len(frames) > 1:
            raise torch.cuda.OutOfMemoryError("CUDA out of memory")
        return plain(frames)

    model.maps = narrow  # type: ignore[method-assign]
    frames = pictures(5, 48, 64)
    found = torch.stack(list(estimated(model, iter(frames), 4)))
    assert asked == [4, 1, 1, 1, 1, 1]
    torch.testing.assert_close(found, torch.stack([plain(frame[None])[0] for frame in frames]))

    def broken(frames: torch.Tensor) -> torch.Tensor:
        raise RuntimeError("another")

    model.maps = broken  # type: ignore[method-assign]
    with pytest.raises(RuntimeError, match="another"):
        list(estimated(model, iter(frames), 4))


class TestFetching:
    @pytest.fixture
    def hub(self, tiny: Path, monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
        """A hub that has the model; what was asked of it."""
        asked: list[dict[str, Any]] = []

        def snapshot_download(repository: str, **settings: Any) -> str:
            asked.append({"repository": repository, **settings})
            if settings.get("local_files_only"):
                raise FileNotFoundError("not in the cache")
            folder = settings.get("local_dir", tiny)
            if folder is not tiny:
                shutil.copytree(tiny, folder, dirs_exist_ok=True)
            return str(folder)

        import huggingface_hub

        monkeypatch.setattr(huggingface_hub, "snapshot_download", snapshot_download)
        return asked

    def test_looking_never_downloads(self, hub: list[dict[str, Any]]):
        assert cached(SMALL) is None
        assert [call["local_files_only"] for call in hub] == [True]

    def test_a_named_repository_is_fetched_once_into_a_folder(
        self, hub: list[dict[str, Any]], tmp_path: Path
    ):
        files = fetched(SMALL, tmp_path)
        assert files.folder == tmp_path / "Depth-Anything-V2-Small-hf"
        assert fetched(SMALL, tmp_path) == files and len(hub) == 1
        # Weights in pickles are never fetched.
        assert set(hub[0]["allow_patterns"]) == {"config.json", "preprocessor_config.json", "*.safetensors"}

    def test_a_download_that_broke_off_goes_on_and_folders_of_others_are_left_alone(
        self, hub: list[dict[str, Any]], tmp_path: Path
    ):
        folder = tmp_path / "Depth-Anything-V2-Small-hf"
        folder.mkdir()
        (folder / "notes.txt").write_text("mine")
        with pytest.raises(ValueError, match="is no Depth Anything model"):
            fetched(SMALL, tmp_path)
        assert hub == []
        (folder / "notes.txt").unlink()
        folder.rmdir()
        (tmp_path / "Depth-Anything-V2-Small-hf" / ".cache" / "huggingface").mkdir(parents=True)
        assert fetched(SMALL, tmp_path).folder == folder and len(hub) == 1

    def test_only_known_repositories(self, hub: list[dict[str, Any]]):
        with pytest.raises(ValueError, match="somebody/model is no folder with a depth model"):
            fetched("somebody/model")
        assert hub == []

    def test_without_a_network(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
        import huggingface_hub

        def offline(repository: str, **_settings: Any) -> str:
            raise ConnectionError(f"no way to {repository}")

        monkeypatch.setattr(huggingface_hub, "snapshot_download", offline)
        with pytest.raises(ValueError, match=r"could not be downloaded \(no way to .*by hand into a folder"):
            fetched(SMALL, tmp_path)

    def test_licences_are_named(self):
        assert REPOSITORIES[SMALL].startswith("Apache-2.0")
        assert [name for name, licence in REPOSITORIES.items() if "non-commercial" in licence] == [
            name for name in REPOSITORIES if name != SMALL
        ]
        assert estimator.MODEL_TYPE == "depth_anything"
