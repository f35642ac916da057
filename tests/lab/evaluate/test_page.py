"""The page and the plot: everything they show lies beside them, and nothing comes from elsewhere."""

import importlib.util
import json
import re
from html.parser import HTMLParser

import cv2
import pytest

from bokeh_lab.evaluate.__main__ import main
from bokeh_lab.evaluate.page import TEMPLATE

from .conftest import Finished, tiny


class Page(HTMLParser):
    """Collects addresses, the embedded data and the words of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.addresses: list[str] = []
        self.headings: list[str] = []
        self.data = ""
        self._inside = ""
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        named = dict(attrs)
        self.addresses += [named[name] for name in ("src", "href") if named.get(name)]
        self._inside = "data" if named.get("id") == "data" else tag

    def handle_data(self, data):
        if self._inside == "data":
            self.data += data
        elif self._inside in ("h1", "h2"):
            self.headings.append(data)

    def handle_endtag(self, tag):
        self._inside = ""


@pytest.fixture(scope="module")
def page(finished: Finished) -> Page:
    return Page((finished.out / "index.html").read_text(encoding="utf-8"))


def test_everything_shown_lies_beside_the_page(page: Page, finished: Finished):
    data = json.loads(page.data)
    assert [clip["name"] for clip in data["clips"]] == ["paper_0", "paper_1"]
    for clip in data["clips"]:
        assert clip["shared"].keys() == {"sharp", "disparity", "truth"}
        assert clip["renders"].keys() == {"another_grid", "identity", "gather", "true_layers", "own_darker"}
        videos = [*clip["shared"].values()]
        videos += [render["video"] for render in clip["renders"].values()]
        assert len(set(videos)) == 3 + 5
        for video in videos:
            assert (finished.out / video).is_file()
            assert not video.startswith("/")
    assert page.addresses == ["plot.png"]
    assert (finished.out / "plot.png").is_file()
    assert [renderer["name"] for renderer in data["renderers"]] == [
        "another_grid",
        "identity",
        "gather",
        "true_layers",
        "own_darker",
    ]
    # Neither a sanity row nor one that is given the layers.
    assert data["ranking"] == "gather"


def test_nothing_comes_from_elsewhere(finished: Finished):
    text = (finished.out / "index.html").read_text(encoding="utf-8")
    # Comments have a space after the slashes; an address without a scheme has none.
    assert re.findall(r"https?:|//\w|@import|url\(", text) == []
    assert "<!--" not in text


def test_tables_are_those_of_the_markdown(page: Page, finished: Finished):
    lines = (finished.out / "table.md").read_text(encoding="utf-8").splitlines()
    headings = [line.lstrip("# ") for line in lines if line.startswith("#")]
    assert page.headings == headings
    assert headings[1:3] == ["Given image + disparity", "Given layers"]


def test_words_of_others_cannot_become_markup(tmp_path):
    own = tmp_path / "own.py"
    own.write_text(
        "from bokeh_lab.peers import Renderer\n\n"
        "bold = Renderer('bold', '</script><b>&bold', lambda task: task.frames)\n",
        encoding="utf-8",
    )
    main(tiny(tmp_path / "out", "--clips", "1", "--renderer", f"{own}:bold", "--no-plot"))
    text = (tmp_path / "out" / "index.html").read_text(encoding="utf-8")
    assert text.count("</script>") == TEMPLATE.read_text(encoding="utf-8").count("</script>")
    assert "<b>&bold" not in text
    assert json.loads(Page(text).data)["renderers"][0]["title"] == "</script><b>&bold"


def test_without_videos_there_are_no_players(tmp_path):
    main(tiny(tmp_path, "--clips", "1", "--renderers", "identity", "--no-plot", "--no-videos"))
    data = json.loads(Page((tmp_path / "index.html").read_text(encoding="utf-8")).data)
    assert data["clips"][0]["shared"] == {}
    assert data["clips"][0]["renders"]["identity"]["video"] is None
    assert not (tmp_path / "videos").exists()


def test_the_plot_is_a_picture_and_has_something_on_it(finished: Finished):
    picture = cv2.imread(str(finished.out / "plot.png"))
    assert picture is not None
    assert picture.shape[1] == pytest.approx(1290, abs=2)
    blue = (picture.astype(int) - (0xA8, 0x5F, 0x1F)).__abs__().max(-1) < 12
    # Five renderers and the legend have a blue dot; one is about 130 px.
    assert blue.sum() > 6 * 100


def test_without_matplotlib_it_says_so_at_once(tmp_path, monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ValueError, match="pip install matplotlib"):
        main(tiny(tmp_path / "out"))
    assert not (tmp_path / "out").exists()
