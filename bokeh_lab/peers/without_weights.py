"""Published renderers whose networks cannot run here: their rows in a table say why."""

from torch import Tensor

from .renderer import BokehTask, Renderer

HOW_TO_ADD = "if you have them, add them as FILE.py:FUNCTION, see example_adapter.py"


def without_weights(name: str, title: str, network: str) -> Renderer:
    """Make a renderer that cannot run, whose row in a table says why.

    Args:
        name, title: see `Renderer`.
        network: which of its networks is not available.
    """
    reason = f"no weights: {network} is not available from any package registry; {HOW_TO_ADD}"

    def render(_task: BokehTask) -> Tensor:
        raise ValueError(f"{title} cannot run: {reason}.")

    return Renderer(name, title, render, missing=lambda: reason)


DEEPLENS = without_weights("deeplens", "DeepLens", "its network")
BOKEHME_NEURAL = without_weights("bokehme_neural", "BokehMe (with network)", "its neural half")
DR_BOKEH_NEURAL = without_weights(
    "dr_bokeh_neural", "Dr.Bokeh (with networks)", "its matting and background network"
)
MPIB_NEURAL = without_weights("mpib_neural", "MPIB (with networks)", "its background inpainting network")
