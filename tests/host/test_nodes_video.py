"""Any-to-Bokeh Video in a real host: the file against the library, cancel, sound, either renderer."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
import torch

from bokeh_core.lens import Aperture, lens_blur
from bokeh_core.render import FileClip, FileDepth, LensRenderer, RenderJob, Strength, parse_focus, run_job
from bokeh_core.video_io import ENCODINGS, VideoFile
from tests.core.render.clips import (
    moving_pictures,
    read_video,
    sliding_disparity,
    sound_packets,
    times_of,
    write_disparity,
    write_video,
)
from tests.host.harness import Graph, HostUnderTest, Node, file_in
from tests.host.schema import choices_of, inputs_of, schema_defaults
from tests.host.small_checkpoint import reference_pipeline, write_checkpoints, write_clip

NODE = "AnyToBokehVideo"
COUNT, HEIGHT, WIDTH = 52, 64, 80


@pytest.fixture(scope="module")
def names(host: HostUnderTest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """A video with sound and its depth in the host's input folder: their names there."""
    folder = tmp_path_factory.mktemp("video")
    pictures = moving_pictures(COUNT, HEIGHT, WIDTH)
    video = write_video(folder / "long.mp4", pictures, sound=True, codec="libx264", pixel_format="yuv420p")
    depth = write_disparity(folder / "maps", sliding_disparity(COUNT, HEIGHT, WIDTH))
    return host.upload(video), host.upload(depth)


def add_node(graph: Graph, video: str | Node, depth: str, **options: Any) -> Node:
    """Add the node on a file of the input folder, or on another node's video."""
    given = {
        "video": graph.add("LoadVideo", file=video) if isinstance(video, str) else video,
        "disparity_path": depth,
        "focus_at": "point: 10, 50",
        "strength": "0: 40, 51: 100",
        "renderer": "lens",
        **options,
    }
    return graph.add(NODE, **given)


def run(host: HostUnderTest, graph: Graph, node: Node) -> tuple[Path, str]:
    """Run it; return the file that it made, and its report."""
    report = host.save(graph, node[1])
    result = host.run(graph)
    text = result.probes[report.id]
    return file_in(text), text


def metadata_of(path: Path) -> dict[str, str]:
    with av.open(str(path)) as container:
        return dict(container.metadata)


