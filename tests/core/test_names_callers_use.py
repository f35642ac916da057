"""Names that programs outside this repository import."""

from importlib import import_module
from importlib.util import find_spec

import pytest


@pytest.mark.parametrize(
    ("module", "names"),
    [
        ("bokeh_core.checkpoint", ("load_unet", "load_vae")),
        ("bokeh_core.coc", ("circle_of_confusion_px",)),
        ("bokeh_core.disparity", ("prepare_disparity",)),
        ("bokeh_core.lens", ("lens_blur",)),
        ("bokeh_core.models", ("BokehUNet", "RefinedVAE")),
        ("bokeh_core.mpi", ("mpi_regions",)),
        ("bokeh_core.pipeline", ("BokehPipeline",)),
        ("bokeh_core.semantics", ("clip_input",)),
        ("bokeh_core.windows", ()),
        ("bokeh_lab.ground_truth", ("render_clip",)),
        ("bokeh_lab.scenes.presets", ("make_scene",)),
    ],
)
def test_can_be_imported(module: str, names: tuple[str, ...]):
    loaded = import_module(module)
    assert [name for name in names if not callable(getattr(loaded, name, None))] == []


@pytest.mark.parametrize(
    "package",
    [
        "bokeh_core.convert",
        "bokeh_core.render",
        "bokeh_lab.blind_test",
        "bokeh_lab.evaluate",
        "bokeh_lab.train",
    ],
)
def test_packages_run_as_programs(package: str):
    assert find_spec(f"{package}.__main__") is not None
