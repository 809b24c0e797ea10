"""What a benchmark leaves behind: its rounds and figures as JSON, and the same as a picture.

The runs of one call of `python -m bench` are kept together; what an earlier call has left is replaced.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench.report.figures import FOLDER, Figure, Seconds, pooled, ratios
from bench.report.pictures import Curves, draw_bars, draw_curves

Run = Mapping[str, Any]
# The runs of this process by benchmark.
_RUNS: dict[str, list[Run]] = {}


def keep(name: str, title: str, baselines: Sequence[str], seconds: Seconds,
         goals: Mapping[tuple[str, str], float] | None = None) -> None:
    """Add a run, in seconds by way and round, to `<name>.json`, and draw all of them as `<name>.png`.

    Every way is stated as a multiple of each baseline; a goal is the largest multiple that (way, baseline) may have.
    """
    rounded = {way: [round(value, 3) for value in rounds] for way, rounds in seconds.items()}
    runs = keep_run(name, title, {"seconds": rounded},
                    lambda runs: ratios([run["seconds"] for run in runs], baselines, goals))
    draw_bars(name, title, baselines[0], pooled([run["seconds"] for run in runs]))


def keep_curves(name: str, title: str, baseline: str, unit: str, curves: Curves, facts: Mapping[str, Any]) -> None:
    """Add a run, in seconds by case, way, size and round, to `<name>.json`, and draw it, one panel for each case."""
    seconds = {case: {way: {str(size): [round(value, 3) for value in rounds] for size, rounds in sizes.items()}
                      for way, sizes in ways.items()} for case, ways in curves.items()}
    keep_run(name, title, {"unit": unit, "seconds": seconds, **facts},
             lambda runs: curve_figures([run["seconds"] for run in runs], baseline, unit))
    draw_curves(name, title, unit, curves)


def curve_figures(runs: Sequence[Mapping[str, Mapping[str, Mapping[str, Sequence[float]]]]], baseline: str,
                  unit: str) -> list[Figure]:
    """Every way as a multiple of the baseline, by case and size."""
    return [Figure(f"{case}, {size} {unit}: {figure.what}", figure.values, baseline)
            for case, ways in runs[0].items() for size in ways[baseline]
            for figure in ratios([{way: run[case][way][size] for way in ways} for run in runs], [baseline])]


def keep_run(name: str, title: str, run: Run, figures: Callable[[Sequence[Run]], Sequence[Figure]]) -> Sequence[Run]:
    """Add a run to `<name>.json`, with its time and machine; print and keep the figures of all runs; returns those."""
    runs = _RUNS.setdefault(name, [])
    runs.append({"when": datetime.now(UTC).isoformat(timespec="seconds"), "machine": machine(), "program": _commit(),
                 **run})
    write(name, title, runs, figures(runs))
    return runs


def write(name: str, title: str, runs: Sequence[Run], figures: Sequence[Figure]) -> None:
    """Write `<name>.json`, and print its figures."""
    FOLDER.mkdir(exist_ok=True)
    kept = [figure.to_dict() for figure in figures]
    text = json.dumps({"benchmark": title, "figures": kept, "runs": runs}, indent=2)
    (FOLDER / f"{name}.json").write_text(text + "\n")
    for figure in kept:
        against = f" of {figure['baseline']}" if figure["baseline"] else ""
        missed = f", MISSED: at most {figure['at_most']}" if figure.get("missed") else ""
        print(f"{name}: {figure['what']}: {figure['median']} {figure['unit']}{against} "
              f"({figure['least']} to {figure['most']}, {figure['rounds']} rounds{missed})", flush=True)


def machine() -> dict[str, Any]:
    """What figures depend on: processor, cores, memory, system, Python."""
    machine: dict[str, Any] = {"cores": os.cpu_count(), "system": f"{platform.system()} {platform.release()}",
                             "python": platform.python_version()}
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        names = [line.split(":", 1)[1].strip() for line in cpuinfo.read_text().splitlines()
                 if line.startswith("model name")]
        machine |= {"processor": names[0]} if names else {}
        machine["memory_gib"] = round(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30)
    return machine


def _commit() -> str:
    """The commit that is measured, "changed" where the checkout has more than that; empty outside of git."""
    def git(*words: str) -> str:
        return subprocess.run(["git", *words], cwd=FOLDER.parent, capture_output=True, text=True, check=False).stdout

    changed = git("status", "--porcelain", "--", ":(top)", *(f":(exclude,top)bench/{name}" for name in
                                                             ("results", "results.md")))
    return git("rev-parse", "--short", "HEAD").strip() + (" changed" if changed.strip() else "")
