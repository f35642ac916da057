"""Focus and strength in words."""

import math
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from torch import Tensor

from bokeh_core.focus import FocusScript, focus_at_point, focus_on_mask
from bokeh_core.lens import LensSettings, lens_of_controls
from bokeh_core.render import LensRenderer
from bokeh_core.render.clip_stream import StreamedMaps
from bokeh_core.render.focus_settings import (
    GivenFocus,
    MaskFocus,
    PointFocus,
    ScriptFocus,
    ValueFocus,
)
from bokeh_core.render.strength_settings import GivenStrength, Strength
from bokeh_core.render.typed_focus import late_keyframes, parse_focus
from tests.core.render.clips import sliding_disparity

NOTHING = StreamedMaps(lambda: iter(()), torch.Size((4, 0, 0)))


def maps(num_frames: int = 6) -> tuple[Tensor, StreamedMaps]:
    """Disparity as a tensor, and as a stream that can be read once at a time."""
    values = torch.from_numpy(sliding_disparity(num_frames, 24, 32))
    return values, StreamedMaps(lambda: iter(values), values.shape)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0.8", ValueFocus("0.8")),
        (" 0: 0.9, 24: 0.3", ValueFocus(" 0: 0.9, 24: 0.3")),
        ("frame,focal_disparity\n0,0.5", ValueFocus("frame,focal_disparity\n0,0.5")),
        ("point", PointFocus(-1, -1)),
        ("point:", PointFocus(-1, -1)),
        ("point:512,288", PointFocus(512, 288)),
        ("point: 512 288", PointFocus(512, 288)),
        ("point: (-1, 7)", PointFocus(-1, 7)),
        ("point: 0: 5, 6; 24: 7, 8", PointFocus(-1, -1, "0: 5, 6; 24: 7, 8")),
        ("Point: 512, 288", PointFocus(512, 288)),
        ("POINT\uff1a\uff15\uff0c\uff16", PointFocus(5, 6)),
        ("point\uff1a0\uff1a5\uff0c6\uff1b24\uff1a7\uff0c8", PointFocus(-1, -1, "0:5,6;24:7,8")),
        ('mask: "a b.png"', MaskFocus(Path("a b.png"))),
        ("mask: a@b.png", MaskFocus(Path("a@b.png"))),
        ("Mask\uff1a\u8499\u7248\uff0c1.png", MaskFocus(Path("\u8499\u7248\uff0c1.png"))),
        ("mask: a b.png", MaskFocus(Path("a b.png"))),
        (r"mask:C:\masks", MaskFocus(Path(r"C:\masks"))),
    ],
)
def test_texts(text: str, expected: Any):
    assert parse_focus(text) == expected


def test_options_reach_the_focus():
    found = parse_focus("point", smoothing_frames=5.0, radius_px=3, between="rack focus", easing="smooth")
    assert found == PointFocus(-1, -1, "", 5.0, 3, "rack focus", "smooth")
    assert parse_focus("mask: m", smoothing_frames=1.0, find_file=lambda n: Path("in") / n) == MaskFocus(
        Path("in/m"), 1.0
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "The focus is empty; write auto, or 0.8, or"),
        ("near", "The focus 'near' cannot be read; write auto, or 0.8, or"),
        ("pointy: 1, 2", "The focus 'pointy: 1, 2' cannot be read"),
        ("point: left", "names no pixel; write point: 512, 288"),
        ("mask:", "names no mask; write mask: FILE"),
        ("175, 95", r"write point: 175, 95 \(column, row\)"),
        ("(175; 95)", r"write point: 175, 95 \(column, row\)"),
        ("point: 1e999, 2", "names no pixel"),
        ("point: 1.5, 2", "names no pixel; .* whole numbers"),
        ("point: 50%, 50%", "not percent"),
        (f"point: {'9' * 400}, 1", r"\.\.\. \(410 characters\) names no pixel"),
        ("point: -5, 2", "point's x is -5; pixels count from 0"),
        ("nan", "The focus 'nan' cannot be read"),
        ("[]", r"The focus '\[\]' cannot be read"),
        ("-0.5", "focal_disparity is -0.5 at frame 0; it must be 0 to 1"),
    ],
)
def test_other_words_are_refused(text: str, message: str):
    with pytest.raises(ValueError, match=message):
        parse_focus(text)


