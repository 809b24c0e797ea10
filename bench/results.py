"""What a benchmark leaves behind: the figures as JSON, and the same as a picture."""

from __future__ import annotations

import json
import os
import platform
import statistics
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import matplotlib as mpl

mpl.use("Agg")
from matplotlib import pyplot as plt  # the backend is chosen first

FOLDER = Path(__file__).parent / "results"
# Seconds of each run by case, by way, by size.
Curves = Mapping[str, Mapping[str, Mapping[int, list[float]]]]
COLOURS = ("#1f3b57", "#d2803c", "#6a9a5b", "#9467a8", "#8c8c8c")


def keep(name: str, title: str, baseline: str, seconds: Mapping[str, Sequence[float]]) -> dict[str, float]:
    """Write `<name>.json` and `<name>.png`; returns each way's median as a multiple of the baseline's."""
    medians = {way: statistics.median(runs) for way, runs in seconds.items()}
    ratios = {way: round(median / medians[baseline], 3) for way, median in medians.items()}
    write(name, {"benchmark": title, "baseline": baseline,
                 "seconds": {way: [round(run, 2) for run in runs] for way, runs in seconds.items()}, "ratios": ratios})
    _draw(FOLDER / f"{name}.png", title, seconds, ratios)
    return ratios


def keep_curves(name: str, title: str, baseline: str, unit: str, curves: Curves,
                facts: Mapping[str, Any]) -> dict[str, Any]:
    """Write `<name>.json` and `<name>.png`, one panel for each case; returns for each case and size every way's median
    as a multiple of the baseline's, and how much longer the largest size takes for each time that it is the smaller."""
    medians = {case: {way: {size: statistics.median(runs) for size, runs in sizes.items()}
                      for way, sizes in ways.items()} for case, ways in curves.items()}
    ratios = {case: {str(size): {way: round(sizes[size] / ways[baseline][size], 2) for way, sizes in ways.items()}
                     for size in ways[baseline]} for case, ways in medians.items()}
    growth = {case: {way: _growth(sizes) for way, sizes in ways.items()} for case, ways in medians.items()}
    seconds = {case: {way: {str(size): [round(run, 3) for run in runs] for size, runs in sizes.items()}
                      for way, sizes in ways.items()} for case, ways in curves.items()}
    write(name, {"benchmark": title, "baseline": baseline, "unit": unit, "seconds": seconds, "ratios": ratios,
                 "growth": growth, **facts})
    _draw_curves(FOLDER / f"{name}.png", title, unit, curves)
    return {"ratios": ratios, "growth": growth}


def write(name: str, found: Mapping[str, Any]) -> None:
    """Write `<name>.json`, with the time and what it was measured on."""
    FOLDER.mkdir(exist_ok=True)
    about = {"when": datetime.now(UTC).isoformat(timespec="seconds"),
             "machine": {"cores": os.cpu_count(), "system": platform.system(), "python": platform.python_version()}}
    (FOLDER / f"{name}.json").write_text(json.dumps({**about, **found}, indent=2) + "\n")


def _growth(sizes: Mapping[int, float]) -> float:
    """Time from the last size but one to the last, divided by how much larger that is: 1 is linear, less is better."""
    smaller, largest = sorted(sizes)[-2:]
    return round(sizes[largest] / sizes[smaller] / (largest / smaller), 2)


def _draw_curves(path: Path, title: str, unit: str, curves: Curves) -> None:
    across = 2
    down = -(-len(curves) // across)
    figure, grid = plt.subplots(down, across, figsize=(9, 0.6 + 3 * down), sharex=True, sharey=True, squeeze=False,
                                layout="constrained")
    for axes, (case, ways) in zip(grid.flat, curves.items(), strict=False):
        for (way, sizes), colour in zip(ways.items(), COLOURS, strict=False):
            axes.plot(list(sizes), [statistics.median(runs) for runs in sizes.values()], color=colour, label=way)
            for size, runs in sizes.items():
                axes.plot([size] * len(runs), runs, "o", color=colour, markersize=3)
        axes.set_xscale("log")
        axes.set_yscale("log")
        axes.set_xticks(sorted({size for sizes in ways.values() for size in sizes}))
        axes.xaxis.set_major_formatter("{x:g}")
        axes.yaxis.set_major_formatter("{x:g}")
        axes.minorticks_off()
        axes.set_title(case, loc="left", fontsize=9)
        axes.grid(alpha=0.3)
        axes.spines[["top", "right"]].set_visible(False)
    grid[0][0].legend(fontsize=8, frameon=False)
    figure.supxlabel(unit, fontsize=9)
    figure.supylabel("seconds; line: median, dots: runs", fontsize=9)
    figure.suptitle(title, fontsize=10)
    figure.savefig(path, dpi=130)
    plt.close(figure)


def _draw(path: Path, title: str, seconds: Mapping[str, Sequence[float]], ratios: Mapping[str, float]) -> None:
    figure, axes = plt.subplots(figsize=(8, 1.2 + 0.7 * len(seconds)), layout="constrained")
    for row, (way, runs) in enumerate(reversed(seconds.items())):
        axes.barh(row, statistics.median(runs), color="#9db8d2", height=0.4)
        axes.plot(runs, [row] * len(runs), "o", color="#1f3b57", markersize=4)
        # Above its bar, where no dot can lie upon it.
        axes.text(0, row + 0.24, f"{way}: {ratios[way]:.2f}x", va="bottom", transform=axes.get_yaxis_transform())
    axes.set_yticks([])
    axes.set_ylim(-0.5, len(seconds) - 0.3)
    axes.set_xlim(left=0)
    axes.set_xlabel("seconds; bar: median, dots: runs")
    axes.set_title(title, loc="left", fontsize=10)
    axes.spines[["top", "right", "left"]].set_visible(False)
    figure.savefig(path, dpi=130)
    plt.close(figure)


def draw_stalls(name: str, title: str, panels: Mapping[str, Mapping[str, Mapping[str, float]]], limit: float) -> None:
    """Draw `<name>.png`: for each panel and row the median, the 99th percentile and the longest of its waits."""
    rows = list(next(iter(panels.values())))
    figure, grid = plt.subplots(1, len(panels), figsize=(11, 1.2 + 0.24 * len(rows)), sharex=True, sharey=True,
                                squeeze=False, layout="constrained")
    for axes, (panel, waits) in zip(grid.flat, panels.items(), strict=True):
        for mark, colour, label in (("median", "#9db8d2", "median"), ("p99", "#d2803c", "99th percentile"),
                                    ("max", "#1f3b57", "longest")):
            axes.plot([waits[row][mark] for row in rows], range(len(rows)), "o", color=colour, label=label,
                      markersize=4)
        for place, row in enumerate(rows):
            axes.plot([waits[row]["median"], waits[row]["max"]], [place, place], color="#c8c8c8", zorder=0)
        axes.axvline(limit, color="#b03030", linestyle=":", label="lock timeout")
        axes.set_xscale("log")
        axes.xaxis.set_major_formatter("{x:g}")
        axes.set_yticks(range(len(rows)), rows, fontsize=8)
        axes.set_title(panel, loc="left", fontsize=9)
        axes.grid(alpha=0.3, axis="x")
        axes.spines[["top", "right", "left"]].set_visible(False)
    grid[0][0].invert_yaxis()
    grid[0][0].legend(fontsize=8, frameon=False)
    figure.supxlabel("seconds that a write took", fontsize=9)
    figure.suptitle(title, fontsize=10)
    FOLDER.mkdir(exist_ok=True)
    figure.savefig(FOLDER / f"{name}.png", dpi=130)
    plt.close(figure)
