"""From what stands on the command line to renderers: names, "all", or a function in the user's own file."""

from collections.abc import Sequence
from functools import cache

from ..peers import RENDERERS, Renderer, renderer_named
from .references import REFERENCES

ALL = "all"


def find_renderers(specs: Sequence[str]) -> dict[str, tuple[str, Renderer]]:
    """Find renderers in the order in which they are asked for.

    Args:
        specs: names of `REFERENCES` or `peers.RENDERERS`; "all" for all of both; "FILE.py:FUNCTION" for a
            function BokehTask -> Tensor [T, H, W, 3], see `peers.external_renderer`.

    Returns:
        (spec, renderer) by the renderer's name; a spec finds its renderer again in another process.

    Raises:
        ValueError: nothing of that name, or two renderers of one name.
    """
    every = [renderer.name for renderer in (*REFERENCES, *RENDERERS)]
    found: dict[str, tuple[str, Renderer]] = {}
    for spec in dict.fromkeys(part for word in specs for part in (every if word == ALL else [word])):
        renderer = find_renderer(spec)
        if renderer.name in found:
            raise ValueError(
                f"{spec} is named {renderer.name!r}, as {found[renderer.name][0]} is; rename it."
            )
        found[renderer.name] = (spec, renderer)
    return found


@cache
def find_renderer(spec: str) -> Renderer:
    """Return the renderer that one spec names; asked again, the same one, with whatever it has loaded.

    Raises:
        ValueError: see `find_renderers`.
    """
    named = {reference.name: reference for reference in REFERENCES}
    return named[spec] if spec in named else renderer_named(spec)
