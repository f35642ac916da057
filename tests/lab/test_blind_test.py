"""The blind test without a browser: statistics by hand, fair pairs, a page that gives nothing away."""

from __future__ import annotations

import csv
import json
import re
from collections import Counter
from pathlib import Path

import av
import numpy as np
import pytest

from bokeh_lab.blind_test.__main__ import main
from bokeh_lab.blind_test.answers import Rating, read_answers
from bokeh_lab.blind_test.footage import read_footage
from bokeh_lab.blind_test.key import Key, read_key
from bokeh_lab.blind_test.page import write_test
from bokeh_lab.blind_test.pairs import Pair, plan_pairs
from bokeh_lab.blind_test.preference import sign_test, wilson_interval
from bokeh_lab.blind_test.tally import count, to_csv, to_markdown

CLIPS = ("goat.mp4", "horse.mp4", "train.mp4")


def write_clip(file: Path, width_px: int = 32, frame_count: int = 4) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(file), "w") as container:
        stream = container.add_stream("libx264", rate=10)
        stream.width, stream.height, stream.pix_fmt = width_px, 32, "yuv420p"
        for t in range(frame_count):
            picture = np.full((32, width_px, 3), 20 * t, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode())


@pytest.fixture
def folders(tmp_path):
    """Three clips by "ours", "mpib" and "gather", and their sources in "sharp"."""
    for name in ("ours", "mpib", "gather", "sharp"):
        for clip in CLIPS:
            write_clip(tmp_path / name / clip)
    return tmp_path


def made(folders: Path, out: str = "test", seed: int = 3, **options: object) -> Key:
    peers = {"mpib": folders / "mpib", "gather": folders / "gather"}
    footage = read_footage(folders / "ours", peers, folders / "sharp")
    return write_test(footage, folders / out, seed, **options)  # type: ignore[arg-type]


# ---- statistics ----


@pytest.mark.parametrize(
    ("successes", "trials", "low", "high"),
    [
        # 8/10 by hand: (0.8 + 0.19207) / 1.38415 = 0.71674, and 0.22658 to either side.
        (8, 10, 0.4902, 0.9433),
        # R. G. Newcombe, Statistics in Medicine 17 (1998), table I, method 3.
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
        (0, 0, 0.0, 1.0),
    ],
)
def test_wilson_interval(successes, trials, low, high):
    assert wilson_interval(successes, trials) == pytest.approx((low, high), abs=6e-5)
    mirrored = wilson_interval(trials - successes, trials)
    assert mirrored == pytest.approx((1 - high, 1 - low), abs=6e-5)


@pytest.mark.parametrize(
    ("successes", "trials", "p_value"),
    [
        (8, 10, 2 * (1 + 10 + 45) / 1024),
        (2, 10, 2 * (1 + 10 + 45) / 1024),
        (10, 10, 2 / 1024),
        (1, 6, 2 * (1 + 6) / 64),
        (5, 10, 1.0),
        (1000, 2000, 1.0),
        (0, 0, 1.0),
    ],
)
def test_sign_test(successes, trials, p_value):
    assert sign_test(successes, trials) == pytest.approx(p_value, rel=1e-12)


@pytest.mark.parametrize("function", [wilson_interval, sign_test])
def test_impossible_counts(function):
    with pytest.raises(ValueError, match="11 of 10"):
        function(11, 10)


# ---- pairs ----


@pytest.mark.parametrize("clip_count", [1, 2, 5, 20])
@pytest.mark.parametrize("peers", [("mpib",), ("mpib", "gather"), ("mpib", "gather", "dr_bokeh")])
def test_every_clip_meets_every_peer_on_balanced_sides(clip_count, peers):
    clips = [f"{k}.mp4" for k in range(clip_count)]
    for seed in range(10):
        pairs = plan_pairs(clips, peers, seed).pairs
        assert sorted((pair.clip, pair.peer) for pair in pairs) == sorted(
            (c, p) for c in clips for p in peers
        )
        left = Counter(pair.peer for pair in pairs if pair.ours_left)
        assert {abs(2 * left[peer] - clip_count) for peer in peers} == {clip_count % 2}
        assert abs(2 * left.total() - len(pairs)) <= 1


