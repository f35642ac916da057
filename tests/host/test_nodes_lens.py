"""Lens Blur in a real host."""

import re
from typing import Any

import numpy as np
import pytest
import torch

from bokeh_core.clip.letterbox import BLACK_BARS
from bokeh_core.lens import Aperture, lens_blur, lens_of_controls
from bokeh_core.lens.other_frames import HIDDEN_BACKGROUNDS, OtherFrames
from bokeh_core.schedule.values import EASINGS
from tests.host.harness import Array, Graph, HostUnderTest, Node
from tests.host.schema import function_defaults, inputs_of, schema_defaults

NODE = "AnyToBokehLensBlur"
HEIGHT_PX, WIDTH_PX = 24, 32
# The socket states K for a frame 1024 px wide: 192 there is 6 px on these frames.
STRENGTH = 192.0


def clip(
    num_frames: int = 2, channels: int = 3, size: tuple[int, int] = (HEIGHT_PX, WIDTH_PX)
) -> dict[str, Array]:
    """A near square with highlights over a far wall, sliding to the right."""
    random = np.random.default_rng(5)
    frames = random.random((num_frames, *size, channels), np.float32)
    disparity = np.full((num_frames, *size), 0.2, np.float32)
    for t in range(num_frames):
        disparity[t, size[0] // 4 : -size[0] // 4, 4 + t : 4 + t + size[1] // 3] = 0.9
    return {
        "frames": frames,
        "disparity": disparity,
        "focus": np.array([0.5], np.float32),
        "blur_strength": np.array([STRENGTH], np.float32),
    }


def add_lens_blur(host: HostUnderTest, graph: Graph, given: dict[str, Array], **options: Any) -> Node:
    links = {name: host.load(graph, value) for name, value in given.items()}
    return graph.add(NODE, **links, **options)


def blurred(host: HostUnderTest, given: dict[str, Array], **options: Any) -> Array:
    graph = host.graph()
    (result,) = host.values_of(graph, add_lens_blur(host, graph, given, **options))
    found: Array = result
    return found


def error_of(host: HostUnderTest, given: dict[str, Array], **options: Any) -> str:
    graph = host.graph()
    host.save(graph, add_lens_blur(host, graph, given, **options))
    return host.expect_error(graph).message


def directly(given: dict[str, Array], **options: Any) -> Array:
    """The pure function with the strength in px of these frames, and a contour tolerance of one pixel."""
    values = {name: torch.from_numpy(value) for name, value in given.items()}
    in_pixels = values["blur_strength"] * given["frames"].shape[2] / 1024
    options = {"contour_reach_px": 1, **options}
    return lens_blur(values["frames"], values["disparity"], values["focus"], in_pixels, **options).numpy()


def dilated(disparity: Array) -> Array:
    """[T, H, W] with everything near grown by a pixel to each side."""
    return np.max([np.roll(disparity, (y, x), (1, 2)) for y in (-1, 0, 1) for x in (-1, 0, 1)], 0)


def test_frames_and_disparity_alone_give_a_picture(host: HostUnderTest):
    given = clip()
    graph = host.graph()
    alone = add_lens_blur(host, graph, {name: given[name] for name in ("frames", "disparity")})
    # The square is the subject: near, large and before a wall; K is 16 at 1024 px.
    chosen = {"focus": np.array([0.9], np.float32), "blur_strength": np.array([16.0], np.float32)}
    told = add_lens_blur(host, graph, {**given, **chosen})
    # At a strength at which outlines count, the report says what they are.
    strong = add_lens_blur(host, graph, given, contour_tolerance=0)
    found, expected, report = host.values_of(graph, alone[0], told[0], strong[1])
    np.testing.assert_array_equal(found, expected)
    assert report == "Outlines of the disparity are crisp: taken as they are."


def test_schema_agrees_with_the_settings(host: HostUnderTest):
    assert schema_defaults(host, NODE) == {
        "blades": 0,
        "rotation": 0.0,
        "roundness": 0.0,
        "anamorphic": 1.0,
        "cat_eye": 0.0,
        "light": "linear",
        "highlight_gain": 0.0,
        "highlight_threshold": 0.8,
        "near_strength": 1.0,
        "far_strength": 1.0,
        "contour_tolerance": 4.0,
        "black_bars": "leave out",
        "over_time": "",
        "easing": "linear",
        "transfer": "display",
        "bad_pixels": "refuse",
        "hidden_background": "continue",
    }
    defaults = {
        **function_defaults(lens_of_controls),
        "black_bars": BLACK_BARS[0],
        "over_time": "",
        "easing": EASINGS[0],
        "transfer": function_defaults(lens_blur)["transfer"],
        "bad_pixels": "refuse",
        "hidden_background": HIDDEN_BACKGROUNDS[0],
    }
    assert schema_defaults(host, NODE).items() <= defaults.items()


def test_every_input_and_output_is_explained(host: HostUnderTest):
    assert [n for n, (_, options) in inputs_of(host, NODE).items() if not options.get("tooltip")] == []
    info = host.object_info()[NODE]
    assert info["output"] == ["IMAGE", "STRING"]
    assert all(info["output_tooltips"])


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_the_node_does_what_the_function_does(host: HostUnderTest, channels: int):
    given = clip(channels=channels)
    found = blurred(host, given)
    assert found.shape == given["frames"].shape
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, directly(given), rtol=0, atol=1e-6)
    assert np.abs(found - given["frames"]).max() > 0.1


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_zero_strength_returns_the_input_bit_for_bit(host: HostUnderTest, channels: int):
    given = {**clip(channels=channels), "blur_strength": np.zeros(1, np.float32)}
    assert blurred(host, given).tobytes() == given["frames"].tobytes()


