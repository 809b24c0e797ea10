"""Side-by-side benchmarks: `python -m bench [name ...]`; each writes a JSON and a picture to bench/results/."""

from __future__ import annotations

import sys
from collections.abc import Callable

from bench import (
    backup_logical,
    backup_memory,
    backup_physical,
    ingest,
    online_changes,
    plan,
    recovery,
    seed_load,
    seed_scale,
    seed_specification,
    unchanged_objects,
    unchanged_up,
)

BENCHMARKS: dict[str, Callable[[], None]] = {
    "backup_logical": backup_logical.run, "backup_memory": backup_memory.run, "backup_physical": backup_physical.run,
    "recovery": recovery.run,
    "unchanged_up": unchanged_up.run, "plan": plan.run, "unchanged_objects": unchanged_objects.run,
    "online_changes": online_changes.run, "seed_load": seed_load.run, "seed_specification": seed_specification.run,
    "seed_scale": seed_scale.run, "ingest": ingest.run}


def main(names: list[str]) -> int:
    """Run the named benchmarks, or all; 2 where a name is unknown."""
    unknown = [name for name in names if name not in BENCHMARKS]
    if unknown:
        print(f"bench: no benchmark {', '.join(unknown)}; there are: {', '.join(BENCHMARKS)}", file=sys.stderr)
        return 2
    for name in names or BENCHMARKS:
        print(f"== {name}")
        BENCHMARKS[name]()
    return 0


sys.exit(main(sys.argv[1:]))
