"""The looks of a lens, one setting at a time and by preset: Lens Blur against rays through the same lens."""

import torch

from bokeh_core.lens import PRESETS, LensSettings, lens_of_controls, with_preset
from bokeh_core.lens.aperture_image import aperture_image_of


def heart() -> torch.Tensor:
    """[1, H, W] mask of a heart."""
    axis = torch.linspace(-1.3, 1.3, 256)
    y, x = -axis[:, None], axis[None]
    return ((x**2 + y**2 - 1) ** 3 <= x**2 * y**3).float()[None]


def looks() -> dict[str, LensSettings]:
    """Lenses by what is set on them, for light as it is: without a gain of highlights and without grain."""
    lenses = {
        "round and even": LensSettings(),
        "blades 6": lens_of_controls(blades=6, rotation=15, roundness=0.15),
        "anamorphic 1.8": lens_of_controls(anamorphic=1.8),
        "cat_eye 0.8": lens_of_controls(cat_eye=0.8),
        "swirl 0.8": lens_of_controls(swirl=0.8),
        "ring 0.8": lens_of_controls(ring=0.8),
        "ring -0.7": lens_of_controls(ring=-0.7),
        "fringe 0.05": lens_of_controls(fringe=0.05),
        "a heart": lens_of_controls(aperture_image=aperture_image_of(heart())),
    }
    as_it_is = {"highlight_gain": 0.0, "grain": 0.0}
    for preset in PRESETS:
        lenses[f"preset {preset}"] = lens_of_controls(**{**with_preset(preset, {}), **as_it_is})
    return lenses
