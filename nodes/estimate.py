"""The node that makes depth from the frames themselves: Estimate Disparity."""

from typing import Any

import torch
from comfy_api.latest import io

from ..bokeh_core.disparity.estimate import estimate_disparity
from ..bokeh_core.disparity.estimator import (
    REPOSITORIES,
    SMALL,
    EstimatorFiles,
    estimators_in,
    fetched,
    suited_to,
    weights_without_configuration,
)
from ..bokeh_core.disparity.meaning import NORMALISATIONS
from ..bokeh_core.disparity.prepare import grey_view
from ..bokeh_core.disparity.refine import RefineSettings
from . import categories, host, sockets
from .disparity_widgets import disparity_outputs
from .libraries import needed_libraries
from .newer_host import known_fields

INSTALLED = "installed"
DOWNLOADS = {f"download {name} ({licence})": name for name, licence in REPOSITORIES.items()}
MEMORY_ADVICE = "smaller frames or a smaller depth model"


def model_choices() -> list[str]:
    """What the dropdown of a depth model shows."""
    return [INSTALLED, *estimators_in(host.depth_model_folders()), *DOWNLOADS]


def chosen_model(name: str) -> EstimatorFiles:
    """The model of a choice; downloaded only if the choice says so and it is not there.

    Raises:
        ValueError: no model, or it cannot be fetched.
    """
    folders = host.depth_model_folders()
    if name in DOWNLOADS:
        return fetched(DOWNLOADS[name], folders[0])
    found = estimators_in(folders)
    # The Small model is free for any use.
    small = [files for known, files in found.items() if known.endswith(SMALL.rpartition("/")[2])]
    files = next(iter([*small, *found.values()]), None) if name == INSTALLED else found.get(name)
    if files is None:
        single = weights_without_configuration(folders)
        unfit = f" {single[0]} alone is not enough: it lacks its config.json." if single else ""
        raise ValueError(
            f"There is no depth model {'' if name == INSTALLED else name + ' '}in {folders[0]}.{unfit} "
            f"Choose download {SMALL} ({REPOSITORIES[SMALL]}), or put a folder with its config.json, "
            "preprocessor_config.json and model.safetensors there."
        )
    return files


class EstimateDisparity(io.ComfyNode):
    """Frames -> DISPARITY."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="AnyToBokehEstimateDisparity",
            display_name="Estimate Depth (Depth Anything V2)",
            category=categories.DEPTH,
            description="Estimates depth from the frames with Depth Anything V2, where no depth is at hand. "
            "Each frame is seen by itself, the clip is normalised as a whole and steadied by the frames. "
            "Nothing is downloaded unless you choose a download.",
            inputs=[
                io.Image.Input("frames", tooltip="The video frames; alpha is ignored."),
                io.Combo.Input(
                    "model",
                    options=model_choices(),
                    default=INSTALLED,
                    optional=True,
                    tooltip="installed (default): the Small model in the folder models/depth_anything, else "
                    "the first one there. A download brings a model into that folder, once; only Small may "
                    "be used commercially, Base and Large are finer and slower.",
                ),
                io.Combo.Input(
                    "normalisation",
                    options=[name for name in NORMALISATIONS if name != "none"],
                    default="min-max",
                    optional=True,
                    tooltip="How the model's values become 0 to 1, over the whole clip. min-max (default) "
                    "keeps everything; robust percentiles clips 1 % at both ends.",
                ),
                io.Boolean.Input(
                    "refine",
                    default=True,
                    optional=True,
                    tooltip="Mends what single frames bring with them, as Refine Depth does: flicker, soft "
                    "outlines, torn limbs. Default on; off gives the model's maps, and saves time.",
                ),
            ],
            outputs=disparity_outputs("The model, what was decided, and warnings."),
            **known_fields(
                io.Schema,
                search_aliases=["depth anything", "depth estimation", "estimate depth", "depth map", "bokeh"],
            ),
        )

    @classmethod
    def execute(
        cls,
        frames: Any,
        model: str = INSTALLED,
        normalisation: str = "min-max",
        refine: bool = True,
    ) -> io.NodeOutput:
        files = chosen_model(model)
        with needed_libraries(), host.out_of_memory_advice(MEMORY_ADVICE), torch.no_grad():
            dtype, at_once = suited_to(host.compute_device())
            estimator = files.load(dtype)
            patcher = host.manage_unet(estimator.network)
            host.load_models([patcher], estimator.needed_bytes(frames.shape[1:3], at_once))
            found = estimate_disparity(
                frames,
                estimator,
                files.meaning(normalisation),
                at_once=at_once,
                refine=RefineSettings() if refine else None,
                progress=host.progress(),
            )
        report = f"{files.folder.name} on {patcher.load_device}.\n{found.report}"
        maps = sockets.marked_as_refined(found.disparity) if refine else found.disparity
        return io.NodeOutput(maps, grey_view(found.disparity), report)

    @classmethod
    def fingerprint_inputs(cls, model: str = INSTALLED, **_: Any) -> str:
        """A model that changes on disk makes the node run again."""
        try:
            # What is not there yet is not fetched to look at it.
            return "" if model in DOWNLOADS else chosen_model(model).fingerprint()
        except ValueError as error:
            return str(error)
