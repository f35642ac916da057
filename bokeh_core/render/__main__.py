"""Lens blur or the paper's model on video files of any length, without a host.

python -m bokeh_core.render IN.mp4 --disparity DEPTH --focus point:512,288 --strength 16 -o OUT.mp4
python -m bokeh_core.render IN.mp4 --disparity estimate -o OUT.mp4
accelerate launch -m bokeh_core.render CLIPS/ --disparity DEPTHS/ -o RENDERED/
"""

import sys

from ..commands import run_command

if __name__ == "__main__":
    sys.exit(run_command("render", sys.argv[1:], "python -m bokeh_core.render"))
