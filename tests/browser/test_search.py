"""The words that people search with find the right node."""

from devtools.freeze import nodes_of_pack
from tests.browser.chromium import Chromium
from tests.browser.front_end import ON_BOTH, FrontEnd
from tests.host.harness import HostUnderTest

FOUND_FIRST = {
    "depth of field": "AnyToBokehLensBlur",
    "dof": "AnyToBokehVideo",
    "cinematic": "AnyToBokehVideo",
    "focus pull": "AnyToBokehFocusAtValue",
    "aperture": "AnyToBokehBlurStrength",
    "depth": "AnyToBokehLoadDisparity",
    "disparity": "AnyToBokehDisparityFromImages",
    "moge": "AnyToBokehDisparityFromGeometry",
    "lens": "AnyToBokehLensBlur",
    "swirl": "AnyToBokehChooseLens",
    "bokeh": "AnyToBokehVideo",
}
# ComfyUI has a node of its own that blurs pictures, and a blueprint of ours has the name of what it does.
FOUND_FIRST_OF_OUR_NODES = {"blur": "AnyToBokehLensBlur", "rack focus": "AnyToBokehFocusAtPoint"}


@ON_BOTH
def test_words_find_their_node(chromium: Chromium, host: HostUnderTest):
    schemas = nodes_of_pack(host.object_info())
    title = {node_id: schema["display_name"] for node_id, schema in schemas.items()}
    front_end = FrontEnd(chromium, host, vue_nodes=False)
    for query, node_id in FOUND_FIRST.items():
        front_end.search(query)
        front_end.wait("findsFirst", title[node_id], None)
    for query, node_id in FOUND_FIRST_OF_OUR_NODES.items():
        front_end.search(query)
        front_end.wait("findsFirst", title[node_id], list(title.values()))
