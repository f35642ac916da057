"""Load Depth and Disparity from Images in a real host."""

import os
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest

from bokeh_core.disparity.fit import FITS, MapFit
from bokeh_core.disparity.holes import HOLES
from bokeh_core.disparity.meaning import NORMALISATIONS, POLARITIES, SOURCES
from bokeh_core.disparity.prepare import prepare_disparity
from tests.host.harness import Array, HostUnderTest
from tests.host.schema import choices_of, function_defaults, inputs_of, schema_defaults

LOAD = "AnyToBokehLoadDisparity"
FROM_IMAGES = "AnyToBokehDisparityFromImages"

# Levels 0, 51, 102 ... 255 are disparity 0, 0.2, 0.4 ... 1: one frame of 3 x 2 px.
LEVELS = np.array([[0, 51, 102], [153, 204, 255]], np.uint8)
DISPARITY = np.arange(6, dtype=np.float32).reshape(2, 3) / 5


def write_frames(folder: Path, frames: list[Array]) -> Path:
    folder.mkdir(parents=True)
    for t, frame in enumerate(frames):
        cv2.imwrite(str(folder / f"{t}.png"), frame)
    return folder


def load(host: HostUnderTest, path: str, frames: Array | None = None, **options: Any) -> list[Any]:
    graph = host.graph()
    if frames is not None:
        options["frames"] = host.load(graph, frames)
    node = graph.add(LOAD, path=path, **{"polarity": "near white", **options})
    return host.values_of(graph, node[0], node[1], node[2])


def load_error(host: HostUnderTest, path: str, frames: Array | None = None, **options: Any) -> str:
    graph = host.graph()
    if frames is not None:
        options["frames"] = host.load(graph, frames)
    node = graph.add(LOAD, path=path, **options)
    host.save(graph, node)
    failure = host.expect_error(graph)
    assert failure.node_id == node.id
    return failure.message


def from_images(host: HostUnderTest, images: Array, frames: Array | None = None, **options: Any) -> list[Any]:
    graph = host.graph()
    if frames is not None:
        options["frames"] = host.load(graph, frames)
    node = graph.add(FROM_IMAGES, images=host.load(graph, images), **{"polarity": "near white", **options})
    return host.values_of(graph, node[0], node[1], node[2])


def from_images_error(host: HostUnderTest, images: Array, frames: Array | None = None, **options: Any) -> str:
    graph = host.graph()
    if frames is not None:
        options["frames"] = host.load(graph, frames)
    host.save(graph, graph.add(FROM_IMAGES, images=host.load(graph, images), **options))
    return host.expect_error(graph).message


@pytest.mark.parametrize("node_id", [LOAD, FROM_IMAGES])
def test_schema_and_function_agree(host: HostUnderTest, node_id: str):
    schema = schema_defaults(host, node_id)
    function = function_defaults(prepare_disparity)
    shared = set(schema) & set(function)
    assert shared >= {"source", "polarity", "normalisation", "exponent"}
    assert {name: schema[name] for name in shared} == {name: function[name] for name in shared}
    assert choices_of(host, node_id, "source") == list(SOURCES)
    assert choices_of(host, node_id, "polarity") == list(POLARITIES)
    assert choices_of(host, node_id, "normalisation") == list(NORMALISATIONS)


@pytest.mark.parametrize("node_id", [LOAD, FROM_IMAGES])
def test_every_input_and_output_is_explained(host: HostUnderTest, node_id: str):
    assert [n for n, (_, options) in inputs_of(host, node_id).items() if not options.get("tooltip")] == []
    info = host.object_info()[node_id]
    distances = ["near_distance", "far_distance"]
    assert info["output_name"] == ["disparity", "image", "report", *distances]
    assert all(info["output_tooltips"])


