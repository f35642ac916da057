"""Dr.Bokeh's renderer: two layers, each gathered over a lens kernel that knows what occludes what.

After Sheng et al., "Dr.Bokeh: DiffeRentiable Occlusion-aware Bokeh Rendering" (CVPR 2024), from its formulas.
The published system gets the matte, the filled background and their disparity from networks, whose weights
are not available here. Ours, and without weights, are: the split of the disparity map at Otsu's threshold
(`split_at_otsu`), the background by push-pull, and the foreground's disparity carried on beyond its matte.
"""

import math
from dataclasses import dataclass

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from bokeh_core.lens.fill import push_pull

from .by_frame import Shot, by_frame
from .offsets import add_shifted, overlap, rings
from .renderer import BokehTask

# exp(-3 r^2) of pixels further out of focus than this is below float32's resolution of the sum.
_IN_FOCUS_SHARE = 1e-7


@dataclass(frozen=True)
class Sheet:
    """One of the two layers.

    Attributes:
        light: [3, H, W].
        alpha: [H, W] in [0, 1].
        disparity: [H, W], also where alpha is 0.
    """

    light: Tensor
    alpha: Tensor
    disparity: Tensor


def render(task: BokehTask) -> Tensor:
    """Render from frames and disparity, split in two at Otsu's threshold of each disparity map.

    Returns:
        float32 [T, H, W, 3] in [0, 1].
    """
    return by_frame(task, lambda shot: render_sheets(split_at_otsu(shot), shot))


def render_layers(task: BokehTask) -> Tensor:
    """Render from the true layers: the farthest is the background, all others are put together as the matte.

    Raises:
        ValueError: the task has no layers.
    """
    return by_frame(task, lambda shot: render_sheets(_two_true_layers(shot), shot))


def render_sheets(sheets: list[Sheet], shot: Shot) -> Tensor:
    """Lay sheets over each other front to back: sum T o c, T *= 1 - o.

    c is the gathered light of a sheet and o the mean of its alpha over a box of half-width floor(R / 2), with
    R = K |d - d_f| + 1 at the pixel.
    """
    result = torch.zeros_like(sheets[0].light)
    through = torch.ones_like(sheets[0].alpha)
    for sheet in sheets:
        light = gather_sheet(sheet, shot.focal_disparity, shot.blur_strength_px)
        radius_px = shot.radius_px(sheet.disparity).abs() + 1
        opacity = box_mean(sheet.alpha, (radius_px / 2).long())
        result += through * opacity * light
        through = through * (1 - opacity)
    return result


def softstep(inside_px: Tensor) -> Tensor:
    """Soft edge of the disk, 0.1 / (0.1 + exp(-3 t)), t px inside it."""
    return 0.1 / (0.1 + torch.exp(-3 * inside_px))


def gather_sheet(sheet: Sheet, focal_disparity: float, blur_strength_px: float) -> Tensor:
    """Weighted mean of a sheet's light around every pixel c: [3, H, W].

    With d the disparity from the focal plane, R_n = K |d_n| + 1 and a neighbour n at distance p:
        weight = softstep(R_n - p) / R_n^2 * occ * a_n,
        occ = f + (1 - f)(1/2 + 1/2 tanh(10 (d_n - d_c - 0.1))), f = 1 - exp(-3 (K |d_c|)^2):
    a pixel in focus takes only from what is clearly nearer. The lens kernel is a disk as wide as the largest
    R. The published centre tap of 1 is taken for its occ: a pixel always sees itself. As its whole weight it
    would leave a quarter of the sharp picture in every blur, since all others together weigh less than pi.
    """
    defocus = sheet.disparity - focal_disparity
    coc_px = blur_strength_px * defocus.abs()
    radius_px = coc_px + 1
    matted = torch.cat([sheet.light, torch.ones_like(sheet.light[:1])]) * sheet.alpha
    in_focus = torch.exp(-3 * coc_px.square())  # 1 - f
    # Spares a tanh an offset: 1/2 + 1/2 tanh(10 (d_n - d_c - 0.1)) = e_n / (e_n + e_c exp(2)), e = exp(20 d).
    nearness = torch.exp(20 * defocus)
    threshold = nearness * math.exp(2)

    from_all, from_nearer = torch.zeros_like(matted), torch.zeros_like(matted)
    occludes = bool((in_focus > _IN_FOCUS_SHARE).any())
    height, width = sheet.alpha.shape
    for distance_px, offsets in rings(math.ceil(radius_px.max().item())):
        weighted = matted * (softstep(radius_px - distance_px) / radius_px.square())
        if distance_px == 0:
            from_all += weighted
            from_nearer += weighted
            continue
        for offset in offsets:
            add_shifted(from_all, weighted, offset)
            areas = overlap(height, width, offset)
            if occludes and areas is not None:
                source, target = areas
                share = nearness[source] / (nearness[source] + threshold[target])
                from_nearer[:, target[0], target[1]] += share * weighted[:, source[0], source[1]]
    total = torch.lerp(from_all, from_nearer, in_focus) if occludes else from_all
    return total[:3] / total[3:].clamp(min=1e-12)


