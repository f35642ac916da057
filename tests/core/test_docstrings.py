"""Docstrings say something: none is a word or two, and none has a phrase that reads as translated."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

PACK = Path(__file__).parents[2]
PACKAGES = ("bench", "bokeh_core", "bokeh_lab", "devtools", "nodes")
FEWEST_WORDS = 3
ODD = re.compile(
    r"of what parts are made|(some|any)thing else than|take (no )?notice|in another way than", re.I
)


def docstrings(source: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
            text = ast.get_docstring(node)
            if text is not None:
                yield text


def faults(source: str) -> list[str]:
    """First lines of docstrings that are too short, or odd."""
    return [
        text.splitlines()[0]
        for text in docstrings(source)
        if len(text.splitlines()[0].split()) < FEWEST_WORDS or ODD.search(text)
    ]


@pytest.mark.parametrize("package", PACKAGES)
def test_docstrings_are_sentences(package: str):
    files = sorted((PACK / package).rglob("*.py"))
    assert files
    found = {str(file): faults(file.read_text(encoding="utf-8")) for file in files}
    assert {file: lines for file, lines in found.items() if lines} == {}


def test_faults_are_found():
    source = '''
class Short:
    """Begin."""

def odd():
    """Return something else than a sentence."""

def good():
    """Return the number of frames."""
'''
    assert faults(source) == ["Begin.", "Return something else than a sentence."]