def test_a_folder_in_the_input_folder_is_loaded(host: HostUnderTest, tmp_path: Path):
    name = host.upload(write_frames(tmp_path / "depth", [LEVELS, LEVELS // 2]))
    disparity, image, report = load(host, name)
    assert disparity.dtype == np.float32
    np.testing.assert_allclose(disparity[0], DISPARITY, atol=1e-6)
    np.testing.assert_allclose(disparity[1], (LEVELS // 2) / 255, atol=1e-6)
    np.testing.assert_array_equal(image, np.repeat(disparity[..., None], 3, axis=-1))
    assert "Read 2 frames of 3 x 2 px, 8-bit" in report
    assert "Polarity: near white (chosen)." in report


def test_an_absolute_path_is_loaded(host: HostUnderTest, tmp_path: Path):
    np.save(tmp_path / "depth.npy", DISPARITY)
    disparity, _, _ = load(host, f'"{tmp_path / "depth.npy"}"')
    np.testing.assert_allclose(disparity, DISPARITY[None], atol=1e-6)


def test_a_still_is_resized_and_serves_the_clip(host: HostUnderTest, tmp_path: Path):
    name = host.upload(write_frames(tmp_path / "depth", [LEVELS]))
    disparity, _, report = load(host, name, frames=np.zeros((4, 5, 7, 3), np.float32))
    assert disparity.shape == (4, 5, 7)
    np.testing.assert_array_equal(disparity[3], disparity[0])
    assert "One map serves all 4 video frames." in report


def test_metric_depth_in_a_video_of_arrays(host: HostUnderTest, tmp_path: Path):
    np.savez(tmp_path / "depth.npz", depth=np.array([[[1.0, 2.0]], [[4.0, 4.0]]]))
    disparity, _, report = load(host, str(tmp_path / "depth.npz"), source="metric depth", polarity="auto")
    np.testing.assert_allclose(disparity, np.array([[[1, 1 / 3]], [[0, 0]]]), atol=1e-6)
    assert "inverted to 1 / depth" in report


def test_a_part_of_a_clip_keeps_the_scale_of_the_whole(host: HostUnderTest, tmp_path: Path):
    name = host.upload(write_frames(tmp_path / "depth", [LEVELS, LEVELS // 5, LEVELS]))
    disparity, _, _ = load(host, name, start_frame=1, max_frames=1)
    np.testing.assert_allclose(disparity, (LEVELS // 5)[None] / 255, atol=1e-6)


def test_files_that_change_are_read_again(host: HostUnderTest, tmp_path: Path):
    name = host.upload(write_frames(tmp_path / "depth", [LEVELS]))
    graph = host.graph()
    node = graph.add(LOAD, path=name, polarity="near white")
    saved = host.save(graph, node)
    host.run(graph)
    assert node.id in host.run(graph).cached

    file = host.input_dir / name / "0.png"
    cv2.imwrite(str(file), LEVELS[::-1])
    os.utime(file, ns=(0, file.stat().st_mtime_ns + 1_000_000_000))
    result = host.run(graph)
    assert node.id in result.executed
    np.testing.assert_allclose(result.probes[saved.id][0], DISPARITY[::-1], atol=1e-6)


def write_sound(path: Path) -> None:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("pcm_s16le", rate=8000, layout="mono")
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 800), np.int16), format="s16", layout="mono")
        frame.sample_rate = 8000
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


class TestBadFiles:
    def test_a_missing_file(self, host: HostUnderTest):
        message = load_error(host, "no_such_folder")
        assert "Nothing at" in message
        assert str(Path("input") / "no_such_folder") in message

    def test_no_path(self, host: HostUnderTest):
        assert "There is no depth. Choose a file" in load_error(host, "")

    def test_an_empty_folder(self, host: HostUnderTest, tmp_path: Path):
        assert "has no depth maps; put PNG, JPG" in load_error(host, str(tmp_path))

    def test_mixed_sizes(self, host: HostUnderTest, tmp_path: Path):
        folder = write_frames(tmp_path / "depth", [LEVELS, LEVELS[:, :2]])
        assert "1.png is 2 x 2 px but 0.png is 3 x 2 px" in load_error(host, str(folder))

    def test_3_maps_for_10_frames(self, host: HostUnderTest, tmp_path: Path):
        folder = write_frames(tmp_path / "depth", [LEVELS] * 3)
        message = load_error(host, str(folder), frames=np.zeros((10, 2, 3, 3), np.float32))
        assert "3 disparity frames for 10 video frames" in message

    def test_nan(self, host: HostUnderTest, tmp_path: Path):
        np.save(tmp_path / "depth.npy", np.array([[[0.0, 1.0]], [[np.nan, np.inf]]]))
        message = load_error(host, str(tmp_path / "depth.npy"))
        assert "1 NaN and 1 infinite values in 1 frame, first in frame 1" in message

    def test_constant_depth(self, host: HostUnderTest, tmp_path: Path):
        folder = write_frames(tmp_path / "depth", [np.full((2, 3), 51, np.uint8)])
        assert "The depth is constant (0.2 everywhere)" in load_error(host, str(folder))

    def test_a_video_with_no_video_stream(self, host: HostUnderTest, tmp_path: Path):
        write_sound(tmp_path / "sound.wav")
        assert "sound.wav is not a video" in load_error(host, str(tmp_path / "sound.wav"))


class TestImages:
    def test_grey_pictures_become_disparity(self, host: HostUnderTest):
        images = np.repeat(DISPARITY[None, ..., None], 3, axis=-1)
        disparity, image, report = from_images(host, images)
        np.testing.assert_array_equal(disparity, DISPARITY[None])
        np.testing.assert_array_equal(image, images)
        assert report.startswith("Values 0 to 1 in 1 frame.")

    @pytest.mark.parametrize("channels", [1, 4])
    def test_one_channel_and_rgba_work(self, host: HostUnderTest, channels: int):
        images = np.repeat(DISPARITY[None, ..., None], channels, axis=-1)
        disparity, _, _ = from_images(host, images, exponent=2.0)
        np.testing.assert_allclose(disparity, DISPARITY[None] ** 2, atol=1e-6)

    def test_frame_by_frame_normalisation_is_reported(self, host: HostUnderTest):
        images = np.stack([DISPARITY, DISPARITY**2])[..., None]
        _, _, report = from_images(host, images)
        assert "as if each had been normalised on its own" in report

    def test_one_pixel_and_odd_sizes(self, host: HostUnderTest):
        images = np.full((1, 1, 1, 3), 0.4, np.float32)
        disparity, _, _ = from_images(
            host, images, frames=np.zeros((2, 3, 5, 3), np.float32), normalisation="none"
        )
        np.testing.assert_allclose(disparity, np.full((2, 3, 5), 0.4), atol=1e-6)

    def test_colour_maps_are_refused(self, host: HostUnderTest):
        images = np.zeros((1, 2, 2, 3), np.float32)
        images[..., 0] = 1
        assert "is coloured" in from_images_error(host, images)

    def test_another_length_is_refused(self, host: HostUnderTest):
        images = np.random.default_rng(0).random((3, 2, 2, 1)).astype(np.float32)
        message = from_images_error(host, images, frames=np.zeros((10, 2, 2, 3), np.float32))
        assert "3 disparity frames for 10 video frames" in message

    def test_depth_of_zero_cannot_be_inverted(self, host: HostUnderTest):
        images = DISPARITY[None, ..., None]
        message = from_images_error(host, images, source="metric depth")
        assert "1 metric depth values are 0 or less, first in frame 0" in message


class TestHolesAndFit:
    def test_choices_and_defaults_are_those_of_the_function(self, host: HostUnderTest):
        for node_id in (LOAD, FROM_IMAGES, "AnyToBokehVideo"):
            assert choices_of(host, node_id, "holes") == list(HOLES)
            assert choices_of(host, node_id, "fit") == list(FITS)
            defaults = schema_defaults(host, node_id)
            assert {name: defaults[name] for name in vars(MapFit())} == vars(MapFit())

    def test_sky_of_a_renderer(self, host: HostUnderTest, tmp_path: Path):
        np.save(tmp_path / "depth.npy", np.array([[[1.0, 2.0, np.inf]]]))
        settings: dict[str, Any] = {"source": "metric depth", "polarity": "auto", "holes": "far"}
        disparity, _, report = load(host, str(tmp_path / "depth.npy"), **settings)
        np.testing.assert_allclose(disparity, [[[1, 0.5, 0]]], atol=1e-6)
        assert "Holes: 33.3 % of all pixels" in report

    def test_holes_of_pictures_are_filled(self, host: HostUnderTest):
        images = np.array([[[[0.5], [1.0], [np.nan]]]], np.float32)
        disparity, _, _ = from_images(host, images, holes="fill from around", normalisation="none")
        np.testing.assert_allclose(disparity, [[[0.5, 1, 1]]], atol=1e-6)

    def test_cut_maps_at_a_lower_rate(self, host: HostUnderTest, tmp_path: Path):
        # The middle two of four columns, and a map for every second frame.
        maps = np.stack([np.array([[0.0, 0.2]]), np.array([[0.4, 1.0]])])
        np.save(tmp_path / "depth.npy", maps.astype(np.float32))
        frames = np.zeros((4, 1, 4, 3), np.float32)
        settings = {"fit": "pad", "frames_per_map": 2.0, "normalisation": "none"}
        disparity, _, _ = load(host, str(tmp_path / "depth.npy"), frames, **settings)
        expected = [[0, 0, 0.2, 0.2], [0.2, 0.2, 0.6, 0.6], [0.4, 0.4, 1, 1], [0.4, 0.4, 1, 1]]
        np.testing.assert_allclose(disparity[:, 0], expected, atol=1e-6)

    def test_maps_that_lie_are_turned(self, host: HostUnderTest):
        images = np.array([[0.0, 0.2, 0.4], [0.6, 0.8, 1.0]], np.float32)[None, ..., None]
        frames = np.zeros((1, 3, 2, 3), np.float32)
        disparity, _, _ = from_images(host, images, frames, fit="turn clockwise")
        np.testing.assert_allclose(disparity[0], [[0.6, 0], [0.8, 0.2], [1, 0.4]], atol=1e-6)
        assert "Set fit to turn clockwise" in from_images_error(host, images, frames)


def test_file_of_the_list_is_read_and_comes_before_the_path(host: HostUnderTest, tmp_path: Path):
    maps = host.upload(write_frames(tmp_path / "maps", [LEVELS]))
    assert f"{maps}/" in choices_of(host, LOAD, "file")
    disparity, _, report = load(host, "no_such_path", file=f"{maps}/")
    assert np.allclose(disparity, DISPARITY, atol=1e-6)
    assert maps in report


@pytest.mark.parametrize("file", ["none", "no_such_file.npz"])
def test_missing_depth_is_said_when_it_runs(host: HostUnderTest, file: str):
    # What the host refuses before it runs, front ends do not show.
    message = load_error(host, "", file=file)
    assert str(host.input_dir) in message
    assert ("upload" if file == "none" else file) in message


def test_depth_as_a_video_is_read_as_its_file_is(host: HostUnderTest):
    name = host.unique_name("depth") + ".mkv"
    with av.open(str(host.input_dir / name), "w") as container:
        stream = container.add_stream("ffv1", rate=24)
        stream.width, stream.height, stream.pix_fmt = 3, 2, "gray"
        for level in (0, 40):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(LEVELS // 2 + level, format="gray")))
        container.mux(stream.encode())
    graph = host.graph()
    video = graph.add("LoadVideo", file=name)
    node = graph.add(LOAD, path="no_such_path", file="no_such_file", video=video, polarity="near white")
    disparity, _, report = host.values_of(graph, node[0], node[1], node[2])
    levels = np.stack([LEVELS // 2, LEVELS // 2 + 40]).astype(np.float32)
    assert np.allclose(disparity, levels / levels.max(), atol=1e-6)
    assert name in report
