"""What a benchmark has found: medians of rounds with their spread, against a named baseline, and its goal."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parents[1] / "results"
# Seconds of each round by way; rounds go way by way, so the same places of two lists belong together.
Seconds = Mapping[str, Sequence[float]]
TIMES = "times"


@dataclass(frozen=True)
class Figure:
    """One value a round, of all runs. Without a baseline they are in `unit`, else multiples of the baseline's."""

    what: str
    values: Sequence[float]
    baseline: str | None = None
    unit: str = TIMES
    at_most: float | None = None

    @property
    def median(self) -> float:
        """The figure that is told."""
        return statistics.median(self.values)

    def to_dict(self) -> dict[str, Any]:
        """As it is kept: rounded, with the least and the largest round; `missed` where there is a goal."""
        goal = {} if self.at_most is None else {"at_most": self.at_most, "missed": round(self.median, 3) > self.at_most}
        return {"what": self.what, "baseline": self.baseline, "unit": self.unit, "median": round(self.median, 3),
                "least": round(min(self.values), 3), "most": round(max(self.values), 3), "rounds": len(self.values),
                **goal}


def ratios(runs: Sequence[Seconds], baselines: Sequence[str],
           goals: Mapping[tuple[str, str], float] | None = None) -> list[Figure]:
    """Every way as a multiple of each baseline, round by round: what slows a whole round down does not count.

    A goal is the largest multiple that (way, baseline) may have.
    """
    ways = [way for way in runs[0] if way != baselines[0]]
    return [Figure(way, [way_seconds / baseline_seconds for run in runs
                         for way_seconds, baseline_seconds in zip(run[way], run[baseline], strict=True)],
                   baseline, at_most=(goals or {}).get((way, baseline)))
            for way in ways for baseline in baselines if way != baseline]


def pooled(runs: Sequence[Seconds]) -> dict[str, list[float]]:
    """The rounds of all runs by way."""
    return {way: [seconds for run in runs for seconds in run[way]] for way in runs[0]}