def test_keyframes_behind_the_end_are_told():
    constant = GivenStrength(torch.zeros(1))
    cases: list[tuple[str, Any, str]] = [
        ("0: 0.5, 8: 0.25", constant, ""),
        ("0: 0.5, 9: 0.25", constant, "focus is at frame 9, but the clip ends at frame 8"),
        # Points tell of it themselves, when they are measured.
        ("point: 0: 1, 2; 50: 3, 4", constant, ""),
        ("0.5", Strength("0: 1, 12: 8"), "strength is at frame 12"),
        ("0.5", Strength("1, 2, 3, 4, 5, 6, 7, 8, 9, 10"), ""),
    ]
    for focus, strength, said in cases:
        told = late_keyframes(parse_focus(focus), strength, 9)
        assert (said in told) if said else (told == "")


def test_points_behind_the_end_are_told_as_they_are_measured():
    lines = parse_focus("point: 0: 1, 2; 50: 3, 4").over_clip(6, maps()[1])[1]
    assert len(lines) == 1
    assert "keyframe at frame 50 lies past the end of the clip, whose last frame is 5" in lines[0]


SCRIPT = """{"version": 1, "focus": [{"frame": 1, "kind": "lock", "disparity": 0.25}],
"strength": [{"frame": 0, "k": 4}]}"""


def test_a_script_is_focus_and_strength():
    focus = parse_focus(f" {SCRIPT}")
    assert isinstance(focus, ScriptFocus)
    assert focus.over_clip(6, maps()[1])[0].tolist() == [0.25] * 6
    assert Strength(SCRIPT).values(3).tolist() == [4, 4, 4]
    assert late_keyframes(focus, Strength(SCRIPT), 1) == ""
    with pytest.raises(ValueError, match="version of the focus script is 2"):
        parse_focus('{"version": 2}')
    with pytest.raises(ValueError, match="frame 3 is of the kind mask, and a script alone has no mask"):
        parse_focus('{"version": 1, "focus": [{"frame": 3, "kind": "mask"}]}')


def test_what_reads_the_frames_says_so():
    assert parse_focus(" Auto ", smoothing_frames=1.0) == ScriptFocus(FocusScript(), 1.0)
    read = {
        text: parse_focus(text).reads_frames for text in ("auto", SCRIPT, "point", "0.5", "point: 0: 1, 2")
    }
    assert read == {"auto": True, SCRIPT: True, "point": False, "0.5": False, "point: 0: 1, 2": False}
    assert parse_focus("point: 0: 1, 2", between="track the subject").reads_frames


def test_settings_that_no_clip_can_have_are_refused_when_they_are_made():
    for make, message in [
        (lambda: PointFocus(1, 2, "0: 5, 6; 9: 7"), "keyframe 9 has 1 value"),
        (lambda: PointFocus(1, 2, smoothing_frames=math.inf), "focus smoothing is inf"),
        (lambda: PointFocus(1, 2, radius_px=-1), "focus radius is -1 px"),
        (lambda: PointFocus(1, 2, between="jump"), "between points is 'jump'"),
        (lambda: MaskFocus(Path("m.png"), math.nan), "focus smoothing is nan"),
        (lambda: ValueFocus("2"), "focal_disparity is 2"),
        (lambda: Strength("201"), "it must be 0 to 200"),
        (lambda: LensSettings(highlight_gain=math.nan), "highlight_gain is nan"),
        (lambda: LensRenderer(LensSettings(contour_reach_px=-1)), "contour_tolerance is -1"),
        (lambda: lens_of_controls(light="dark"), "light is 'dark'"),
        (lambda: lens_of_controls(contour_tolerance=65), "contour_tolerance is 65 px"),
        (lambda: lens_of_controls(rotation=math.inf), "rotation_deg is inf"),
        (lambda: GivenFocus(torch.tensor([1.5])), "focal_disparity"),
        (lambda: GivenStrength(torch.tensor([math.nan])), "blur_strength"),
    ]:
        with pytest.raises(ValueError, match=message):
            make()


