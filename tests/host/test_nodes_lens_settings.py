"""The node Choose Lens in a real host, and the nodes that take a lens."""

from typing import Any

import numpy as np
import pytest
import torch

from bokeh_core.lens import LENS_CONTROLS, PRESETS, lens_of_controls, with_preset
from bokeh_core.lens.aperture_image import aperture_image_of
from bokeh_core.preview import focus_preview
from tests.host.harness import Array, HostUnderTest
from tests.host.schema import choices_of, inputs_of, schema_defaults
from tests.host.test_nodes_lens import STRENGTH, WIDTH_PX, add_lens_blur, clip, directly

NODE = "AnyToBokehChooseLens"


def blurred_with(host: HostUnderTest, given: dict[str, Any], lens: dict[str, Any], **options: Any) -> Any:
    graph = host.graph()
    given_lens = {
        name: host.load(graph, value) if isinstance(value, np.ndarray) else value
        for name, value in lens.items()
    }
    node = graph.add(NODE, **given_lens)
    (result,) = host.values_of(graph, add_lens_blur(host, graph, given, lens=node[0], **options))
    return result


def test_schema_agrees_with_the_controls(host: HostUnderTest):
    assert schema_defaults(host, NODE) == {
        "preset": "custom",
        **LENS_CONTROLS,
        "over_time": "",
        "easing": "linear",
    }
    assert choices_of(host, NODE, "preset") == ["custom", *PRESETS]
    assert [n for n, (_, options) in inputs_of(host, NODE).items() if not options.get("tooltip")] == []
    assert host.object_info()[NODE]["output"] == ["LENS", "STRING", "IMAGE"]


def test_a_lens_takes_the_place_of_the_widgets(host: HostUnderTest):
    given = clip()
    lens = {"blades": 5, "highlight_gain": 2.0, "far_strength": 0.5}
    found = blurred_with(host, given, lens, cat_eye=1.0, light="display", near_strength=0.0)
    expected = directly(given, **_settings(**lens))
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-6)


def test_protect_counts_beside_a_lens(host: HostUnderTest):
    given = clip(1)
    graph = host.graph()
    protect = host.load(graph, np.ones(given["frames"].shape[:3], np.float32))
    node = add_lens_blur(host, graph, given, lens=graph.add(NODE, blades=5)[0], protect=protect)
    (found,) = host.values_of(graph, node)
    assert found.tobytes() == given["frames"].tobytes()


def test_a_preset_brings_its_character_and_the_report_says_so(host: HostUnderTest):
    given = clip(1)
    widgets = {"blades": 3, "cat_eye": 0.0, "near_strength": 0.5, "focus_range": 0.1}
    found = blurred_with(host, given, {"preset": "cine hexagon", **widgets})
    expected = directly(given, **_settings(**with_preset("cine hexagon", widgets)))
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-6)
    graph = host.graph()
    node = graph.add(NODE, preset="cine hexagon", **widgets)
    report = host.save(graph, node[1])
    said = host.run(graph).probes[report.id]
    assert said == (
        "cine hexagon: blades 6, rotation 15, roundness 0.15, highlight_gain 1, near_strength 0.5, "
        "focus_range 0.1, grain 1; all else at its default."
    )


@pytest.mark.parametrize("kind", ["image", "mask"])
def test_a_picture_in_the_opening(host: HostUnderTest, kind: str):
    given = clip(1)
    mask = np.zeros((1, 12, 12), np.float32)
    mask[:, 2:, 4:] = 1.0
    picture = np.repeat(mask[..., None], 3, axis=3) if kind == "image" else mask
    graph = host.graph()
    lens = graph.add(NODE, preset="soap bubble", aperture_image=host.load(graph, picture))
    report = host.save(graph, lens[1])
    (found,) = host.values_of(graph, add_lens_blur(host, graph, given, lens=lens[0]))
    image = aperture_image_of(torch.from_numpy(picture))
    expected = directly(given, **_settings(**with_preset("soap bubble", {}), aperture_image=image))
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-6)
    assert "aperture_image of 12 x 12 px" in host.run(graph).probes[report.id]


@pytest.mark.parametrize(
    ("picture", "said"),
    [
        (np.zeros((1, 8, 8, 3), np.float32), "The aperture image is black all over, so no light would pass"),
        (
            np.concatenate([np.ones((1, 8, 8, 3), np.float32), np.zeros((1, 8, 8, 1), np.float32)], -1),
            "The aperture image is black all over, so no light would pass",
        ),
        (np.ones((3, 8, 8, 3), np.float32), "The aperture image is 3 pictures; give one"),
        (np.ones((0, 8, 8, 3), np.float32), "The aperture image cannot be used"),
        (np.full((1, 8, 8), np.nan, np.float32), "The aperture image cannot be used"),
        (np.full((1, 8, 8, 3), np.inf, np.float32), "The aperture image cannot be used"),
    ],
    ids=["black", "transparent", "several", "empty", "nan", "infinite"],
)
def test_what_is_no_opening_is_said(host: HostUnderTest, picture: Array, said: str):
    graph = host.graph()
    host.save(graph, graph.add(NODE, aperture_image=host.load(graph, picture))[1])
    assert said in host.expect_error(graph).message


