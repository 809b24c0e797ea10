"""The counts of the side-by-side benchmark as the table that docs/schema/README.md shows."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from bench.report.figures import FOLDER

FILE = FOLDER / "side_by_side.json"


def read_counts() -> Mapping[str, Any]:
    """Return what the last run counted."""
    counts: Mapping[str, Any] = json.loads(FILE.read_text(encoding="utf-8"))
    return counts


def table(kept: Mapping[str, Any]) -> str:
    """A line for each tool, with how often each stage passed of how often it was tried."""
    stages = list(kept["of"])
    lines = [f"| | {' | '.join(stages)} |", f"|---|{'---|' * len(stages)}"]
    for tool, counts in kept["counts"].items():
        passed = " | ".join(f"{counts[stage]} of {kept['of'][stage]}" for stage in stages)
        lines.append(f"| {tool} | {passed} |")
    return "\n".join(lines) + "\n"
