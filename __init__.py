"""Any-to-Bokeh for ComfyUI: give any video a lens, with blur that follows depth."""

WEB_DIRECTORY = "./web"

# The package body stays importable without a host, so that tools that import the repository root
# (test collectors, packagers) do not need ComfyUI; the host only calls comfy_entrypoint.


async def comfy_entrypoint():  # type: ignore[no-untyped-def]  # the return type exists only inside the host
    """Hand the pack's nodes to the host."""
    from .nodes import AnyToBokehExtension

    return AnyToBokehExtension()
