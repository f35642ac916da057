"""Numbers and choices of every function that a node calls: in range and a right answer, else refused."""

import math
import random
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from bokeh_core.focus import BETWEEN_POINTS, focus_at_point, focus_at_value, focus_on_mask
from bokeh_core.lens import Aperture, contour_reach_px, lens_blur
from bokeh_core.lens.aperture import lens_kernel
from bokeh_core.mpi import mpi_regions
from bokeh_core.preview import focus_preview
from bokeh_core.schedule.values import EASINGS, ramp
from bokeh_core.strength import MODES, blur_strength
from bokeh_core.windows import plan_windows

from .sentences import refusal

NAME = "settings"
FRAMES, HEIGHT, WIDTH = 2, 5, 7
# Frames of the longest clip.
MOST = 10_000_000
_STRANGE: tuple[Any, ...] = (
    math.nan, math.inf, -math.inf, -1, -0.0, 0, 1, 2, 3, 0.5, 1e-300, 1e-9, 1e9, 1e308, -1e308, 10**30,
    10**400, 2**31, 2**63, 255, 65504, 1.0000001, "1", "", None, True, 1j, [1], (), "nan", b"1",
)  # fmt: skip


def run(seed: int, count: int, folder: Path) -> Counter[str]:
    """See the package."""
    random_ = random.Random(seed)
    outcomes: Counter[str] = Counter()
    kinds = [_lens, _aperture, _reach, _preview, _mpi, _value, _point, _mask, _strength, _ramp, _windows]
    for number in range(count):
        try:
            outcomes[random_.choice(kinds)(random_)] += 1
        except AssertionError as error:
            raise AssertionError(f"seed {seed}, settings {number}: {error}") from error
    return outcomes


def _settings(random_: random.Random, **ranges: tuple[Any, ...]) -> tuple[dict[str, Any], bool]:
    """Values of settings, and whether all are valid.

    A range is (least, most), (least, most, most that is tried), or the words that may be chosen.
    """
    chosen, valid = {}, True
    for name, allowed in ranges.items():
        numbers = not isinstance(allowed[0], str)
        if random_.random() < 0.15:
            value = random_.choice(_STRANGE)
            fits = type(value) in (int, float) and numbers and allowed[0] <= value <= allowed[1]
            if fits and isinstance(allowed[0], int):
                fits = type(value) is int
            valid &= bool(fits)
        elif not numbers:
            value = random_.choice(allowed)
        elif isinstance(allowed[0], int):
            value = random_.randint(allowed[0], allowed[-1])
        else:
            value = random_.uniform(allowed[0], allowed[-1])
        chosen[name] = value
    return chosen, valid


def _tried(call: Callable[[], Tensor], settings: dict[str, Any], valid: bool) -> Tensor | None:
    try:
        result = call()
    except ValueError as error:
        assert not valid, f"refused ({error}): {settings}"
        refusal(error)
        return None
    except Exception as error:
        raise AssertionError(f"{type(error).__name__}: {error}: {settings}") from error
    assert valid, f"taken: {settings}"
    assert bool(result.isfinite().all()), f"not finite: {settings}"
    return result


def _clip(random_: random.Random) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(random_.randrange(2**31))
    frames = torch.rand(FRAMES, HEIGHT, WIDTH, random_.choice((1, 3, 4)), generator=generator)
    return frames, torch.rand(FRAMES, HEIGHT, WIDTH, generator=generator)


def _lens(random_: random.Random) -> str:
    settings, valid = _settings(
        random_,
        gamma=(0.2, 5.0),
        highlight_gain=(0.0, 1000.0),
        highlight_threshold=(0.0, 0.999),
        near_strength=(0.0, 100.0, 5.0),
        far_strength=(0.0, 100.0, 5.0),
        contour_reach_px=(0.0, 64.0),
        focus_range=(0.0, 1.0),
        fringe=(0.0, 0.25),
        workers=(1, 1024, 4),
    )
    if settings["workers"] is None:
        return "lens as many workers as fit"
    strength = random_.uniform(0, 40)
    if valid:
        factor = max(settings["near_strength"], settings["far_strength"])
        valid = factor <= 1 or factor * strength <= 200 * (1 + 1e-6)
    frames, disparity = _clip(random_)
    result = _tried(
        lambda: lens_blur(frames, disparity, torch.tensor([0.4]), torch.tensor([strength]), **settings),
        settings,
        valid,
    )
    if result is None:
        return "lens refused"
    assert result.shape == frames.shape, settings
    assert result.min() >= 0 and result.max() <= 1, settings
    return "lens right"


def _aperture(random_: random.Random) -> str:
    settings, valid = _settings(
        random_,
        blades=(0, 64),
        rotation_deg=(-36000.0, 36000.0),
        roundness=(0.0, 1.0),
        anamorphic_ratio=(0.25, 4.0),
        cat_eye=(0.0, 1.0),
        swirl=(0.0, 1.0),
        ring=(-1.0, 1.0),
    )
    if valid and settings["blades"] in (1, 2):
        valid = False
    radius = random_.uniform(-30, 30)
    field = (random_.uniform(-0.7, 0.7), random_.uniform(-0.7, 0.7))
    kernel = _tried(
        lambda: torch.from_numpy(lens_kernel(Aperture(**settings), radius, field)), settings, valid
    )
    if kernel is None:
        return "aperture refused"
    assert abs(kernel.sum().item() - 1) < 1e-4 and kernel.min() >= 0, settings
    assert kernel.shape[0] == kernel.shape[1] and kernel.shape[0] % 2 == 1, settings
    return "aperture right"


