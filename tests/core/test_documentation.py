"""Help pages, translations and the page of nodes cover every node, and say what the schema says."""

import importlib
import json
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any
from unittest import mock

import pytest

PACK = Path(__file__).resolve().parents[2]
PAGES = PACK / "web" / "docs"
LOCALES = ("en", "zh")
MAX_PICTURE_BYTES = 300_000
MAX_MOVING_PICTURE_BYTES = 3_000_000

# The front end runs every text through a message compiler that gives these a meaning.
COMPILER_SIGNS = "{}@|"
CHINESE = re.compile(r"[\u4e00-\u9fff]")
LINK = re.compile(r"\]\(([^)\s]+)\)|(?:src|href)=\"([^\"]+)\"")
HEADING = re.compile(r"^#+ +(.+)$", re.MULTILINE)
CODE_BLOCK = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Socket:
    """One input or output as the node declares it: `name`, and the keyword arguments in `fields`."""

    name: str
    fields: dict[str, Any]


class SocketType:
    """Takes the place of a host's socket type; what it makes records how it was declared."""

    @staticmethod
    def Input(name: str, **fields: Any) -> Socket:  # noqa: N802
        return Socket(name, fields)

    @staticmethod
    def Output(**fields: Any) -> Socket:  # noqa: N802
        return Socket(fields["display_name"], fields)


class RecordingIO:
    """Takes the place of the host's `io` module."""

    ComfyNode = object
    Hidden = SimpleNamespace(prompt="PROMPT", extra_pnginfo="EXTRA_PNGINFO")

    def Schema(self, **fields: Any) -> SimpleNamespace:  # noqa: N802
        return SimpleNamespace(**fields)

    def Custom(self, _type_name: str) -> type[SocketType]:  # noqa: N802
        return SocketType

    def __getattr__(self, _type_name: str) -> type[SocketType]:
        return SocketType


@contextmanager
def host_that_records() -> Iterator[None]:
    """Make the pack importable as `documented_pack` without a host."""
    stand_ins: dict[str, Any] = {
        name: ModuleType(name)
        for name in (
            "comfy",
            "comfy.cli_args",
            "comfy.model_management",
            "comfy.model_patcher",
            "comfy.ops",
            "comfy.utils",
            "comfy_api",
        )
    }
    stand_ins["folder_paths"] = SimpleNamespace(
        models_dir=str(PACK / "no_models"),
        get_input_directory=lambda: str(PACK / "no_input"),
        add_model_folder_path=lambda name, path: None,
        get_folder_paths=lambda name: [],
        get_filename_list=lambda name: [],
    )
    stand_ins["comfy_api.latest"] = SimpleNamespace(
        io=RecordingIO(),
        ComfyExtension=object,
        Input=SimpleNamespace(Video=object),
        InputImpl=SimpleNamespace(),
    )
    stand_ins["documented_pack"] = ModuleType("documented_pack")
    stand_ins["documented_pack"].__path__ = [str(PACK)]
    with mock.patch.dict(sys.modules, stand_ins):
        yield


# What is first imported inside the block is forgotten after it, and OpenCV cannot be loaded a second time.
for library in ("av", "cv2", "einops"):
    importlib.import_module(library)


def recorded_schemas() -> dict[str, Any]:
    with host_that_records():
        nodes = importlib.import_module("documented_pack.nodes").NODES
        schemas = [node.define_schema() for node in nodes]
    return {schema.node_id: schema for schema in schemas}


SCHEMAS = recorded_schemas()
NODE_IDS = sorted(SCHEMAS)


def page_of(node_id: str) -> str:
    return (PAGES / f"{node_id}.md").read_text(encoding="utf-8")


# - `name` (unit and range; default `value`): effect
INPUT = re.compile(r"^- `([^`]+)` \((.*?); (required|not connected|default .+?)\): (.+)$", re.MULTILINE)
# - `name` (TYPE): what it holds
OUTPUT = re.compile(r"^- `([^`]+)` \(([A-Z_]+)\): (.+)$", re.MULTILINE)


def entries_under(page: str, heading: str, entry: re.Pattern[str]) -> dict[str, tuple[str, ...]]:
    """Return the entries of the list under a heading: name -> the other parts."""
    section = page.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    return {name: tuple(parts) for name, *parts in entry.findall(section)}


def shown(value: Any) -> str:
    """Return how a help page writes a default."""
    if value == "":
        return "empty"
    if isinstance(value, bool):
        return f"`{'on' if value else 'off'}`"
    return f"`{value}`" if isinstance(value, str) else f"`{number(value)}`"


def number(value: float) -> str:
    return str(int(value)) if value == int(value) else str(value)


