"""All figures on one page, bench/results.md: what was measured against what, its spread, its goal, when and where."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from bench.report.figures import FOLDER

PAGE = FOLDER.parent / "results.md"
LEAST_ROUNDS, LEAST_RUNS = 5, 2
HEAD = f"""# Figures

Written by `make bench`, from the JSON in [results](results), which has every round. A figure is the median of at least
{LEAST_ROUNDS} rounds from at least {LEAST_RUNS} runs, with the least and the largest round; what has fewer is marked,
and is to be measured anew. A figure with a baseline is a multiple of it, in the same round: less is better, but for
rows a second.
"""


def write_page() -> None:
    """Write the page from whatever JSON there is."""
    PAGE.write_text(page())


def page() -> str:
    """The page's text."""
    kept = {path.stem: json.loads(path.read_text()) for path in sorted(FOLDER.glob("*.json"))}
    return "\n".join([HEAD, *(part(name, values) for name, values in kept.items() if "figures" in values)])


def part(name: str, kept: Mapping[str, Any]) -> str:
    """What one benchmark's JSON says, as a table."""
    lines = [f"## {kept['benchmark']}", "", f"{_when(kept['runs'])} [Drawn](results/{name}.png).", "",
             "| figure | baseline | median (least to most) | goal | rounds |", "|---|---|---|---|---|"]
    lines += [_row(figure, len(kept["runs"])) for figure in kept["figures"]]
    return "\n".join(lines) + "\n"


def _row(figure: Mapping[str, Any], runs: int) -> str:
    unit = "" if figure["unit"] == "times" else f" {figure['unit']}"
    spread = f"**{_number(figure['median'])}**{unit} ({_number(figure['least'])} to {_number(figure['most'])})"
    goal = "none set"
    if figure.get("at_most") is not None:
        goal = f"at most {_number(figure['at_most'])}: {'**missed**' if figure['missed'] else 'held'}"
    return f"| {figure['what']} | {figure['baseline'] or ''} | {spread} | {goal} | {_rounds(figure['rounds'], runs)} |"


def _rounds(rounds: int | None, runs: int) -> str:
    """How many, and whether that is enough."""
    if rounds is None:
        return "one run, rounds unknown"
    count = f"{rounds} in {runs} run{'s' if runs > 1 else ''}"
    return count if rounds >= LEAST_ROUNDS and runs >= LEAST_RUNS else f"{count}: too few"


def _when(runs: Sequence[Mapping[str, Any]]) -> str:
    """Dates and machines of the runs, in a sentence each."""
    days = sorted({str(run["when"])[:10] if run.get("when") else "an unknown day" for run in runs})
    machines = {_machine(run.get("machine") or {}) for run in runs}
    return f"Measured on {', '.join(days)}; {' and '.join(sorted(machines))}."


def _machine(machine: Mapping[str, Any]) -> str:
    if not machine:
        return "machine unknown"
    memory = f"{machine['memory_gib']} GiB of memory" if "memory_gib" in machine else ""
    words = [machine.get("processor"), f"{machine['cores']} cores", memory, machine.get("system"),
             f"Python {machine['python']}" if "python" in machine else ""]
    return ", ".join(str(word) for word in words if word)


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.2f}"
