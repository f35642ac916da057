"""docs/depth.md's table of sources, held to the true disparity of a plane that runs away from the camera."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor

from bokeh_core.disparity.prepare import prepare_disparity

PAGE = Path(__file__).parents[3] / "docs" / "depth.md"

# Far to the left, near to the right.
NEAREST, FARTHEST = 1.0, 5.0
DISTANCE = torch.linspace(FARTHEST, NEAREST, 201).expand(1, 4, 201)


def settings() -> dict[str, tuple[str, str, float]]:
    """Source -> (source, polarity, exponent), from the rows that name all three."""
    rows = re.findall(
        r"^\| ([^|]+) \| (disparity|metric depth) \| (near white|near black|auto) \| ([\d.]+) \|",
        PAGE.read_text(encoding="utf-8"),
        re.MULTILINE,
    )
    return {name: (source, polarity, float(exponent)) for name, source, polarity, exponent in rows}


def true_disparity(distance: Tensor, farthest: float) -> Tensor:
    return (1 / distance - 1 / farthest) / (1 / NEAREST - 1 / farthest)


def linear_in_depth(distance: Tensor) -> Tensor:
    """What Depth Anything 3 renders as v2_style and min_max: 1 - normalised depth, per frame."""
    return 1 - (distance - distance.min()) / (distance.max() - distance.min())


def of_each_frame(distance: Tensor) -> Tensor:
    """Disparity normalised per frame."""
    return (1 / distance - 1 / distance.max()) / (1 / distance.min() - 1 / distance.max())


def in_bytes(given: Callable[[Tensor], Tensor]) -> Callable[[Tensor], Tensor]:
    """A picture of 8 bits, cut off below the next level."""
    return lambda distance: (given(distance) * 255).floor() / 255


# Each row: what its source gives for a distance, and by how much the disparity is off at most.
SOURCES: dict[str, tuple[Callable[[Tensor], Tensor], float]] = {
    "Video Depth Anything, DepthCrafter": (lambda z: 7 / z + 3, 1e-5),
    "Depth Anything V2 (kijai)": (of_each_frame, 1e-5),
    "Depth Anything 3 in ComfyUI, `raw`": (lambda z: z, 1e-5),
    "Depth Anything 3 in ComfyUI, `v2_style` or `min_max`": (linear_in_depth, 0.09),
    "ControlNet Aux: MiDaS, Depth Anything, Depth Anything V2": (in_bytes(of_each_frame), 0.006),
    "ControlNet Aux: LeReS, Zoe, Metric3D, metric Depth Anything V2": (in_bytes(linear_in_depth), 0.1),
    "Marigold V2 in ComfyUI, `disparity`": (of_each_frame, 1e-5),
    "Marigold V2 in ComfyUI, `depth`; Marigold (kijai) with `invert`": (linear_in_depth, 0.09),
    "Depth Pro, metric depth": (lambda z: z, 1e-5),
    "Depth Pro, picture 1 / (1 + z)": (lambda z: 1 / (1 + z), 0.2),
    "Depth pass of a renderer (EXR)": (lambda z: 0.01 * z, 1e-5),
}


def test_every_row_with_settings_is_tried():
    assert set(settings()) == set(SOURCES)


@pytest.mark.parametrize("name", SOURCES)
def test_the_settings_of_a_row_give_its_disparity(name: str):
    source, polarity, exponent = settings()[name]
    given, most_off = SOURCES[name]
    if polarity == "auto":
        # A guess is for pictures; of distances it is not needed.
        assert source == "metric depth"
    disparity = prepare_disparity(given(DISTANCE), source, polarity, exponent=exponent).disparity
    assert disparity[0, 0, -1] == 1 and disparity[0, 0, 0] == 0
    assert bool((disparity.diff(dim=-1) >= 0).all())
    assert (disparity - true_disparity(DISTANCE, FARTHEST)).abs().max().item() <= most_off


@pytest.mark.parametrize(("farthest", "most_off"), [(5.0, 0.09), (10.0, 0.26)])
def test_what_the_readme_says_of_pictures_linear_in_depth(farthest: float, most_off: float):
    distance = torch.linspace(farthest, NEAREST, 201).expand(1, 4, 201)
    _, polarity, exponent = settings()["Depth Anything 3 in ComfyUI, `v2_style` or `min_max`"]
    errors = [
        (
            prepare_disparity(linear_in_depth(distance), "disparity", polarity, exponent=power).disparity
            - true_disparity(distance, farthest)
        )
        .abs()
        .max()
        .item()
        for power in (1.0, exponent)
    ]
    assert errors[1] <= most_off
    # Without the exponent the background is blurred far too little.
    assert errors[0] > 2 * errors[1] - 0.01


def test_the_former_advice_turns_near_and_far_round():
    picture = linear_in_depth(DISTANCE)
    swapped = prepare_disparity(picture, "disparity", "near black").disparity
    assert swapped[0, 0, 0] == 1 and swapped[0, 0, -1] == 0
    # Refused, with what is right for a picture of either polarity.
    for given, polarity, right in ((picture, "near white", "white"), (1 - picture, "auto", "black")):
        advice = rf"metric depth values are 0 or less, .* disparity with polarity near {right} and exponent 3"
        with pytest.raises(ValueError, match=advice):
            prepare_disparity(given, "metric depth", polarity)
        disparity = prepare_disparity(given, "disparity", f"near {right}", exponent=3.0).disparity
        assert (disparity - true_disparity(DISTANCE, FARTHEST)).abs().max().item() <= 0.09


@pytest.mark.parametrize(("farthest", "most_off"), [(5.0, 0.07), (10.0, 0.055)])
def test_what_the_page_says_of_pictures_linear_in_the_logarithm_of_depth(farthest: float, most_off: float):
    distance = torch.linspace(farthest, NEAREST, 201).expand(1, 4, 201)
    picture = linear_in_depth(distance.log())
    disparity = prepare_disparity(picture, "disparity", "near white", exponent=2.0).disparity
    assert (disparity - true_disparity(distance, farthest)).abs().max().item() <= most_off
