"""What a benchmark leaves behind: the figures as JSON, and the same as a picture."""

from __future__ import annotations

import json
import os
import platform
import statistics
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import matplotlib as mpl

mpl.use("Agg")
from matplotlib import pyplot as plt  # the backend is chosen first

FOLDER = Path(__file__).parent / "results"


def keep(name: str, title: str, baseline: str, seconds: Mapping[str, Sequence[float]]) -> dict[str, float]:
    """Write `<name>.json` and `<name>.png`; returns each way's median as a multiple of the baseline's."""
    FOLDER.mkdir(exist_ok=True)
    medians = {way: statistics.median(runs) for way, runs in seconds.items()}
    ratios = {way: round(median / medians[baseline], 3) for way, median in medians.items()}
    found = {
        "benchmark": title, "when": datetime.now(UTC).isoformat(timespec="seconds"), "baseline": baseline,
        "machine": {"cores": os.cpu_count(), "system": platform.system(), "python": platform.python_version()},
        "seconds": {way: [round(run, 2) for run in runs] for way, runs in seconds.items()}, "ratios": ratios,
    }
    (FOLDER / f"{name}.json").write_text(json.dumps(found, indent=2) + "\n")
    _draw(FOLDER / f"{name}.png", title, seconds, ratios)
    return ratios


def _draw(path: Path, title: str, seconds: Mapping[str, Sequence[float]], ratios: Mapping[str, float]) -> None:
    figure, axes = plt.subplots(figsize=(8, 1.2 + 0.7 * len(seconds)), layout="constrained")
    for row, (way, runs) in enumerate(reversed(seconds.items())):
        axes.barh(row, statistics.median(runs), color="#9db8d2", height=0.6)
        axes.plot(runs, [row] * len(runs), "o", color="#1f3b57", markersize=4)
        axes.text(0.02, row, f" {way}: {ratios[way]:.2f}x", va="center", transform=axes.get_yaxis_transform())
    axes.set_yticks([])
    axes.set_xlim(left=0)
    axes.set_xlabel("seconds; bar: median, dots: runs")
    axes.set_title(title, loc="left", fontsize=10)
    axes.spines[["top", "right", "left"]].set_visible(False)
    figure.savefig(path, dpi=130)
    plt.close(figure)