def test_plan_is_the_seeds():
    assert plan_pairs(CLIPS, ("mpib",), 7) == plan_pairs(CLIPS, ("mpib",), 7)
    assert plan_pairs(CLIPS, ("mpib",), 7) != plan_pairs(CLIPS, ("mpib",), 8)
    # Which side ours is on differs between seeds, for each clip.
    for k in range(len(CLIPS)):
        plans = [plan_pairs(CLIPS, ("mpib",), seed).pairs for seed in range(40)]
        sides = {pair.ours_left for pairs in plans for pair in pairs if pair.clip == CLIPS[k]}
        assert sides == {True, False}


def test_names_are_neutral_and_used_once():
    plan = plan_pairs(["goat.webm", "horse.MP4"], ("mpib", "gather"), 0)
    files = [file for pair in plan.pairs for file in (pair.ours_file, pair.peer_file)]
    files += plan.sharp_files.values()
    assert len(set(files)) == len(files) == 2 * 4 + 2
    assert all(re.fullmatch(r"[0-9a-f]{8}\.(webm|mp4)", file) for file in files)
    assert [pair.pair for pair in plan.pairs] == sorted(pair.pair for pair in plan.pairs)
    # Sorted by name, as a file manager shows them, ours is neither always before nor always after.
    before = [
        p.ours_file < p.peer_file for p in plan_pairs([f"{k}.mp4" for k in range(40)], ("mpib",), 0).pairs
    ]
    assert set(before) == {True, False}


# ---- the page ----


def test_page_holds_the_right_copies_and_no_hint(folders):
    key = made(folders, title="Blur </script> & more")
    page = folders / "test" / "for_raters"
    assert sorted(file.name for file in page.iterdir()) == [
        "index.html",
        "page.css",
        "page.js",
        "players.js",
        "videos",
    ]
    for pair in key.pairs:
        ours, peer = folders / "ours" / pair.clip, folders / pair.peer / pair.clip
        assert (page / "videos" / pair.ours_file).read_bytes() == ours.read_bytes()
        assert (page / "videos" / pair.peer_file).read_bytes() == peer.read_bytes()
    videos = list((page / "videos").iterdir())
    assert len(videos) == 2 * 6 + 3
    assert len({file.stat().st_mtime for file in videos}) == 1
    source = (page / "index.html").read_text(encoding="utf-8")
    assert "Blur &lt;/script&gt; &amp; more" in source
    for word in ("ours", "mpib", "gather", "goat", "horse", "train", str(folders)):
        assert word not in source


def test_page_lists_left_before_right_and_the_source(folders):
    key = made(folders)
    source = (folders / "test" / "for_raters" / "index.html").read_text(encoding="utf-8")
    inside = re.search(r'<script id="test" type="application/json">(.*?)</script>', source)
    assert inside is not None
    data = json.loads(inside[1])
    assert data["test"] == key.test and data["one_peer_per_clip"] is False
    clip_numbers: dict[int, str] = {}
    for shown, pair in zip(data["pairs"], key.pairs, strict=True):
        videos = [f"videos/{pair.ours_file}", f"videos/{pair.peer_file}"]
        assert shown["pair"] == pair.pair
        assert shown["videos"] == (videos if pair.ours_left else videos[::-1])
        sharp = folders / "test" / "for_raters" / shown["sharp"]
        assert sharp.read_bytes() == (folders / "sharp" / pair.clip).read_bytes()
        assert clip_numbers.setdefault(shown["clip"], pair.clip) == pair.clip
    assert len(clip_numbers) == 3


