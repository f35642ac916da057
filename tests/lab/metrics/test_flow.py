"""FD on motion that is known: by arithmetic, by DIS, by RAFT with stub and random weights."""

import numpy as np
import pytest
import torch
from torch import nn

from bokeh_lab.metrics import Backbones, Missing
from bokeh_lab.metrics.flow import dis_flow, fd_dis, flow_difference
from bokeh_lab.metrics.raft import RAFT_LARGE, fd, raft_flow


def brightness_as_flow(first, second):
    """x: change of red, y: change of green, in every pixel."""
    return (second - first)[..., :2].permute(2, 0, 1)


class Recorder(nn.Module):
    """Flow (2 first - 1, 2 second - 1) of red, as the last of two estimates; keeps what it was given."""

    def forward(self, first, second):
        self.given = first, second
        return [torch.zeros(1, 2, *first.shape[-2:]), torch.cat((first[:, :1], second[:, :1]), dim=1)]


@pytest.fixture
def moving(texture):
    """Four frames [4, 120, 160, 3] of a texture that moves by (3, 1) px a frame."""
    picture = texture(140, 190, 0)
    return torch.stack([picture[10 - t : 130 - t, 20 - 3 * t : 180 - 3 * t] for t in range(4)])


def test_difference_by_hand(make_pair):
    truth = torch.full((3, 2, 2, 3), 0.5)
    prediction = truth.clone()
    prediction[1, ..., 0] += 0.3  # red +0.3, then -0.3
    prediction[1:, ..., 1] -= 0.1  # green -0.1, then 0
    # Pairs: (0.3 + 0.1) / 2 and (0.3 + 0) / 2.
    value = flow_difference(make_pair(prediction, truth), brightness_as_flow)
    assert value == pytest.approx((0.2 + 0.15) / 2, abs=1e-6)


def test_difference_of_one_frame(make_pair):
    clip = torch.full((1, 20, 20, 3), 0.5)
    assert flow_difference(make_pair(clip, clip), brightness_as_flow) == Missing("needs 2 frames")


def test_dis_flow_points_from_first_to_second(moving):
    flow = dis_flow(moving[0], moving[1])
    assert flow.shape == (2, 120, 160)
    assert flow[0].median() == pytest.approx(3, abs=0.05)
    assert flow[1].median() == pytest.approx(1, abs=0.05)


def test_dis_of_a_moving_clip_against_a_still_one(make_pair, moving):
    still = moving[:1].expand(4, -1, -1, -1)
    assert fd_dis(make_pair(still, moving)) == pytest.approx((3 + 1) / 2, abs=0.05)


def test_dis_of_identical_clips(make_pair, moving):
    assert fd_dis(make_pair(moving, moving.clone())) == 0


def test_dis_of_small_frames(make_pair):
    clip = torch.full((2, 11, 40, 3), 0.5)
    assert fd_dis(make_pair(clip, clip)) == Missing("needs frames of 12 px or more")


def test_raft_is_given_padded_frames_between_minus_one_and_one():
    first = torch.rand(129, 134, 3, generator=torch.Generator().manual_seed(0))
    network = Recorder()
    flow = raft_flow(network)(first, 1 - first)
    # 129 + 7 and 134 + 2: 3 px above, 4 below, 1 on either side, each the border pixel again.
    expected = np.pad(first.numpy() * 2 - 1, ((3, 4), (1, 1), (0, 0)), mode="edge")
    given_first, given_second = (given[0].permute(1, 2, 0).numpy() for given in network.given)
    np.testing.assert_allclose(given_first, expected, atol=1e-6)
    np.testing.assert_allclose(given_second, -expected, atol=1e-6)
    # The last estimate counts, without the padding.
    np.testing.assert_allclose(flow[0].numpy(), first[..., 0].numpy() * 2 - 1, atol=1e-6)
    np.testing.assert_allclose(flow[1].numpy(), 1 - first[..., 0].numpy() * 2, atol=1e-6)


def test_raft_weights_from_a_folder(make_pair, texture, tmp_path):
    from torchvision.models.optical_flow import raft_large  # type: ignore[import-untyped]

    torch.manual_seed(0)
    network = raft_large(weights=None).eval()
    torch.save(network.state_dict(), tmp_path / RAFT_LARGE.file)
    first, second, other = (texture(128, 136, seed) for seed in range(3))
    with torch.inference_mode():
        true, rendered = (
            network(
                first.permute(2, 0, 1)[None] * 2 - 1, last.permute(2, 0, 1)[None] * 2 - 1, num_flow_updates=12
            )[-1]
            for last in (second, other)
        )
    expected = (rendered - true).abs().mean().item()
    assert expected > 1e-4
    pair = make_pair(torch.stack((first, other)), torch.stack((first, second)))
    assert fd(pair, Backbones(tmp_path)) == pytest.approx(expected, rel=1e-3)


def test_raft_of_clips_it_cannot_see(make_pair):
    small, single = torch.full((2, 127, 200, 3), 0.5), torch.full((1, 128, 128, 3), 0.5)
    assert fd(make_pair(small, small), Backbones()) == Missing("needs frames of 128 px or more")
    assert fd(make_pair(single, single), Backbones()) == Missing("needs 2 frames")


def test_raft_without_weights(make_pair):
    clip = torch.full((2, 128, 128, 3), 0.5)
    value = fd(make_pair(clip, clip), Backbones())
    assert isinstance(value, Missing)
    assert value.short == "no weights"
    assert RAFT_LARGE.file in value.reason
