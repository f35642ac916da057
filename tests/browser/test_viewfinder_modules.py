"""The viewfinder's own parts: its script is that of the node, its lens is that of Lens Blur."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest
import torch
from playwright.sync_api import Page, expect

from bokeh_core.coc import signed_circle_of_confusion_px
from bokeh_core.focus.script import parse_script
from bokeh_core.lens import DEFAULT_LENS, lens_blur, lens_of_controls
from bokeh_core.preview.lens_facts import lens_facts
from devtools.demo import BUNDLED_CLIP, BUNDLED_DISPARITY
from tests.browser.chromium import TIMEOUT_S, Chromium
from tests.browser.clip import cropped
from tests.browser.viewfinder_page import data_url, imported, page_with_modules, picture_of

# Only so that a hang ends at some time.
expect.set_options(timeout=1000 * TIMEOUT_S)
NUM_FRAMES = 20
NEAR, FAR = 204, 51
SCRIPT = {
    "version": 1,
    "frames": NUM_FRAMES,
    "focus": [
        {"frame": 2, "kind": "point", "x": 0.2, "y": 0.5, "radius": 1},
        {"frame": 10, "kind": "point", "x": 0.8, "y": 0.5, "radius": 1, "transition": 6, "ease": "smooth"},
        {"frame": 13, "kind": "lock", "disparity": 0.5, "transition": 99, "ease": "linear"},
        {"frame": 17, "kind": "point", "x": 0.2, "y": 0.5, "radius": 1, "ease": "cut"},
    ],
    "strength": [
        {"frame": 4, "k": 8},
        {"frame": 8, "k": 24, "ease": "smooth"},
        {"frame": 12, "k": 0, "ease": "cut"},
    ],
}


class Opened:
    """The page that stands open for all of these tests, and the files that it can have."""

    def __init__(self) -> None:
        self.page: Page | None = None
        self.files: dict[str, bytes] = {}


@pytest.fixture(scope="module")
def opened() -> Opened:
    return Opened()


@pytest.fixture
def page(opened: Opened, chromium: Chromium) -> Page:
    """The page, empty."""
    if opened.page is None or opened.page.is_closed():
        opened.page = page_with_modules(chromium, opened.files)
    opened.files.clear()
    opened.page.evaluate("() => document.body.replaceChildren()")
    return opened.page


@pytest.fixture
def files(page: Page, opened: Opened) -> dict[str, bytes]:
    """What the page can fetch, by name."""
    return opened.files


def test_focus_and_strength_are_those_of_the_node(page: Page):
    text = json.dumps(SCRIPT)
    disparity = torch.full((NUM_FRAMES, 6, 10), FAR / 255)
    disparity[:, :, :5] = NEAR / 255
    script = parse_script(text)
    focal, _ = script.focal_disparities(disparity)
    values = imported(
        page,
        "focus_values",
        """const { readScript, strengthAt } = await import('/viewfinder/script.js');
        const { script } = readScript(v[0]);
        const values = Uint8Array.from({ length: 60 }, (_, i) => (i % 10 < 5 ? v[2] : v[3]));
        const map = { width: 10, height: 6, values };
        return Array.from({ length: v[1] }, (_, t) =>
          [m.focalDisparity(script, t, () => map, null).value, strengthAt(script, t)]);""",
        text,
        NUM_FRAMES,
        NEAR,
        FAR,
    )
    np.testing.assert_allclose([value for value, _ in values], focal.numpy(), atol=1e-6)
    np.testing.assert_allclose([k for _, k in values], script.strengths(NUM_FRAMES).numpy(), atol=1e-5)
    # By hand: held, half of the way, there, and a cut.
    assert [values[t][0] for t in (0, 7, 10, 17)] == pytest.approx([0.8, 0.5, 0.2, 0.8])


def test_a_disk_across_an_edge_takes_the_surface_that_fills_more(page: Page):
    got = imported(
        page,
        "focus_values",
        """const values = Uint8Array.from({ length: 81 }, (_, i) => (i % 9 < 4 ? 200 : 50));
        const map = { width: 9, height: 9, values };
        return [[0.3, 0.5, 2], [0.5, 0.5, 2], [1, 0, 0]].map((disk) => m.medianInDisk(map, ...disk));""",
    )
    assert [value * 255 for value in got] == pytest.approx([200, 50, 50])


def test_what_is_written_is_read_by_the_node(page: Page):
    text = imported(
        page,
        "script",
        """let script = m.emptyScript();
        script = m.withDecision(script, { frame: 9, kind: 'point', x: 0.1, y: 0.2, radius: 8 });
        script = m.withDecision(script, { frame: 4, kind: 'lock', x: 0.1, y: 0.2, disparity: 0.25 });
        script = m.withDecision(script, { frame: 9, kind: 'follow', x: 0.3, y: 0.2, radius: 8 });
        script = m.withStrength(script, 3, 12.5);
        return m.writeScript(m.retimed(m.retimed(script, 'focus', 4, 9), 'focus', 4, 5));""",
    )
    script = parse_script(text)
    assert [(decision.frame, decision.kind) for decision in script.focus] == [(5, "lock"), (9, "follow")]
    assert script.focus[1].x == 0.3
    assert [(key.frame, key.k) for key in script.strength] == [(3, 12.5)]


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", None),
        ("not json", "notJson"),
        ("[]", "notScript"),
        ('{"version": 2}', "otherVersion"),
        ('{"version": 1, "focus": [{"frame": 0, "kind": "point", "x": 1.01}]}', "badValue"),
        ('{"version": 1, "focus": [{"frame": 0, "kind": "lock"}]}', "badValue"),
        ('{"version": 1, "focus": [{"frame": -1, "kind": "point"}]}', "badValue"),
        ('{"version": 1, "strength": [{"frame": 0, "k": 201}]}', "badValue"),
        ('{"version": 1, "strength": [{"frame": 0, "k": 1}, {"frame": 0, "k": 2}]}', "twice"),
    ],
)
def test_texts_that_are_no_script_are_told_apart(page: Page, text: str, fault: str | None):
    assert imported(page, "script", "return m.readScript(v[0]).fault?.key ?? null;", text) == fault


NONSENSE = [
    "null",
    "7",
    '"script"',
    "[[[]]]",
    '{"version": "1"}',
    '{"version": true}',
    '{"version": 1, "focus": {}}',
    '{"version": 1, "focus": [null]}',
    '{"version": 1, "focus": [{"frame": 0.5, "kind": "point"}]}',
    '{"version": 1, "focus": [{"frame": 0}]}',
    '{"version": 1, "focus": [{"frame": 0, "kind": "Point"}]}',
    '{"version": 1, "focus": [{"frame": 0, "kind": "point", "x": "0.5"}]}',
    '{"version": 1, "focus": [{"frame": 0, "kind": "point", "disparity": 0.5}]}',
    '{"version": 1, "focus": [{"frame": 0, "kind": "point", "radius": 1e9}]}',
    '{"version": 1, "focus": [{"frame": 0, "kind": "point", "colour": "red"}]}',
    '{"version": 1, "focus": [{"frame": 1e99, "kind": "point"}]}',
    '{"version": 1, "focus": [{"frame": 0, "kind": "point", "transition": -1}]}',
    '{"version": 1, "focus": [{"frame": 0, "kind": "point", "ease": "bounce"}]}',
    '{"version": 1, "strength": [{"frame": 0}]}',
    '{"version": 1, "frames": -1}',
    '{"version": 1, "mood": "calm"}',
    "{" * 9999,
]


def test_picture_and_node_refuse_the_same_nonsense(page: Page):
    faults = imported(
        page, "script", "return v.map((text) => m.readScript(text).fault?.key ?? null);", *NONSENSE
    )
    assert [text for text, fault in zip(NONSENSE, faults, strict=True) if fault is None] == []
    for text in NONSENSE:
        with pytest.raises(ValueError, match=r"\w"):
            parse_script(text)


def test_keyframes_of_points_are_read_as_they_are_written(page: Page):
    good, bad, twice = imported(
        page,
        "point_keyframes",
        "return v.map((text) => m.readKeyframes(text));",
        "24: 700, 300\n\n 0: 512.5,288",
        "0: 1, 2\n24 = 3, 4",
        "3: 1, 2\n3: 4, 5",
    )
    assert good == {
        "points": [{"frame": 0, "x": 512.5, "y": 288}, {"frame": 24, "x": 700, "y": 300}],
        "fault": None,
    }
    assert bad["fault"] == twice["fault"] == {"key": "badLine", "values": {"line": 2}}
    assert imported(page, "point_keyframes", "return m.writeKeyframes(v[0]);", good["points"]) == (
        "0: 512.5, 288\n24: 700, 300"
    )


@pytest.mark.parametrize("b_frames", [0, 2])
def test_frames_of_an_mp4_are_those_that_are_decoded(
    page: Page, files: dict[str, bytes], tmp_path: Path, b_frames: int
):
    file = tmp_path / "clip.mp4"
    with av.open(str(file), "w") as container:
        stream = container.add_stream("libx264", rate=25, options={"bf": str(b_frames)})
        stream.width, stream.height, stream.pix_fmt = 32, 32, "yuv420p"
        for t in range(11):
            picture = np.full((32, 32, 3), 20 * t, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode())
    files["clip.mp4"] = file.read_bytes()
    times = imported(page, "mp4_times", "return (await m.frameTimes('/clip.mp4')).times;")
    with av.open(str(file)) as container:
        decoded = [frame.time for frame in container.decode(video=0)]
    np.testing.assert_allclose(np.diff(times), np.diff(np.array(decoded, np.float64)), atol=1e-6)
    assert len(times) == 11
    assert times[0] == pytest.approx(0)


def test_a_file_that_is_no_mp4_has_no_times(page: Page, files: dict[str, bytes]):
    files |= {"clip.webm": b"\x1aE\xdf\xa3" + bytes(60), "short.mp4": b"\0\0"}
    for name in ("clip.webm", "short.mp4", "none.mp4"):
        assert imported(page, "mp4_times", "return m.frameTimes(v[0]);", f"/{name}") is None


DRAWN_BY_THE_LENS = """
const picture = new Image();
picture.src = v[0];
await picture.decode();
const map = { width: v[2], height: v[3], values: Uint8Array.from(v[1]) };
return m.lensOfPage().render(picture, v[0], map, v[4], v[5], m.SAMPLES.best, v[6] ?? undefined).toDataURL();
"""


@pytest.mark.parametrize("focal", [0.2, 0.75])
def test_the_lens_is_that_of_lens_blur(page: Page, focal: float):
    with av.open(str(BUNDLED_CLIP)) as container:
        (frame,) = islice(container.decode(video=0), 1)
    # An edge of the tank before the shelf.
    part = (slice(20, 110), slice(60, 180))
    picture = np.ascontiguousarray(cropped(frame.to_ndarray(format="rgb24"))[part])
    stored = cv2.imread(str(sorted(BUNDLED_DISPARITY.iterdir())[0]), cv2.IMREAD_UNCHANGED)
    depth = np.round(cropped(stored)[part] / 65408 * 255).astype(np.uint8)
    height, width = depth.shape
    strength_px = 12.0
    true = lens_blur(
        torch.from_numpy(picture).float()[None] / 255,
        torch.from_numpy(depth).float()[None] / 255,
        torch.tensor([focal]),
        torch.tensor([strength_px]),
    )[0].numpy()
    drawn: Any = imported(
        page,
        "lens",
        DRAWN_BY_THE_LENS,
        data_url(picture),
        depth.flatten().tolist(),
        width,
        height,
        focal,
        strength_px,
    )
    reached, sharp = psnr(picture_of(drawn) / 255, true), psnr(picture / 255, true)
    assert reached > 30
    assert reached > sharp + 5


# Of a lens with all that a preview shows of one, and one thing that it does not.
LENS = lens_of_controls(
    blades=5,
    rotation=20.0,
    roundness=0.1,
    anamorphic=1.5,
    ring=0.6,
    near_strength=0.75,
    far_strength=1.5,
    focus_range=0.1,
    largest_radius=7.0 * 1024 / 41,
    light="display",
    cat_eye=0.3,
)


def test_a_lamp_has_the_shape_of_the_opening_and_its_limits(page: Page):
    facts = lens_facts(LENS)
    assert facts["unseen"] == ["cat_eye"]
    lamp, side = np.zeros((41, 41, 3), np.uint8), 41
    lamp[19:22, 19:22] = 255
    frames, seen = torch.from_numpy(lamp).float()[None] / 255, replace(LENS.aperture, cat_eye=0.0)
    for depth, focal in ((204, 0.2), (51, 0.8)):
        maps, strength_px = torch.full((1, side, side), depth / 255), 12.0
        rendered = [
            lens_blur(frames, maps, torch.tensor([focal]), torch.tensor([strength_px]), settings)
            for settings in (replace(LENS, aperture=seen).at_width(side), DEFAULT_LENS)
        ]
        drawn = imported(
            page,
            "lens",
            DRAWN_BY_THE_LENS,
            data_url(lamp),
            [depth] * side**2,
            side,
            side,
            focal,
            strength_px,
            facts,
        )
        true, plain = (picture[0].numpy() for picture in rendered)
        assert psnr(picture_of(drawn) / 255, true) > psnr(plain, true) + 10


def test_radii_are_those_of_the_falloff(page: Page):
    disparity = torch.linspace(0, 1, 21)[None, None]
    expected = signed_circle_of_confusion_px(
        disparity, torch.tensor([0.45]), torch.tensor([40.0]), LENS.at_width(512).falloff
    )
    code = "return v[0].map((disparity) => m.radiusPx(v[1], disparity, 0.45, 80, 512));"
    got = imported(page, "falloff", code, disparity.flatten().tolist(), lens_facts(LENS))
    np.testing.assert_allclose(got, expected.flatten().numpy(), atol=1e-4)


def test_in_focus_nothing_changes(page: Page):
    picture = np.random.default_rng(0).integers(0, 256, (9, 13, 3), np.uint8)
    url, depth = data_url(picture), [128] * (9 * 13)
    drawn = imported(page, "lens", DRAWN_BY_THE_LENS, url, depth, 13, 9, 128 / 255, 40)
    assert np.abs(picture_of(drawn).astype(int) - picture).max() <= 1


def test_without_a_lens_near_is_blue_and_far_is_red(page: Page):
    grey = np.full((2, 3, 3), 128, np.uint8)
    code = """const picture = new Image();
    picture.src = v[0];
    await picture.decode();
    const map = { width: 3, height: 2, values: Uint8Array.from([250, 250, 128, 250, 128, 0]) };
    return m.overlay(picture, map, 128 / 255, 40 * 1024 / 3).toDataURL();"""
    shown = picture_of(imported(page, "overlay", code, data_url(grey))).astype(int)
    assert shown[0, 0, 2] > 160 > shown[0, 0, 0]
    assert shown[1, 2, 0] > 160 > shown[1, 2, 2]
    # Between near and in focus runs the line of 1 px.
    assert shown[0, 1].tolist() == [255, 255, 255]
    assert shown[0, 2].tolist() == [255, 255, 255]


def test_both_languages_say_the_same_things(page: Page):
    missing = imported(
        page,
        "texts",
        """const shape = (texts) => Object.entries(texts).map(([key, text]) =>
          `${key} ${typeof text === 'object' ? Object.keys(text) : typeof text}`).sort().join('\\n');
        return [shape(m.LANGUAGES.en), shape(m.LANGUAGES.zh)];""",
    )
    assert missing[0] == missing[1]


def psnr(picture: Any, true: Any) -> float:
    return float(-10 * np.log10(np.square(picture - true).mean()))


WITH_VIEWFINDER = """
const { Strip } = await import('/viewfinder/strip.js');
const { textsOf } = await import('/viewfinder/texts.js');
const { readScript, writeScript } = await import('/viewfinder/script.js');
window.made = [];
window.make = (report) => {
  const model = {
    text: '', features: { kinds: true, transitions: true, strength: true },
    read() { return readScript(this.text); },
    write(script) { this.text = writeScript(script); },
    restart() { this.text = ''; },
    hasMask: () => false,
  };
  const view = new m.Viewfinder(textsOf('en'), model);
  view.element.style.height = '420px';
  document.body.append(view.element);
  const run = { ...report, script: null, isOf: () => report.current };
  if (report) view.setRun(new Strip(report, (file) => file), run);
  window.made.push({ view, model });
};
"""


def report_of(picture: Any, depth: Any, frames: int = 1) -> dict[str, Any]:
    """Return what a run sends, of a clip whose frames are all alike."""
    height, width = depth.shape
    return {
        "frames": frames,
        "width": width,
        "height": height,
        "shown": list(range(frames)),
        "pictures": [data_url(picture)] * frames,
        "disparity": [data_url(depth)] * frames,
        "focal": [0.5] * frames,
        "report": [],
        "current": False,
    }


def test_two_pictures_share_one_lens_and_keep_apart(page: Page):
    grey, depth = np.full((8, 8, 3), 90, np.uint8), np.full((8, 8), 51, np.uint8)
    imported(page, "viewfinder", WITH_VIEWFINDER)
    for value in (51, 204):
        depth = np.full((8, 8), value, np.uint8)
        page.evaluate("(report) => window.make(report)", report_of(grey, depth, 3))
    frames = page.locator(".atb-frame")
    for index in (0, 1):
        frames.nth(index).click(position={"x": 5, "y": 5})
    for index, focus in enumerate(("0.200", "0.800")):
        expect(page.locator("[role=status]").nth(index)).to_contain_text(f"focus {focus}")
    texts = page.evaluate("() => window.made.map(({ model }) => JSON.parse(model.text).focus.length)")
    assert texts == [1, 1]


# Whether the picture's red has a standard deviation within bounds, for each [left, right, least, most].
CONTRASTS = """
(wanted) => {
  const canvas = document.querySelector('.atb-frame canvas');
  return wanted.every(([left, right, least, most]) => {
    const { data } = canvas.getContext('2d').getImageData(left, 10, right - left, 20);
    const red = data.filter((_, i) => i % 4 === 0);
    const mean = red.reduce((sum, value) => sum + value, 0) / red.length;
    const spread = Math.sqrt(red.reduce((sum, value) => sum + (value - mean) ** 2, 0) / red.length);
    return spread >= least && spread <= most;
  });
}
"""


def test_sharp_and_blurred_lie_side_by_side(page: Page):
    board = np.full((32, 64, 3), 40, np.uint8)
    board[::2, ::2] = board[1::2, 1::2] = 220
    depth = np.full((32, 64), 51, np.uint8)
    depth[:8, :8] = 204
    imported(page, "viewfinder", WITH_VIEWFINDER)
    page.evaluate("(report) => window.make(report)", report_of(board, depth))
    frame = page.locator(".atb-frame")
    box = frame.bounding_box()
    assert box is not None
    frame.click(position={"x": box["width"] / 16, "y": box["height"] / 8})
    strength = page.get_by_role("spinbutton", name="px of blur radius")
    strength.fill("120")
    strength.press("Enter")
    hint = "Compare sharp (left) with blurred (right)"
    compare = page.get_by_role("button", name=hint)
    expect(compare).to_be_enabled()
    compare.click()
    expect(compare).to_have_attribute("aria-pressed", "true")

    # The board is 90 off its mean either way; a disk of 4.5 px leaves next to nothing of that.
    page.wait_for_function(CONTRASTS, arg=[[12, 30, 80, 255], [34, 60, 0, 20]])
    handle = page.get_by_role("slider", name=hint)
    for _ in range(3):
        handle.press("ArrowLeft")
    assert handle.get_attribute("aria-valuenow") == "44"
    compare.click()
    expect(handle).to_be_hidden()
    page.wait_for_function(CONTRASTS, arg=[[12, 30, 0, 20], [34, 60, 0, 20]])


def long_clip(file: Path, num_frames: int) -> bytes:
    """Return an MP4 of 64 x 36 px at 25 frames a second, of one picture that is encoded once."""
    with av.open(str(file), "w") as container:
        stream = container.add_stream("libx264", rate=25, options={"bf": "0", "g": "1"})
        stream.width, stream.height, stream.pix_fmt = 64, 36, "yuv420p"
        picture = av.VideoFrame.from_ndarray(np.full((36, 64, 3), 90, np.uint8), format="rgb24")
        packet: Any = [*stream.encode(picture), *stream.encode()][0]
        content, step = bytes(packet), round(1 / (25 * packet.time_base))
        for t in range(num_frames):
            copy = av.Packet(content)
            copy.stream, copy.time_base, copy.is_keyframe = stream, packet.time_base, True
            copy.pts = copy.dts = t * step
            copy.duration = step
            container.mux(copy)
    return file.read_bytes()


@pytest.mark.parametrize("num_frames", [1, 5000])
def test_a_clip_of_any_length_is_moved_along_without_fetching_all_of_it(
    page: Page, files: dict[str, bytes], tmp_path: Path, num_frames: int
):
    files["long.mp4"] = long_clip(tmp_path / "long.mp4", num_frames)
    imported(page, "viewfinder", WITH_VIEWFINDER)
    page.evaluate(
        """async () => {
          const { VideoClip } = await import('/viewfinder/video_clip.js');
          window.make(null);
          const clip = await VideoClip.open('/long.mp4');
          window.decoded = 0;
          const { seek } = clip;
          clip.seek = (frame) => { window.decoded++; return seek.call(clip, frame); };
          window.made[0].view.setClip(clip);
        }"""
    )
    number, last = page.locator(".atb-frame-number").first, num_frames - 1
    page.locator(".atb-frame").click()
    page.keyboard.press("End")
    expect(number).to_have_text(f"frame {last} of 0-{last}")
    page.keyboard.press("PageUp")
    expect(number).to_have_text(f"frame {max(0, last - 10)} of 0-{last}")
    # However fast people drag, one picture is on its way and the last one wanted comes next.
    decoded = page.evaluate(
        """async () => {
          window.decoded = 0;
          const { view } = window.made[0];
          const last = view.footage.count - 1;
          const frames = Array.from({ length: 200 }, (_, i) => Math.round((i / 199) * last));
          await Promise.all(frames.map((frame) => view.seek(frame)));
          return window.decoded;
        }"""
    )
    assert decoded <= 2
    expect(number).to_have_text(f"frame {last} of 0-{last}")
    page.locator(".atb-frame").click()
    assert page.evaluate("() => JSON.parse(window.made[0].model.text).focus.at(-1).frame") == last
    page.evaluate("() => window.made[0].view.close()")


def test_one_pixel_of_one_frame_can_be_clicked(page: Page):
    imported(page, "viewfinder", WITH_VIEWFINDER)
    picture, depth = np.full((1, 1, 3), 90, np.uint8), np.full((1, 1), 255, np.uint8)
    page.evaluate("(report) => window.make(report)", report_of(picture, depth))
    page.locator(".atb-frame").click()
    expect(page.locator("[role=status]")).to_contain_text("focus 1.000")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Delete")
    assert page.evaluate("() => JSON.parse(window.made[0].model.text).focus") == []


def test_what_a_run_found_is_shown_where_nobody_chose(page: Page):
    imported(page, "viewfinder", WITH_VIEWFINDER)
    report = report_of(np.zeros((10, 10, 3), np.uint8), np.full((10, 10), 51, np.uint8), 2)
    found = {**report, "points": [[7, 2], None], "current": True}
    page.evaluate("(report) => window.make(report)", found)
    sample = page.locator(".atb-sample")
    expect(sample).to_have_attribute("style", re.compile(r"left: 75%; top: 25%"))
    expect(page.locator("[role=status]")).to_contain_text("Click on what should be sharp")
    page.locator(".atb-viewfinder").press("ArrowRight")
    expect(sample).to_be_hidden()


def test_pictures_that_are_gone_are_said_to_be(page: Page):
    imported(page, "viewfinder", WITH_VIEWFINDER)
    report = report_of(np.zeros((2, 2, 3), np.uint8), np.zeros((2, 2), np.uint8))
    page.evaluate("(report) => window.make(report)", {**report, "disparity": ["/none.png"]})
    expect(page.locator("[role=status]")).to_contain_text("are gone")


class Fingers:
    """Up to two fingers on a page that takes touches."""

    def __init__(self, page: Page) -> None:
        self._session = page.context.new_cdp_session(page)
        self._session.send("Emulation.setTouchEmulationEnabled", {"enabled": True, "maxTouchPoints": 2})

    def at(self, kind: str, *places: tuple[float, float]) -> None:
        points = [{"x": x, "y": y, "id": number} for number, (x, y) in enumerate(places)]
        self._session.send("Input.dispatchTouchEvent", {"type": f"touch{kind}", "touchPoints": points})

    def close(self) -> None:
        self._session.send("Emulation.setTouchEmulationEnabled", {"enabled": False})
        self._session.detach()


def test_fingers_tap_drag_and_pinch_without_moving_the_page(page: Page):
    imported(page, "viewfinder", WITH_VIEWFINDER)
    picture, depth = np.full((64, 64, 3), 90, np.uint8), np.full((64, 64), 51, np.uint8)
    page.evaluate("(report) => window.make(report)", report_of(picture, depth))
    page.evaluate("() => { document.body.style.height = '4000px'; }")
    frame = page.locator(".atb-frame")
    expect(frame).to_be_visible()
    box, window = frame.bounding_box(), page.viewport_size
    assert box is not None
    assert window is not None

    def place(x: float, y: float) -> tuple[float, float]:
        return box["x"] + x * box["width"], box["y"] + y * box["height"]

    def decision() -> Any:
        return page.evaluate("() => JSON.parse(window.made[0].model.text || '{\"focus\": []}').focus[0]")

    fingers = Fingers(page)
    try:
        fingers.at("Start", place(0.25, 0.5))
        fingers.at("End")
        assert (decision()["x"], decision()["y"]) == pytest.approx((0.25, 0.5), abs=0.01)
        fingers.at("Start", place(0.25, 0.5))
        for y in (0.4, 0.3, 0.2):
            fingers.at("Move", place(0.5, y))
        fingers.at("End")
        assert (decision()["x"], decision()["y"]) == pytest.approx((0.5, 0.2), abs=0.01)
        radius = decision()["radius"]
        # The first of two fingers picks nothing.
        fingers.at("Start", place(0.4, 0.8))
        fingers.at("Start", place(0.4, 0.8), place(0.6, 0.8))
        fingers.at("Move", place(0.2, 0.8), place(0.8, 0.8))
        fingers.at("End")
        assert decision()["radius"] == 3 * radius
        assert (decision()["x"], decision()["y"]) == pytest.approx((0.5, 0.2), abs=0.01)
        assert page.evaluate("() => window.scrollY") == 0
        # Beside the picture the page is moved by a finger.
        below = window["height"] - 100
        fingers.at("Start", (450, below))
        for up in (50, 100, 200):
            fingers.at("Move", (450, below - up))
        fingers.at("End")
        page.wait_for_function("() => window.scrollY > 0")
    finally:
        fingers.close()
        page.evaluate("() => { document.body.style.height = ''; window.scrollTo(0, 0); }")


def test_keys_alone_make_a_rack_focus(page: Page):
    imported(page, "viewfinder", WITH_VIEWFINDER)
    grey, depth = np.full((8, 8, 3), 90, np.uint8), np.full((8, 8), 51, np.uint8)
    page.evaluate("(report) => window.make(report)", report_of(grey, depth, 9))
    page.locator(".atb-frame").click()
    page.keyboard.press("End")
    expect(page.locator(".atb-frame-number").first).to_have_text("frame 8 of 0-8")
    page.locator(".atb-frame").click()
    # All of this clip is at one depth.
    expect(page.locator(".atb-notes")).to_contain_text("the focus hardly moves")
    expect(page.locator(".atb-way")).to_have_text("Focus arrives")
    page.keyboard.press("ArrowLeft")
    expect(page.locator(".atb-way")).to_have_text("On its way to frame 8.")
    page.locator(".atb-of-focus").nth(1).focus()
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    frames = "() => JSON.parse(window.made[0].model.text).focus.map((decision) => decision.frame)"
    assert page.evaluate(frames) == [0, 6]
    page.keyboard.press("Delete")
    assert page.evaluate(frames) == [0]


@pytest.mark.parametrize(
    ("script", "said"),
    [
        (
            {"frames": 9, "focus": [{"frame": 1, "kind": "point", "x": 0.5, "y": 0.5}]},
            "on a clip of 9 frames",
        ),
        ({"frames": 9, "focus": [{"frame": 8, "kind": "point", "x": 0.5, "y": 0.5}]}, "never reached"),
    ],
)
def test_decisions_of_another_clip_can_be_cleared(page: Page, script: dict[str, Any], said: str):
    imported(page, "viewfinder", WITH_VIEWFINDER)
    grey, depth = np.full((8, 8, 3), 90, np.uint8), np.full((8, 8), 51, np.uint8)
    page.evaluate("(report) => window.make(report)", report_of(grey, depth, 3))
    text = json.dumps({"version": 1, "strength": [], **script})
    page.evaluate(
        "(text) => { const [{ view, model }] = window.made; model.text = text; view.reload(); }", text
    )
    expect(page.locator("[role=status]")).to_contain_text(said)
    page.get_by_role("button", name="Start anew").click()
    expect(page.locator("[role=status]")).to_have_text("Click on what should be sharp.")
    assert page.evaluate("() => window.made[0].model.text") == ""


def test_a_wide_viewfinder_keeps_names_beside_their_controls(page: Page):
    imported(page, "viewfinder", WITH_VIEWFINDER)
    grey, depth = np.full((8, 8, 3), 90, np.uint8), np.full((8, 8), 51, np.uint8)
    page.evaluate("(report) => window.make(report)", report_of(grey, depth, 9))
    page.evaluate("() => { window.made[0].view.element.style.width = '2000px'; }")
    timeline, rows = page.locator(".atb-timeline"), page.locator(".atb-viewfinder > .atb-row")
    expect(rows).to_have_count(4)
    widths = rows.evaluate_all("(rows) => rows.map((row) => row.getBoundingClientRect().width)")
    assert max(widths) <= 640
    # To the frame as finely as there is room for.
    box = timeline.bounding_box()
    assert box is not None
    assert box["width"] > 1900
