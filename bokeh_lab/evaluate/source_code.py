"""The source files that a result depends on: when one changes, the result is made again."""

import ast
import hashlib
import inspect
from collections.abc import Callable, Iterable
from functools import cache, partial
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LABORATORY = ROOT / "bokeh_lab"
PACKAGES = ("bokeh_core", "bokeh_lab")


def hash_of_code(files: Iterable[Path]) -> str:
    """Hash source files, all modules of ours that they import, and data files given among them.

    Imports are read from the text, so those inside functions count. Packages of others do not.
    """
    digest = hashlib.sha256()
    for file in sorted(_with_imports(files)):
        name = file.relative_to(ROOT).as_posix() if file.is_relative_to(ROOT) else file.name
        content = file.read_bytes()
        digest.update(f"{name} {len(content)}\n".encode())
        digest.update(content)
    return digest.hexdigest()


def files_below(folder: Path) -> list[Path]:
    """Every file of a folder that belongs to it: no bytecode, nothing hidden."""
    return sorted(
        file
        for file in folder.rglob("*")
        if file.is_file()
        and not any(part.startswith((".", "__pycache__")) for part in file.relative_to(folder).parts)
    )


def defining_files(function: Callable[..., object]) -> set[Path]:
    """Source files of a function, of what it wraps, and of the functions that it closes over."""
    files: set[Path] = set()
    waiting: list[object] = [function]
    seen: set[int] = set()
    while waiting:
        item = waiting.pop()
        if id(item) in seen:
            continue
        seen.add(id(item))
        if isinstance(item, partial):
            waiting.append(item.func)
            continue
        subject = inspect.unwrap(item) if inspect.isfunction(item) else item
        if inspect.isfunction(subject):
            waiting.extend(
                value for value in inspect.getclosurevars(subject).nonlocals.values() if callable(value)
            )
        try:
            file = inspect.getsourcefile(subject if inspect.isroutine(subject) else type(subject))
        except TypeError:  # built in
            continue
        if file:
            files.add(Path(file).resolve())
    return files


def _with_imports(files: Iterable[Path]) -> set[Path]:
    found: set[Path] = set()
    waiting = [Path(file).resolve() for file in files]
    while waiting:
        file = waiting.pop()
        if file not in found:
            found.add(file)
            waiting.extend(_imported_by(file))
    return found


@cache
def _imported_by(file: Path) -> tuple[Path, ...]:
    """Modules of ours that a source file imports."""
    if file.suffix != ".py":
        return ()
    found: list[Path] = []
    for node in ast.walk(ast.parse(file.read_bytes())):
        if isinstance(node, ast.ImportFrom):
            base = _base(file, node)
            if base is not None:
                named = [base / alias.name for alias in node.names]
                found.extend(_modules([base, *named]))
        elif isinstance(node, ast.Import):
            for alias in node.names:
                parts = alias.name.split(".")
                if parts[0] in PACKAGES:
                    found.extend(_modules([ROOT.joinpath(*parts)]))
    return tuple(found)


def _base(file: Path, node: ast.ImportFrom) -> Path | None:
    parts = node.module.split(".") if node.module else []
    if node.level == 0:
        return ROOT.joinpath(*parts) if parts[:1] and parts[0] in PACKAGES else None
    base = file.parents[node.level - 1].joinpath(*parts)
    return base if any(base.is_relative_to(ROOT / name) for name in PACKAGES) else None


def _modules(places: Iterable[Path]) -> Iterable[Path]:
    for place in places:
        for module in (place.with_suffix(".py"), place / "__init__.py"):
            if module.is_file():
                yield module