def test_a_point_is_held_against_the_frame():
    parse_focus("point: 31, 23").require_fits((24, 32))
    parse_focus("point").require_fits((24, 32))
    for text in ("point: 32, 23", "point: 31, 24", "point: 0: 5, 6; 9: 31, 24"):
        with pytest.raises(ValueError, match="is outside the frame of 32 x 24 px"):
            parse_focus(text).require_fits((24, 32))


def test_values_and_keyframes():
    assert parse_focus("0.25").over_clip(3, NOTHING)[0].tolist() == [0.25] * 3
    assert parse_focus("0: 0, 2: 1").over_clip(4, NOTHING)[0].tolist() == [0, 0.5, 1, 1]
    with pytest.raises(ValueError, match=r"focal_disparity is 2 at frame 0; it must be 0 to 1"):
        parse_focus("2").over_clip(3, NOTHING)[0]


@pytest.mark.parametrize("between", ["follow the point", "rack focus"])
@pytest.mark.parametrize("text", ["point: 9, 11", "point: 0: 3, 4; 5: 25, 20", "point"])
def test_a_point_is_measured_in_a_stream_as_in_a_tensor(text: str, between: str):
    values, stream = maps()
    focus = parse_focus(text, radius_px=2, between=between)
    assert isinstance(focus, PointFocus)
    whole = focus_at_point(values, focus.x_px, focus.y_px, 2, 2.0, focus.keyframes, between)
    assert torch.equal(focus.over_clip(6, stream)[0], whole)


def test_a_mask_is_measured_in_a_stream_as_in_a_tensor(tmp_path: Path):
    values, stream = maps()
    masks = (values > 0.9).float()
    for t, mask in enumerate(masks):
        assert cv2.imwrite(str(tmp_path / f"{t}.png"), (255 * mask).numpy().astype(np.uint8))
    assert torch.equal(MaskFocus(tmp_path).over_clip(6, stream)[0], focus_on_mask(values, masks))
    still = MaskFocus(tmp_path / "0.png").over_clip(6, stream)[0]
    assert torch.equal(still, focus_on_mask(values, masks[:1]))
    (tmp_path / "6.png").write_bytes((tmp_path / "0.png").read_bytes())
    with pytest.raises(ValueError, match="7 mask frames for 6 video frames"):
        MaskFocus(tmp_path).over_clip(6, stream)[0]
    for extra in ("5.png", "6.png"):
        (tmp_path / extra).unlink()
    with pytest.raises(ValueError, match="5 mask frames for 6 video frames"):
        MaskFocus(tmp_path).over_clip(6, stream)[0]


def test_strength():
    assert Strength("16").values(3).tolist() == [16] * 3
    assert Strength("0:8,2:24").values(4).tolist() == [8, 16, 24, 24]
    with pytest.raises(ValueError, match="blur_strength is -1 at frame 0; it must be 0 to 200"):
        Strength("-1").values(3)
    assert GivenStrength(torch.tensor([5.0])).values(2).tolist() == [5, 5]
    with pytest.raises(ValueError, match="3 blur strength frames for 2 video frames"):
        GivenStrength(torch.zeros(3)).values(2)


def test_fingerprints_follow_what_is_said(tmp_path: Path):
    (tmp_path / "m.png").write_bytes(b"1")
    settings: list[Any] = [
        ValueFocus("0.5"),
        ValueFocus("0.6"),
        PointFocus(1, 2),
        PointFocus(2, 1),
        PointFocus(1, 2, smoothing_frames=0),
        MaskFocus(tmp_path / "m.png"),
        GivenFocus(torch.tensor([0.5])),
        GivenFocus(torch.tensor([0.6])),
        GivenFocus(torch.tensor([0.5, 0.5])),
        Strength("1"),
        Strength("1", "smooth"),
        GivenStrength(torch.tensor([1.0])),
    ]
    assert len({setting.fingerprint() for setting in settings}) == len(settings)
    before = MaskFocus(tmp_path / "m.png").fingerprint()
    (tmp_path / "m.png").write_bytes(b"22")
    assert MaskFocus(tmp_path / "m.png").fingerprint() != before
