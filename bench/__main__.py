"""Side-by-side benchmarks: `python -m bench [name ...]`; each writes JSON and pictures to bench/results/, and all
figures come to stand in bench/results.md. Each is run twice (BENCH_RUNS), one after the other has been."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable

from bench.backups import backup_logical, backup_memory, backup_physical, recovery
from bench.report.page import PAGE, write_page
from bench.schema import online_changes, plan, side_by_side, unchanged_objects, unchanged_up
from bench.seeding import ingest, seed_load, seed_scale, seed_specification

RUNS = int(os.environ.get("BENCH_RUNS", "2"))
BENCHMARKS: dict[str, Callable[[], None]] = {
    "backup_logical": backup_logical.run, "backup_memory": backup_memory.run, "backup_physical": backup_physical.run,
    "recovery": recovery.run,
    "unchanged_up": unchanged_up.run, "plan": plan.run, "unchanged_objects": unchanged_objects.run,
    "side_by_side": side_by_side.run,
    "online_changes": online_changes.run, "seed_load": seed_load.run, "seed_specification": seed_specification.run,
    "seed_scale": seed_scale.run, "ingest": ingest.run}


def main(names: list[str]) -> int:
    """Run the named benchmarks, or all, and write the page; "page" alone writes the page. 2 where a name is unknown."""
    unknown = [name for name in names if name not in (*BENCHMARKS, "page")]
    if unknown:
        print(f"bench: no benchmark {', '.join(unknown)}; there are: {', '.join(BENCHMARKS)}", file=sys.stderr)
        return 2
    # Every benchmark once, then every one again: a bad quarter of an hour is in one run of a figure, not in both.
    for number in range(RUNS):
        for name in names or BENCHMARKS:
            if name != "page":
                print(f"== {name}, run {number + 1} of {RUNS}", flush=True)
                BENCHMARKS[name]()
    write_page()
    print(f"all figures: {PAGE}")
    return 0


sys.exit(main(sys.argv[1:]))
