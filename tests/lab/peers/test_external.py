"""A reader's own renderer: found, run and held to the interface."""

from pathlib import Path

import pytest
import torch

from bokeh_lab.peers import BokehTask, checked, example_adapter, external_renderer, renderer_named
from tests.lab.peers.cases import clip, noise

EXAMPLE = Path(example_adapter.__file__)


@pytest.fixture
def task() -> BokehTask:
    return clip(noise(2, 8, 10, 3), noise(2, 8, 10, seed=1), 4.0)


def test_one_function_in_a_file_is_a_renderer(tmp_path, task):
    file = tmp_path / "mirror.py"
    file.write_text("def render(task):\n    return task.frames.flip(2)\n", encoding="utf-8")
    renderer = renderer_named(f"{file}:render")
    assert renderer.name == "mirror_render"
    assert renderer.missing() is None
    assert not renderer.given_layers
    assert torch.equal(renderer.render(task), task.frames.flip(2))


def test_a_function_of_a_module(task):
    renderer = external_renderer("bokeh_lab.peers.identity:render")
    assert torch.equal(renderer.render(task), task.frames)


def test_a_renderer_with_a_title_of_its_own(tmp_path):
    file = tmp_path / "mine.py"
    file.write_text(
        "from bokeh_lab.peers import Renderer\n"
        "MINE = Renderer('mine', 'Mine (true layers)', lambda task: task.frames, given_layers=True)\n",
        encoding="utf-8",
    )
    renderer = external_renderer(f"{file}:MINE")
    assert (renderer.name, renderer.title, renderer.given_layers) == ("mine", "Mine (true layers)", True)


def test_the_example_runs_a_network_frame_by_frame(tmp_path, task, monkeypatch):
    class Darken(torch.nn.Module):
        def forward(
            self, image: torch.Tensor, disparity: torch.Tensor, focal: torch.Tensor, strength: torch.Tensor
        ) -> torch.Tensor:
            return image * disparity * focal * (strength / 4)

    network = tmp_path / "network.pt2"
    example = (torch.zeros(1, 3, 8, 10), torch.zeros(1, 1, 8, 10), torch.zeros(1), torch.zeros(1))
    torch.export.save(torch.export.export(Darken(), example), network)
    monkeypatch.setenv(example_adapter.NETWORK, str(network))
    result = external_renderer(f"{EXAMPLE}:render").render(task)
    torch.testing.assert_close(result, task.frames * task.disparity[..., None] * 0.5)


def test_the_example_without_a_network(task, monkeypatch):
    monkeypatch.delenv(example_adapter.NETWORK, raising=False)
    with pytest.raises(ValueError, match="BOKEH_NETWORK is ''; set it to the path"):
        external_renderer(f"{EXAMPLE}:render").render(task)


@pytest.mark.parametrize(
    ("location", "message"),
    [
        ("render", "'render' names no function; write FILE.py:FUNCTION"),
        ("nowhere.py:render", "nowhere.py is not a file; it is looked for in"),
        ("..:render", r"'\.\.' is no module; write FILE.py:FUNCTION"),
        ("no_such_package.module:render", "There is no module no_such_package; write FILE.py:FUNCTION"),
        ("bokeh_lab.peers.no_such_module:render", "There is no module bokeh_lab.peers.no_such_module"),
        (f"{EXAMPLE}:blur", "has no blur; it has Tensor, render"),
        (f"{EXAMPLE}:NETWORK", "has something other than a function as NETWORK"),
    ],
)
def test_names_that_lead_nowhere(location: str, message: str):
    with pytest.raises(ValueError, match=message.replace("(", r"\(")):
        external_renderer(location)


def test_an_import_that_fails_inside_the_file_is_told_as_it_is(tmp_path):
    file = tmp_path / "broken.py"
    file.write_text("import a_package_that_is_not_there\n", encoding="utf-8")
    with pytest.raises(ModuleNotFoundError, match="a_package_that_is_not_there"):
        external_renderer(f"{file}:render")


@pytest.mark.parametrize(
    ("returned", "message"),
    [
        (None, "mine returned NoneType; it must return a torch.Tensor"),
        (torch.zeros(2, 3, 8, 10), r"mine returned shape \(2, 3, 8, 10\); these frames need \(2, 8, 10, 3\)"),
        (torch.zeros(2, 8, 10, 3, dtype=torch.uint8), "mine returned torch.uint8; it must return floats"),
        (torch.full((2, 8, 10, 3), torch.nan), "mine returned NaN or infinite values"),
        (
            torch.full((2, 8, 10, 3), 255.0),
            "mine returned values from 255 to 255; they must be display values",
        ),
        (torch.full((2, 8, 10, 3), -0.5), "mine returned values from -0.5 to -0.5"),
    ],
)
def test_results_that_do_not_fit(returned, message: str, task):
    with pytest.raises(ValueError, match=message):
        checked(lambda _: returned, "mine")(task)


def test_a_little_overshoot_and_another_precision_are_mended(task):
    result = checked(lambda _: torch.full((2, 8, 10, 3), 1.0005, dtype=torch.float64), "mine")(task)
    assert torch.equal(result, torch.ones(2, 8, 10, 3))
