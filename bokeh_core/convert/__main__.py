"""A published folder, .bin or .pth into one .safetensors file that carries its config.

python -m bokeh_core.convert SRC DST [--dtype fp16|bf16|fp32] [--keep-ff-k] [--mpi-mode released|paper]
"""

import sys

from ..commands import run_command

if __name__ == "__main__":
    sys.exit(run_command("convert", sys.argv[1:], "python -m bokeh_core.convert"))
