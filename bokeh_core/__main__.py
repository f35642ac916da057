"""The command `bokeh`, which is `python -m bokeh_core` too.

bokeh IN.mp4 --disparity DEPTH -o OUT.mp4
bokeh convert checkpoints/unet any_to_bokeh_unet.safetensors --dtype fp16
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from bokeh_core.commands import COMMANDS, run_command


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command that the first word names; without one, a video is rendered."""
    words = list(sys.argv[1:] if argv is None else argv)
    if not words:
        words = ["--help"]
    if words[0] not in COMMANDS:
        return run_command("render", words, "bokeh")
    return run_command(words[0], words[1:], f"bokeh {words[0]}")


if __name__ == "__main__":
    sys.exit(main())
