"""The long run: `python -m tests.hostile --count 100000 --seed 1`.

Inputs are tried in batches, each in a process of its own that may use so much memory and so much time, so
that a hang or an allocation counts as a failure too. A batch that fails is named; `--again` tries it alone.
"""

from __future__ import annotations

import argparse
import math
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from .batches import Outcome, batches_of, run_batch
from .kinds import kind_names, kind_of, share_of


def main() -> int:
    """Run the kinds and print a table; 1 if any input had an outcome that is not promised."""
    parser = argparse.ArgumentParser(prog="python -m tests.hostile", description=__doc__)
    names = kind_names()
    parser.add_argument("--count", type=int, default=100_000, help="inputs in all, shared out over the kinds")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--kind", choices=names, action="append", help="only this one (repeatable)")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument(
        "--again", nargs=3, metavar=("KIND", "SEED", "COUNT"), help="one batch, as it was named"
    )
    arguments = parser.parse_args()
    if arguments.again:
        kind, seed, count = arguments.again
        with tempfile.TemporaryDirectory() as folder:
            counts = kind_of(kind).run(int(seed), int(count), Path(folder))
        sys.stdout.write(f"{dict(counts)}\n")
        return 0
    kinds = arguments.kind or names
    whole = sum(share_of(kind) for kind in kinds)
    planned = {kind: math.ceil(arguments.count * share_of(kind) / whole) for kind in kinds}
    batches = [batch for kind in kinds for batch in batches_of(kind, planned[kind], arguments.seed)]
    totals: dict[str, Counter[str]] = {kind: Counter() for kind in kinds}
    left = Counter(batch.kind for batch in batches)
    failures: list[Outcome] = []
    started = time.monotonic()
    with ThreadPoolExecutor(arguments.processes) as pool:
        for outcome in pool.map(run_batch, batches):
            kind = outcome.batch.kind
            totals[kind] += outcome.counts
            left[kind] -= 1
            if not left[kind]:
                shown = ", ".join(f"{name} {count}" for name, count in totals[kind].most_common())
                sys.stdout.write(f"{kind_of(kind).NAME}: {totals[kind].total()} inputs: {shown}\n")
                sys.stdout.flush()
            if outcome.failure:
                failures.append(outcome)
                b = outcome.batch
                sys.stderr.write(f"--again {b.kind} {b.seed} {b.count}: {outcome.failure}\n")
                sys.stderr.flush()
    tried = sum(seen.total() for seen in totals.values())
    seconds = time.monotonic() - started
    sys.stdout.write(
        f"{tried} inputs in {seconds:.0f} s, {len(failures)} batches failed (seed {arguments.seed}).\n"
    )
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
