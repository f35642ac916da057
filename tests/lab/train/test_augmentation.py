"""Changes of clips that a round lens commutes with, checked with a disk of its own."""

from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F

from bokeh_lab.scenes.draws import Draws
from bokeh_lab.train.augmentation import recoloured, turned
from bokeh_lab.train.config import DataConfig, OptimiserConfig, RunConfig, TrainConfig
from bokeh_lab.train.config_checks import check


def blurred(clip: torch.Tensor, radius_px: int = 2) -> torch.Tensor:
    """Means over a disk, inside of the borders only."""
    offsets = torch.arange(-radius_px, radius_px + 1)
    disk = (offsets[:, None] ** 2 + offsets**2 <= radius_px**2).float()
    taps = (disk / disk.sum()).expand(3, 1, -1, -1)
    return F.conv2d(clip, taps, groups=3)


def test_turning_by_hand():
    values = torch.tensor([[1, 2], [3, 4]])
    assert turned(values, swap=True, upside_down=False).tolist() == [[1, 3], [2, 4]]
    assert turned(values, swap=False, upside_down=True).tolist() == [[3, 4], [1, 2]]
    assert turned(values, swap=True, upside_down=True).tolist() == [[3, 1], [4, 2]]


def test_changing_and_blurring_can_be_swapped():
    clip = torch.rand(2, 3, 16, 16, generator=torch.Generator().manual_seed(0))
    seen = set()
    for number in range(12):
        frames, bokeh = recoloured((clip, blurred(clip)), Draws.named(number))
        assert torch.allclose(blurred(frames), bokeh, atol=1e-5)
        assert float(frames.min()) >= 0 and float(frames.max()) <= 1
        # Light and dark are swapped in some.
        seen.add(float(((frames - frames.mean()) * (clip - clip.mean())).mean()) > 0)
        assert not torch.allclose(frames, clip, atol=0.05)
    assert seen == {True, False}
    for swap in (True, False):
        assert torch.allclose(blurred(turned(clip, swap, True)), turned(blurred(clip), swap, True), atol=1e-6)


def test_what_they_need_is_checked():
    config = TrainConfig("run", RunConfig(1), OptimiserConfig(1e-3), data=DataConfig(size=(128, 64)))
    with pytest.raises(ValueError, match=r"data\.turn needs a square data\.crop"):
        check(replace(config, data=replace(config.data, turn=True)))
    with pytest.raises(ValueError, match=r"exact only with data\.gamma 1, not 2\.2"):
        check(replace(config, data=replace(config.data, recolour=True, gamma=2.2)))