def test_nothing_is_fetched():
    package = Path(__file__).parents[2] / "bokeh_lab" / "blind_test"
    for name in ("page.html", "page.css", "page.js", "players.js"):
        text = (package / name).read_text(encoding="utf-8")
        assert not re.search(
            r"https?:|\bfetch\(|\bimport\b|type=\"module\"|XMLHttpRequest|@import|url\(", text
        )


def test_same_seed_same_test_and_other_videos_another(folders):
    first, again = made(folders), made(folders, out="again")
    assert first == again == read_key(folders / "again" / "key.json")
    assert made(folders, out="other", seed=4).test != first.test
    assert made(folders, out="paper", one_peer_per_clip=True).test != first.test
    write_clip(folders / "mpib" / "goat.mp4", frame_count=5)
    assert made(folders, out="changed").test != first.test


def test_folder_in_use_is_left_alone(folders):
    (folders / "test").mkdir()
    (folders / "test" / "notes.txt").write_text("mine", encoding="utf-8")
    before = sorted(folders.iterdir())
    with pytest.raises(ValueError, match="not an empty folder"):
        made(folders)
    assert sorted(folders.iterdir()) == before
    (folders / "empty").mkdir()
    assert made(folders, out="empty") == read_key(folders / "empty" / "key.json")


# ---- the folders ----


def test_clip_that_a_peer_lacks_is_named(folders):
    (folders / "mpib" / "horse.mp4").unlink()
    with pytest.raises(ValueError, match=r"mpib lacks horse\.mp4, which .*ours has"):
        made(folders)


def test_clip_that_only_a_peer_has_is_named(folders):
    write_clip(folders / "gather" / "zebra.mp4")
    with pytest.raises(ValueError, match=r"ours lacks zebra\.mp4, which .*gather has"):
        made(folders)


def test_source_that_is_missing_is_named(folders):
    (folders / "sharp" / "goat.mp4").unlink()
    with pytest.raises(ValueError, match=r"sharp lacks goat\.mp4"):
        made(folders)


def test_other_size_is_named(folders):
    write_clip(folders / "mpib" / "goat.mp4", width_px=64)
    with pytest.raises(ValueError, match=r"goat\.mp4 is 64 x 32 px and .*goat\.mp4 is 32 x 32 px"):
        made(folders)


def test_other_duration_is_named(folders):
    write_clip(folders / "mpib" / "goat.mp4", frame_count=8)
    with pytest.raises(ValueError, match=r"goat\.mp4 lasts 0\.80 s and .* lasts 0\.40 s"):
        made(folders)


def test_source_of_another_size_is_fine(folders):
    write_clip(folders / "sharp" / "goat.mp4", width_px=64)
    assert len(made(folders).pairs) == 6


def test_file_that_is_no_video_is_named(folders):
    (folders / "mpib" / "goat.mp4").write_text("no video", encoding="utf-8")
    with pytest.raises(ValueError, match=r"mpib.goat\.mp4 cannot be read as a video"):
        made(folders)


def test_folders_that_cannot_be_compared(folders):
    (folders / "empty").mkdir()
    with pytest.raises(ValueError, match="no peer"):
        read_footage(folders / "ours", {})
    with pytest.raises(ValueError, match="holds no video"):
        read_footage(folders / "empty", {"mpib": folders / "mpib"})
    with pytest.raises(ValueError, match="is not a folder"):
        read_footage(folders / "nowhere", {"mpib": folders / "mpib"})


# ---- answers and tally ----

PAIRS = (
    Pair("p0", "goat.mp4", "mpib", "a0.mp4", "b0.mp4", True),
    Pair("p1", "horse.mp4", "mpib", "a1.mp4", "b1.mp4", False),
    Pair("p2", "goat.mp4", "gather", "a2.mp4", "b2.mp4", True),
    Pair("p3", "horse.mp4", "gather", "a3.mp4", "b3.mp4", False),
)
KEY = Key("test0", "Which?", 0, ("mpib", "gather"), PAIRS)


