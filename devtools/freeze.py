"""`dev.py freeze`: record the schema of the pack's nodes, which saved workflows rely on."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

from .client import HostClient
from .complete_workflows import complete_files
from .environment import PACK, log
from .host import PACK_NAME, HostProcess, locate_host, prepare_base

FROZEN_SCHEMA = PACK / "tests" / "host" / "frozen_schema.json"


def freeze_schema() -> int:
    """Ask a host for the pack's nodes, write the checked-in record of them and complete the templates."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        prepare_base(Path(folder))
        with HostProcess(locate_host(), Path(folder), cpu=True) as host:
            object_info = HostClient(host.url).object_info()
    schema = frozen_view(object_info)
    FROZEN_SCHEMA.write_text(json.dumps(schema, indent=2) + "\n", encoding="utf-8")
    log(f"Wrote {len(schema)} nodes to {FROZEN_SCHEMA}")
    for path in complete_files(nodes_of_pack(object_info)):
        log(f"Gave {path.name} the inputs that were appended")
    return 0


def nodes_of_pack(object_info: dict[str, Any]) -> dict[str, Any]:
    """Return the nodes that the pack brought into a host."""
    module = f"custom_nodes.{PACK_NAME}"
    return {name: info for name, info in object_info.items() if info["python_module"] == module}


def frozen_view(object_info: dict[str, Any]) -> dict[str, Any]:
    """Return, of each of the pack's nodes, what a saved workflow depends on, in order."""
    return {
        node_id: {
            "inputs": [
                f"{name}: {type_name(info['input'][section][name])}"
                for section in ("required", "optional")
                for name in info["input_order"].get(section, [])
            ],
            "outputs": [f"{n}: {t}" for n, t in zip(info["output_name"], info["output"], strict=True)],
        }
        for node_id, info in sorted(nodes_of_pack(object_info).items())
    }


def type_name(spec: list[Any]) -> str:
    """Return the type of an input; choices count as COMBO however the host lists them."""
    return "COMBO" if isinstance(spec[0], list) else str(spec[0])
