"""Where backbones are looked for, and what is said when they are not there."""

import hashlib

import pytest
import torch
from torch import nn

from bokeh_lab.metrics import Backbones, Missing
from bokeh_lab.metrics.weights import Backbone, load_state, missing_packages


def build(path):
    network = nn.Linear(2, 1)
    network.load_state_dict(load_state(path))
    return network


LINEAR = Backbone(file="linear.pth", what="a line", build=build)


def save_line(path):
    torch.save({"weight": torch.tensor([[2.0, 3.0]]), "bias": torch.tensor([1.0])}, path)


def published_at(path, file="linear.pth"):
    return Backbone(file=file, what="a line", build=build, url=path.as_uri)


@pytest.fixture
def hub(tmp_path, monkeypatch):
    """An empty download cache."""
    folder = tmp_path / "hub"
    monkeypatch.setattr(torch.hub, "_hub_dir", str(folder))
    return folder / "checkpoints"


def test_from_a_folder(tmp_path):
    save_line(tmp_path / "linear.pth")
    backbones = Backbones(tmp_path)
    assert backbones.missing(LINEAR) is None
    network = backbones.get(LINEAR)
    assert network(torch.tensor([1.0, 1.0])).item() == 6
    assert not network.training
    assert not any(p.requires_grad for p in network.parameters())


def test_loaded_once(tmp_path):
    save_line(tmp_path / "linear.pth")
    backbones = Backbones(str(tmp_path))
    network = backbones.get(LINEAR)
    (tmp_path / "linear.pth").unlink()
    assert backbones.get(LINEAR) is network


def test_reasons(tmp_path):
    assert Backbones().missing(LINEAR) == Missing(
        "no weights: put linear.pth (a line) into a folder and name it as the weights folder"
    )
    assert Backbones(tmp_path).missing(published_at(tmp_path)) == Missing(
        f"no weights: put linear.pth (a line) into {tmp_path}, or allow downloads"
    )
    with pytest.raises(ValueError, match=r"no weights: put linear\.pth"):
        Backbones(tmp_path).get(LINEAR)


def test_short_form_of_a_reason():
    assert Missing("no weights: put it there").short == "no weights"
    assert Missing("needs 2 frames").short == str(Missing("needs 2 frames")) == "needs 2 frames"


def test_folder_that_does_not_exist(tmp_path):
    with pytest.raises(ValueError, match="nowhere does not exist"):
        Backbones(tmp_path / "nowhere")


def test_packages():
    assert missing_packages("torch", "numpy") is None
    assert missing_packages("torch", "no_such_package") == Missing("no package: pip install no_such_package")
    needy = Backbone(file="linear.pth", what="a line", build=build, packages=("no_such_package",))
    assert Backbones().missing(needy) == Missing("no package: pip install no_such_package")


@pytest.mark.parametrize(
    "content",
    [
        {"weight": torch.zeros(1, 3), "bias": torch.zeros(1)},
        {"bias": torch.zeros(1)},
        [torch.zeros(1)],
        nn.Linear(2, 1),
    ],
)
def test_another_file_of_that_name(tmp_path, content):
    torch.save(content, tmp_path / "linear.pth")
    with pytest.raises(ValueError, match="is not a line"):
        Backbones(tmp_path).get(LINEAR)


def test_damaged_file(tmp_path):
    (tmp_path / "linear.pth").write_bytes(b"")
    with pytest.raises(ValueError, match="is not a line"):
        Backbones(tmp_path).get(LINEAR)


def test_nothing_is_downloaded_unasked(tmp_path, hub):
    save_line(tmp_path / "published.pth")
    backbone = published_at(tmp_path / "published.pth")
    assert isinstance(Backbones().missing(backbone), Missing)
    with pytest.raises(ValueError, match="no weights"):
        Backbones().get(backbone)
    assert not hub.exists()


def test_download_when_allowed(tmp_path, hub):
    save_line(tmp_path / "published.pth")
    digits = hashlib.sha256((tmp_path / "published.pth").read_bytes()).hexdigest()[:8]
    backbone = published_at(tmp_path / "published.pth", f"line-{digits}.pth")
    assert Backbones(allow_download=True).missing(backbone) is None
    assert Backbones(allow_download=True).get(backbone)(torch.zeros(2)).item() == 1
    assert [path.name for path in hub.iterdir()] == [backbone.file]
    # What lies in the cache is not fetched again.
    (tmp_path / "published.pth").unlink()
    assert Backbones(allow_download=True).get(backbone)(torch.zeros(2)).item() == 1


def test_folder_comes_before_a_download(tmp_path, hub):
    save_line(tmp_path / "linear.pth")
    backbone = published_at(tmp_path / "not there.pth")
    assert Backbones(tmp_path, allow_download=True).get(backbone)(torch.zeros(2)).item() == 1
    assert not hub.exists()


@pytest.mark.parametrize("source", ["published.pth", "not there.pth"])
def test_download_that_fails(tmp_path, hub, source):
    # A file that is not there, and one whose hash is not the one in its name.
    save_line(tmp_path / "published.pth")
    backbone = published_at(tmp_path / source, "line-01234567.pth")
    with pytest.raises(ValueError, match=r"could not be downloaded .* put line-01234567\.pth"):
        Backbones(allow_download=True).get(backbone)
    assert list(hub.iterdir()) == []


def test_no_download_where_the_user_has_to_fetch():
    assert isinstance(Backbones(allow_download=True).missing(LINEAR), Missing)
