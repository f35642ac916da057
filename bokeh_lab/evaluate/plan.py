"""What an evaluation consists of, and a key for each part that changes with whatever decides its result."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ..peers import Renderer
from ..scenes.library import MANIFEST
from .clip_plan import ClipPlan
from .clips import open_library
from .perturb import NONE, is_refined
from .references import GROUND_TRUTH
from .selection import find_renderers
from .source_code import LABORATORY, defining_files, files_below, hash_of_code

_KEY_LENGTH = 16
_HERE = Path(__file__).resolve().parent


@dataclass(frozen=True)
class Bench:
    """How and with what results are measured.

    Attributes:
        device: where renderers and metrics compute.
        weights: folder of the metrics' networks, or None.
        allow_download: let the metrics' libraries download their weights.
    """

    device: str = "cpu"
    weights: Path | None = None
    allow_download: bool = False


@dataclass(frozen=True)
class Unit:
    """One renderer on one clip with one disparity; `key` names its result and nothing else's."""

    clip: ClipPlan
    clip_key: str
    renderer: str
    spec: str
    perturbation: str
    key: str

    def result_file(self, out: Path) -> Path:
        """Where the measurements are kept."""
        return out / "results" / self.clip.name / f"{self.renderer}.{self.perturbation}.{self.key}.json"

    def video_file(self, out: Path) -> Path:
        """Where the rendered clip is kept, above its difference from the truth."""
        return out / "videos" / self.clip.name / f"{self.renderer}.{self.key}.mp4"


def clip_file(out: Path, clip: ClipPlan, clip_key: str) -> Path:
    """Where the ground truth of a clip is kept."""
    return out / "clips" / f"{clip.name}.{clip_key}.safetensors"


def clip_video_file(out: Path, unit: Unit, kind: str) -> Path:
    """Where a video that all renderers of a clip share is kept: "sharp", "disparity" or "truth"."""
    return out / "videos" / unit.clip.name / f"{kind}.{unit.clip_key}.mp4"


@dataclass(frozen=True)
class EvaluationPlan:
    """All that is measured.

    Attributes:
        units: in the order in which they are measured, clip by clip.
        renderers: by name, in the order of the tables; those that cannot run too.
        missing: why a renderer cannot run here, by name.
        perturbations: "none" first.
        bench: how it is measured.
    """

    units: tuple[Unit, ...]
    renderers: dict[str, Renderer]
    missing: dict[str, str]
    perturbations: tuple[str, ...]
    bench: Bench


def make_plan(
    clips: Sequence[ClipPlan], specs: Sequence[str], perturbations: Sequence[str], bench: Bench
) -> EvaluationPlan:
    """Pair every clip with every renderer that can run, and those given disparity with every perturbation.

    Solid scenes have no layers, so that renderers which work from them are left out there.

    Args:
        clips: as `plan_clips` makes them.
        specs: see `find_renderers`.
        perturbations: see `parse_perturbations`.
        bench: how to measure.

    Raises:
        ValueError: an unknown renderer, or one without a source file.
    """
    found = find_renderers(specs)
    missing = {name: why for name, (_, item) in found.items() if (why := item.missing()) is not None}
    able = [(spec, item) for name, (spec, item) in found.items() if name not in missing]
    renderer_code = {item.name: _hash_of_renderer(item) for _, item in able}
    scenes = hash_of_code([*files_below(LABORATORY / "scenes"), LABORATORY / "ground_truth.py"])
    solids = hash_of_code(files_below(LABORATORY / "mitsuba"))
    scoring = hash_of_code([_HERE / "scoring.py"])
    perturbing = hash_of_code([_HERE / "perturb.py"])
    mapping = hash_of_code([LABORATORY / "metrics" / "maps.py"])
    refining = hash_of_code([_HERE / "maps.py"])
    # The manifest holds the hash of every picture.
    libraries = {clip.library: _manifest_hash(clip) for clip in clips}
    measured_with = {**asdict(bench), "weights": _contents(bench.weights)}
    units: list[Unit] = []
    for clip in clips:
        made_by = solids if clip.solid else scenes
        clip_key = _key({**asdict(clip), "library": libraries[clip.library]}, made_by)
        for spec, item in able:
            if item.given_layers and clip.solid and item.name != GROUND_TRUTH:
                continue
            for perturbation in perturbations[:1] if item.given_layers else perturbations:
                disturbed_by = None if perturbation == NONE else perturbing
                disturbed_by = refining if is_refined(perturbation) else disturbed_by
                key = _key(
                    {
                        "renderer": item.name,
                        "perturbation": perturbation,
                        **measured_with,
                        **_weights(item),
                    },
                    clip_key,
                    renderer_code[item.name],
                    scoring,
                    mapping,
                    disturbed_by,
                )
                units.append(Unit(clip, clip_key, item.name, spec, perturbation, key))
    renderers = {name: item for name, (_, item) in found.items()}
    return EvaluationPlan(tuple(units), renderers, missing, tuple(perturbations), bench)


def _hash_of_renderer(renderer: Renderer) -> str:
    """Hash the code of a renderer, and the list that binds names to functions and their settings."""
    files = defining_files(renderer.render)
    if not files:
        raise ValueError(f"The renderer {renderer.name!r} has no source file; define it by `def` in a file.")
    registry = (LABORATORY / "peers" / "__init__.py").read_bytes()
    return f"{hash_of_code(files)} {hashlib.sha256(registry).hexdigest()}"


def _weights(renderer: Renderer) -> dict[str, Any]:
    """Where a renderer's weights are, and in which state."""
    return {name: [str(path), _contents(path)] for name, path in renderer.weights().items()}


def _manifest_hash(clip: ClipPlan) -> str:
    manifest = open_library(clip.library, clip.split).folder / MANIFEST
    return hashlib.sha256(manifest.read_bytes()).hexdigest()


def _contents(place: Path | None) -> list[list[Any]] | None:
    """Name, size and time of a file or of all in a folder; weights are too large to hash at every start."""
    if place is None:
        return None
    files = [place] if place.is_file() else files_below(place)
    states = [
        (file.name if file == place else file.relative_to(place).as_posix(), file.stat()) for file in files
    ]
    return [[name, state.st_size, state.st_mtime_ns] for name, state in states]


def _key(settings: dict[str, Any], *hashes: str | None) -> str:
    text = json.dumps([settings, hashes], sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:_KEY_LENGTH]
