"""Help pages and translations reach the front end."""

import json
import re
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from devtools.freeze import nodes_of_pack
from devtools.host import PACK_NAME
from tests.browser.chromium import Chromium
from tests.browser.front_end import ON_BOTH, ON_NEWEST, FrontEnd
from tests.browser.workflows import workflow
from tests.host.harness import HostUnderTest

PACK = Path(__file__).resolve().parents[2]
PAGES = PACK / "web" / "docs"


def test_every_node_has_a_help_page(host: HostUnderTest):
    served = {node_id: served_page(host, node_id) for node_id in nodes_of_pack(host.object_info())}
    assert [node_id for node_id, page in served.items() if page is None] == []
    for node_id, page in served.items():
        assert page == (PAGES / f"{node_id}.md").read_bytes()


def served_page(host: HostUnderTest, node_id: str) -> bytes | None:
    """Return the help page where the front end looks for it; None if there is none."""
    url = f"{host.process.url}/extensions/{PACK_NAME}/docs/{node_id}.md"
    try:
        with urllib.request.urlopen(url) as answer:
            page: bytes = answer.read()
    except urllib.error.HTTPError as refusal:
        if refusal.code == 404:
            return None
        raise
    return page


@ON_BOTH
def test_front_end_shows_the_help_page(front_end: FrontEnd):
    front_end.load(workflow("lens_blur"))
    front_end.call("select", "AnyToBokehLensBlur")
    front_end.click("info-button")
    page = (PAGES / "AnyToBokehLensBlur.md").read_text(encoding="utf-8")
    # Without a page the front end makes one of the schema, which has fewer headings.
    headings = re.findall(r"^#+ (.+)$", page, re.MULTILINE)
    assert len(headings) > 3
    for heading in headings:
        front_end.wait("helpShows", heading)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_node_is_translated(host: HostUnderTest, language: str):
    translated = host.client.get_json("/i18n")[language]["nodeDefs"]
    assert sorted(set(nodes_of_pack(host.object_info())) - set(translated)) == []


def test_english_names_are_those_of_the_schema(host: HostUnderTest):
    translated = host.client.get_json("/i18n")["en"]["nodeDefs"]
    schemas = nodes_of_pack(host.object_info())
    assert {
        node_id: names["display_name"] for node_id, names in translated.items() if node_id in schemas
    } == {node_id: schema["display_name"] for node_id, schema in schemas.items()}


# The host's own front end drops translations of packs.
@ON_NEWEST
def test_chinese_texts_are_shown(chromium: Chromium, host: HostUnderTest):
    folder = PACK / "locales" / "zh"
    texts = json.loads((folder / "nodeDefs.json").read_text(encoding="utf-8"))["AnyToBokehVideo"]
    names = {name: socket["name"] for name, socket in texts["inputs"].items()}
    categories = json.loads((folder / "main.json").read_text(encoding="utf-8"))["nodeCategories"]
    front_end = FrontEnd(chromium, host, vue_nodes=True, language="zh")
    front_end.load(workflow("any_length"))
    shown = front_end.call("textsOf", "AnyToBokehVideo")
    assert shown["display_name"] == texts["display_name"]
    assert shown["title"] == texts["display_name"]
    assert shown["category"] == f"Any-to-Bokeh/{categories['Render']}"
    assert shown["inputs"] == names
    # The upload buttons are not inputs: web/depth_upload.js brings them, with texts of its own.
    script = (PACK / "web" / "depth_upload.js").read_text(encoding="utf-8")
    english, chinese = (
        dict(re.findall(r'^    (file|folder): "(.+)"', part, re.M)) for part in script.split("zh: {")[:2]
    )
    buttons = {english[key]: chinese[key] for key in ("file", "folder")}
    assert {name: shown["widgets"].pop(name) for name in buttons} == buttons
    assert all(label == names[name] for name, label in shown["widgets"].items())
    assert shown["outputs"] == [socket["name"] for socket in texts["outputs"].values()]


def test_categories_have_chinese_names(host: HostUnderTest):
    categories = {schema["category"] for schema in nodes_of_pack(host.object_info()).values()}
    chinese = host.client.get_json("/i18n")["zh"]["nodeCategories"]
    assert {category.split("/")[1] for category in categories} == set(chinese)
