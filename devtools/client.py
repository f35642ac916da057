"""The host's HTTP API: queue a prompt, follow it, collect what it left."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.parse
import urllib.request
import uuid
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any

# Nodes by id: {"3": {"class_type": "LensBlur", "inputs": {"frames": ["2", 0], "gamma": 2.2}}}
Prompt = dict[str, dict[str, Any]]

# What comes before a preview: message of kind 1, format 1.
JPEG_PREVIEW = bytes([0, 0, 0, 1, 0, 0, 0, 1])


class ConnectionLost(Exception):
    """The host closed the connection, refused it or was silent for too long."""


class PromptFailed(Exception):
    """The host refused a prompt or a node raised; `node_id` is empty if no node is to blame."""

    def __init__(self, node_id: str, node_type: str, message: str, details: str = "") -> None:
        super().__init__(f"{node_type} (node {node_id}): {message}" if node_id else message)
        self.node_id = node_id
        self.node_type = node_type
        self.message = message
        self.details = details


class PromptInterrupted(Exception):
    """The prompt was cancelled; `node_id` is the node that was running."""

    def __init__(self, node_id: str, node_type: str) -> None:
        super().__init__(f"Cancelled in {node_type} (node {node_id}).")
        self.node_id = node_id
        self.node_type = node_type


@dataclass(frozen=True)
class Progress:
    """One tick of a node's progress bar."""

    node_id: str
    value: float
    maximum: float


@dataclass
class Run:
    """What a finished prompt left behind."""

    prompt_id: str
    # Per output node, what it reported: {"9": {"images": [{"filename": ..., "subfolder": ..., "type": ...}]}}
    outputs: dict[str, dict[str, Any]] = field(default_factory=dict)
    executed: list[str] = field(default_factory=list)
    cached: list[str] = field(default_factory=list)
    progress: list[Progress] = field(default_factory=list)
    # JPEGs of the work in progress.
    previews: list[bytes] = field(default_factory=list)

    def files_of(self, node_id: str) -> list[dict[str, str]]:
        """Return the files one output node reported, in order."""
        lists = [value for value in self.outputs.get(node_id, {}).values() if isinstance(value, list)]
        return [item for items in lists for item in items if isinstance(item, dict) and "filename" in item]


class HostClient:
    """One client of a running host."""

    def __init__(self, url: str) -> None:
        self.url = url

    def get_json(self, path: str) -> Any:
        """Return the JSON that the host serves at a path."""
        return json.loads(self._request(path))

    def post_json(self, path: str, body: dict[str, Any]) -> None:
        """Send a JSON object to a path of the host."""
        self._request(path, body)

    def object_info(self) -> dict[str, Any]:
        """Return the schema of every node the host has."""
        info: dict[str, Any] = self.get_json("/object_info")
        return info

    def download(self, file: dict[str, str]) -> bytes:
        """Return the content of a file that an output node reported."""
        return self._request(f"/view?{urllib.parse.urlencode(file)}")

    def interrupt(self) -> None:
        """Cancel the prompt that is running."""
        self._request("/interrupt", {})

    def submit(self, prompt: Prompt, client_id: str) -> str:
        """Queue a prompt, whose messages go to `client_id`, and return its id.

        Raises:
            PromptFailed: the host refuses it; names the first node at fault.
        """
        try:
            answer = json.loads(self._request("/prompt", {"prompt": prompt, "client_id": client_id}))
        except urllib.error.HTTPError as error:
            raise _refusal(json.loads(error.read())) from error
        # The host runs what is left of a prompt when only some of its outputs are invalid.
        if answer.get("node_errors"):
            self._request("/queue", {"delete": [answer["prompt_id"]]})
            self.interrupt()
            raise _refusal(answer)
        return str(answer["prompt_id"])

    def run(
        self,
        prompt: Prompt,
        timeout_s: float = 600.0,
        on_event: Callable[[str, dict[str, Any]], None] | None = None,
    ) -> Run:
        """Queue a prompt and follow it to its end.

        Args:
            prompt: the nodes, as the API takes them.
            timeout_s: how long the host may stay silent.
            on_event: called with each message's type and data, for example to draw progress.

        Raises:
            PromptFailed: refused, or a node raised.
            PromptInterrupted: cancelled.
            ConnectionLost: the host has ended or stayed silent.
        """
        # Here, because this file is also loaded where only the standard library is: by dev.py.
        from websocket import WebSocketException, create_connection

        # The host forgets an id when its connection ends, which may be after the next has begun.
        client_id = uuid.uuid4().hex
        address = f"ws://{urllib.parse.urlsplit(self.url).netloc}/ws?clientId={client_id}"
        try:
            with closing(create_connection(address, timeout=timeout_s)) as connection:
                run = Run(self.submit(prompt, client_id))
                while True:
                    message = connection.recv()
                    if isinstance(message, bytes):
                        if message.startswith(JPEG_PREVIEW):
                            run.previews.append(message.removeprefix(JPEG_PREVIEW))
                        continue
                    # The host's farewell is an empty text.
                    if not message:
                        continue
                    event = json.loads(message)
                    kind, data = event["type"], event["data"]
                    if data.get("prompt_id") not in (run.prompt_id, None):
                        continue
                    if on_event is not None:
                        on_event(kind, data)
                    if kind == "execution_success":
                        run.outputs = self._outputs(run.prompt_id)
                        return run
                    _take_note(run, kind, data)
        except (WebSocketException, ConnectionError) as error:
            raise ConnectionLost(f"The host does not answer: {error}") from error

    def _outputs(self, prompt_id: str, timeout_s: float = 30.0) -> dict[str, dict[str, Any]]:
        # The history is written a moment after the success is announced.
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline:
            entry = self.get_json(f"/history/{prompt_id}").get(prompt_id)
            if entry is not None:
                outputs: dict[str, dict[str, Any]] = entry["outputs"]
                return outputs
            time.sleep(0.05)
        raise TimeoutError(f"The host has no history of prompt {prompt_id}.")

    def _request(self, path: str, body: dict[str, Any] | None = None) -> bytes:
        data = None if body is None else json.dumps(body).encode()
        headers = {} if body is None else {"Content-Type": "application/json"}
        request = urllib.request.Request(self.url + path, data=data, headers=headers)
        # The address is that of a host that was started here.
        with urllib.request.urlopen(request, timeout=60) as answer:  # nosec B310
            content: bytes = answer.read()
        return content


def _take_note(run: Run, kind: str, data: dict[str, Any]) -> None:
    if kind == "progress":
        run.progress.append(Progress(str(data.get("node")), data["value"], data["max"]))
    elif kind == "executing" and data.get("node") is not None:
        run.executed.append(str(data["node"]))
    elif kind == "execution_cached":
        run.cached += [str(node) for node in data["nodes"]]
    elif kind == "execution_error":
        details = "".join(data.get("traceback", []))
        raise PromptFailed(
            str(data["node_id"]), data["node_type"], data["exception_message"].strip(), details
        )
    elif kind == "execution_interrupted":
        raise PromptInterrupted(str(data["node_id"]), data["node_type"])


def _refusal(answer: dict[str, Any]) -> PromptFailed:
    for node_id, report in answer.get("node_errors", {}).items():
        errors = [
            f"{e['message']}: {e['details']}" if e["details"] else e["message"] for e in report["errors"]
        ]
        return PromptFailed(node_id, report["class_type"], "; ".join(errors))
    error = answer.get("error", {})
    return PromptFailed("", "", str(error.get("message", error)), str(error.get("details", "")))
