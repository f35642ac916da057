"""One real host for the tests, and a handle that carries exact arrays into it and out of it."""

from __future__ import annotations

import io
import itertools
import os
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from devtools.client import HostClient, Progress, Prompt, PromptFailed, PromptInterrupted, Run
from devtools.environment import TEST_HOST_FOLDER, VENV, stamp_file
from devtools.host import HostInstall, HostProcess, find_user_host, locate_host, prepare_base

PROBE_PACK = Path(__file__).parent / "probe_pack"

# How long the host may say nothing: far longer than anything takes on a machine that others keep busy.
SILENCE_S = 600.0

Array = NDArray[Any]
Link = list[Any]


class Graph:
    """A prompt that is built node by node; each `add` returns links to the node's outputs."""

    def __init__(self) -> None:
        self.prompt: Prompt = {}

    def add(self, class_type: str, **inputs: Any) -> Node:
        """Add a node; inputs are values, or outputs of earlier nodes."""
        node_id = str(len(self.prompt) + 1)
        given = {name: value[0] if isinstance(value, Node) else value for name, value in inputs.items()}
        self.prompt[node_id] = {"class_type": class_type, "inputs": given}
        return Node(node_id)


@dataclass(frozen=True)
class Node:
    """A node of a graph; `node[i]` is the link to its i-th output, the node itself its first."""

    id: str

    def __getitem__(self, slot: int) -> Link:
        return [self.id, slot]


@dataclass(frozen=True)
class Result:
    """What a prompt left behind, pictures and probed tensors loaded."""

    outputs: dict[str, dict[str, Any]]
    # Per output node, its pictures [H, W, C] uint8.
    images: dict[str, list[Array]]
    # Per ProbeSave node, the value it saw: an array, or what JSON makes of it.
    probes: dict[str, Any]
    # Per ProbeSave node, how the value was described: kind, dtype, device.
    descriptions: dict[str, dict[str, Any]]
    # Per output node, the files it wrote, on disk.
    files: dict[str, list[Path]]
    executed: list[str]
    cached: list[str]
    progress: list[Progress] = field(default_factory=list)
    # Pictures [H, W, 3] of the work in progress.
    previews: list[Array] = field(default_factory=list)


