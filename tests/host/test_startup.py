"""The pack comes up in a real host with every node it promises."""

import re
from collections.abc import Callable

from devtools.freeze import nodes_of_pack
from devtools.host import PACK_NAME
from tests.host.harness import HostUnderTest

NODE_IDS = {
    "AnyToBokehLoadDisparity",
    "AnyToBokehDisparityFromImages",
    "AnyToBokehDisparityFromGeometry",
    "AnyToBokehEstimateDisparity",
    "AnyToBokehRefineDisparity",
    "AnyToBokehFocusAtValue",
    "AnyToBokehFocusAtPoint",
    "AnyToBokehFocusOnMask",
    "AnyToBokehViewfinder",
    "AnyToBokehBlurStrength",
    "AnyToBokehMPIMask",
    "AnyToBokehFocusPreview",
    "AnyToBokehChooseLens",
    "AnyToBokehLensBlur",
    "AnyToBokehLoadModel",
    "AnyToBokehSampler",
    "AnyToBokehAssembleWindows",
    "AnyToBokehRefinedDecode",
}


def test_pack_imports(host: HostUnderTest, record_testsuite_property: Callable[[str, object], None]):
    import_times_s = host.process.import_times_s()
    assert PACK_NAME in import_times_s
    # Recorded in the JUnit report for people to follow; a time depends on the machine and is no verdict.
    record_testsuite_property("pack_import_s", import_times_s[PACK_NAME])
    failures = re.findall(r"\(IMPORT FAILED\): .*" + PACK_NAME, host.process.log_text())
    assert failures == []


def test_every_node_is_there(host: HostUnderTest):
    assert set(nodes_of_pack(host.object_info())) >= NODE_IDS


def test_node_ids_have_the_prefix_and_names_are_plain(host: HostUnderTest):
    for node_id, info in nodes_of_pack(host.object_info()).items():
        assert node_id.startswith("AnyToBokeh")
        assert info["display_name"] != node_id
        assert info["category"].split("/")[0] == "Any-to-Bokeh"


def test_every_input_has_a_tooltip(host: HostUnderTest):
    missing = [
        f"{node_id}.{name}"
        for node_id, info in nodes_of_pack(host.object_info()).items()
        for section in ("required", "optional")
        for name, spec in info["input"].get(section, {}).items()
        if not (len(spec) > 1 and spec[1].get("tooltip"))
    ]
    assert missing == []


def test_every_output_has_a_name(host: HostUnderTest):
    for node_id, info in nodes_of_pack(host.object_info()).items():
        for name, type_name in zip(info["output_name"], info["output"], strict=True):
            assert name and name != type_name, (
                f"{node_id}: an output of type {type_name} has no name of its own"
            )