def _reach(random_: random.Random) -> str:
    settings, valid = _settings(random_, tolerance=(0.0, 64.0))
    width = random_.choice((64, 1024, 4096))
    reach = _tried(
        lambda: torch.tensor(contour_reach_px(settings["tolerance"], width)).float(), settings, valid
    )
    if reach is None:
        return "tolerance refused"
    exact = settings["tolerance"] * width / 1024
    assert abs(reach.item() - exact) <= 1 and (reach.item() > 0) == (exact > 0), settings
    return "tolerance right"


def _preview(random_: random.Random) -> str:
    settings, valid = _settings(random_, tint=(0.0, 1.0))
    frames, disparity = _clip(random_)
    result = _tried(
        lambda: focus_preview(frames, disparity, torch.tensor([0.4]), torch.tensor([9.0]), **settings),
        settings,
        valid,
    )
    if result is None:
        return "preview refused"
    assert result.shape == (*frames.shape[:3], 3) and result.min() >= 0 and result.max() <= 1, settings
    return "preview right"


def _mpi(random_: random.Random) -> str:
    settings, valid = _settings(random_, layers=(1, 256), alpha=(0.01, 100.0))
    disparity, focus = _clip(random_)[1], random_.random()
    result = _tried(lambda: mpi_regions(disparity, torch.full((FRAMES,), focus), **settings), settings, valid)
    if result is None:
        return "regions refused"
    for t, y, x in ((0, 0, 0), (1, 4, 6)):
        layers, distance = settings["layers"], abs(disparity[t, y, x].item() - focus)
        near = [(i / layers) ** (1 / focus ** settings["alpha"]) for i in range(1, layers)] if focus else []
        if min((abs(h - distance) for h in near), default=1) > 1e-6:
            assert result[t, y, x].item() == sum(distance > h for h in near), settings
    return "regions right"


def _value(random_: random.Random) -> str:
    settings, valid = _settings(random_, num_frames=(1, MOST, 50), focal_disparity=(0.0, 1.0))
    result = _tried(lambda: focus_at_value(**settings), settings, valid)
    if result is None:
        return "value refused"
    expected = [settings["focal_disparity"]] * settings["num_frames"]
    assert torch.allclose(result, torch.tensor(expected, dtype=torch.float32)), settings
    return "value right"


def _point(random_: random.Random) -> str:
    settings, valid = _settings(
        random_,
        x_px=(-1, WIDTH - 1),
        y_px=(-1, HEIGHT - 1),
        radius_px=(0, 100_000),
        smoothing_frames=(0.0, 10_000.0),
        between_keyframes=BETWEEN_POINTS,
        easing=EASINGS,
    )
    disparity = _clip(random_)[1]
    result = _tried(lambda: focus_at_point(disparity, **settings), settings, valid)
    if result is None:
        return "point refused"
    assert result.min() >= disparity.min() and result.max() <= disparity.max(), settings
    if settings["radius_px"] == 0 and settings["smoothing_frames"] == 0:
        x = settings["x_px"] if settings["x_px"] >= 0 else WIDTH // 2
        y = settings["y_px"] if settings["y_px"] >= 0 else HEIGHT // 2
        assert torch.equal(result, disparity[:, y, x]), settings
    return "point right"


def _mask(random_: random.Random) -> str:
    settings, valid = _settings(random_, smoothing_frames=(0.0, 10_000.0))
    disparity = _clip(random_)[1]
    result = _tried(lambda: focus_on_mask(disparity, torch.ones(1, 3, 4), **settings), settings, valid)
    if result is None:
        return "mask refused"
    assert result.min() >= disparity.min() and result.max() <= disparity.max(), settings
    return "mask right"


def _strength(random_: random.Random) -> str:
    mode = random_.choice([*MODES[:2], "wild"])
    ranges: dict[str, tuple[Any, ...]] = {"strength": (0.0, 200.0), "num_frames": (1, MOST, 50)}
    if mode == "ramp":
        ranges |= {"end_strength": (0.0, 200.0), "easing": EASINGS}
    settings, valid = _settings(random_, **ranges)
    if settings["num_frames"] is None and mode == "constant":
        # Of any length then, so the rest decides.
        valid = isinstance(settings["strength"], float) and 0 <= settings["strength"] <= 200
    result = _tried(lambda: blur_strength(mode, **settings), settings, valid and mode != "wild")
    if result is None:
        return "strength refused"
    assert result.min() >= 0 and result.max() <= 200, settings
    assert abs(result[0].item() - settings["strength"]) < 1e-4, settings
    return "strength right"


def _ramp(random_: random.Random) -> str:
    settings, valid = _settings(
        random_, start=(-1e9, 1e9), end=(-1e9, 1e9), num_frames=(1, MOST, 50), easing=EASINGS
    )
    result = _tried(lambda: ramp(**settings), settings, valid)
    if result is None:
        return "ramp refused"
    assert abs(result[0].item() - settings["start"]) <= 1e-6 * max(1, abs(settings["start"])), settings
    return "ramp right"


def _windows(random_: random.Random) -> str:
    settings, valid = _settings(random_, num_frames=(1, MOST, 50), window=(1, MOST, 20), overlap=(0, MOST, 8))
    valid = valid and settings["overlap"] < settings["window"]
    result = _tried(
        lambda: torch.tensor([[*w] for w in plan_windows(**settings)], dtype=torch.float64), settings, valid
    )
    if result is None:
        return "windows refused"
    covered = {int(f) for start, stop in result.tolist() for f in range(int(start), int(stop))}
    assert covered == set(range(settings["num_frames"])), settings
    return "windows right"
