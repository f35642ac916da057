"""A user's own renderer, named as FILE.py:FUNCTION or package.module:FUNCTION, and checked on every call."""

import importlib
import importlib.util
from pathlib import Path
from types import ModuleType

import torch
from torch import Tensor

from .renderer import BokehTask, Render, Renderer

# Interpolation overshoots a little; more than this is another range.
_SLACK = 1e-3


def external_renderer(location: str) -> Renderer:
    """Load a function that takes a `BokehTask` and returns frames, or a `Renderer` that holds one.

    A function is enough:

        def render(task):            # in my_renderer.py, named as my_renderer.py:render
            return task.frames

    What it returns is checked on every call, see `checked`. A `Renderer` instead of a function gives it a
    title of its own, or asks for the true layers.

    Args:
        location: "FILE.py:NAME", relative to the working directory, or "package.module:NAME".

    Raises:
        ValueError: no such file, module or name, or no function under that name.
    """
    place, _, attribute = location.rpartition(":")
    if not place or not attribute:
        raise ValueError(
            f"{location!r} names no function; write FILE.py:FUNCTION or package.module:FUNCTION."
        )
    module = _load_file(Path(place)) if place.endswith(".py") else _load_module(place)
    found = getattr(module, attribute, None)
    if isinstance(found, Renderer):
        return Renderer(
            found.name, found.title, checked(found.render, location), found.given_layers, found.missing
        )
    if not callable(found):
        what = "has no" if found is None else "has something other than a function as"
        functions = sorted(
            name for name, value in vars(module).items() if callable(value) and not name.startswith("_")
        )
        raise ValueError(f"{place} {what} {attribute}; it has {', '.join(functions) or 'no function'}.")
    return Renderer(f"{Path(place).stem}_{attribute}", location, checked(found, location))


def checked(render: Render, name: str) -> Render:
    """Wrap a renderer so that what it returns is float32 [T, H, W, 3] in [0, 1] on the device of the frames.

    The wrapped renderer raises ValueError where the result has another type or shape, is not finite, or
    leaves [0, 1] by more than 0.001.
    """

    def render_checked(task: BokehTask) -> Tensor:
        frames = render(task)
        if not isinstance(frames, Tensor):
            raise ValueError(f"{name} returned {type(frames).__name__}; it must return a torch.Tensor.")
        if frames.shape != task.frames.shape:
            raise ValueError(
                f"{name} returned shape {tuple(frames.shape)}; these frames need "
                f"{tuple(task.frames.shape)}, [T, H, W, 3]."
            )
        if not frames.is_floating_point():
            raise ValueError(f"{name} returned {frames.dtype}; it must return floats in [0, 1].")
        frames = frames.detach().to(task.frames.device, torch.float32)
        if not bool(frames.isfinite().all()):
            raise ValueError(f"{name} returned NaN or infinite values; every value must be finite.")
        low, high = frames.min().item(), frames.max().item()
        if low < -_SLACK or high > 1 + _SLACK:
            raise ValueError(
                f"{name} returned values from {low:g} to {high:g}; they must be display values in [0, 1]."
            )
        return frames.clamp(0, 1)

    return render_checked


def _load_file(path: Path) -> ModuleType:
    if not path.is_file():
        raise ValueError(f"{path} is not a file; it is looked for in {Path.cwd()}.")
    spec = importlib.util.spec_from_file_location(f"external_renderer_{path.stem}", path)
    if spec is None or spec.loader is None:
        raise ValueError(f"{path} cannot be loaded as Python.")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _load_module(name: str) -> ModuleType:
    if not all(part.isidentifier() for part in name.split(".")):
        raise ValueError(f"{name!r:.80} is no module; write FILE.py:FUNCTION or package.module:FUNCTION.")
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        # A module that the named one imports is another matter: its own message says it better.
        if error.name is None or not f"{name}.".startswith(f"{error.name}."):
            raise
        raise ValueError(
            f"There is no module {error.name}; write FILE.py:FUNCTION for a file, or install the package."
        ) from error
