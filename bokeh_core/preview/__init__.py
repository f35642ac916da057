"""What is shown before anything is rendered: the focus in colours and over time, and a strip of the clip."""

from .focus_colours import captions_of, focus_preview

__all__ = ["captions_of", "focus_preview"]