def locale_of(language: str) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(
        (PACK / "locales" / language / "nodeDefs.json").read_text(encoding="utf-8")
    )
    return content


def texts_in(content: Any) -> Iterator[str]:
    """Return every text of nested dictionaries."""
    if isinstance(content, str):
        yield content
    else:
        for value in content.values():
            yield from texts_in(value)


def test_the_record_holds_the_nodes():
    assert len(SCHEMAS) >= 9
    assert all(node_id.startswith("AnyToBokeh") for node_id in SCHEMAS)
    assert {socket.name for socket in SCHEMAS["AnyToBokehFocusOnMask"].inputs} == {
        "disparity",
        "mask",
        "smoothing",
        "frames",
    }


def test_every_help_page_belongs_to_a_node():
    assert sorted(path.stem for path in PAGES.glob("*.md")) == NODE_IDS


@pytest.mark.parametrize("node_id", NODE_IDS)
def test_help_page_has_the_node_s_name_and_all_parts(node_id: str):
    page = page_of(node_id)
    assert HEADING.findall(page) == [
        SCHEMAS[node_id].display_name,
        "Inputs",
        "Outputs",
        "Wiring",
        "Common mistakes",
    ]


@pytest.mark.parametrize("node_id", NODE_IDS)
def test_help_page_suits_a_narrow_panel(node_id: str):
    lines = page_of(node_id).splitlines()
    assert [line for line in lines if line.startswith("|")] == []
    # Diagrams do not fit; settings and commands do, and a list says what to connect.
    assert [
        line for block in CODE_BLOCK.findall(page_of(node_id)) for line in block.split("\n") if "->" in line
    ] == []
    assert re.match("- `|- or `", page_of(node_id).split("\n## Wiring\n")[1])
    assert re.fullmatch(r"[A-Z][^#|`]+\.", lines[2]), "the first line says what the node is for"


@pytest.mark.parametrize("node_id", NODE_IDS)
def test_help_page_names_every_input_with_its_range_and_default(node_id: str):
    inputs = entries_under(page_of(node_id), "Inputs", INPUT)
    assert list(inputs) == [socket.name for socket in SCHEMAS[node_id].inputs]
    for socket in SCHEMAS[node_id].inputs:
        unit_and_range, default, effect = inputs[socket.name]
        fields = {**socket.fields, **socket.fields.get("extra_dict", {})}
        if "default" in fields:
            assert default == f"default {shown(fields['default'])}", socket.name
        else:
            assert default == ("not connected" if socket.fields.get("optional") else "required"), socket.name
        if "min" in socket.fields:
            limits = f"{number(socket.fields['min'])} to {number(socket.fields['max'])}"
            assert limits in unit_and_range, socket.name
        for option in socket.fields.get("options", []):
            assert option in unit_and_range, f"{socket.name}: {option}"
        assert effect.endswith("."), socket.name


@pytest.mark.parametrize("node_id", NODE_IDS)
def test_help_page_names_every_output(node_id: str):
    outputs = entries_under(page_of(node_id), "Outputs", OUTPUT)
    assert list(outputs) == [socket.name for socket in SCHEMAS[node_id].outputs]


@pytest.mark.parametrize("language", LOCALES)
def test_locale_covers_exactly_the_nodes(language: str):
    locale = locale_of(language)
    assert sorted(locale) == NODE_IDS
    for node_id, texts in locale.items():
        schema = SCHEMAS[node_id]
        assert sorted(texts) == ["description", "display_name", "inputs", "outputs"]
        assert list(texts["inputs"]) == [socket.name for socket in schema.inputs], node_id
        assert list(texts["outputs"]) == [str(i) for i in range(len(schema.outputs))], node_id
        for socket in [*texts["inputs"].values(), *texts["outputs"].values()]:
            assert sorted(socket) == ["name", "tooltip"], node_id


@pytest.mark.parametrize("language", LOCALES)
def test_locale_texts_survive_the_front_end_s_message_compiler(language: str):
    texts = list(texts_in(locale_of(language)))
    assert [text for text in texts if text.strip() == ""] == []
    assert [text for text in texts if set(text) & set(COMPILER_SIGNS)] == []


@pytest.mark.parametrize("node_id", NODE_IDS)
def test_english_texts_are_those_of_the_schema(node_id: str):
    schema, texts = SCHEMAS[node_id], locale_of("en")[node_id]
    assert texts["display_name"] == schema.display_name
    assert texts["description"] == schema.description
    declared = [(s.name, s.fields["tooltip"]) for s in [*schema.inputs, *schema.outputs]]
    written = [(s["name"], s["tooltip"]) for s in [*texts["inputs"].values(), *texts["outputs"].values()]]
    assert written == declared


