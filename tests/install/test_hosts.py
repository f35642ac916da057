"""Our requirements, installed into a ComfyUI, leave it working: pip and uv are asked what they would do.

The hosts are lists of what a ComfyUI of some month had, with what each package requires, frozen in hosts/.
The package index is asked for the rest, so these tests need a network.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from packaging.requirements import Requirement

PACK = Path(__file__).resolve().parents[2]
REQUIREMENTS = PACK / "requirements.txt"
HOSTS = Path(__file__).parent / "hosts"
# ComfyUI does not start, or other packs break, when one of these is another than was installed.
NEVER_MOVED = {"torch", "torchvision", "transformers", "tokenizers", "numpy", "scipy", "pillow"}
UV_CHANGE = re.compile(r"^ \+ ([\w.-]+)==(\S+)$", re.MULTILINE)


@dataclass(frozen=True)
class Package:
    """A release and the requirements in its metadata."""

    version: str
    requires: tuple[str, ...]


Packages = dict[str, Package]


def canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def read_host(name: str) -> Packages:
    listed = json.loads((HOSTS / f"{name}.json").read_text(encoding="utf-8"))
    packages = {canonical(n): Package(p["version"], tuple(p["requires"])) for n, p in listed.items()}
    if packages["numpy"].version.startswith("1.") and sys.version_info >= (3, 13):
        packages["numpy"] = Package("2.1.0", ())  # the least that runs on this Python
    return packages


def make_host(folder: Path, packages: Packages) -> Path:
    """Make an environment in which pip and uv find these packages installed; returns its interpreter."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
    python = folder / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    query = [str(python), "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"]
    site = Path(subprocess.run(query, capture_output=True, text=True, check=True).stdout.strip())
    for name, package in packages.items():
        info = site / f"{name.replace('-', '_')}-{package.version}.dist-info"
        info.mkdir(parents=True)
        lines = ["Metadata-Version: 2.1", f"Name: {name}", f"Version: {package.version}"]
        lines += [f"Requires-Dist: {requirement}" for requirement in package.requires]
        (info / "METADATA").write_text("\n".join(lines) + "\n", encoding="utf-8")
        (info / "RECORD").write_text("", encoding="utf-8")
        (info / "INSTALLER").write_text("pip\n", encoding="utf-8")
    return python


def run(command: list[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


def pip_would_install(python: Path, *what: str) -> Packages:
    report = python.parent.parent / "report.json"
    command = [sys.executable, "-m", "pip", "--python", str(python), "install", "--dry-run", "--quiet"]
    run([*command, "--report", str(report), *what])
    found = [item["metadata"] for item in json.loads(report.read_text(encoding="utf-8"))["install"]]
    return {canonical(m["name"]): Package(m["version"], tuple(m.get("requires_dist", ()))) for m in found}


def uv_would_install(python: Path, *what: str) -> dict[str, str]:
    said = run([sys.executable, "-m", "uv", "pip", "install", "--dry-run", "--python", str(python), *what])
    assert "Would install" in said or "Would make no changes" in said
    return {canonical(name): version for name, version in UV_CHANGE.findall(said)}


def complaints(packages: Packages) -> list[str]:
    """What `pip check` would say."""
    found = []
    for name, package in packages.items():
        for text in package.requires:
            wanted = Requirement(text)
            if is_on_this_machine(wanted) and not is_met(wanted, packages):
                have = packages.get(canonical(wanted.name))
                found.append(f"{name} {package.version} wants {text}; there is {have and have.version}")
    return found


def broken_requirements(host: Packages, versions: dict[str, str]) -> list[str]:
    """What the host's own packages would say of these versions."""
    after = {**host, **{name: Package(version, ()) for name, version in versions.items()}}
    untouched = {name: package for name, package in host.items() if name not in versions}
    return [said for said in complaints(after) if said.split()[0] in untouched]


def requirement_lines() -> list[str]:
    """The lines of requirements.txt that hold on this machine."""
    lines = [
        line for line in REQUIREMENTS.read_text(encoding="utf-8").splitlines() if line[:1] not in ("", "#")
    ]
    return [line for line in lines if is_on_this_machine(Requirement(line))]


def is_on_this_machine(wanted: Requirement) -> bool:
    return wanted.marker is None or wanted.marker.evaluate({"extra": ""})


def is_met(wanted: Requirement, packages: Packages) -> bool:
    have = packages.get(canonical(wanted.name))
    return have is not None and wanted.specifier.contains(have.version, prereleases=True)


@pytest.mark.parametrize("name", sorted(path.stem for path in HOSTS.glob("*.json")))
class TestHost:
    def test_the_frozen_list_is_sound(self, name: str):
        assert complaints(read_host(name)) == []

    def test_pip(self, name: str, tmp_path: Path):
        host = read_host(name)
        new = pip_would_install(make_host(tmp_path / "host", host), "-r", str(REQUIREMENTS))
        assert {"diffusers", "opencv-python"} <= set(new)
        assert NEVER_MOVED & set(new) == set()
        assert complaints({**host, **new}) == []

    def test_uv(self, name: str, tmp_path: Path):
        host = read_host(name)
        new = uv_would_install(make_host(tmp_path / "host", host), "-r", str(REQUIREMENTS))
        assert {"diffusers", "opencv-python"} <= set(new)
        assert NEVER_MOVED & set(new) == set()
        assert broken_requirements(host, new) == []


@pytest.mark.parametrize("name", ["transformers_4_57", "transformers_5"])
def test_line_by_line(name: str, tmp_path: Path):
    """A manager may install each line by itself, where no other line can help to find a version."""
    host = read_host(name)
    python = make_host(tmp_path / "host", host)
    missing = [line for line in requirement_lines() if not is_met(Requirement(line), host)]
    assert {Requirement(line).name for line in missing} >= {"diffusers", "opencv-python"}
    for line in missing:
        new = {n: package.version for n, package in pip_would_install(python, line).items()}
        assert NEVER_MOVED & set(new) == set(), line
        assert broken_requirements(host, new) == [], line


def test_the_newest_of_all_would_break_a_host(tmp_path: Path):
    """Without the bounds that requirements.txt has, the checks above fail."""
    host = read_host("transformers_4_57")
    new = uv_would_install(make_host(tmp_path / "host", host), "diffusers>=0.42", "av")
    assert {said.split()[0] for said in broken_requirements(host, new)} >= {"transformers"}


def test_what_suits_us_is_left_alone(tmp_path: Path):
    host = read_host("transformers_4_57")
    for name, version in (("opencv-python", "4.8.1.78"), ("diffusers", "0.33.1"), ("av", "16.1.0")):
        host[name] = Package(version, ())
    python = make_host(tmp_path / "host", host)
    assert uv_would_install(python, "-r", str(REQUIREMENTS)) == {}
    assert pip_would_install(python, "-r", str(REQUIREMENTS)) == {}
