"""What the registry looks at, and the security of what is shipped; in an environment of their own.

`comfy node validate` reads pyproject.toml, `comfy-test lint` the sources and the web folder, bandit the code.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from .environment import PACK, VENV, ensure

TOOLS = VENV / "tools"
STEPS = [["bandit==1.9.4", "comfy-cli==1.23.0", "comfy-test==0.4.15"]]

# comfy-test wants every layer to be one of the host's. bokeh_core must run without a host, so its layers are
# torch's; nodes/host/ builds the networks with the host's in their place, and hands them to its memory
# management. comfy-test takes no exceptions, so this one complaint is left out here, and any other fails.
OWN_LAYERS = ("-- use operations.", "torch.autocast() -- use comfy.ops operations=")

SHIPPED = ["__init__.py", "nodes", "bokeh_core"]
NOT_SHIPPED = ["bokeh_lab", "bench", "devtools", "assets", "dev.py"]


def complaints(report: str) -> list[str]:
    """Complaints of `comfy-test lint --json`, each with its file, but for those about layers of our own."""
    found = []
    for name, result in json.loads(report)["results"].items():
        if result["passed"]:
            continue
        file, ours = "", 0
        for line in filter(None, map(str.strip, (result["details"] or "").splitlines())):
            if line.endswith(".py:"):
                file = line
            elif any(words in line for words in OWN_LAYERS):
                ours += 1
            elif line.startswith("Line "):
                found.append(f"{file} {line}")
        if not ours and not found:
            found.append(f"{name}: {result['error']} {result['details'] or ''}")
    return found


def validated(folder: Path) -> list[str]:
    """What `comfy node validate` warns about or refuses."""
    command = [str(folder / "comfy"), "--skip-prompt", "--no-enable-telemetry", "node", "validate"]
    done = _run(command)
    said = done.stdout + done.stderr
    return [said] if done.returncode or "Warning" in said else []


def linted(folder: Path) -> list[str]:
    """What `comfy-test lint` complains about."""
    done = _run([str(folder / "comfy-test"), "lint", ".", "--json"])
    try:
        return complaints(done.stdout)
    except (ValueError, KeyError):
        return [f"comfy-test lint gave no report:\n{done.stdout}{done.stderr}"]


def secure(folder: Path) -> list[str]:
    """What bandit finds: anything in what is shipped, and what is grave in the rest."""
    bandit = [str(folder / "bandit"), "-q", "-c", "pyproject.toml", "-r"]
    runs = [_run([*bandit, *SHIPPED]), _run([*bandit, "-ll", *NOT_SHIPPED])]
    return [done.stdout + done.stderr for done in runs if done.returncode]


def main() -> int:
    """Run the three; 0 if each is clean."""
    folder = ensure(TOOLS, STEPS, "bandit, comfy_test").parent
    failed = 0
    for name, check in (("comfy node validate", validated), ("comfy-test lint", linted), ("bandit", secure)):
        found = check(folder)
        failed += bool(found)
        print(f"{name}: {'clean' if not found else ''}", *found, sep="\n" if found else "")
    return 1 if failed else 0


def _run(command: list[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=PACK, capture_output=True, text=True, encoding="utf-8", check=False)


if __name__ == "__main__":
    sys.exit(main())