@pytest.mark.parametrize("node_id", NODE_IDS)
def test_chinese_texts_are_chinese_and_keep_what_is_typed(node_id: str):
    schema, texts = SCHEMAS[node_id], locale_of("zh")[node_id]
    assert [text for text in texts_in(texts) if not CHINESE.search(text)] == []
    for socket in schema.inputs:
        tooltip = texts["inputs"][socket.name]["tooltip"]
        # Options are not translated, so a tooltip must name them as they stand in the list.
        explained = [
            option for option in socket.fields.get("options", []) if option in socket.fields["tooltip"]
        ]
        assert [option for option in explained if option not in tooltip] == [], socket.name
        english_numbers = re.findall(r"\d+(?:\.\d+)?", socket.fields["tooltip"])
        assert sorted(re.findall(r"\d+(?:\.\d+)?", tooltip)) == sorted(english_numbers), socket.name


def test_the_page_of_nodes_lists_every_node():
    page = (PACK / "docs" / "nodes.md").read_text(encoding="utf-8")
    names = [SCHEMAS[node_id].display_name for node_id in NODE_IDS]
    assert [name for name in names if f"| **{name}** |" not in page] == []


def pages_with_links() -> list[Path]:
    return sorted(
        [
            *PACK.glob("*.md"),
            *PACK.glob("docs/*.md"),
            *PACK.glob("web/docs/*.md"),
            PACK / "assets/README.md",
            PACK / "models/README.md",
        ]
    )


def anchors_of(page: Path) -> set[str]:
    """Return the anchors that a Markdown host gives the headings of a page."""
    headings = HEADING.findall(CODE_BLOCK.sub("", page.read_text(encoding="utf-8")))
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", pages_with_links(), ids=lambda page: page.relative_to(PACK).as_posix())
def test_links_lead_somewhere(page: Path):
    text = CODE_BLOCK.sub("", page.read_text(encoding="utf-8"))
    targets = [markdown or html for markdown, html in LINK.findall(text)]
    for target in targets:
        if target.startswith(("https://", "http://")):
            continue
        path, _, anchor = target.partition("#")
        file = page.parent / path if path else page
        assert file.exists(), target
        assert PACK in file.resolve().parents, target
        if anchor:
            assert anchor in anchors_of(file), target


def rows_below(heading: str, page: str) -> str:
    """Return the table below a heading of a page."""
    _, found, after = page.partition(f"\n{heading}\n")
    assert found, heading
    return after.partition("\n## ")[0]


def folders_of_code(parent: Path) -> set[str]:
    """Return the folders with something of ours in them, and no tool's."""
    left_out = {"__pycache__", "build", "dist", "output"}
    inner = {path.name for path in parent.iterdir() if path.is_dir() and not path.name.startswith(".")}
    return {name for name in inner - left_out if not name.endswith(".egg-info")}


@pytest.mark.parametrize(
    ("heading", "parent"),
    [("## The folders", PACK), ("## The rooms of `bokeh_core`", PACK / "bokeh_core")],
    ids=["folders", "rooms"],
)
def test_the_map_of_the_code_names_every_folder(heading: str, parent: Path):
    page = (PACK / "docs" / "architecture.md").read_text(encoding="utf-8")
    first_cells = [
        line.split("|")[1] for line in rows_below(heading, page).splitlines() if line.startswith("|")
    ]
    named = {name for cell in first_cells for name in re.findall(r"`([^`]+)`", cell)}
    assert {f"{name}/" for name in folders_of_code(parent)} - named == set()
    assert sorted(name for name in named if not (parent / name).exists()) == []


def test_the_map_of_the_code_names_every_file_of_the_product():
    page = (PACK / "docs" / "architecture.md").read_text(encoding="utf-8")
    files = {path.name for path in (PACK / "bokeh_core").glob("*.py")} - {"__init__.py"}
    assert {name for name in files if f"`{name}`" not in page} == set()


def test_pictures_are_small_and_used():
    pictures = sorted((PACK / "docs" / "images").iterdir())
    pages = [PACK / "README.md", PACK / "models" / "README.md", *(PACK / "docs").glob("*.md")]
    text = "\n".join(page.read_text(encoding="utf-8") for page in pages)
    assert len(pictures) >= 2
    large = [
        picture.name
        for picture in pictures
        if picture.stat().st_size
        > (MAX_MOVING_PICTURE_BYTES if picture.suffix == ".webp" else MAX_PICTURE_BYTES)
    ]
    assert large == []
    assert [picture.name for picture in pictures if f"images/{picture.name})" not in text] == []
