"""What a pair of clips refuses, and how clips are cut."""

import pytest
import torch

from bokeh_lab.metrics import ClipPair
from bokeh_lab.metrics.clip_pair import channels_first, frame_chunks

CLIP = torch.full((2, 4, 5, 3), 0.5)
MASK = torch.zeros(2, 4, 5, dtype=torch.bool)


def test_length():
    assert ClipPair(CLIP, CLIP, CLIP, MASK, MASK).num_frames == 2


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"truth": CLIP[0]}, r"truth has shape \(4, 5, 3\)"),
        ({"truth": CLIP[:0]}, "not empty"),
        ({"prediction": CLIP[:1]}, r"prediction has shape \(1, 4, 5, 3\)"),
        ({"sharp": CLIP[:, :3]}, r"sharp has shape \(2, 3, 5, 3\)"),
        ({"edges": MASK[:1]}, r"edges is torch.bool of shape \(1, 4, 5\)"),
        ({"in_focus": MASK.float()}, "in_focus is torch.float32"),
        ({"prediction": CLIP + 0.6}, "from 1.1 to 1.1"),
        ({"prediction": CLIP - 0.6}, "from -0.1 to -0.1"),
        ({"prediction": CLIP * torch.nan}, "finite"),
    ],
)
def test_refusals(change, message):
    parts = {"prediction": CLIP, "truth": CLIP, "sharp": CLIP, "in_focus": MASK, "edges": MASK} | change
    with pytest.raises(ValueError, match=message):
        ClipPair(**parts)


def test_one_nan_is_found():
    prediction = CLIP.clone()
    prediction[1, 2, 3, 0] = torch.nan
    with pytest.raises(ValueError, match="finite"):
        ClipPair(prediction, CLIP, CLIP, MASK, MASK)


def test_chunks():
    assert list(frame_chunks(9, 4)) == [slice(0, 4), slice(4, 8), slice(8, 9)]
    assert list(frame_chunks(4, 4)) == [slice(0, 4)]


def test_channels_first():
    frames = torch.arange(24.0).reshape(2, 2, 2, 3)
    moved = channels_first(frames, "cpu")
    assert moved.shape == (2, 3, 2, 2)
    assert moved[1, 2, 0, 1] == frames[1, 0, 1, 2]
