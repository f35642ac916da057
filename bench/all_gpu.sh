#!/bin/sh
# What anyone with a card runs first: everything that only a GPU can tell, in at most 8 minutes, as tables
# ready for docs/performance.md.
#
#     sh bench/all_gpu.sh [DEVICE] [FILE]      for example: sh bench/all_gpu.sh cuda tables.md
#
# DEVICE is any that torch knows (default: the accelerator at hand); FILE is where the tables go too (default
# gpu_tables.md). With DEVICE cpu everything is small, which shows only that it runs.
# Needs torch with that device, and diffusers, einops, opencv-python, av, safetensors.
set -eu
cd "$(dirname "$0")/.."
python=${PYTHON:-python3}
device=${1:-$("$python" -c "from bench.device import default_device; print(default_device())")}
file=${2:-gpu_tables.md}
small=""
[ "$device" = cpu ] && small=--small
if [ -e "$file" ]; then
    echo "$file is already there; name another file." >&2
    exit 1
fi

# One fails, the other is still measured.
part() {
    echo "## $1"
    echo
    "$python" -m "$2" --device "$device" $small || echo "FAILED: python -m $2 --device $device $small"
    echo
}

began=$(date +%s)
{
    part "Lens Blur" bench.lens
    part "The paper's network" bench.gpu
    echo "All of it took $(($(date +%s) - began)) s."
} | tee "$file"
! grep -q "^FAILED" "$file"
