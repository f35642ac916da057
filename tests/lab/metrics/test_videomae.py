"""The VideoMAE encoder against the one in transformers, with the same random weights."""

import numpy as np
import pytest
import torch
from transformers import VideoMAEConfig, VideoMAEModel

from bokeh_lab.metrics.videomae import VideoMAE, videomae_from_state

CHANNELS, DEPTH, HIDDEN, PATCH = 176, 2, 96, 56
STEPS, SIDE = 8, 224 // PATCH


def name_in_transformers(name: str) -> str:
    for here, there in (
        ("patch_embed.proj", "embeddings.patch_embeddings.projection"),
        ("blocks.", "encoder.layer."),
        ("norm1", "layernorm_before"),
        ("norm2", "layernorm_after"),
        ("attn.proj", "attention.output.dense"),
        ("attn.", "attention.attention."),
        ("mlp.fc1", "intermediate.dense"),
        ("mlp.fc2", "output.dense"),
    ):
        name = name.replace(here, there)
    return name


def sinusoids(index):
    """Sine and cosine of index / 10000^(2 k / D), interleaved: [len(index), D]."""
    rates = 10_000 ** (-(np.arange(CHANNELS) // 2) * 2 / CHANNELS)
    angles = np.asarray(index)[:, None] * rates
    return np.where(np.arange(CHANNELS) % 2 == 0, np.sin(angles), np.cos(angles))


def stretched_table(steps):
    """The table of 8 time steps, read linearly at the centres of `steps` steps of 8 / (steps + 0.1)."""
    table = sinusoids(np.arange(STEPS * SIDE * SIDE)).reshape(STEPS, SIDE * SIDE, CHANNELS)
    at = np.clip((np.arange(steps) + 0.5) * STEPS / (steps + 0.1) - 0.5, 0, STEPS - 1)
    low = np.floor(at).astype(int)
    high, weight = np.minimum(low + 1, STEPS - 1), (at - low)[:, None, None]
    return ((1 - weight) * table[low] + weight * table[high]).reshape(1, -1, CHANNELS)


@pytest.fixture(scope="module")
def networks(randomised):
    ours = randomised(VideoMAE(CHANNELS, DEPTH, HIDDEN, PATCH, 2), 0)
    config = VideoMAEConfig(
        image_size=224,
        patch_size=PATCH,
        num_frames=16,
        hidden_size=CHANNELS,
        num_hidden_layers=DEPTH,
        num_attention_heads=CHANNELS // 88,
        intermediate_size=HIDDEN,
        layer_norm_eps=1e-6,
        use_mean_pooling=True,
    )
    theirs = VideoMAEModel(config).eval()
    state = {}
    for name, value in ours.state_dict().items():
        if name.endswith("qkv.weight"):
            for part, weight in zip(("query", "key", "value"), value.chunk(3), strict=True):
                state[name_in_transformers(name).replace("qkv", part)] = weight
        elif not name.startswith("fc_norm"):
            state[name_in_transformers(name)] = value
    theirs.load_state_dict(state)
    return ours, theirs


@pytest.mark.parametrize(("frames", "steps"), [(16, 8), (25, 12), (24, 12)])
def test_features(networks, frames, steps):
    ours, theirs = networks
    clips = torch.rand(2, 3, frames, 224, 224, generator=torch.Generator().manual_seed(1))
    table = sinusoids(np.arange(STEPS * SIDE * SIDE))[None] if steps == STEPS else stretched_table(steps)
    with torch.inference_mode():
        tokens = theirs.embeddings.patch_embeddings(clips.transpose(1, 2)) + torch.from_numpy(table).float()
        mean = theirs.encoder(tokens).last_hidden_state.mean(dim=1)
        expected = ours.fc_norm(mean)
        torch.testing.assert_close(ours(clips), expected, atol=2e-4, rtol=1e-4)
    assert expected.std() > 0.1


def test_sizes_are_read_from_a_checkpoint(networks):
    ours = networks[0]
    again = videomae_from_state({"model": ours.state_dict() | {"head.bias": torch.zeros(174)}})
    clip = torch.rand(1, 3, 16, 224, 224, generator=torch.Generator().manual_seed(2))
    with torch.inference_mode():
        torch.testing.assert_close(again.eval()(clip), ours(clip), atol=0, rtol=0)


def test_weights_in_half_precision_are_widened(networks):
    half = {name: value.half() for name, value in networks[0].state_dict().items()}
    assert {p.dtype for p in videomae_from_state(half).parameters()} == {torch.float32}
