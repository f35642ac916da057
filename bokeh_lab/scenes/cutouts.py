"""Cut-outs and backgrounds at the size in which a scene shows them."""

import cv2
import numpy as np
import torch
from torch import Tensor

from .draws import Draws
from .library import AssetLibrary
from .mattes import HAIR, THIN, blob
from .textures import SURFACES, night, noise, random_color, with_highlights

_MOST_TRANSPARENT = 0.03


def fit_cutout(picture: Tensor, height: float, width: float) -> Tensor:
    """Trim a cut-out [4, h, w] to what is visible and resize it to fit a box, keeping its proportions.

    Colour is resized premultiplied; straight colour reaches into the transparent parts, so that none of
    what was hidden there shows at the edges.
    """
    visible = picture[3] > _MOST_TRANSPARENT
    rows, columns = visible.any(1).nonzero()[:, 0], visible.any(0).nonzero()[:, 0]
    trimmed = picture[:, rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    factor = min(height / trimmed.shape[1], width / trimmed.shape[2])
    size = (max(round(trimmed.shape[1] * factor), 2), max(round(trimmed.shape[2] * factor), 2))
    resized = resize(torch.cat([trimmed[:3] * trimmed[3:], trimmed[3:]]), *size)
    alpha = resized[3:].clamp(0, 1)
    return torch.cat([(resized[:3] / alpha.clamp(min=1e-3)).clamp(0, 1), alpha])


def resize(picture: Tensor, height: int, width: int) -> Tensor:
    """Resize [C, h, w]: the mean over areas where it shrinks, bicubic where it grows; within [0, 1]."""
    shrinks = height * width < picture.shape[1] * picture.shape[2]
    pixels = np.ascontiguousarray(picture.permute(1, 2, 0).numpy())
    method = cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC
    resized = cv2.resize(pixels, (width, height), interpolation=method)
    return torch.from_numpy(resized).permute(2, 0, 1).contiguous().clamp(0, 1)


def draw_library_cutout(library: AssetLibrary, draws: Draws, height: float, width: float) -> Tensor:
    """A cut-out of the library that fits the box: as it is, with grain, or with a photograph on it."""
    picture = fit_cutout(library.picture(draws.choice(_files(library, "cutout"))), height, width)
    if draws.chance(0.5):
        picture = picture.flip(2)
    surface = draws.uniform(0, 1)
    rows, columns = picture.shape[-2:]
    if surface < 0.45:
        return picture
    if surface < 0.75:
        grain = noise(rows, columns, draws, coarsest=12, falloff=0.9)
        color = picture[:3] * (0.72 + 0.56 * grain)
    else:
        # The cut-out's own shading stays visible in the photograph.
        photograph = cover(library.picture(draws.choice(_files(library, "background"))), rows, columns, draws)
        color = 0.3 * picture[:3] + 0.7 * photograph * (0.35 + picture[:3].mean(0))
    return torch.cat([color.clamp(0, 1), picture[3:]])


def draw_matte(kind: str, draws: Draws, height: float, width: float) -> Tensor:
    """A procedural cut-out that fits the box; kind is "hair", "thin" or "blob"."""
    matte = {"hair": draws.choice(HAIR), "thin": draws.choice(THIN), "blob": blob}[kind]
    size_px = max(round(min(height, width)), 8)
    picture = matte(size_px, draws)
    return picture if draws.chance(0.5) else picture.flip(2)


def draw_background(library: AssetLibrary, draws: Draws, kind: str, height: int, width: int) -> Tensor:
    """An opaque background [3, height, width]; kind is "photograph", "surface", "night" or "texture"."""
    if kind == "night":
        return night(height, width, draws)
    if kind == "surface":
        return draws.choice(SURFACES)(height, width, draws)
    if kind == "texture":
        grey = cover(library.picture(draws.choice(_files(library, "texture"))), height, width, draws)
        dark, light = (
            torch.tensor(random_color(draws, value=v))[:, None, None] for v in ((0, 0.2), (0.7, 1))
        )
        return torch.lerp(dark.expand_as(grey), light.expand_as(grey), grey)
    return cover(library.picture(draws.choice(_files(library, "background"))), height, width, draws)


def cover(picture: Tensor, height: int, width: int, draws: Draws) -> Tensor:
    """A part of a picture [3, h, w], perhaps mirrored, that fills height x width.

    The part is at least 60 % of the largest one of that shape, and larger if it would have to be magnified.
    """
    largest = min(picture.shape[1] / height, picture.shape[2] / width)
    factor = max(largest * draws.uniform(0.6, 1.0), min(largest, 1.0))
    part_height = min(max(round(height * factor), 1), picture.shape[1])
    part_width = min(max(round(width * factor), 1), picture.shape[2])
    top = int(draws.uniform(0, 1) * (picture.shape[1] - part_height))
    left = int(draws.uniform(0, 1) * (picture.shape[2] - part_width))
    part = picture[:, top : top + part_height, left : left + part_width]
    part = part.flip(2) if draws.chance(0.5) else part
    return resize(part, height, width)


def sprinkle(picture: Tensor, draws: Draws, per_megapixel: float) -> Tensor:
    """Add specular highlights in proportion to the area of [3 or 4, h, w]."""
    count = max(round(per_megapixel * picture.shape[1] * picture.shape[2] / 1e6), 1)
    return with_highlights(picture, draws, count)


def _files(library: AssetLibrary, kind: str) -> tuple[str, ...]:
    files = library.files(kind)
    if not files:
        raise ValueError(
            f"{library.folder} holds no {kind} in this split; fetch a larger set or use all of it."
        )
    return files
