#!/bin/sh
# What anyone with a card runs first: everything that only a GPU can tell, in at most 8 minutes, as tables
# ready for docs/performance.md.
#
#     sh bench/all_gpu.sh [DEVICE] [FILE]      for example: sh bench/all_gpu.sh cuda tables.md
#
# DEVICE is any that torch knows (default cuda); FILE is where the tables go too (default gpu_tables.md).
# Needs torch with that device, and diffusers, einops, opencv-python, av, safetensors.
set -eu
cd "$(dirname "$0")/.."
device=${1:-cuda}
file=${2:-gpu_tables.md}
python=${PYTHON:-python3}
small=""
[ "$device" = cpu ] && small=--small
if [ -e "$file" ]; then
    echo "$file is already there; name another file." >&2
    exit 1
fi
{
    echo "## Lens Blur"
    echo
    "$python" -m bench.lens --device "$device" $small
    echo
    echo "## The paper's network"
    echo
    "$python" -m bench.gpu --device "$device" $small
} | tee "$file"