def box_mean(plane: Tensor, half_width_px: Tensor) -> Tensor:
    """Mean of [H, W] over a box of each pixel's own half-width (whole px), cut at the frame's borders."""
    height, width = plane.shape
    sums = F.pad(plane.double().cumsum(0).cumsum(1), (1, 0, 1, 0))
    rows = torch.arange(height, device=plane.device)[:, None]
    columns = torch.arange(width, device=plane.device)
    top, bottom = (rows - half_width_px).clamp(min=0), (rows + half_width_px + 1).clamp(max=height)
    left, right = (columns - half_width_px).clamp(min=0), (columns + half_width_px + 1).clamp(max=width)
    inside = sums[bottom, right] - sums[top, right] - sums[bottom, left] + sums[top, left]
    return (inside / ((bottom - top) * (right - left))).to(plane.dtype).clamp(0, 1)


def split_at_otsu(shot: Shot) -> list[Sheet]:
    """Foreground and background of a frame by Otsu's threshold of its disparity; one sheet where it is flat.

    What the foreground hides is push-pulled from the background but for a border of one pixel, where colours
    are mixed; the foreground's disparity is push-pulled outwards likewise.
    """
    light, disparity = shot.light, shot.disparity
    low, high = disparity.min(), disparity.max()
    whole = Sheet(light, torch.ones_like(disparity), disparity)
    if high - low < 1e-6:
        return [whole]
    grey = ((disparity - low) / (high - low) * 255).round().to(torch.uint8).cpu().numpy()
    threshold, _ = cv2.threshold(np.ascontiguousarray(grey), 0, 255, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
    near = torch.from_numpy(grey > threshold).to(light)
    known = 1 - F.max_pool2d(near[None], 3, 1, 1)
    if not bool(known.any()):
        return [whole]
    filled = push_pull(torch.cat([light, disparity[None]]), known)
    background = torch.where(near > 0, filled, torch.cat([light, disparity[None]]))
    foreground = push_pull(torch.cat([light, disparity[None]]), near[None])
    return [
        Sheet(foreground[:3], near, foreground[3]),
        Sheet(background[:3], torch.ones_like(disparity), background[3]),
    ]


def _two_true_layers(shot: Shot) -> list[Sheet]:
    layers = shot.true_layers()
    light, disparity = layers.color**shot.gamma, layers.disparity_maps()
    background = Sheet(light[-1], layers.alpha[-1], disparity[-1])
    if len(light) == 1:
        return [background]
    through = torch.ones_like(layers.alpha[0])
    total = torch.zeros_like(torch.cat([light[0], disparity[:1]]))
    for layer_light, alpha, plane_disparity in zip(
        light[:-1], layers.alpha[:-1], disparity[:-1], strict=True
    ):
        total += through * alpha * torch.cat([layer_light, plane_disparity[None]])
        through = through * (1 - alpha)
    matte = 1 - through
    straight = total / matte.clamp(min=1e-6)
    extended = push_pull(straight, (matte > 0.01).float()[None])
    return [Sheet(extended[:3], matte, extended[3]), background]
