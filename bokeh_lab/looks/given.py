"""Lens Blur told more of the truth than a picture and a map tell: what that is worth."""

from dataclasses import replace

import torch
from torch import Tensor

from bokeh_core.coc import signed_circle_of_confusion_px
from bokeh_core.lens import LensSettings
from bokeh_core.lens.layers import Layer, Layers, split_layers
from bokeh_core.lens.light import Scale
from bokeh_core.lens.settings import REPEAT
from bokeh_core.lens.through import layers_through_lens

from ..ground_truth import GroundTruthClip
from ..raytrace.planes import snapped
from ..scenes.scene import LayeredFrame

PICTURE, MIXED_PIXELS, LAYERS = "picture", "mixed pixels", "layers"
GIVEN = (PICTURE, MIXED_PIXELS, LAYERS)
"""A picture and a map alone; with the true colours and shares of all pixels that two surfaces share; with
all that is hidden too."""


def rendered_given(given: str, truth: GroundTruthClip, layered: LayeredFrame, lens: LensSettings) -> Tensor:
    """[1, H, W, 3] of Lens Blur on a clip of one frame, told more or less of the truth.

    Args:
        given: one of `GIVEN`.
        truth: one frame through the lens.
        layered: the same frame with all its layers.
        lens: stated for frames 1024 px wide.
    """
    height, width = truth.frames.shape[1:3]
    of_frame = replace(lens, gamma=truth.gamma).at_width(width)
    values = truth.frames[0].permute(2, 0, 1).contiguous()
    scale = Scale.of(values, gamma=truth.gamma)
    strength_px = truth.blur_strength_px

    def through(fringe: float) -> Tensor:
        focus = truth.focal_disparity - fringe

        def taken_apart() -> Layers:
            radius_px = signed_circle_of_confusion_px(truth.disparity, focus, strength_px, of_frame.falloff)[
                0
            ]
            true = _true_layers(layered, float(focus), float(strength_px), truth.gamma)
            if given == LAYERS:
                return true
            own = split_layers(
                scale.to_light(values),
                radius_px,
                of_frame.whole_reach_px(width),
                beyond_white=scale.beyond_white,
            )
            return own if given == PICTURE else _with_mixed_pixels(own, true)

        light = layers_through_lens(
            taken_apart,
            of_frame.aperture,
            (height, width),
            beyond_frame=of_frame.border == REPEAT,
            in_double=scale.needs_double,
        )
        return scale.to_values(light)

    picture = through(0.0)
    if of_frame.fringe > 0:
        picture[0::2] = through(of_frame.fringe)[0::2]
    return picture.permute(1, 2, 0)[None]


def _true_layers(layered: LayeredFrame, focal_disparity: float, strength_px: float, gamma: float) -> Layers:
    """The nearest two surfaces of every pixel, as rays meet them; a third one shows through the second."""
    alphas, lights = snapped(layered.alpha), layered.color.clamp(min=0) ** gamma
    radii_px = (layered.disparity_maps().clamp(0, 1) - focal_disparity) * strength_px
    front, back = (_nothing(lights[0]) for _ in range(2))
    for alpha, light, radius_px in zip(alphas, lights, radii_px, strict=True):
        met = Layer(light, radius_px, alpha)
        first = (alpha > 0) & (front.weight == 0)
        second = (alpha > 0) & ~first & (front.weight < 1) & (back.weight == 0)
        hidden = (alpha > 0) & ~first & (front.weight == 1) & (back.weight == 0)
        third = (alpha > 0) & ~first & ~second & ~hidden & (back.weight < 1)
        seen_through = Layer(
            torch.lerp(light, back.color, back.weight), back.radius_px, torch.ones_like(alpha)
        )
        front = _chosen(first, met, front)
        back = _chosen(second | hidden, met, _chosen(third, seen_through, back))
    rim = (front.weight > 0) & (front.weight < 1)
    return Layers(front, replace(back, weight=(back.weight > 0).float()), rim.float())


def _with_mixed_pixels(own: Layers, true: Layers) -> Layers:
    """Layers that are the true ones where two surfaces share a pixel, in truth or as it was judged."""
    mixed = (true.front.weight < 1) | (own.front.weight < 1)
    return Layers(
        _chosen(mixed, true.front, own.front),
        _chosen(mixed, true.back, own.back),
        torch.where(mixed, true.rim, own.rim),
    )


def _nothing(light: Tensor) -> Layer:
    return Layer(torch.zeros_like(light), torch.zeros_like(light[0]), torch.zeros_like(light[0]))


def _chosen(where: Tensor, first: Layer, second: Layer) -> Layer:
    """One layer where a mask says so, the other one elsewhere."""
    return Layer(
        torch.where(where, first.color, second.color),
        torch.where(where, first.radius_px, second.radius_px),
        torch.where(where, first.weight, second.weight),
    )
