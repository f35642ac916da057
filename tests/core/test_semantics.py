"""What the image encoder is shown, against the published inference and values worked out by hand."""

import pytest
import torch

from bokeh_core.semantics import clip_input


def test_published_frame(golden, small_image_encoder):
    numbers = golden("clip")
    prepared = clip_input(numbers["image_u8"].float() / 127.5 - 1)
    assert prepared.shape == (1, 3, 224, 224)
    # Of 224 x 224 values every third row and column is stored.
    assert (prepared[..., ::3, ::3] - numbers["clip_input"]).abs().max() <= 1e-4
    assert (small_image_encoder(prepared) - numbers["image_embeds"]).abs().max() <= 1e-4


def test_a_flat_frame_stays_flat_and_is_not_normalised():
    frames = torch.tensor([-1.0, 0.0, 0.5]).view(1, 3, 1, 1).expand(1, 3, 300, 500)
    expected = torch.tensor([0.0, 0.5, 0.75]).view(1, 3, 1, 1).expand(1, 3, 224, 224)
    assert torch.allclose(clip_input(frames), expected, atol=1e-6)


def test_the_blur_has_the_gaussian_of_the_shrinking_factor():
    # 1120 columns shrink by 5: sigma 2, 9 taps. One bright column, 502, is spread with these taps, and output
    # column 100 reads that at 100 * 1119 / 223 = 501.79.. with bicubic weights.
    frames = torch.zeros(1, 3, 224, 1120)
    frames[..., 502] = 1
    taps = torch.exp(-(torch.arange(-4, 5, dtype=torch.float64) ** 2) / (2 * 2.0**2))
    taps /= taps.sum()
    blurred = torch.zeros(1120, dtype=torch.float64)
    blurred[498:507] = taps
    position = 100 * 1119 / 223
    left = int(position)
    t = position - left
    a = -0.75  # bicubic coefficient of torch
    near = [((a + 2) * s - (a + 3)) * s * s + 1 for s in (t, 1 - t)]
    far = [((a * s - 5 * a) * s + 8 * a) * s - 4 * a for s in (t + 1, 2 - t)]
    weights = torch.tensor([far[0], near[0], near[1], far[1]], dtype=torch.float64)
    expected = ((weights * blurred[left - 1 : left + 3]).sum() + 1) / 2
    assert clip_input(frames)[0, 0, 50, 100].item() == pytest.approx(expected.item(), abs=1e-5)


def test_half_precision_frames_are_prepared_in_float32():
    assert clip_input(torch.zeros(2, 3, 64, 80, dtype=torch.float16)).dtype == torch.float32


@pytest.mark.parametrize("shape", [(3, 64, 64), (1, 4, 64, 64)])
def test_other_shapes(shape):
    with pytest.raises(ValueError, match=r"must be \[N, 3, H, W\]"):
        clip_input(torch.zeros(shape))


def test_a_frame_of_one_pixel():
    with pytest.raises(ValueError, match="1 x 5; both sides must be 2 pixels"):
        clip_input(torch.zeros(1, 3, 5, 1))
