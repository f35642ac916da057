"""A real photograph with a disparity map of the usual faults: no specks along its contours."""

from pathlib import Path

import av
import cv2
import numpy as np
import pytest
import torch
from torch import Tensor

from bokeh_core.lens import lens_blur
from devtools.demo import BUNDLED_CLIP

CLIP = Path(__file__).resolve().parents[3] / "assets" / "motorcycle"
# What stands out of its 3 x 3 neighbourhood by this much, in display values, is seen as a speck.
SPECK = 0.08


@pytest.fixture(scope="module")
def photograph() -> Tensor:
    """Frame 0 of the bundled clip, [H, W, 3] in [0, 1]."""
    with av.open(str(BUNDLED_CLIP)) as container:
        frame = next(container.decode(video=0)).to_ndarray(format="rgb24")
    return torch.from_numpy(frame).float() / 255


@pytest.fixture(scope="module")
def faulty_disparity() -> Tensor:
    """Its disparity as a network and a codec would leave it: half size, contours 1 px in, JPEG."""
    file = np.fromfile(CLIP / "disparity" / "0000.png", np.uint8)
    measured = np.asarray(cv2.imdecode(file, cv2.IMREAD_UNCHANGED), dtype=np.float32)
    height, width = measured.shape
    small = cv2.resize(
        measured / measured.max() * 255, (width // 2, height // 2), interpolation=cv2.INTER_AREA
    )
    eroded = cv2.erode(small.astype(np.uint8), np.ones((3, 3), np.uint8))
    jpeg = cv2.imdecode(cv2.imencode(".jpg", eroded, [cv2.IMWRITE_JPEG_QUALITY, 85])[1], cv2.IMREAD_GRAYSCALE)
    return torch.from_numpy(cv2.resize(jpeg, (width, height), interpolation=cv2.INTER_LINEAR)).float() / 255


def stands_out(picture: Tensor) -> np.ndarray:
    """How far each pixel's luma lies from the median of its 3 x 3 neighbourhood."""
    luma = picture.mean(-1).numpy()
    return np.abs(luma - cv2.medianBlur(luma, 3))


def specks(picture: Tensor, source: Tensor) -> int:
    """Pixels that stand out in the result and did not in the source."""
    return int((stands_out(picture) - stands_out(source) > SPECK).sum())


@pytest.mark.parametrize("focal_disparity", [0.75, 0.1])
def test_contours_of_a_faulty_map_leave_no_specks(photograph, faulty_disparity, focal_disparity):
    def render(contour_reach_px: int) -> Tensor:
        return lens_blur(
            photograph[None],
            faulty_disparity[None],
            torch.tensor([focal_disparity]),
            torch.tensor([20.0]),
            contour_reach_px=contour_reach_px,
        )[0]

    trusting, following = specks(render(0), photograph), specks(render(3), photograph)

    assert following < 0.0002 * photograph[..., 0].numel()
    assert following < trusting / 2
