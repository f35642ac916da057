"""A graph with a Viewfinder: Load Video and Load Depth in front of it, nothing behind it."""

from __future__ import annotations

from typing import Any

from devtools.demo import BUNDLED_CLIP, BUNDLED_DISPARITY_NAME
from tests.browser.front_end import Workflow

VIEWFINDER, POINT = 4, 5


def graph_with_viewfinders(script: str = "", keyframes: str = "") -> Workflow:
    """Return a workflow whose nodes 4 and 5 are a Viewfinder and a Focus at Point on the small clip."""
    nodes = [
        node(1, "LoadVideo", (0, 0), [BUNDLED_CLIP.name, "image"], [], [("VIDEO", [1])]),
        node(
            2,
            "GetVideoComponents",
            (0, 500),
            [],
            [("video", "VIDEO", 1)],
            [("IMAGE", [2, 3]), ("AUDIO", []), ("FLOAT", [])],
        ),
        node(
            3,
            "AnyToBokehLoadDisparity",
            (0, 700),
            [BUNDLED_DISPARITY_NAME, "disparity", "auto", "min-max", 1.0, 0, 0],
            [("frames", "IMAGE", 2)],
            [("DISPARITY", [4, 5]), ("IMAGE", []), ("STRING", [])],
        ),
        node(
            VIEWFINDER,
            "AnyToBokehViewfinder",
            (400, 0),
            [script],
            [("frames", "IMAGE", 3), ("disparity", "DISPARITY", 4), ("mask", "MASK", None)],
            [("FOCUS", []), ("BLUR_STRENGTH", []), ("IMAGE", []), ("IMAGE", []), ("FLOAT", [])],
            (600, 640),
        ),
        node(
            POINT,
            "AnyToBokehFocusAtPoint",
            (1100, 0),
            [-1, -1, 8, 2.0, keyframes, "follow the point", "linear"],
            [("disparity", "DISPARITY", 5)],
            [("FOCUS", []), ("FLOAT", [])],
            (460, 760),
        ),
    ]
    links = [
        [1, 1, 0, 2, 0, "VIDEO"],
        [2, 2, 0, 3, 0, "IMAGE"],
        [3, 2, 0, VIEWFINDER, 0, "IMAGE"],
        [4, 3, 0, VIEWFINDER, 1, "DISPARITY"],
        [5, 3, 0, POINT, 0, "DISPARITY"],
    ]
    return {
        "last_node_id": POINT,
        "last_link_id": 5,
        "nodes": nodes,
        "links": links,
        "groups": [],
        "config": {},
        "extra": {},
        "version": 0.4,
    }


def node(
    node_id: int,
    kind: str,
    place: tuple[int, int],
    values: list[Any],
    inputs: list[tuple[str, str, int | None]],
    outputs: list[tuple[str, list[int]]],
    size: tuple[int, int] = (300, 150),
) -> dict[str, Any]:
    """Return a node as it is saved."""
    return {
        "id": node_id,
        "type": kind,
        "pos": list(place),
        "size": list(size),
        "flags": {},
        "order": node_id,
        "mode": 0,
        "inputs": [{"name": name, "type": type_, "link": link} for name, type_, link in inputs],
        "outputs": [{"name": type_, "type": type_, "links": links} for type_, links in outputs],
        "properties": {},
        "widgets_values": values,
    }
