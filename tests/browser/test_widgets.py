"""What users see of settings: whole names, boxes that say what they are for, and only what has an effect."""

from __future__ import annotations

import pytest

from bokeh_core.lens.presets import CHARACTER
from devtools.freeze import nodes_of_pack
from devtools.prompt import to_prompt
from tests.browser.chromium import Chromium
from tests.browser.front_end import ON_BOTH, FrontEnd
from tests.browser.workflows import workflow
from tests.host.harness import HostUnderTest

STRENGTH, VALUE = "AnyToBokehBlurStrength", "AnyToBokehFocusAtValue"
VIDEO, LENS_BLUR = "AnyToBokehVideo", "AnyToBokehLensBlur"
LENS = "AnyToBokehChooseLens"


@ON_BOTH
@pytest.mark.slow
def test_vue_nodes_cut_no_name_short(chromium: Chromium, host: HostUnderTest):
    front_end = FrontEnd(chromium, host, vue_nodes=True)
    cut = {}
    for node_id in nodes_of_pack(host.object_info()):
        front_end.call("addOnly", node_id)
        front_end.wait("hasVueNodes", 1)
        cut[node_id] = front_end.call("cutTexts")
    assert {node_id: texts for node_id, texts in cut.items() if texts} == {}
    # Proves that the check above can fail.
    front_end.call("addOnly", VALUE)
    front_end.call("narrowTitle")
    assert front_end.call("cutTexts") == ["Focus at Value (Focus Pull)"]


@ON_BOTH
def test_boxes_have_label_example_and_tooltip(front_end: FrontEnd):
    front_end.call("addOnly", VALUE)
    (box,) = front_end.call("boxes")
    assert (box["label"], box["example"]) == ("keyframes", "0: 0.9\n24: 0.5")
    # Vue brings tooltips of its own.
    assert front_end.draws_vue_nodes or "one a line" in box["tooltip"]


@ON_BOTH
@pytest.mark.parametrize("front_end", [False], ids=["canvas_nodes"], indirect=True)
def test_boxes_of_canvas_nodes_show_their_whole_example(front_end: FrontEnd):
    front_end.call("addOnly", "AnyToBokehFocusAtPoint")
    front_end.wait("hasWholeBoxes")


@ON_BOTH
def test_only_settings_that_have_an_effect_are_shown(front_end: FrontEnd):
    front_end.call("addOnly", STRENGTH)
    front_end.wait("showsSettings", STRENGTH, ["mode", "strength"])
    front_end.call("choose", STRENGTH, "mode", "ramp")
    front_end.wait("showsSettings", STRENGTH, ["mode", "strength", "end_strength", "easing"])
    front_end.call("choose", STRENGTH, "mode", "schedule")
    front_end.wait("showsSettings", STRENGTH, ["mode", "easing", "schedule"])
    front_end.call("addOnly", VALUE)
    front_end.wait("showsSettings", VALUE, ["focal_disparity", "keyframes"])
    front_end.call("choose", VALUE, "keyframes", "0: 0.5")
    front_end.wait("showsSettings", VALUE, ["keyframes", "easing"])


@ON_BOTH
def test_what_a_preset_or_a_picture_in_the_opening_makes_of_the_settings_of_a_lens(front_end: FrontEnd):
    front_end.call("addOnly", LENS)
    front_end.wait("showsLensPicture", None)
    shown = front_end.call("shownSettings", LENS)
    front_end.call("choose", LENS, "preset", "soap bubble")
    front_end.wait("showsLensPicture", "soap_bubble.webp")
    front_end.wait("showsSettings", LENS, [name for name in shown if name not in CHARACTER])
    front_end.call("choose", LENS, "preset", "swirl")
    front_end.wait("showsLensPicture", "swirl.webp")
    front_end.call("choose", LENS, "preset", "custom")
    front_end.wait("showsLensPicture", None)
    front_end.wait("showsSettings", LENS, shown)
    front_end.call("linkTo", LENS, "aperture_image", "AnyToBokehExampleClip", 2)
    after = shown.index("blades") + 1
    front_end.wait("showsSettings", LENS, [*shown[:after], "rotation", *shown[after:]])