def answer(k: int, choice: str, swapped: bool = False, seconds: float = 2.0) -> dict[str, object]:
    left, right = PAIRS[k].left_then_right[:: -1 if swapped else 1]
    return {"pair": f"p{k}", "left": left, "right": right, "choice": choice, "seconds": seconds}


def answers_file(folder: Path, rater: str, answers: list[dict[str, object]], test: str = "test0") -> Path:
    file = folder / f"answers-{rater}.json"
    content = {"format": "blind test answers 1", "test": test, "rater": rater, "answers": answers}
    file.write_text(json.dumps(content), encoding="utf-8")
    return file


def two_raters(folder: Path) -> list[Rating]:
    """Ours against mpib: 3 to 1. Against gather: 0 to 2, 2 skipped. Left against right: 5 to 1."""
    one = [answer(0, "left"), answer(1, "right"), answer(2, "skip"), answer(3, "left", seconds=9.0)]
    two = [
        answer(0, "left", swapped=True),
        answer(1, "left", swapped=True),
        answer(2, "left", swapped=True),
        answer(3, "skip", swapped=True, seconds=3.0),
    ]
    return read_answers(KEY, [answers_file(folder, "r1", one), answers_file(folder, "r2", two)])


def test_tally_by_hand(tmp_path):
    # p0: ours left, chosen; p1: ours right, chosen; p3: ours right, left chosen = gather. Swapped:
    # p0: ours right, left chosen = mpib; p1: ours left, chosen; p2: ours right, left chosen = gather.
    tally = count(KEY, two_raters(tmp_path))
    counts = {row.second: (row.prefer_first, row.prefer_second, row.skipped) for row in tally.rows}
    assert counts == {"mpib": (3, 1, 0), "gather": (0, 2, 2), "all peers": (3, 3, 2), "right": (5, 1, 2)}
    assert (tally.raters, tally.ratings, tally.ours_left, tally.median_seconds) == (2, 8, 4, 2.0)
    mpib, gather, overall, sides = tally.rows
    assert (mpib.share, gather.share, overall.share) == (0.75, 0.0, 0.5)
    assert mpib.p_value == 2 * (1 + 4) / 16
    assert sides.p_value == 2 * (1 + 6) / 64
    # 0 of 2: the upper end is z^2 / (n + z^2).
    assert gather.interval == pytest.approx((0, 3.841459 / 5.841459), abs=1e-6)


def test_tables(tmp_path):
    tally = count(KEY, two_raters(tmp_path))
    markdown = to_markdown(tally)
    assert "2 raters, 8 ratings, 2.0 s a pair (median); ours at the left in 4." in markdown
    assert "| ours vs. mpib | 3 | 1 | 0 | 75.0 % | 30.1 to 95.4 % | 0.62 |" in markdown
    rows = list(csv.DictReader(to_csv(tally).splitlines()))
    assert [(row["first"], row["second"]) for row in rows] == [
        ("ours", "mpib"),
        ("ours", "gather"),
        ("ours", "all peers"),
        ("left", "right"),
    ]
    assert rows[0]["share_first"] == "0.75" and rows[0]["p_two_sided"] == "0.625"


def test_peer_without_a_decision_has_no_share(tmp_path):
    ratings = read_answers(KEY, [answers_file(tmp_path, "r", [answer(0, "skip")])])
    tally = count(KEY, ratings)
    assert "| ours vs. mpib | 0 | 0 | 1 | – | – | – |" in to_markdown(tally)
    assert "ours,mpib,0,0,1,,,," in to_csv(tally).splitlines()


def test_answers_of_another_test(tmp_path):
    with pytest.raises(
        ValueError, match=r"answers-r\.json belongs to test 'other' and the key to test 'test0'"
    ):
        read_answers(KEY, [answers_file(tmp_path, "r", [answer(0, "left")], test="other")])


