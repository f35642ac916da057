"""How closely the network's numbers agree with the published inference, and what half precision costs.

Run from the repository's root: python -m bench.agreement
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from bokeh_core.checkpoint.load import load_unet, load_vae
from bokeh_core.models import BokehUNet, RefinedVAE
from bokeh_core.published import MPI_MODES

GOLDEN = Path(__file__).resolve().parents[1] / "tests" / "golden"
DTYPES = (torch.float32, torch.float16, torch.bfloat16)


def golden(name: str) -> dict[str, Tensor]:
    """Read one set of golden numbers."""
    with np.load(GOLDEN / f"{name}.npz") as arrays:
        return {key: torch.from_numpy(arrays[key]) for key in arrays.files}


def outputs(unet: BokehUNet, vae: RefinedVAE, dtype: torch.dtype) -> Iterator[tuple[str, Tensor, Tensor]]:
    """Run each stage on golden inputs: (what, result, golden result)."""
    for name, windows in (("one_window", 1), ("two_windows", 2)):
        numbers = golden(f"unet_{name}")
        suffix = "_perwindow" if windows == 2 else ""
        embeds = numbers["encoder_hidden_states"].view(windows, 8, -1)
        for mode in MPI_MODES:
            result = unet(
                numbers["sample"].to(dtype), numbers["input_k"], embeds.to(dtype), numbers["mpi_mask"], mode
            )
            yield f"U-Net, {name.replace('_', ' ')}, {mode}", result, numbers[f"out_{mode}{suffix}"]
    numbers = golden("vae")
    latents, skips = vae.encode(numbers["image"].to(dtype))
    factor = vae.config.scaling_factor
    yield "VAE encode, posterior mean", latents / factor, numbers["mean"]
    yield "VAE decode, 8 frames", vae.decode(numbers["z"].to(dtype) * factor, skips), numbers["decoded"]


def main() -> None:
    """Print the table: largest difference, and root mean square difference over that of the golden result."""
    print(
        "| stage | "
        + " | ".join(f"{str(d).removeprefix('torch.')}, max / relative RMS" for d in DTYPES)
        + " |"
    )
    print("|---|" + "---|" * len(DTYPES))
    rows: dict[str, list[str]] = {}
    for dtype in DTYPES:
        unet, vae = load_unet(GOLDEN / "unet", dtype), load_vae(GOLDEN / "vae", dtype)
        with torch.no_grad():
            for what, result, expected in outputs(unet, vae, dtype):
                difference = result.double() - expected.double()
                relative = difference.square().mean().sqrt() / expected.double().square().mean().sqrt()
                cell = f"{difference.abs().max():.1e} / {relative:.1e}"
                rows.setdefault(what, []).append(cell)
    for what, cells in rows.items():
        print(f"| {what} | " + " | ".join(cells) + " |")


if __name__ == "__main__":
    main()