def test_a_large_coloured_picture_with_alpha_in_the_opening(host: HostUnderTest):
    # Light of 0.2126 on the left, 0.0722 on the right, of which half is transparent.
    picture = np.zeros((1, 600, 1500, 4), np.float32)
    picture[..., :750, 0] = picture[..., 750:, 2] = picture[..., 3] = 1
    picture[:, :300, 750:, 3] = 0
    given = clip(1)
    found = blurred_with(host, given, {"aperture_image": picture})
    grey = np.zeros((1, 600, 1500), np.float32)
    grey[..., :750] = 1
    grey[:, 300:, 750:] = 0.0722 / 0.2126
    expected = directly(given, **_settings(aperture_image=aperture_image_of(torch.from_numpy(grey))))
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5)


def test_the_preview_shows_the_radius_of_the_lens(host: HostUnderTest):
    given = clip(1)
    graph = host.graph()
    links = {name: host.load(graph, value) for name, value in given.items()}
    lens = graph.add(NODE, far_strength=0.0, focus_range=0.2, largest_radius=100.0)
    node = graph.add("AnyToBokehFocusPreview", show_radius=False, lens=lens[0], **links)
    (found,) = host.values_of(graph, node)
    settings = lens_of_controls(far_strength=0.0, focus_range=0.2, largest_radius=100.0)
    frames, disparity, focus = (torch.from_numpy(given[name]) for name in ("frames", "disparity", "focus"))
    strength = torch.tensor([STRENGTH * WIDTH_PX / 1024])
    falloff = settings.at_width(WIDTH_PX).falloff
    expected = focus_preview(frames, disparity, focus, strength, show_radius=False, falloff=falloff)
    np.testing.assert_allclose(found, expected.numpy(), rtol=0, atol=1e-6)
    far = given["disparity"][0] < 0.5
    assert np.array_equal(found[0][far], given["frames"][0][far])


@pytest.mark.parametrize("node_id", ["AnyToBokehLensBlur", "AnyToBokehFocusPreview"])
def test_something_else_is_refused(host: HostUnderTest, node_id: str):
    given = clip(1)
    graph = host.graph()
    links = {name: host.load(graph, value) for name, value in given.items()}
    node = graph.add(node_id, lens=links["focus"], **links)
    host.save(graph, node)
    assert "The input lens got Tensor; connect Choose Lens." in host.expect_error(graph).message


def test_numbers_that_move(host: HostUnderTest):
    given = clip(3)
    moving = {"over_time": "far_strength: 0: 0, 2: 1\nhighlight_gain: 0, 1, 2", "easing": "hold"}
    graph = host.graph()
    lens = graph.add(NODE, blades=5, near_strength=0.5, far_strength=3.0, **moving)
    links = {name: host.load(graph, value) for name, value in given.items()}
    preview = graph.add("AnyToBokehFocusPreview", show_radius=False, lens=lens[0], **links)
    widgets = {"blades": 5, "near_strength": 0.5, **moving}
    nodes = (
        add_lens_blur(host, graph, given, lens=lens[0]),
        add_lens_blur(host, graph, given, **widgets),
        preview,
        lens[2],
    )
    found, by_widgets, shown, plot = host.values_of(graph, *nodes)
    each = zip((0.0, 0.0, 1.0), (0.0, 1.0, 2.0), strict=True)
    for t, (far_strength, gain) in enumerate(each):
        one = {name: value[t : t + 1] if len(value) > 1 else value for name, value in given.items()}
        lens_then = _settings(blades=5, near_strength=0.5, far_strength=far_strength, highlight_gain=gain)
        np.testing.assert_allclose(found[t], directly(one, **lens_then)[0], rtol=0, atol=1e-6)
    np.testing.assert_array_equal(by_widgets, found)
    far = given["disparity"] < 0.5
    assert np.array_equal(shown[:2][far[:2]], given["frames"][:2][far[:2]])
    assert np.abs(shown[2] - given["frames"][2])[far[2]].max() > 0.05
    assert plot.shape == (1, 2 * 110 + 34, 960, 3)


def test_settings_out_of_range(host: HostUnderTest):
    graph = host.graph()
    host.save(graph, graph.add(NODE, blades=2)[1])
    assert "blades is 2; use 0 for a round opening" in host.expect_error(graph).message


def _settings(**controls: Any) -> dict[str, Any]:
    """Settings for `directly` on frames of this width."""
    lens = lens_of_controls(**controls).at_width(WIDTH_PX)
    return {name: getattr(lens, name) for name in lens.__dataclass_fields__}