def quarters(picture: Any) -> list[Any]:
    """The mean colour of each quarter of a picture [H, W, 3]."""
    height, width = picture.shape[:2]
    rows, columns = (
        [slice(0, height // 2), slice(height // 2, None)],
        [slice(0, width // 2), slice(width // 2, None)],
    )
    return [picture[row, column].mean((0, 1)) for row in rows for column in columns]


def parts_folders(host: HostUnderTest) -> list[Path]:
    return list(host.output_dir.rglob("*.parts"))


def test_schema(host: HostUnderTest):
    assert [n for n, (_, options) in inputs_of(host, NODE).items() if not options.get("tooltip")] == []
    assert choices_of(host, NODE, "codec") == list(ENCODINGS)
    assert schema_defaults(host, NODE) == {
        "disparity_path": "",
        "source": "disparity",
        "polarity": "auto",
        "normalisation": "min-max",
        "exponent": 1.0,
        "focus_at": "auto",
        "strength": "16",
        "renderer": "lens",
        "codec": "h264",
        "crf": 18,
        "holes": "refuse",
        "fit": "stretch",
        "frame_offset": 0,
        "frames_per_map": 1.0,
        "black_bars": "leave out",
        "disparity_file": "none",
        "save_workflow": True,
        "refine": False,
        "between_keyframes": "rack focus",
        "transfer": "as the file says",
        "hidden_background": "continue",
        "refine_parts": "outlines, steady, limbs, banding, trained",
    }
    info = host.object_info()[NODE]
    assert info["output"] == ["VIDEO", "STRING"]
    assert info["output_node"] is True


def test_the_file_is_what_the_library_makes(host: HostUnderTest, names: tuple[str, str], tmp_path: Path):
    video, depth = names
    graph = host.graph()
    node = add_node(graph, video, depth)
    shown, report = run(host, graph, node)
    job = RenderJob(
        FileClip(host.input_dir / video),
        FileDepth(host.input_dir / depth),
        parse_focus("point: 10, 50"),
        Strength("0: 40, 51: 100"),
        LensRenderer(),
        tmp_path / "direct.mp4",
    )
    run_job(job)
    assert np.array_equal(read_video(shown), read_video(job.output))
    assert sound_packets(shown) == sound_packets(host.input_dir / video)
    assert times_of(shown) == times_of(host.input_dir / video)
    assert shown.parent == host.output_dir / "any_to_bokeh"
    assert "Read 52 frames of 80 x 64 px, 16-bit" in report
    assert f"Written to {shown}." in report
    assert parts_folders(host) == []


@pytest.mark.parametrize("codec", ["h264", "ffv1"])
def test_the_node_shows_what_browsers_play(host: HostUnderTest, names: tuple[str, str], codec: str):
    graph = host.graph()
    node = add_node(graph, *names, codec=codec, strength="33")
    report = host.save(graph, node[1])
    result = host.run(graph)
    (file,), (place,) = result.files[node.id], result.outputs[node.id]["images"]
    with av.open(str(file)) as container:
        assert container.streams.video[0].codec_context.name == "h264"
    shown = read_video(file)
    assert shown.shape == (COUNT, HEIGHT, WIDTH, 3)
    if codec == "h264":
        assert place["type"] == "output" and f"Written to {file}." in result.probes[report.id]
    else:
        assert (place["type"], place["subfolder"], file.suffix) == ("temp", "any_to_bokeh", ".mp4")
        made = read_video(next((host.output_dir / "any_to_bokeh").glob(f"{file.stem[:-13]}*")))
        np.testing.assert_allclose(shown.mean((1, 2)), made.mean((1, 2)), atol=4)


def test_the_same_job_is_not_done_twice(host: HostUnderTest, names: tuple[str, str]):
    shown = []
    # Another order of nodes, so that the host does not answer from its cache.
    for extra in range(2):
        graph = host.graph()
        for _ in range(extra):
            graph.add("LoadVideo", file=names[0])
        shown.append(run(host, graph, add_node(graph, *names, strength="7")))
    assert shown[0][0] == shown[1][0]


def test_save_video_copies_it_without_encoding_again(host: HostUnderTest, names: tuple[str, str]):
    graph = host.graph()
    node = add_node(graph, *names, strength="30")
    prefix = host.unique_name("saved")
    saver = graph.add("SaveVideo", video=node, filename_prefix=prefix, format="auto", codec="auto")
    result = host.run(graph)
    ((saved,), (shown,)) = result.files[saver.id], result.files[node.id]
    assert np.array_equal(read_video(saved), read_video(shown))


def test_progress_covers_the_job_and_cancel_keeps_the_parts(host: HostUnderTest, names: tuple[str, str]):
    graph = host.graph()
    node = add_node(graph, *names, focus_at="0.31")
    # 48 frames of 52 are a part: 9 + 90 x 48 / 52 per cent.
    interrupted, _ = host.expect_interrupt(graph, node, value=930)
    assert interrupted.node_id == node.id
    (folder,) = parts_folders(host)
    assert (folder / "part_00000000.mp4").is_file()
    assert list(folder.glob("*.unfinished")) == []
    assert not folder.with_suffix("").exists()

    graph = host.graph()
    node = add_node(graph, *names, focus_at="0.31")
    report = host.save(graph, node[1])
    result = host.run(graph)
    assert "48 of 52 frames were kept from an earlier run." in result.probes[report.id]
    values = [tick.value for tick in result.progress if tick.node_id == node.id]
    assert values[-1] == 1000
    assert parts_folders(host) == []


def test_the_bar_carries_the_frame_in_work_where_previews_are_on(host: HostUnderTest, names: tuple[str, str]):
    graph = host.graph()
    node = add_node(graph, *names, strength="0.5")
    with host.previews():
        result = host.run(graph)
    first = result.previews[0]
    # 80 x 64 px; the host enlarges pictures to 512 px.
    assert first.shape == (410, 512, 3)
    (file,) = result.files[node.id]
    for shown, made in zip(quarters(first), quarters(read_video(file)[0]), strict=True):
        np.testing.assert_allclose(shown, made, atol=4)


@pytest.mark.parametrize("per_mille", [10, 40, 100])
def test_cancel_in_every_stage(host: HostUnderTest, names: tuple[str, str], per_mille: int):
    graph = host.graph()
    node = add_node(graph, *names, strength=str(50 + per_mille))
    interrupted, _ = host.expect_interrupt(graph, node, value=per_mille)
    assert interrupted.node_id == node.id
    for folder in parts_folders(host):
        assert not folder.with_suffix("").exists()
        shutil.rmtree(folder)


def test_sockets_take_the_place_of_words(host: HostUnderTest, names: tuple[str, str]):
    graph = host.graph()
    maps = sliding_disparity(COUNT, HEIGHT, WIDTH)
    disparity = host.load(graph, maps)
    node = add_node(
        graph,
        names[0],
        "no such file",
        disparity=disparity,
        focus=graph.add("AnyToBokehFocusAtValue", disparity=disparity, focal_disparity=0.2),
        blur_strength=graph.add("AnyToBokehBlurStrength", mode="constant", strength=90.0),
        focus_at="?",
        strength="?",
        codec="ffv1",
    )
    shown, _ = run(host, graph, node)
    frames = torch.stack(list(VideoFile(host.input_dir / names[0]).frames()))
    expected = lens_blur(
        frames,
        torch.from_numpy(maps),
        torch.tensor([0.2]),
        torch.tensor([90.0 * WIDTH / 1024]),
        contour_reach_px=1,
    )
    found = torch.stack(list(VideoFile(shown).frames()))
    # Half a 10-bit level in each of Y', Cb, Cr.
    assert (found - expected).abs().max().item() < 1.5 / 876


def test_a_lens_reaches_the_renderer(host: HostUnderTest, names: tuple[str, str]):
    graph = host.graph()
    maps = sliding_disparity(COUNT, HEIGHT, WIDTH)
    lens = graph.add("AnyToBokehChooseLens", blades=5, far_strength=0.5, focus_range=0.1)
    given = {"disparity": host.load(graph, maps), "lens": lens[0], "codec": "ffv1"}
    shown, _ = run(host, graph, add_node(graph, names[0], "", focus_at="0.2", strength="90", **given))
    frames = torch.stack(list(VideoFile(host.input_dir / names[0]).frames()))
    expected = lens_blur(
        frames,
        torch.from_numpy(maps),
        torch.tensor([0.2]),
        torch.tensor([90.0 * WIDTH / 1024]),
        aperture=Aperture(blades=5),
        far_strength=0.5,
        focus_range=0.1,
        contour_reach_px=1,
    )
    found = torch.stack(list(VideoFile(shown).frames()))
    # Half a 10-bit level in each of Y', Cb, Cr.
    assert (found - expected).abs().max().item() < 1.5 / 876


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"blades": 5, "near_strength": 0.5}, "cannot honour blades 5. It honours near_strength"),
        # The lens can be had, so what is said next is that there is no model.
        ({"near_strength": 0.5, "focus_range": 0.1}, "The renderer model needs model, vae: connect"),
    ],
)
def test_a_lens_for_the_model(
    host: HostUnderTest, names: tuple[str, str], settings: dict[str, Any], said: str
):
    graph = host.graph()
    add_node(graph, *names, renderer="model", lens=graph.add("AnyToBokehChooseLens", **settings)[0])
    assert said in host.expect_error(graph).message


