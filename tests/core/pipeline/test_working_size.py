"""Working sizes and the way there and back, by hand."""

import pytest
import torch

from bokeh_core.pipeline.working_size import working_geometry


@pytest.mark.parametrize(
    ("size", "setting", "inner", "padded"),
    [
        # (width, height) throughout.
        ((64, 64), "auto", (64, 64), (64, 64)),
        ((180, 100), "auto", (180, 100), (192, 128)),
        ((1024, 576), "auto", (1024, 576), (1024, 576)),
        ((1920, 1080), "auto", (1024, 576), (1024, 576)),
        ((1080, 1920), "auto", (576, 1024), (576, 1024)),
        # sqrt(589824 / 655560) = 0.94854: 1024.4 x 575.8, both within 2 % of a multiple of 64.
        ((1080, 607), "auto", (1024, 576), (1024, 576)),
        # sqrt(589824 / 1555200) = 0.61584: 886.8 (1.04 % from 896) x 665.1 (3.8 % from 640).
        ((1440, 1080), "auto", (896, 665), (896, 704)),
        ((1080, 607), "native", (1080, 607), (1088, 640)),
        ((160, 96), (128, 64), (128, 64), (128, 64)),
        ((100, 100), (200, 130), (200, 130), (256, 192)),
    ],
)
def test_sizes(size, setting, inner, padded):
    geometry = working_geometry(size[1], size[0], setting)
    assert geometry.inner == inner[::-1]
    assert geometry.padded == padded[::-1]
    assert geometry.source == size[::-1]


def test_padding_mirrors_and_is_cropped_again():
    geometry = working_geometry(66, 100)
    image = torch.rand(2, 3, 66, 100, generator=torch.Generator().manual_seed(1))
    padded = geometry.pad(geometry.stretch(image))
    assert padded.shape == (2, 3, 128, 128)
    # The last row and column are the mirror's hinge: 65 -> 66 is 64, 99 -> 100 is 98.
    assert torch.equal(padded[..., 66, :100], image[..., 64, :])
    assert torch.equal(padded[..., 127, :100], image[..., 3, :])
    assert torch.equal(padded[..., :66, 127], image[..., 71])
    assert torch.equal(geometry.restore(padded), image)


def test_shrinking_averages_and_enlarging_comes_back_to_size():
    geometry = working_geometry(128, 256, (128, 64))
    stripes = torch.zeros(1, 3, 128, 256)
    stripes[..., ::2] = 1
    small = geometry.stretch(stripes)
    assert small.shape == (1, 3, 64, 128)
    # Antialiased by 2: triangle weights 1 3 3 1 over eight, so stripes vanish away from the edges.
    assert torch.allclose(small[..., 2:-2], torch.tensor(0.5), atol=1e-6)
    back = geometry.restore(small)
    assert back.shape == (1, 3, 128, 256)
    assert back.min() >= 0
    assert back.max() <= 1


@pytest.mark.parametrize(
    ("height", "width", "setting", "message"),
    [
        (63, 200, "auto", "Frames are 200 x 63; the model needs at least 64 px on both sides"),
        (200, 20, "native", "Frames are 20 x 200"),
        (200, 200, (1024, 32), "working size is 1024 x 32; both sides must be at least 64 px"),
        (200, 200, "other", "'other'; it must be 'auto', 'native'"),
    ],
)
def test_sizes_out_of_range(height, width, setting, message):
    with pytest.raises(ValueError, match=message):
        working_geometry(height, width, setting)