class HostUnderTest:
    """The running host; values of a test are unique by name, so tests cannot see each other's files."""

    def __init__(self, process: HostProcess, client: HostClient) -> None:
        self.process = process
        self.client = client
        self.input_dir = process.base / "input"
        self.output_dir = process.base / "output"
        self._counter = itertools.count(1)

    def object_info(self) -> dict[str, Any]:
        """Return the schema of every node the host has."""
        return self.client.object_info()

    def graph(self) -> Graph:
        """Return an empty prompt."""
        return Graph()

    def unique_name(self, stem: str = "test") -> str:
        """Return a name no other test of this session has."""
        return f"{stem}_{next(self._counter):04d}"

    def load(self, graph: Graph, array: Array) -> Node:
        """Add a node that outputs exactly this array, on a socket of any type."""
        name = self.unique_name("array") + ".npy"
        np.save(self.input_dir / name, array)
        return graph.add("ProbeLoad", file=name)

    def save(self, graph: Graph, link: Link | Node) -> Node:
        """Add a node that hands a value back to the test: `result.probes[node.id]`."""
        return graph.add("ProbeSave", value=link, name=self.unique_name("probe"))

    def values_of(self, graph: Graph, *links: Link | Node, timeout_s: float = SILENCE_S) -> list[Any]:
        """Run a graph and return the values of the given outputs, tensors as arrays, bit for bit."""
        saves = [self.save(graph, link) for link in links]
        result = self.run(graph, timeout_s=timeout_s)
        return [result.probes[save.id] for save in saves]

    def upload(self, file: Path, name: str | None = None) -> str:
        """Copy a file or folder into the host's input folder; return the name it has there."""
        name = name or self.unique_name(file.stem) + file.suffix
        copy: Callable[..., Any] = shutil.copytree if file.is_dir() else shutil.copy
        copy(file, self.input_dir / name)
        return name

    def run(
        self,
        prompt: Graph | Prompt,
        timeout_s: float = SILENCE_S,
        on_event: Callable[[str, dict[str, Any]], None] | None = None,
    ) -> Result:
        """Run a prompt to its end.

        Raises:
            PromptFailed: refused, or a node raised.
            PromptInterrupted: cancelled.
        """
        nodes = prompt.prompt if isinstance(prompt, Graph) else prompt
        run = self.client.run(nodes, timeout_s, on_event)
        probes = {node_id: out["probe"][0] for node_id, out in run.outputs.items() if "probe" in out}
        return Result(
            outputs=run.outputs,
            images={node_id: self._images(run, node_id) for node_id in run.outputs},
            probes={node_id: self._probed(probe) for node_id, probe in probes.items()},
            descriptions=probes,
            files={node_id: [self._path(f) for f in run.files_of(node_id)] for node_id in run.outputs},
            executed=run.executed,
            cached=run.cached,
            progress=run.progress,
            previews=[np.asarray(Image.open(io.BytesIO(jpeg))) for jpeg in run.previews],
        )

    def expect_error(self, prompt: Graph | Prompt, timeout_s: float = SILENCE_S) -> PromptFailed:
        """Run a prompt that must fail, on validation or in a node; return the failure to be read."""
        try:
            self.run(prompt, timeout_s)
        except PromptFailed as failure:
            return failure
        raise AssertionError("The host ran a prompt that should have failed.")

    def expect_interrupt(
        self, prompt: Graph, node: Node, value: int
    ) -> tuple[PromptInterrupted, list[Progress]]:
        """Run a prompt and cancel it at the first tick of `node` that is at least `value`.

        The host waits at that tick for the cancel.

        Returns:
            What was interrupted, and the ticks of the node.
        """
        self.client.post_json("/probe/hold", {"node": node.id, "value": value})
        ticks: list[Progress] = []
        cancelled: list[Progress] = []

        def cancel(kind: str, data: dict[str, Any]) -> None:
            if kind != "progress" or str(data.get("node")) != node.id:
                return
            ticks.append(Progress(node.id, data["value"], data["max"]))
            if ticks[-1].value >= value and not cancelled:
                cancelled.append(ticks[-1])
                self.interrupt()

        try:
            self.run(prompt, on_event=cancel)
        except PromptInterrupted as interrupted:
            return interrupted, ticks
        raise AssertionError(f"The prompt ran to its end; cancel was sent {len(cancelled)} times.")

    @contextmanager
    def previews(self, method: str = "auto") -> Iterator[None]:
        """Switch on the previews of samplers, as `--preview-method` and the settings of newer hosts do."""
        self.client.post_json("/probe/previews", {"method": method})
        try:
            yield
        finally:
            self.client.post_json("/probe/previews", {"method": "none"})

    def interrupt(self) -> None:
        """Cancel what is running."""
        self.client.interrupt()

    def _path(self, file: dict[str, str]) -> Path:
        return self.process.base / file["type"] / file.get("subfolder", "") / file["filename"]

    def _images(self, run: Run, node_id: str) -> list[Array]:
        pictures = [f for f in run.files_of(node_id) if f["filename"].endswith((".png", ".webp", ".jpg"))]
        return [np.asarray(Image.open(io.BytesIO(self.client.download(f)))) for f in pictures]

    def _probed(self, description: dict[str, Any]) -> Any:
        if description["kind"] != "tensor":
            return description["value"]
        return np.load(self.output_dir / description["file"])


def file_in(report: str) -> Path:
    """Return the video that a report of Any-to-Bokeh Video names; the node may show a copy."""
    said = re.findall(
        r"(?:Written to|Nothing has changed since) (.+?)(?: was made)?\.$", report, re.MULTILINE
    )
    (file,) = said
    return Path(file)


def installed_host() -> HostInstall:
    """Return the host to test in; tests never install anything, least of all into what runs them.

    Raises:
        RuntimeError: dev.py has not prepared it yet.
    """
    # An environment of older lists will do: bringing it up to date is dev.py's part.
    if find_user_host() is None and not (TEST_HOST_FOLDER.is_dir() and stamp_file(VENV).is_file()):
        raise RuntimeError("The test host is not installed; `python dev.py test --only host` does it.")
    return locate_host()


@contextmanager
def running_host(base: Path, front_end: Path | None = None) -> Iterator[HostUnderTest]:
    """Start a host with the pack and the probe nodes in an empty base directory; stop it at the end.

    Args:
        base: the empty directory.
        front_end: the folder with a front end to serve; None serves the host's own.
    """
    prepare_base(base, packs=[PROBE_PACK])
    # On the CPU results do not depend on the machine; a GPU is opted for by the person who tests one.
    cpu = os.environ.get("ANY_TO_BOKEH_TEST_DEVICE", "cpu") == "cpu"
    with HostProcess(installed_host(), base, cpu=cpu, front_end=front_end) as process:
        yield HostUnderTest(process, HostClient(process.url))
