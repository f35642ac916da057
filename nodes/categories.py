"""Where the pack's nodes stand in the host's menu of nodes."""

_PACK = "Any-to-Bokeh"

DEPTH = f"{_PACK}/Depth"
FOCUS = f"{_PACK}/Focus"
RENDER = f"{_PACK}/Render"
PAPERS_MODEL = f"{_PACK}/Paper's Model"

# A heading that newer hosts have among their essential nodes, beside the categories.
ESSENTIAL_OF_VIDEO = "Video Tools"
