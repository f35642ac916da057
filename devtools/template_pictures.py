"""Pictures of the templates, each of what is special to it, rendered from the bundled clip with its settings.

python -m devtools.template_pictures
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from bokeh_core.disparity.files import open_depth_maps
from bokeh_core.focus.at_point import focus_at_point
from bokeh_core.lens import DEFAULT_LENS, LensSettings, lens_blur, lens_of_controls, with_preset
from bokeh_core.preview.focus_colours import focus_preview
from bokeh_core.video_io import VideoFile
from bokeh_lab.peers import bokeh_small
from bokeh_lab.peers.renderer import BokehTask

from .environment import PACK
from .garage_at_night import CLIP, CLIP_DEPTH

FOLDER = PACK / "example_workflows"
SIZE = (640, 436)
QUALITY = 82
# Of the clip; the network sees a window of so many frames.
FRAME, WINDOW = 18, 8
# How far the line between two pictures leans, in px of the height.
LEAN = 0.25
WHITE, INK, BLUE, GREY, AMBER = (245, 245, 240), (28, 30, 34), (60, 130, 246), (58, 62, 70), (255, 183, 77)

Picture = NDArray[np.uint8]
Point = tuple[float, float]


class Clip:
    """Some frames of the bundled clip, and what becomes of the middle one."""

    def __init__(self, first: int, count: int) -> None:
        """Read them: frames [T, H, W, 3] and their disparity [T, H, W]."""
        last = first + count
        self.frames = torch.stack(list(islice(VideoFile(CLIP).frames(), first, last)))
        maps = open_depth_maps(CLIP_DEPTH).frames()
        self.disparity = torch.stack([depth.float() for depth in islice(maps, first, last)])
        # As the node normalises what it reads.
        self.disparity = self.disparity / self.disparity.max()
        self.height, self.width = self.frames.shape[1:3]
        self.middle = slice(count // 2, count // 2 + 1)

    def focus(self, point: Point) -> Tensor:
        """Focal disparity [T] of what lies at a point, in shares of the frame."""
        x, y = round(point[0] * self.width), round(point[1] * self.height)
        return focus_at_point(self.disparity, x, y, smoothing_frames=0)

    def strength(self, k: float) -> Tensor:
        """K in px of the frame."""
        return torch.tensor([k * self.width / 1024])

    def plain(self) -> Picture:
        """As it was."""
        return scaled(self.frames[self.middle][0])

    def depth(self) -> Picture:
        """Its depth, white = near."""
        return scaled(self.disparity[self.middle][0][..., None].expand(-1, -1, 3))

    def through_lens(self, focus: Tensor, k: float, lens: LensSettings = DEFAULT_LENS) -> Picture:
        """Through Lens Blur."""
        frames, disparity = self.frames[self.middle], self.disparity[self.middle]
        value = focus[self.middle] if len(focus) > 1 else focus
        return scaled(lens_blur(frames, disparity, value, self.strength(k), lens.at_width(self.width))[0])

    def in_colours(self, focus: float, k: float) -> Picture:
        """With the focus shown, as *Focus Preview* does."""
        frames, disparity = self.frames[self.middle], self.disparity[self.middle]
        return scaled(focus_preview(frames, disparity, torch.tensor([focus]), self.strength(k))[0])

    def through_network(self, focus: Tensor, k: float) -> Picture:
        """Through the demo network that comes along."""
        strength = self.strength(k).expand(len(self.frames))
        rendered = bokeh_small.render(BokehTask(self.frames, self.disparity, focus, strength))
        return scaled(rendered[self.middle][0])


def scaled(picture: Tensor) -> Picture:
    """[H, W, 3] in [0, 1] -> 8 bits at `SIZE`."""
    small = cv2.resize(picture.float().numpy(), SIZE, interpolation=cv2.INTER_AREA)
    return np.rint(255 * np.clip(small, 0, 1)).astype(np.uint8)


def side_by_side(pictures: Sequence[Picture]) -> Picture:
    """The pictures as slanting slices of one, with white lines between them."""
    width, height = SIZE
    lean = LEAN * height
    shown = pictures[0].copy()
    for number, picture in enumerate(pictures[1:], 1):
        x = width * number / len(pictures)
        top, bottom = (round(x + lean / 2), 0), (round(x - lean / 2), height)
        inside = np.zeros((height, width), np.uint8)
        cv2.fillPoly(inside, [np.array([top, (width, 0), (width, height), bottom])], 255)
        shown[inside > 0] = picture[inside > 0]
        cv2.line(shown, top, bottom, WHITE, 3, cv2.LINE_AA)
    return shown


def labelled(picture: Picture, text: str, at: tuple[int, int] = (14, 14)) -> Picture:
    """The picture with a word or two on a dark label."""
    font, scale, margin = cv2.FONT_HERSHEY_DUPLEX, 0.85, 9
    (width, height), foot = cv2.getTextSize(text, font, scale, 1)
    left, top = at
    corner = (left + width + 2 * margin, top + height + foot + 2 * margin)
    cv2.rectangle(picture, at, corner, INK, -1)
    cv2.putText(picture, text, (left + margin, top + margin + height), font, scale, WHITE, 1, cv2.LINE_AA)
    return picture


def with_timeline(picture: Picture, keys: Sequence[float]) -> Picture:
    """The picture with a timeline at its foot, and a diamond at each key, in shares of its length."""
    width, height = SIZE
    y, left, right = height - 34, 40, width - 40
    cv2.rectangle(picture, (14, height - 58), (width - 14, height - 12), INK, -1)
    cv2.line(picture, (left, y), (right, y), WHITE, 2, cv2.LINE_AA)
    for key in keys:
        x = round(left + key * (right - left))
        diamond = np.array([(x - 13, y), (x, y - 13), (x + 13, y), (x, y + 13)])
        cv2.fillPoly(picture, [diamond], AMBER, cv2.LINE_AA)
    return picture


def with_form(picture: Picture) -> Picture:
    """The picture with a form over its right part: fields by name, and a button."""
    width, height = SIZE
    left, margin = 372, 16
    cv2.rectangle(picture, (left, 0), (width, height), INK, -1)
    font = cv2.FONT_HERSHEY_DUPLEX
    for number, (name, value) in enumerate(
        (("clip", "clip.mp4"), ("depth", "depth.mp4"), ("focus", "auto"), ("K", "40"), ("lens", "swirl"))
    ):
        top = 22 + 66 * number
        cv2.putText(picture, name, (left + margin, top + 31), font, 0.75, WHITE, 1, cv2.LINE_AA)
        cv2.rectangle(picture, (left + 96, top), (width - margin, top + 46), GREY, -1)
        cv2.putText(picture, value, (left + 108, top + 31), font, 0.75, WHITE, 1, cv2.LINE_AA)
    cv2.rectangle(picture, (left + margin, height - 74), (width - margin, height - 22), BLUE, -1)
    cv2.putText(picture, "Run", (left + 112, height - 38), font, 0.95, WHITE, 1, cv2.LINE_AA)
    return picture


def pictures() -> dict[str, Picture]:
    """Each template's by its name."""
    clip = Clip(FRAME - WINDOW // 2, WINDOW)
    centre = clip.focus((0.5, 0.5))
    near, far = Clip(6, 1), Clip(32, 1)
    swirl = lens_of_controls(**with_preset("swirl", {}))
    racked = side_by_side(
        [
            near.through_lens(near.focus((0.4268, 0.626)), 30),
            far.through_lens(far.focus((0.853, 0.126)), 30),
        ]
    )
    return {
        "1_blur_a_video_by_its_depth": labelled(
            side_by_side([clip.plain(), clip.depth(), clip.through_lens(centre, 24)]), "clip + depth"
        ),
        "2_lens_blur_with_focus_preview": labelled(
            side_by_side([clip.in_colours(0.77, 24), clip.through_lens(torch.tensor([0.77]), 24)]),
            "focus shown first",
            (14, SIZE[1] - 56),
        ),
        "3_any_to_bokeh_model": labelled(
            side_by_side([clip.plain(), clip.through_network(centre, 24)]), "neural network"
        ),
        "4_rack_focus_on_any_frames": with_timeline(labelled(racked, "rack focus"), (6 / 35, 26 / 35)),
        "5_app_your_clip_and_depth": with_form(clip.through_lens(centre, 40, swirl)),
    }


def main() -> None:
    """Write example_workflows/NAME.jpg for each template."""
    for name, picture in pictures().items():
        path = FOLDER / f"{name}.jpg"
        cv2.imwrite(str(path), picture[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, QUALITY])


if __name__ == "__main__":
    main()
