"""The command `bokeh convert`, which is `python -m bokeh_core.convert` too."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from functools import partial

from ..checkpoint.precision import DTYPES
from ..console import advance, progress_bar, write_what_the_stream_can_show
from ..published import MPI_MODES, PUBLISHED_MPI_MODE
from .single_file import convert


def main(argv: Sequence[str] | None = None, called: str = "python -m bokeh_core.convert") -> int:
    """Command line; 0 when the file is written, 1 with the reason on stderr otherwise."""
    write_what_the_stream_can_show()
    parser = argparse.ArgumentParser(
        prog=called,
        description="Turn the published U-Net or VAE into one .safetensors file with its config inside.",
    )
    parser.add_argument(
        "source", metavar="SRC", help="published folder, or a .bin, .pth or .safetensors file"
    )
    parser.add_argument("destination", metavar="DST", help="the .safetensors file to write")
    parser.add_argument("--dtype", choices=sorted(DTYPES), help="dtype of the weights (default: as stored)")
    parser.add_argument("--keep-ff-k", action="store_true", help="keep the ff_k layers, which nothing reads")
    parser.add_argument(
        "--mpi-mode",
        choices=MPI_MODES,
        help=f"what the U-Net was trained for (default: {PUBLISHED_MPI_MODE})",
    )
    arguments = parser.parse_args(argv)
    try:
        with progress_bar("converting", "tensor", quiet_s=1) as bar:
            report = convert(
                arguments.source,
                arguments.destination,
                dtype=DTYPES.get(arguments.dtype),
                keep_ff_k=arguments.keep_ff_k,
                mpi_mode=arguments.mpi_mode,
                progress=partial(advance, bar),
            )
    except ValueError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.write(report + "\n")
    return 0
