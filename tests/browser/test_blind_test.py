"""The blind test's page in Chromium, opened from disk and played through by clicks and keys."""

from __future__ import annotations

import csv
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from bokeh_lab.blind_test.__main__ import main
from tests.browser.chromium import Chromium
from tests.browser.rater import Rater

VIEWPORT_PX = (1280, 720)
WIDTH_PX, HEIGHT_PX, FRAME_RATE = 320, 180, 12
FRAME_COUNT = 24
CLIPS = ("goat.webm", "horse.webm", "train.webm")
PEERS = ("mpib", "dr_bokeh")
TITLE = "Which & why <b>"


@dataclass(frozen=True)
class PlayThrough:
    """What a rater who always prefers ours did and saw, and the folders of the test."""

    saw: dict[str, Any]
    test: Path
    one_peer: Path
    rater: Path

    @property
    def answers(self) -> Path:
        """The file the page saved."""
        return self.rater / str(self.saw["download"])


def write_clip(file: Path, level: int) -> None:
    """A bright bar that wanders over a grey; VP9, which every Chromium plays."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(file), "w") as container:
        stream = container.add_stream(
            "libvpx-vp9", rate=FRAME_RATE, options={"cpu-used": "8", "deadline": "realtime"}
        )
        stream.width, stream.height, stream.pix_fmt = WIDTH_PX, HEIGHT_PX, "yuv420p"
        for t in range(FRAME_COUNT):
            picture = np.full((HEIGHT_PX, WIDTH_PX, 3), level, np.uint8)
            picture[:, 12 * t : 12 * t + 30] = 230
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode())


@pytest.fixture(scope="module")
def play_through(chromium: Chromium, tmp_path_factory: pytest.TempPathFactory) -> PlayThrough:
    """One rater plays the page through."""
    folder = tmp_path_factory.mktemp("blind_test")
    for level, name in enumerate(("ours", *PEERS, "sharp")):
        for clip in CLIPS:
            write_clip(folder / name / clip, 40 + 40 * level)
    argv = ["make", "--ours", str(folder / "ours"), "--sharp", str(folder / "sharp"), "--title", TITLE]
    for peer in PEERS:
        argv += ["--peer", f"{peer}={folder / peer}"]
    test, one_peer, rater = folder / "test", folder / "one_peer", folder / "rater"
    assert main([*argv, "--seed", "5", "--out", str(test)]) == 0
    assert main([*argv, "--seed", "6", "--out", str(one_peer), "--one-peer-per-clip"]) == 0

    rater.mkdir()
    key = json.loads((test / "key.json").read_text(encoding="utf-8"))
    wishes = {pair["ours_file"]: True for pair in key["pairs"]}
    urls = [(made / "for_raters" / "index.html").as_uri() for made in (test, one_peer)]
    playing = Rater(chromium.new_page(*VIEWPORT_PX, accept_downloads=True), wishes, rater)
    playing.play_through(*urls)
    return PlayThrough(playing.saw, test, one_peer, rater)


def test_opens_from_disk_without_complaint_or_network(play_through):
    saw = play_through.saw
    assert saw["errors"] == []
    assert saw["title"] == TITLE
    assert {request.partition(":")[0] for request in saw["requests"]} <= {"file", "data", "blob"}
    assert saw["document_px"] == list(VIEWPORT_PX)  # nothing to scroll


def test_page_tells_nobody_which_is_which(play_through):
    source = play_through.saw["source"].lower()
    assert play_through.saw["requests"]
    for word in ("ours", "peer_file", *PEERS, *(clip.partition(".")[0] for clip in CLIPS)):
        assert word not in source


def test_players_run_as_one(play_through):
    saw = play_through.saw
    assert saw["paused_by_space"] == [True, True, True]
    assert saw["paused_after_restart"] == [False, False, False]
    # That they come together again is waited for; here only that they had been apart.
    assert saw["apart_s"] > 0.5


def test_progress_back_and_resume(play_through):
    saw = play_through.saw
    assert saw["progress"] == [f"Pair {k} of 6" for k in range(1, 7)]
    wrong_side = saw["wrong_choice"].removeprefix("Arrow").lower()
    assert saw["marked_after_back"] == [f"choose_{wrong_side}"]
    assert saw["before_reload"][0] == "Pair 4 of 6"
    assert saw["after_reload"] == saw["before_reload"]
    assert saw["resume_note"] == "You have rated 3 of 6 pairs."
    assert saw["begin_anew"] == "Start"


def test_unplayable_pair_can_only_be_skipped(play_through):
    assert "cannot play videos/" in play_through.saw["trouble"]
    assert play_through.saw["open_choices"] == ["Skip S"]


def test_saved_answers_say_what_was_chosen(play_through):
    key = json.loads((play_through.test / "key.json").read_text(encoding="utf-8"))
    content = json.loads(play_through.answers.read_text(encoding="utf-8"))
    assert play_through.saw["download"] == f"answers-{content['rater']}.json"
    assert content["test"] == key["test"]
    pairs = {pair["pair"]: pair for pair in key["pairs"]}
    assert sorted(answer["pair"] for answer in content["answers"]) == sorted(pairs)
    choices = [answer["choice"] for answer in content["answers"]]
    assert [k for k, choice in enumerate(choices) if choice == "skip"] == [2]
    # The first pair was shown for a whole loop, which rate corrections shorten by 5 % at most.
    assert content["answers"][0]["seconds"] > 0.95 * FRAME_COUNT / FRAME_RATE
    for answer in content["answers"]:
        if answer["choice"] != "skip":
            assert answer[answer["choice"]] == pairs[answer["pair"]]["ours_file"]
    # A clip comes back only after all others: three clips, two rounds.
    clips = [pairs[answer["pair"]]["clip"] for answer in content["answers"]]
    assert sorted(clips[:3]) == sorted(clips[3:]) == sorted(CLIPS)


def test_one_random_peer_per_clip(play_through):
    key = json.loads((play_through.one_peer / "key.json").read_text(encoding="utf-8"))
    pairs = {pair["pair"]: pair for pair in key["pairs"]}
    draws = play_through.saw["draws"]
    for draw in draws:
        assert sorted(pairs[name]["clip"] for name in draw["order"]) == sorted(CLIPS)
    # Of 60 raters each pair, each first clip and each set of sides is met; none is by chance once in 1e9.
    assert {name for draw in draws for name in draw["order"]} == set(pairs)
    assert {pairs[draw["order"][0]]["clip"] for draw in draws} == set(CLIPS)
    assert {draw["swapped"] for draw in draws} == {True, False}
    assert len({draw["rater"] for draw in draws}) == len(draws)


def test_tally_of_the_saved_answers(play_through, tmp_path):
    key = str(play_through.test / "key.json")
    assert main(["tally", "--key", key, str(play_through.answers), "--out", str(tmp_path)]) == 0
    with (tmp_path / "tally.csv").open(encoding="utf-8", newline="") as file:
        rows = {row["second"]: row for row in csv.DictReader(file)}
    counts = [rows["all peers"][column] for column in ("prefer_first", "prefer_second", "skipped")]
    assert counts == ["5", "0", "1"]
    assert sum(int(rows[peer]["prefer_first"]) for peer in PEERS) == 5
    assert sum(int(rows["right"][column]) for column in ("prefer_first", "prefer_second")) == 5
