"""Depth in two passes is what `prepare_disparity` makes of the whole clip, from any kind of source."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from bokeh_core.disparity.files import read_depth_maps
from bokeh_core.disparity.fit import MapFit
from bokeh_core.disparity.meaning import DepthMeaning
from bokeh_core.disparity.prepare import prepare_disparity
from bokeh_core.disparity.statistics import DisparityStatistics
from bokeh_core.progress import no_progress
from bokeh_core.render.depth import DepthRequest, FileDepth, GivenDepth, GivenMaps, PreparedDepth
from tests.core.render.clips import sliding_disparity, write_disparity, write_video

COUNT, HEIGHT, WIDTH = 7, 30, 40


def folder(path: Path) -> Path:
    return write_disparity(path / "maps", sliding_disparity(COUNT, HEIGHT, WIDTH))


def npy(path: Path) -> Path:
    np.save(path / "maps.npy", 1 + 9 * sliding_disparity(COUNT, HEIGHT, WIDTH))
    return path / "maps.npy"


def npy_by_columns(path: Path) -> Path:
    np.save(path / "maps.npy", np.asfortranarray(1 + 9 * sliding_disparity(COUNT, HEIGHT, WIDTH)))
    return path / "maps.npy"


def npz(path: Path) -> Path:
    maps = 1 + sliding_disparity(COUNT, HEIGHT, WIDTH).astype(np.float16)[:, None]
    np.savez_compressed(path / "maps.npz", depths=maps, intrinsics=np.eye(3))
    return path / "maps.npz"


def npz_by_columns(path: Path) -> Path:
    np.savez(path / "maps.npz", np.asfortranarray(1 + sliding_disparity(COUNT, HEIGHT, WIDTH)))
    return path / "maps.npz"


def video(path: Path) -> Path:
    maps = np.rint(40 + 200 * sliding_disparity(COUNT, HEIGHT, WIDTH)).astype(np.uint8)
    return write_video(path / "maps.mkv", np.repeat(maps[..., None], 3, axis=3), pixel_format="gray")


SOURCES: list[Callable[[Path], Path]] = [folder, npy, npy_by_columns, npz, npz_by_columns, video]
# How they lie on the frames, each with the number of frames that the maps then serve.
FITS: list[tuple[MapFit, int]] = [
    (MapFit("pad"), COUNT),
    (MapFit("crop", frame_offset=-2), COUNT + 1),
    (MapFit(frames_per_map=2.5), 18),
    (MapFit(frame_offset=3, frames_per_map=3), 19),
]
MEANINGS: list[dict[str, Any]] = [
    {},
    {"polarity": "near black", "exponent": 2.0},
    {"source": "metric depth"},
    {"normalisation": "robust percentiles"},
    {"holes": "fill from around"},
]


def streamed(depth: PreparedDepth, start: int = 0) -> torch.Tensor:
    return torch.stack(list(depth.read(start)))


@pytest.mark.parametrize("meaning", MEANINGS, ids=str)
@pytest.mark.parametrize("source", SOURCES, ids=lambda s: s.__name__)
def test_streamed_is_prepared(tmp_path: Path, source: Callable[[Path], Path], meaning: dict[str, Any]):
    path = source(tmp_path)
    if meaning.get("source") and source is folder:
        with pytest.raises(ValueError, match="metric depth values are 0 or less"):
            FileDepth(path, DepthMeaning(**meaning)).prepare(DepthRequest(COUNT, (HEIGHT, WIDTH)))
        return
    size = (45, 64)
    whole = prepare_disparity(read_depth_maps(path).values, **meaning, height=size[0], width=size[1])
    depth = FileDepth(path, DepthMeaning(**meaning)).prepare(DepthRequest(COUNT, size))
    assert torch.equal(streamed(depth), whole.disparity)
    assert torch.equal(streamed(depth, 3), whole.disparity[3:])
    assert depth.report == f"{read_depth_maps(path).description}\n{whole.report}"


def test_a_still_serves_every_frame(tmp_path: Path):
    path = write_disparity(tmp_path / "maps", sliding_disparity(1, HEIGHT, WIDTH)) / "00000.png"
    depth = FileDepth(path).prepare(DepthRequest(5, (HEIGHT, WIDTH)))
    whole = prepare_disparity(read_depth_maps(path).values, num_frames=5)
    assert torch.equal(streamed(depth), whole.disparity)
    assert len(streamed(depth, 2)) == 3
    assert "One map serves all 5 video frames." in depth.report


def test_what_was_measured_is_not_measured_again(tmp_path: Path):
    source = FileDepth(folder(tmp_path))
    seen: list[tuple[int, int]] = []
    first = source.prepare(DepthRequest(COUNT, (HEIGHT, WIDTH), None, lambda *tick: seen.append(tick)))
    told = [(done, COUNT) for done in range(1, COUNT + 1)]
    assert seen == told
    again = source.prepare(DepthRequest(COUNT, (HEIGHT, WIDTH), first.saved, lambda *tick: seen.append(tick)))
    assert seen == told
    assert again.report == first.report
    assert torch.equal(streamed(again), streamed(first))


def test_two_maps_beyond_the_last_frame_are_left_out():
    values = torch.rand(22, 4, 4, generator=torch.Generator().manual_seed(0))
    told: list[tuple[int, int]] = []
    meaning = DepthMeaning(normalisation="none", polarity="near white")
    depth = GivenMaps(values, meaning).prepare(
        DepthRequest(20, (4, 4), None, lambda *tick: told.append(tick))
    )
    assert torch.equal(streamed(depth), values[:20])
    assert "22 maps for 20 video frames: those after the first 20 are left out." in depth.report
    assert told[-1] == (20, 20) and max(told) == (20, 20)


def test_another_number_of_maps_is_an_error(tmp_path: Path):
    with pytest.raises(ValueError, match="7 disparity frames for 8 video frames; give 8, or 1"):
        FileDepth(folder(tmp_path)).prepare(DepthRequest(8, (HEIGHT, WIDTH)))
    with pytest.raises(ValueError, match="7 disparity frames for 8 video frames; give 8, or 1"):
        GivenDepth(torch.zeros(7, 4, 4)).prepare(DepthRequest(8, (4, 4)))


def test_given_disparity_is_resized_to_the_frames():
    given = torch.tensor([[[0.0, 1.0]]])
    depth = GivenDepth(given).prepare(DepthRequest(2, (2, 4)))
    # Bilinear, pixel centres: a two-pixel step doubled gives 0, 1/4, 3/4, 1.
    assert streamed(depth).tolist() == [[[0, 0.25, 0.75, 1]] * 2] * 2
    assert "Resized from 2 x 1 to 4 x 2 px." in depth.report


def test_damaged_archives_are_named(tmp_path: Path):
    path = npz(tmp_path)
    data = path.read_bytes()
    path.write_bytes(data[:200] + bytes(200) + data[400:])
    with pytest.raises(ValueError, match=r"maps\.npz cannot be read as a NumPy file"):
        list(FileDepth(path).prepare(DepthRequest(COUNT, (HEIGHT, WIDTH))).read(0))


def test_percentiles_of_a_long_clip_come_from_a_fair_sample():
    # 6,000,000 values, of which at most 4,000,000 are kept.
    statistics = DisparityStatistics(DepthMeaning(polarity="near white", normalisation="robust percentiles"))
    generator = torch.Generator().manual_seed(0)
    for _ in range(150):
        statistics.add(torch.rand(200, 200, generator=generator))
    conversion = statistics.conversion()
    # The standard error of a percentile of 2,000,000 samples at 1 % is 0.00007.
    assert conversion.low == pytest.approx(0.01, abs=4e-4)
    assert conversion.high == pytest.approx(0.99, abs=4e-4)


@pytest.mark.parametrize(("fit", "frames"), FITS, ids=str)
@pytest.mark.parametrize("source", [npy, video], ids=lambda s: s.__name__)
def test_streamed_lies_on_the_frames_as_prepared(
    tmp_path: Path, source: Callable[[Path], Path], fit: MapFit, frames: int
):
    path, size = source(tmp_path), (45, 64)
    whole = prepare_disparity(
        read_depth_maps(path).values, **vars(fit), num_frames=frames, height=size[0], width=size[1]
    )
    depth = FileDepth(path, fit=fit).prepare(DepthRequest(frames, size))
    assert len(whole.disparity) == frames
    for start in (0, 5):
        assert torch.equal(streamed(depth, start), whole.disparity[start:])
    assert depth.report == f"{read_depth_maps(path).description}\n{whole.report}"
    again = FileDepth(path, fit=fit).prepare(DepthRequest(frames, size, depth.saved, no_progress))
    assert torch.equal(streamed(again), whole.disparity) and again.report == depth.report
    given = GivenMaps(read_depth_maps(path).values, fit=fit).prepare(DepthRequest(frames, size))
    assert torch.equal(streamed(given), whole.disparity)


def test_how_maps_are_read_is_part_of_what_they_are(tmp_path: Path):
    path = npy(tmp_path)
    settings: list[dict[str, Any]] = [
        {},
        {"meaning": DepthMeaning(holes="far")},
        {"fit": MapFit("pad")},
        {"fit": MapFit(frame_offset=1)},
        {"fit": MapFit(frames_per_map=2)},
    ]
    assert len({FileDepth(path, **given).fingerprint() for given in settings}) == len(settings)
    values = read_depth_maps(path).values
    assert len({GivenMaps(values, **given).fingerprint() for given in settings}) == len(settings)


def test_holes_are_streamed_as_prepared(tmp_path: Path):
    maps = 1 + 9 * sliding_disparity(COUNT, HEIGHT, WIDTH)
    maps[2, 5:9, 7:30], maps[4:, :3], maps[0, 0, 0] = np.nan, np.inf, 0
    np.save(tmp_path / "maps.npy", maps)
    for holes in ("far", "fill from around"):
        for kind in ("disparity", "metric depth"):
            meaning = DepthMeaning(kind, holes=holes)
            whole = prepare_disparity(torch.from_numpy(maps).float(), kind, holes=holes)
            depth = FileDepth(tmp_path / "maps.npy", meaning).prepare(DepthRequest(COUNT, (HEIGHT, WIDTH)))
            assert torch.equal(streamed(depth), whole.disparity)
            assert "Holes: " in depth.report