def test_a_schedule_of_strengths(host: HostUnderTest):
    given = {**clip(3), "blur_strength": np.array([0, STRENGTH, 0], np.float32)}
    found = blurred(host, given)
    assert [found[t].tobytes() == given["frames"][t].tobytes() for t in range(3)] == [True, False, True]


@pytest.mark.parametrize("size", [(1, 1), (5, 3), (17, 31)])
def test_small_and_odd_sizes(host: HostUnderTest, size: tuple[int, int]):
    given = clip(1, size=size)
    found = blurred(host, given)
    assert found.shape == given["frames"].shape
    assert np.isfinite(found).all()


WIDGETS: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    # name, the widgets that show it, and the same in the words of the function
    ("blades", {"blades": 5}, {"aperture": Aperture(blades=5)}),
    (
        "rotation",
        {"blades": 5, "rotation": 20.0},
        {"aperture": Aperture(blades=5, rotation_deg=20.0)},
    ),
    ("roundness", {"blades": 5, "roundness": 0.5}, {"aperture": Aperture(blades=5, roundness=0.5)}),
    ("anamorphic", {"anamorphic": 2.0}, {"aperture": Aperture(anamorphic_ratio=2.0)}),
    ("cat_eye", {"cat_eye": 0.8}, {"aperture": Aperture(cat_eye=0.8)}),
    ("light", {"light": "display"}, {"gamma": 1.0}),
    ("highlight_gain", {"highlight_gain": 3.0}, {"highlight_gain": 3.0}),
    (
        "highlight_threshold",
        {"highlight_gain": 3.0, "highlight_threshold": 0.4},
        {"highlight_gain": 3.0, "highlight_threshold": 0.4},
    ),
    ("near_strength", {"near_strength": 0.0}, {"near_strength": 0.0}),
    ("far_strength", {"far_strength": 2.0}, {"far_strength": 2.0}),
    ("contour_tolerance", {"contour_tolerance": 0.0}, {"contour_reach_px": 0}),
]


@pytest.mark.parametrize(("name", "widgets", "options"), WIDGETS, ids=[name for name, _, _ in WIDGETS])
def test_every_widget_reaches_the_function(
    host: HostUnderTest, name: str, widgets: dict[str, Any], options: dict[str, Any]
):
    given = clip(1)
    # The map is a pixel short of the square in the picture, which a contour tolerance makes good.
    given["frames"] *= np.where(dilated(given["disparity"]) > 0.5, 0.3, 1.0)[..., None].astype(np.float32)
    given["frames"][..., 0] *= np.where(dilated(given["disparity"]) > 0.5, 0.1, 1.0).astype(np.float32)
    without = {key: value for key, value in widgets.items() if key != name}
    graph = host.graph()
    links = {key: host.load(graph, value) for key, value in given.items()}
    found, plain = host.values_of(
        graph, graph.add(NODE, **links, **widgets), graph.add(NODE, **links, **without)
    )
    np.testing.assert_allclose(found, directly(given, **options), rtol=0, atol=1e-6)
    assert np.abs(found - plain).max() > 1e-3


