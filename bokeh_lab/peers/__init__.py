"""The renderers that are compared: published ones, what people use today, and the pack's own.

To add one, write a function that takes a `BokehTask` and returns frames, and name it as FILE.py:FUNCTION; see
`external` and `example_adapter.py`. To add it for good, put it into `RENDERERS`.
"""

from bokeh_core.lens import LensSettings

from . import any_to_bokeh, blurgenerator, bokeh_small, dr_bokeh, gather, identity, mpib, true_layers
from .bokehme import bokehme
from .external import checked, external_renderer
from .lens_blur import lens_blur_renderer
from .renderer import BokehTask, Render, Renderer
from .without_weights import BOKEHME_NEURAL, DEEPLENS, DR_BOKEH_NEURAL, MPIB_NEURAL

RENDERERS: tuple[Renderer, ...] = (
    Renderer("identity", "Identity", identity.render),
    Renderer("gather", "Gather", gather.render),
    Renderer("blurgenerator", "BlurGenerator (package)", blurgenerator.render, missing=blurgenerator.missing),
    Renderer("bokehme", "BokehMe, classical", bokehme()),
    Renderer("dr_bokeh", "Dr.Bokeh, renderer", dr_bokeh.render),
    Renderer("mpib", "MPIB, renderer", mpib.mpib()),
    Renderer("mpib_dilated", "MPIB, renderer, disparity + 1 px", mpib.mpib(dilate_px=1)),
    Renderer(
        "mpib_exact_disks",
        "MPIB, exact disks, disparity + 1 px",
        mpib.mpib(dilate_px=1, exact_disks=True),
    ),
    Renderer("lens_blur", "Lens Blur", lens_blur_renderer()),
    Renderer(
        "lens_blur_exact", "Lens Blur, exact maps", lens_blur_renderer(LensSettings(contour_reach_px=0))
    ),
    Renderer(
        "bokeh_small",
        "Bokeh small (ours)",
        bokeh_small.render,
        missing=bokeh_small.missing,
        weights=bokeh_small.weights,
    ),
    Renderer(
        "any_to_bokeh",
        "Any-to-Bokeh",
        any_to_bokeh.render,
        missing=any_to_bokeh.missing,
        weights=any_to_bokeh.weights,
    ),
    DEEPLENS,
    BOKEHME_NEURAL,
    DR_BOKEH_NEURAL,
    MPIB_NEURAL,
    Renderer(
        "dr_bokeh_layers", "Dr.Bokeh, renderer (true layers)", dr_bokeh.render_layers, given_layers=True
    ),
    Renderer("mpib_layers", "MPIB, renderer (true layers)", mpib.render_layers, given_layers=True),
    Renderer("true_layers", "Layered disk blur (true layers)", true_layers.render, given_layers=True),
)


def renderer_named(name: str) -> Renderer:
    """Find a renderer by its name, or load a user's own by FILE.py:FUNCTION or package.module:FUNCTION.

    Raises:
        ValueError: there is none of that name; the message lists them.
    """
    if ":" in name:
        return external_renderer(name)
    for renderer in RENDERERS:
        if renderer.name == name:
            return renderer
    names = ", ".join(renderer.name for renderer in RENDERERS)
    raise ValueError(
        f"There is no renderer {name!r}; choose one of {names}, or name your own as FILE.py:FUNCTION."
    )


__all__ = [
    "RENDERERS",
    "BokehTask",
    "Render",
    "Renderer",
    "checked",
    "external_renderer",
    "renderer_named",
]
