"""The list of renderers: unique, findable, cheap to import, and open about what cannot run."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from bokeh_lab.peers import RENDERERS, any_to_bokeh, renderer_named
from tests.lab.peers.cases import clip

PACK = Path(__file__).resolve().parents[3]
NO_WEIGHTS = ["deeplens", "bokehme_neural", "dr_bokeh_neural", "mpib_neural"]


def test_names_and_titles_are_unique_and_fit_command_lines():
    names = [renderer.name for renderer in RENDERERS]
    assert len(set(names)) == len(names)
    assert len({renderer.title for renderer in RENDERERS}) == len(names)
    assert all(re.fullmatch("[a-z][a-z0-9_]*", name) for name in names)


def test_those_told_the_layers():
    told = {renderer.name for renderer in RENDERERS if renderer.given_layers}
    assert told == {"dr_bokeh_layers", "mpib_layers", "true_layers"}


def test_found_by_name():
    assert [renderer_named(renderer.name) for renderer in RENDERERS] == list(RENDERERS)
    with pytest.raises(ValueError, match="no renderer 'blur'; choose one of identity, gather, "):
        renderer_named("blur")


@pytest.mark.parametrize("name", NO_WEIGHTS)
def test_what_cannot_run_says_why(name: str):
    renderer = renderer_named(name)
    reason = renderer.missing()
    assert reason is not None and reason.startswith("no weights: ")
    with pytest.raises(ValueError, match="cannot run: no weights"):
        renderer.render(clip(torch.zeros(1, 8, 8, 3), 0.5, 4.0))


def test_nothing_else_is_missing(monkeypatch):
    for variable in (any_to_bokeh.UNET, any_to_bokeh.VAE, any_to_bokeh.IMAGE_ENCODER):
        monkeypatch.delenv(variable, raising=False)
    missing = {renderer.name for renderer in RENDERERS if renderer.missing() is not None}
    assert missing - {"bokeh_small"} == {*NO_WEIGHTS, "any_to_bokeh"}


def test_importing_the_list_imports_no_heavy_library():
    heavy = ("diffusers", "transformers", "safetensors", "blurgenerator")
    program = f"import sys, bokeh_lab.peers; print([name for name in {heavy} if name in sys.modules])"
    run = subprocess.run(
        [sys.executable, "-c", program], cwd=PACK, capture_output=True, text=True, check=True
    )
    assert run.stdout.strip() == "[]"