def test_every_widget_is_tested(host: HostUnderTest):
    # Black bars are no setting of the lens, see the last test; what moves is tested with Choose Lens, and
    # what numbers mean with Load Image Sequence; a hidden background below.
    others = ["black_bars", "over_time", "easing", "transfer", "bad_pixels", "hidden_background"]
    assert [*(name for name, _, _ in WIDGETS), *others] == list(schema_defaults(host, NODE))


def test_a_hidden_background_comes_from_other_frames(host: HostUnderTest):
    given = clip(3, size=(64, 80))
    squares = np.random.default_rng(1).random((16, 20, 3), np.float32)
    given["frames"][:] = squares.repeat(4, 0).repeat(4, 1)
    for t in range(3):
        # 8 px from frame to frame; its own colour tells it from what it hides.
        given["disparity"][t] = 0.2
        given["disparity"][t, 16:48, 10 + 8 * t : 30 + 8 * t] = 0.9
        given["frames"][t, 16:48, 10 + 8 * t : 30 + 8 * t] = 0.9
    given["focus"][:] = 0.2
    values = {name: torch.from_numpy(value) for name, value in given.items()}
    others = OtherFrames(values["frames"], values["disparity"])
    found = blurred(host, given, hidden_background="other frames")
    np.testing.assert_allclose(found, directly(given, other_frames=others), rtol=0, atol=1e-6)
    assert np.abs(found - directly(given)).max() > 0.02


