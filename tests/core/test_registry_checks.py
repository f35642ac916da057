"""What is left out of the registry's complaints, and what is not."""

import json

from devtools.registry import complaints


def report(passed: bool, error: str | None = None, details: str | None = None) -> str:
    syntax = {"passed": passed, "error": error, "details": details}
    return json.dumps({"results": {"syntax": syntax, "javascript": {"passed": True}}})


def test_a_clean_report():
    assert complaints(report(True)) == []


def test_layers_of_our_own_are_left_out_and_nothing_else():
    details = """Use ComfyUI APIs instead:

a/net.py:
  Line 3: nn.Linear() -- use operations.Linear() for VRAM management and dtype casting
  Line 9: moved() -- use what the host has
b/net.py:
  Line 4: torch.autocast() -- use comfy.ops operations= for dtype management
"""
    [left] = complaints(report(False, "Forbidden patterns found", details))
    assert left == "a/net.py: Line 9: moved() -- use what the host has"


def test_a_failure_of_another_kind_is_told_whole():
    [left] = complaints(report(False, "Broken syntax", "bad.py"))
    assert left == "syntax: Broken syntax bad.py"
