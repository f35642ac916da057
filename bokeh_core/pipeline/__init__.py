"""The paper's method in order: inputs -> latents -> one step over windows -> frames."""

from .streaming import BokehPipeline

__all__ = ["BokehPipeline"]