def test_depth_as_a_video(host: HostUnderTest, names: tuple[str, str], tmp_path: Path):
    levels = np.rint(16 + 219 * sliding_disparity(COUNT, HEIGHT, WIDTH)).astype(np.uint8)
    depth = write_video(tmp_path / "depth.mkv", np.repeat(levels[..., None], 3, 3), pixel_format="gray")
    name = host.upload(depth)
    graph = host.graph()
    given = {"depth_video": graph.add("LoadVideo", file=name), "strength": "3"}
    _, report = run(host, graph, add_node(graph, names[0], "", **given))
    assert f"Read 52 frames of 80 x 64 px, 8-bit video, from {name}." in report


def test_holes_and_fewer_maps_than_frames(host: HostUnderTest, names: tuple[str, str], tmp_path: Path):
    maps = 1 + sliding_disparity(COUNT // 2, HEIGHT, WIDTH)
    maps[:, :8] = np.inf
    np.save(tmp_path / "depth.npy", maps)
    graph = host.graph()
    settings = {"source": "metric depth", "polarity": "auto", "holes": "far", "frames_per_map": 2.0}
    node = add_node(graph, names[0], str(tmp_path / "depth.npy"), strength="3", **settings)
    _, report = run(host, graph, node)
    assert "Holes: 12.5 % of all pixels" in report and "A map for every 2 frames" in report


def test_a_video_in_memory_of_odd_size(host: HostUnderTest):
    frames = moving_pictures(10, 63, 47).astype(np.float32) / 255
    graph = host.graph()
    video = graph.add("CreateVideo", images=host.load(graph, frames), fps=12.0)
    disparity = host.load(graph, sliding_disparity(1, 63, 47))
    node = add_node(graph, video, "", disparity=disparity, strength="0", crf=4)
    shown, _ = run(host, graph, node)
    found = read_video(shown)
    assert found.shape == frames.shape
    assert np.abs(found / 255 - frames).mean() < 0.01


@pytest.mark.slow
def test_the_model(host: HostUnderTest, tmp_path: Path):
    count, height, width = 9, 64, 64
    root = host.process.base / "models" / "any_to_bokeh"
    unet, vae = write_checkpoints(root / "of_video")
    write_clip(host.input_dir, "clip_of_video")
    video = host.upload(write_video(tmp_path / "short.mkv", moving_pictures(count, height, width)))
    graph = host.graph()
    model = graph.add(
        "AnyToBokehLoadModel",
        unet=unet.relative_to(root).as_posix(),
        vae=vae.relative_to(root).as_posix(),
        dtype="fp32",
    )
    maps = sliding_disparity(count, height, width)
    node = add_node(
        graph,
        video,
        "",
        renderer="model",
        disparity=host.load(graph, maps),
        focus_at="0.4",
        strength="200",
        codec="ffv1",
        model=model[0],
        vae=model[1],
        clip_vision=graph.add("ProbeClipVision", name="clip_of_video"),
    )
    shown, report = run(host, graph, node)
    assert "The paper's model, MPI mode released" in report
    pipeline = reference_pipeline(unet, vae, host.input_dir, "clip_of_video")
    frames = torch.stack(list(VideoFile(host.input_dir / video).frames())).permute(0, 3, 1, 2).contiguous()
    strength = torch.tensor([200.0 * width / 1024])
    expected = pipeline(frames, torch.from_numpy(maps), torch.tensor([0.4]), strength)
    found = torch.stack(list(VideoFile(shown).frames())).permute(0, 3, 1, 2)
    # The network's small weights amplify rounding, see test_nodes_model.py; then half a 10-bit level each.
    assert (found - expected).abs().max().item() < 1e-3 + 1.5 / 876
    assert "not used" not in report
    # With the other renderer, which is the default, it is connected in vain.
    graph.prompt[node.id]["inputs"] |= {"renderer": "lens", "strength": "0"}
    assert "A model is connected and not used" in run(host, graph, node)[1]


BAD: list[tuple[dict[str, Any], str]] = [
    ({"disparity_path": ""}, "There is no depth. Choose a file or folder"),
    ({"disparity_path": "nowhere"}, "Nothing at"),
    ({"focus_at": "near"}, "The focus 'near' cannot be read"),
    ({"focus_at": "mask: nowhere.png"}, "Nothing at"),
    ({"focus_at": "point: 500, 1"}, "is outside the frame of 80 x 64 px"),
    ({"strength": "1, 2"}, "2 values for 52 video frames"),
    ({"strength": ""}, "blur_strength schedule is empty"),
    ({"renderer": "model"}, "The renderer model needs model, vae: connect"),
]


@pytest.mark.parametrize(("options", "message"), BAD)
def test_bad_input_is_refused(
    host: HostUnderTest, names: tuple[str, str], options: dict[str, Any], message: str
):
    graph = host.graph()
    add_node(graph, *names, **options)
    assert message in host.expect_error(graph).message
    for folder in parts_folders(host):
        assert not folder.with_suffix("").exists()
        shutil.rmtree(folder)


@pytest.mark.parametrize("codec", ["h264", "ffv1"])
def test_file_holds_the_prompt_unless_that_is_switched_off(
    host: HostUnderTest, names: tuple[str, str], codec: str
):
    graph = host.graph()
    node = add_node(graph, *names, codec=codec, crf=30)
    told, _ = run(host, graph, node)
    # Matroska writes the names of tags in capitals.
    tags = {name.lower(): value for name, value in metadata_of(told).items()}
    # The host notes in it what it found of files.
    nodes = {
        key: {k: v for k, v in value.items() if k != "is_changed"}
        for key, value in json.loads(tags["prompt"]).items()
    }
    assert {key: nodes[key] for key in graph.prompt} == graph.prompt

    graph = host.graph()
    node = add_node(graph, *names, codec=codec, crf=30, save_workflow=False)
    silent, _ = run(host, graph, node)
    assert silent != told
    assert not {"prompt", "workflow"} & {name.lower() for name in metadata_of(silent)}
