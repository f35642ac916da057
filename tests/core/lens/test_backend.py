"""Which backend serves which device, and both against each other over whole frames."""

import math

import numpy as np
import pytest
import torch

from bokeh_core.lens import Aperture, LensSettings, lens_blur
from bokeh_core.lens.aperture_image import aperture_image_of
from bokeh_core.lens.backend import ACCELERATOR, BACKENDS, CPU, Backend, backend_of
from tests.core.lens.reference import random_texture


@pytest.mark.parametrize("kind", ["cuda", "mps", "xpu", "meta"])
def test_every_device_but_a_cpu_is_an_accelerator(kind: str):
    assert backend_of(torch.device(kind)) is ACCELERATOR
    assert backend_of(torch.device("cpu")) is CPU


def test_only_a_cpu_works_in_pieces_and_on_several_frames():
    assert math.isfinite(CPU.piece_cost_px)
    assert ACCELERATOR.piece_cost_px == math.inf
    assert CPU.frames_at_a_time() == torch.get_num_threads()
    assert ACCELERATOR.frames_at_a_time() == 1


@pytest.mark.parametrize("backend", [CPU, ACCELERATOR], ids=["cpu", "accelerator"])
def test_planes_are_halved_over_what_is_there(backend: Backend):
    plane = torch.tensor([[1.0, 2, 3], [4, 5, 6], [7, 8, 9]])

    halved = backend.halved(torch.stack([plane, 10 * plane]))

    expected = torch.tensor([[3.0, 4.5], [7.5, 9.0]])
    torch.testing.assert_close(halved, torch.stack([expected, 10 * expected]))


@pytest.mark.parametrize("backend", [CPU, ACCELERATOR], ids=["cpu", "accelerator"])
def test_planes_are_enlarged_between_the_centres_of_pixels(backend: Backend):
    planes = torch.tensor([[[0.0, 4.0]], [[8.0, 0.0]]])

    enlarged = backend.enlarged(planes, (1, 4))

    torch.testing.assert_close(enlarged, torch.tensor([[[0.0, 1.0, 3.0, 4.0]], [[8.0, 6.0, 2.0, 0.0]]]))


@pytest.mark.parametrize("backend", [CPU, ACCELERATOR], ids=["cpu", "accelerator"])
def test_of_equal_values_the_first_is_the_greatest(backend: Backend):
    values = torch.tensor([[3.0, -2.0, 2.0], [3.0, -1.0, 5.0], [1.0, -1.0, 5.0]])

    assert backend.first_greatest(values).tolist() == [0, 1, 1]
    assert backend.first_greatest((values > 2).to(torch.uint8)).tolist() == [0, 0, 1]


@pytest.mark.parametrize("backend", [CPU, ACCELERATOR], ids=["cpu", "accelerator"])
def test_a_frame_of_a_pass_does_not_reach_into_another(backend: Backend):
    frames = torch.zeros(2, 5, 7)
    frames[0, 2, 3] = 1.0
    expected = torch.zeros(2, 5, 7)
    expected[0, 1:4, 2:5] = 1.0
    assert torch.equal(backend.local_max(frames, 1), expected)
    assert torch.equal(backend.local_min(1 - frames, 1), 1 - expected)
    assert torch.equal(backend.dilate(frames > 0, 1), expected > 0)

    planes = torch.stack([frames, 2 * frames])
    mean = np.full((3, 3), 1 / 9, np.float32)
    torch.testing.assert_close(
        backend.correlate(planes, mean, "dark"), torch.stack([expected, 2 * expected]) / 9
    )
    blurred = backend.gaussian(planes, 0.8, 3)
    assert not blurred[:, 1].any()
    torch.testing.assert_close(blurred[1], 2 * blurred[0])
    torch.testing.assert_close(blurred[0, 0].sum().item(), 1.0)


# A far wall, a slope and a near bar, blurred by up to 14 px on either side of the focus: every step runs.
HOOK = aperture_image_of(torch.tensor([[1.0, 0.2, 0.0], [1.0, 0.0, 0.0], [1.0, 1.0, 1.0]]))
LENSES = [
    LensSettings(),
    LensSettings(Aperture(cat_eye=0.8)),
    LensSettings(Aperture(cat_eye=0.4, swirl=0.8, ring=0.9)),
    LensSettings(Aperture(image=HOOK, ring=-0.5), fringe=0.1),
]


@pytest.mark.parametrize("lens", LENSES, ids=["plain", "cat-eye", "swirl and ring", "image and fringe"])
@pytest.mark.parametrize("channels", [3, 4])
def test_a_frame_is_the_same_on_both(monkeypatch: pytest.MonkeyPatch, lens: LensSettings, channels: int):
    frame = random_texture(60, 90, 3, 0.0, 1.0)[None]
    frames = torch.cat([frame, frame[..., :1].clamp(min=0.4)], dim=-1)[..., :channels]
    disparity = torch.linspace(0.1, 0.5, 90).expand(1, 60, 90).clone()
    disparity[:, :20] = 0.0
    disparity[:, 10:50, 30:45] = 0.95
    pictures = []
    for backend in (CPU, ACCELERATOR):
        monkeypatch.setitem(BACKENDS, "cpu", backend)
        pictures.append(
            lens_blur(
                frames,
                disparity,
                torch.tensor([0.4]),
                torch.tensor([25.0]),
                lens,
                contour_reach_px=4.0,
                workers=1,
            )
        )
    assert (pictures[0] - frames).abs().max() > 0.2
    torch.testing.assert_close(pictures[1], pictures[0], rtol=0, atol=2e-4)