def test_a_mask_of_another_size_is_resized(host: HostUnderTest):
    given = clip()
    protect = np.zeros((1, HEIGHT_PX // 2, WIDTH_PX // 2), np.float32)
    protect[:, :, : WIDTH_PX // 4] = 1
    found = blurred(host, {**given, "protect": protect})
    sure = WIDTH_PX // 2 - 2
    assert found[:, :, :sure].tobytes() == given["frames"][:, :, :sure].tobytes()
    assert np.abs(found - given["frames"])[:, :, WIDTH_PX // 2 + 2 :].max() > 0.1


def test_protected_pixels_stay(host: HostUnderTest):
    given = clip()
    protect = np.zeros((1, HEIGHT_PX, WIDTH_PX), np.float32)
    protect[:, 5:15, 3:25] = 1
    found = blurred(host, {**given, "protect": protect})
    assert found[:, 5:15, 3:25].tobytes() == given["frames"][:, 5:15, 3:25].tobytes()
    assert np.abs(found - given["frames"])[:, 16:].max() > 0.1


def _with_a_pixel(value: float) -> Array:
    frames = clip()["frames"]
    frames[1, 3, 4, 0] = value
    return frames


BAD_INPUTS: list[tuple[dict[str, Array], dict[str, Any], str]] = [
    (
        {"disparity": np.zeros((3, HEIGHT_PX, WIDTH_PX), np.float32)},
        {},
        "3 disparity frames for 2 video frames",
    ),
    (
        {"disparity": np.zeros((2, 8, WIDTH_PX), np.float32)},
        {},
        "but the frames are 32 x 24 px; connect",
    ),
    (
        {"disparity": np.full((1, HEIGHT_PX, WIDTH_PX), np.nan, np.float32)},
        {},
        "disparity holds NaN",
    ),
    ({"focus": np.zeros(3, np.float32)}, {}, "3 focus frames for 2 video frames; give 2, or 1 for the whole"),
    ({"blur_strength": np.ones(5, np.float32)}, {}, "5 blur strength frames for 2 video frames"),
    (
        {"blur_strength": np.full(1, -32, np.float32)},
        {},
        "blur_strength is -32 px at frame 0; it must be",
    ),
    (
        {"frames": _with_a_pixel(np.nan)},
        {"transfer": "linear"},
        "frames hold NaN at frame 1, row 3, column 4",
    ),
    ({"frames": _with_a_pixel(-np.inf)}, {}, "frames hold"),
    ({}, {"blades": 2}, "blades is 2; use 0 for a round opening, or 3 or more"),
    ({}, {"roundness": 2.0}, "roundness"),
    ({}, {"light": "moon"}, "light is .*moon.*linear.*display"),
]


@pytest.mark.parametrize(("changes", "widgets", "message"), BAD_INPUTS)
def test_bad_input_is_refused(
    host: HostUnderTest, changes: dict[str, Array], widgets: dict[str, Any], message: str
):
    assert re.search(message, error_of(host, {**clip(), **changes}, **widgets))


def test_progress_ticks_once_a_frame(host: HostUnderTest):
    graph = host.graph()
    node = add_lens_blur(host, graph, clip(5))
    host.save(graph, node)
    # The host itself adds a closing tick for every node, so what counts is which values were seen.
    ticks = [tick for tick in host.run(graph).progress if tick.node_id == node.id]
    assert {tick.maximum for tick in ticks} == {5}
    assert [value for value in sorted({tick.value for tick in ticks}) if value > 0] == [1, 2, 3, 4, 5]


def test_the_bar_carries_the_frame_in_work_where_previews_are_on(host: HostUnderTest):
    def pictures(strength: float) -> list[Array]:
        graph = host.graph()
        given = {**clip(5, size=(48, 64)), "blur_strength": np.array([strength], np.float32)}
        given["frames"] = np.broadcast_to(np.array([0.2, 0.4, 0.8], np.float32), (5, 48, 64, 3)).copy()
        host.save(graph, add_lens_blur(host, graph, given))
        return host.run(graph).previews

    assert pictures(8.0) == []
    with host.previews():
        shown = pictures(9.0)
    assert len(shown) >= 1
    # The host enlarges it to its own --preview-size.
    assert shown[0].shape == (384, 512, 3)
    np.testing.assert_allclose(shown[0].mean((0, 1)), [51, 102, 204], atol=3)


def test_cancel_in_the_middle(host: HostUnderTest):
    graph = host.graph()
    given = clip(60, size=(96, 128))
    node = add_lens_blur(host, graph, given, cat_eye=1.0)
    name = host.save(graph, node)
    interrupted, _ = host.expect_interrupt(graph, node, value=1)
    assert (interrupted.node_id, interrupted.node_type) == (node.id, NODE)
    stem = graph.prompt[name.id]["inputs"]["name"]
    assert list(host.output_dir.glob(f"{stem}*")) == []
    # The host goes on as if nothing had been.
    small = clip()
    np.testing.assert_allclose(blurred(host, small), directly(small), rtol=0, atol=1e-6)


def resident_mib(host: HostUnderTest) -> float:
    """Memory of the host's process, asked of the operating system."""
    import psutil

    (connection,) = [
        c for c in psutil.net_connections("tcp") if c.status == "LISTEN" and c.laddr.port == host.process.port
    ]
    return float(psutil.Process(connection.pid).memory_info().rss) / 2**20


def test_ten_runs_do_not_grow_the_host(host: HostUnderTest):
    def run_once(focus: float) -> None:
        # A new focus each time, or the host would answer from its cache.
        blurred(host, {**clip(2, size=(48, 64)), "focus": np.array([focus], np.float32)})

    for warm_up in (0.1, 0.15, 0.2):
        run_once(warm_up)
    before_mib = resident_mib(host)
    for focus in np.linspace(0.3, 0.8, 10):
        run_once(float(focus))
    assert resident_mib(host) - before_mib < 150


def test_black_bars_are_left_out(host: HostUnderTest):
    frames = np.zeros((1, 48, 64, 3), np.float32)
    frames[:, 6:42] = np.random.default_rng(0).random((1, 36, 64, 3))
    disparity = np.random.default_rng(1).random((1, 48, 64)).astype(np.float32)
    found = []
    for black_bars in ("leave out", "blur too"):
        graph = host.graph()
        inputs = {
            "frames": host.load(graph, frames),
            "disparity": host.load(graph, disparity),
            "focus": host.load(graph, np.array([0.3], np.float32)),
            "blur_strength": host.load(graph, np.array([100.0], np.float32)),
        }
        found.append(host.values_of(graph, graph.add(NODE, **inputs, black_bars=black_bars))[0])
    assert not found[0][:, :6].any() and not found[0][:, 42:].any()
    assert found[1][:, 5].max() > 0.1
