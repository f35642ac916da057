"""The node that describes a lens: Choose Lens."""

from typing import Any

from comfy_api.latest import io

from ..bokeh_core.lens import PRESETS, lens_report, stated_numbers, with_preset
from ..bokeh_core.lens.aperture_image import aperture_image_of
from . import categories, lens_widgets, sockets
from .newer_host import known_fields
from .number_plots import plot_of, plot_output

CUSTOM = "custom"


class Lens(io.ComfyNode):
    """A preset, or widgets -> LENS."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="AnyToBokehChooseLens",
            display_name="Choose Lens (Swirl, Anamorphic)",
            category=categories.RENDER,
            description="Describes a lens once for every node that blurs: the shape of its blur, how it "
            "treats highlights, and where the blur begins and ends.",
            inputs=[
                io.Combo.Input(
                    "preset",
                    options=[CUSTOM, *PRESETS],
                    default=CUSTOM,
                    optional=True,
                    tooltip="custom (default): every widget below counts. Any other brings its own "
                    "character, and these widgets are not used: blades to fringe, highlight_gain, "
                    "highlight_threshold, grain. The others still count. The report names the values used.",
                ),
                *lens_widgets.opening_inputs(),
                *lens_widgets.character_inputs(),
                *lens_widgets.light_inputs(),
                *lens_widgets.balance_inputs(),
                *lens_widgets.limit_inputs(),
                *lens_widgets.contour_inputs(),
                io.MultiType.Input(
                    "aperture_image",
                    types=[io.Image, io.Mask],
                    optional=True,
                    tooltip="One picture or mask in the opening, in place of blades: light passes where it "
                    "is bright, its colours do not count. Upright in front of the focus, upside down behind "
                    "it; rotation turns it. Counts with every preset.",
                ),
                *lens_widgets.over_time_inputs(),
                *lens_widgets.grain_inputs(),
            ],
            outputs=[
                sockets.Lens.Output(
                    display_name="lens",
                    tooltip="The lens, for Lens Blur, Viewfinder, Focus Preview, One-Step Bokeh Sampler or "
                    "Any-to-Bokeh Video.",
                ),
                io.String.Output(display_name="report", tooltip="The values used that are not the defaults."),
                plot_output("The numbers of over_time, up to their last keyframe,"),
            ],
            **known_fields(
                io.Schema,
                search_aliases=["swirly", "soap bubble", "petzval", "cat eye", "preset", "fringing"],
            ),
        )

    @classmethod
    def execute(
        cls,
        preset: str = CUSTOM,
        aperture_image: Any = None,
        over_time: str = "",
        easing: str = "linear",
        **lens_controls: Any,
    ) -> io.NodeOutput:
        controls = lens_controls if preset == CUSTOM else with_preset(preset, lens_controls)
        image = None if aperture_image is None else aperture_image_of(aperture_image)
        lens = lens_widgets.lens_of_widgets(controls, over_time, easing, image)
        return io.NodeOutput(lens, f"{preset}: {lens_report(lens)}", plot_of(stated_numbers(lens)))