def test_one_rater_in_two_files(tmp_path):
    first = answers_file(tmp_path, "r", [answer(0, "left")])
    copy = tmp_path / "answers-r (1).json"
    copy.write_bytes(first.read_bytes())
    with pytest.raises(ValueError, match=r"Rater r is in .*answers-r\.json and in .*answers-r \(1\)\.json"):
        read_answers(KEY, [first, copy])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"pair": "p9"}, "pair 'p9', which the key does not know"),
        ({"pair": None}, "without a pair"),
        ({"left": "b1.mp4"}, "the videos were 'b1.mp4' and 'b0.mp4'"),
        ({"left": "b0.mp4"}, "the key has 'a0.mp4' and 'b0.mp4'"),
        ({"choice": "both"}, "'both' is none of left, right, skip"),
        ({"seconds": -1}, "-1 seconds"),
        ({"seconds": "1"}, "'1' seconds"),
        ({"seconds": float("nan")}, "nan seconds"),
    ],
)
def test_answers_that_do_not_fit_the_key(tmp_path, change, message):
    file = answers_file(tmp_path, "r", [{**answer(0, "left"), **change}])
    with pytest.raises(ValueError, match=message) as raised:
        read_answers(KEY, [file])
    assert file.name in str(raised.value)


def test_pair_answered_twice(tmp_path):
    with pytest.raises(ValueError, match="answers pair p0 twice"):
        read_answers(KEY, [answers_file(tmp_path, "r", [answer(0, "left"), answer(0, "right")])])


@pytest.mark.parametrize(("text", "message"), [("{", "is not JSON"), ("{}", "is not an answers file")])
def test_file_that_is_no_answers(tmp_path, text, message):
    file = tmp_path / "answers.json"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match=message):
        read_answers(KEY, [file])


@pytest.mark.parametrize(
    ("text", "message"),
    [("{}", "is not a key"), ('{"format": "blind test key 1", "pairs": []}', "is not a whole key")],
)
def test_file_that_is_no_key(tmp_path, text, message):
    (tmp_path / "key.json").write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match=message):
        read_key(tmp_path / "key.json")


# ---- the command line ----


def test_make_then_tally(folders, capsys):
    argv = ["make", "--ours", str(folders / "ours"), "--peer", f"mpib={folders / 'mpib'}"]
    assert main([*argv, "--seed", "1", "--out", str(folders / "test")]) == 0
    assert "3 pairs of 3 clips" in capsys.readouterr().out
    key = read_key(folders / "test" / "key.json")
    for rater, choices in (("r1", "ours"), ("r2", "peer")):
        answers = []
        for pair in key.pairs:
            left, right = pair.left_then_right
            wanted = pair.ours_file if choices == "ours" or pair.clip == "goat.mp4" else pair.peer_file
            choice = "left" if left == wanted else "right"
            answers.append({"pair": pair.pair, "left": left, "right": right, "choice": choice, "seconds": 1})
        answers_file(folders, rater, answers, key.test)
    # The pattern is replaced by the files where the shell has not done it.
    tally = ["tally", "--key", str(folders / "test" / "key.json"), str(folders / "answers-*.json")]
    assert main([*tally, "--out", str(folders / "result")]) == 0
    printed = capsys.readouterr().out
    assert "| ours vs. mpib | 4 | 2 | 0 | 66.7 % |" in printed
    assert sorted(file.name for file in (folders / "result").iterdir()) == ["tally.csv", "tally.md"]
    assert (folders / "result" / "tally.md").read_text(encoding="utf-8") == printed


def test_errors_of_the_command_line(folders, capsys):
    ours, mpib, out = str(folders / "ours"), f"mpib={folders / 'mpib'}", str(folders / "test")
    assert main(["make", "--ours", ours, "--peer", mpib, "--peer", mpib, "--out", out]) == 1
    assert "Two peers are named 'mpib'" in capsys.readouterr().err
    assert main(["tally", "--key", str(folders / "none.json"), "answers.json"]) == 1
    assert "none.json does not exist" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main(["make", "--ours", ours, "--peer", str(folders / "mpib"), "--out", out])
    assert "must be NAME=FOLDER" in capsys.readouterr().err
    assert not (folders / "test").exists()
