"""VFID-I and FVD with networks whose features are known, so that the distance is known."""

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from bokeh_lab.metrics import Backbones, FeatureSet, Missing
from bokeh_lab.metrics.fvd import VIDEOMAE_GIANT, fvd
from bokeh_lab.metrics.vfid import I3D, vfid_i
from bokeh_lab.metrics.videomae import VideoMAE, videomae_from_state


class MeanColor(nn.Module):
    """I3D's interface; the features are the mean colour, for clips of the one shape it takes."""

    def forward(
        self, x: Tensor, rescale: bool = True, resize: bool = True, return_features: bool = False
    ) -> Tensor:
        assert x.shape[1:] == (3, 10, 224, 224), "chunks of 10 frames of 224 px"
        assert not rescale and not resize and return_features, "frames are prepared, features are wanted"
        return x.mean(dim=[2, 3, 4])


@pytest.fixture
def mean_color_folder(tmp_path):
    torch.jit.script(MeanColor()).save(str(tmp_path / I3D.file))
    return tmp_path


def started(measure: FeatureSet | Missing) -> FeatureSet:
    assert isinstance(measure, FeatureSet), measure
    return measure


def flat_clip(*levels: float) -> Tensor:
    """One grey level a frame: [T, 6, 8, 3]."""
    return torch.tensor(levels).view(-1, 1, 1, 1).expand(-1, 6, 8, 3)


def test_vfid_of_a_brighter_set(mean_color_folder):
    measure = started(vfid_i(Backbones(mean_color_folder)))
    for level in (0.2, 0.5, 0.3):
        truth = flat_clip(*[level] * 10)
        measure.update(truth + 0.25, truth)
    # In [-1, 1] the shift is 0.5 in each of three features.
    assert measure.compute() == pytest.approx(3 * 0.25, abs=1e-5)


def test_vfid_of_a_set_without_variety(mean_color_folder):
    measure = started(vfid_i(Backbones(mean_color_folder)))
    for level in (0.25, 0.75):
        measure.update(flat_clip(*[0.5] * 10), flat_clip(*[level] * 10))
    # Truth at -0.5 and 0.5: unbiased variance 0.5 in each feature; the rendered set has none.
    assert measure.compute() == pytest.approx(3 * 0.5, abs=1e-5)


def test_vfid_of_identical_sets(mean_color_folder, texture):
    measure = started(vfid_i(Backbones(mean_color_folder)))
    for seed in range(3):
        clip = texture(12, 16, seed).expand(10, -1, -1, -1)
        measure.update(clip, clip.clone())
    assert measure.compute() == pytest.approx(0, abs=1e-9)


def test_chunks_are_consecutive_and_a_rest_does_not_count():
    seen = []

    def extract(frames):
        seen.append(frames[0, 0, :, 0, 0])
        return frames.mean(dim=(2, 3, 4))

    measure = FeatureSet(extract, 10)
    levels = [t / 100 for t in range(25)]
    features = measure.features(flat_clip(*levels))
    assert features.shape == (2, 3)
    torch.testing.assert_close(features[:, 0], torch.tensor([0.045, 0.145]))
    torch.testing.assert_close(torch.cat(seen), torch.tensor(levels[:20]))


def test_clips_of_25_frames_give_one_chunk_of_25():
    measure = FeatureSet(lambda frames: frames.mean(dim=(2, 3, 4)), 25, correction=0)
    for level in (0.2, 0.4):
        measure.update(flat_clip(*[level * 2] * 25), flat_clip(*[level] * 25))
    # Means 0.6 and 0.3; sample deviations 0.2 and 0.1; three features.
    assert measure.compute() == pytest.approx(3 * (0.3**2 + 0.1**2), abs=1e-6)


def test_frames_are_resized_bilinearly(texture):
    picture = texture(448, 112, 0)
    found = []

    def extract(frames):
        found.append(frames)
        return frames.mean(dim=(2, 3, 4))

    FeatureSet(extract, 1).features(picture[None])
    assert found[0].shape == (1, 3, 1, 224, 224)
    # Half the height: each row the mean of two. Twice the width: quarters between neighbours.
    rows = (picture[0::2] + picture[1::2]) / 2
    torch.testing.assert_close(found[0][0, :, 0, :, 2].T, rows[:, 0] / 4 + rows[:, 1] * 3 / 4)
    torch.testing.assert_close(found[0][0, :, 0, :, 101].T, rows[:, 50] * 3 / 4 + rows[:, 51] / 4)


def test_features_kept_from_before_count_alike():
    whole, continued = (FeatureSet(lambda f: f.mean(dim=(2, 3, 4)), 2) for _ in range(2))
    for level in (0.1, 0.5):
        prediction, truth = flat_clip(level + 0.1, level), flat_clip(level, level)
        whole.update(prediction, truth)
        continued.add(whole.features(prediction), whole.features(truth))
    assert continued.compute() == whole.compute()


def test_short_clips():
    measure = FeatureSet(lambda frames: frames.mean(dim=(2, 3, 4)), 10)
    assert measure.compute() == Missing("needs 2 chunks of 10 frames")
    measure.update(flat_clip(*[0.5] * 9), flat_clip(*[0.5] * 9))
    measure.update(flat_clip(*[0.5] * 10), flat_clip(*[0.5] * 10))
    assert measure.compute() == Missing("needs 2 chunks of 10 frames")


def test_clips_of_different_length():
    measure = FeatureSet(lambda frames: frames.mean(dim=(2, 3, 4)), 2)
    with pytest.raises(ValueError, match="its truth"):
        measure.update(flat_clip(0.5, 0.5), flat_clip(0.5))


def test_without_weights():
    for measure, backbone in ((vfid_i(Backbones()), I3D), (fvd(Backbones()), VIDEOMAE_GIANT)):
        assert isinstance(measure, Missing)
        assert measure.short == "no weights"
        assert backbone.file in measure.reason


def test_fvd_from_a_checkpoint(tmp_path, texture):
    torch.manual_seed(0)
    network = VideoMAE(channels=88, depth=1, hidden_channels=32, patch_px=56, tubelet_frames=2)
    head = {"head.weight": torch.zeros(174, 88), "head.bias": torch.zeros(174)}
    torch.save({"module": network.state_dict() | head}, tmp_path / VIDEOMAE_GIANT.file)
    truths = [texture(20, 30, seed).expand(25, -1, -1, -1) for seed in range(3)]
    measure = started(fvd(Backbones(tmp_path)))
    features = []
    for truth in truths:
        measure.update(truth * 0.5, truth)
        with torch.inference_mode():
            for clip in (truth * 0.5, truth):
                small = F.interpolate(clip.permute(0, 3, 1, 2), size=(224, 224), mode="bilinear")
                features.append(network.eval()(small.transpose(0, 1)[None])[0].double())
    rendered, true = torch.stack(features[::2]), torch.stack(features[1::2])
    covariances = [torch.cov(part.T, correction=0) for part in (rendered, true)]
    roots = torch.linalg.eigvals(covariances[0] @ covariances[1]).real.clamp(min=0).sqrt().sum()
    distance = (rendered.mean(0) - true.mean(0)).square().sum() + sum(c.trace() for c in covariances)
    assert measure.compute() == pytest.approx((distance - 2 * roots).item(), rel=1e-3)


def test_checkpoint_without_its_parameters():
    with pytest.raises(KeyError):
        videomae_from_state({"model": {}})
