"""The pictures that go with the figures."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence

import matplotlib as mpl
from matplotlib.figure import Figure

mpl.use("Agg")
from matplotlib import pyplot as plt  # the backend is chosen first

from bench.report.figures import FOLDER, Seconds, ratios

# Seconds of each round by case, by way, by size.
Curves = Mapping[str, Mapping[str, Mapping[int, Sequence[float]]]]
COLOURS = ("#1f3b57", "#d2803c", "#6a9a5b", "#9467a8", "#8c8c8c")


def draw_curves(name: str, title: str, unit: str, curves: Curves) -> None:
    """Draw `<name>.png`: a panel for each case, a line for each way, both axes logarithmic."""
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
    figure.supylabel("seconds; line: median, dots: rounds", fontsize=9)
    figure.suptitle(title, fontsize=10)
    save(name, figure)


def draw_bars(name: str, title: str, baseline: str, seconds: Seconds) -> None:
    """Draw `<name>.png`: a bar for the median of each way with its multiple of the baseline, a dot for each round."""
    multiples = {baseline: 1.0, **{figure.what: figure.median for figure in ratios([seconds], [baseline])}}
    figure, axes = plt.subplots(figsize=(8, 1.2 + 0.7 * len(seconds)), layout="constrained")
    for row, (way, runs) in enumerate(reversed(seconds.items())):
        axes.barh(row, statistics.median(runs), color="#9db8d2", height=0.4)
        axes.plot(runs, [row] * len(runs), "o", color="#1f3b57", markersize=4)
        # Above its bar, where no dot can lie upon it.
        axes.text(0, row + 0.24, f"{way}: {multiples[way]:.2f}x", va="bottom",
                  transform=axes.get_yaxis_transform())
    axes.set_yticks([])
    axes.set_ylim(-0.5, len(seconds) - 0.3)
    axes.set_xlim(left=0)
    axes.set_xlabel("seconds; bar: median, dots: rounds")
    axes.set_title(title, loc="left", fontsize=10)
    axes.spines[["top", "right", "left"]].set_visible(False)
    save(name, figure)


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
    save(name, figure)


def save(name: str, figure: Figure) -> None:
    """Write a figure of pyplot's as `<name>.png`, and let go of it."""
    FOLDER.mkdir(exist_ok=True)
    figure.savefig(FOLDER / f"{name}.png", dpi=130)
    plt.close(figure)