@ON_BOTH
def test_links_take_the_place_of_settings(front_end: FrontEnd):
    front_end.call("addOnly", VIDEO)
    shown = front_end.call("shownSettings", VIDEO)
    assert {"focus_at", "crf", "source", "disparity_path"} <= set(shown)
    front_end.call("linkTo", VIDEO, "focus", VALUE, 0)
    front_end.wait("showsSettings", VIDEO, [name for name in shown if name != "focus_at"])
    front_end.call("linkTo", VIDEO, "disparity", "AnyToBokehLoadDisparity", 0)
    front_end.call("choose", VIDEO, "codec", "exr-half")
    left = ["strength", "renderer", "codec", "black_bars", "save_workflow", "refine", "transfer"]
    front_end.wait("showsSettings", VIDEO, [*left, "hidden_background"])
    front_end.call("choose", VIDEO, "renderer", "model")
    front_end.wait("showsSettings", VIDEO, left)
    front_end.call("choose", VIDEO, "refine", True)
    front_end.wait("showsSettings", VIDEO, [*left, "refine_parts"])


@ON_BOTH
def test_what_lies_between_points_is_asked_where_there_are_points(front_end: FrontEnd):
    front_end.call("addOnly", VIDEO)
    shown = front_end.call("shownSettings", VIDEO)
    for focus, asked in (("point: 0: 9,9; 4: 20,9", True), ("point: 9,9", False), ("0: 0.9, 4: 0.5", False)):
        front_end.call("choose", VIDEO, "focus_at", focus)
        after = shown.index("refine") + 1
        expected = [*shown[:after], *["between_keyframes"] * asked, *shown[after:]]
        front_end.wait("showsSettings", VIDEO, expected)


@ON_BOTH
@pytest.mark.parametrize("front_end", [False], ids=["canvas_nodes"], indirect=True)
def test_hidden_settings_leave_no_gaps(front_end: FrontEnd):
    front_end.call("addOnly", VIDEO)
    front_end.call("linkTo", VIDEO, "disparity", "AnyToBokehLoadDisparity", 0)
    front_end.wait("hasNoGaps", VIDEO)
    front_end.call("addOnly", STRENGTH)
    for mode in ("schedule", "constant", "ramp"):
        front_end.call("choose", STRENGTH, "mode", mode)
        front_end.wait("hasNoGaps", STRENGTH)
    front_end.wait("showsSettings", STRENGTH, ["mode", "strength", "end_strength", "easing"])


@ON_BOTH
@pytest.mark.parametrize("front_end", [False], ids=["canvas_nodes"], indirect=True)
def test_nodes_stay_as_low_as_what_they_show(front_end: FrontEnd):
    front_end.call("addOnly", LENS_BLUR)
    front_end.wait("isAsLowAsItsContent", LENS_BLUR)
    whole = front_end.call("height", LENS_BLUR)
    front_end.call("linkTo", LENS_BLUR, "lens", "AnyToBokehChooseLens", 0)
    front_end.wait("isAsLowAsItsContent", LENS_BLUR)
    assert front_end.call("height", LENS_BLUR) < whole
    # What a user has made larger is left so.
    front_end.call("addOnly", LENS_BLUR)
    front_end.call("setHeight", LENS_BLUR, 900)
    front_end.call("linkTo", LENS_BLUR, "lens", "AnyToBokehChooseLens", 0)
    front_end.wait("showsSettings", LENS_BLUR, ["black_bars", "transfer", "bad_pixels", "hidden_background"])
    assert front_end.call("height", LENS_BLUR) == 900


@ON_BOTH
def test_what_is_hidden_keeps_its_value_and_is_queued(front_end: FrontEnd, host: HostUnderTest):
    saved = workflow("2_lens_blur_with_focus_preview")
    (node,) = [node for node in saved["nodes"] if node["type"] == STRENGTH]
    node["widgets_values"][2] = 5.5  # end_strength, which the mode constant does not read
    front_end.load(saved)
    front_end.wait("showsSettings", STRENGTH, ["mode", "strength"])
    expected = to_prompt(saved, host.object_info())[str(node["id"])]["inputs"]
    assert expected["end_strength"] == 5.5
    assert front_end.prompt()[str(node["id"])]["inputs"] == expected
    (shown,) = [shown for shown in front_end.call("nodes") if shown["type"] == STRENGTH]
    assert shown["saved_values"] == node["widgets_values"]
