"""The loader's cost against rows, and its memory: linear, and flat.

Loads 10^5 rows and ten times as many, again and again, up to BENCH_MOST_ROWS (10^7 unless said otherwise); and makes
BENCH_SINK_ROWS (10^8) for nobody, to see how much memory that takes.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence

from bench.report.figures import Figure
from bench.report.keeping import Run, keep_run
from bench.report.pictures import plt, save
from bench.seeding.seed_server import ROOT, execute, running
from schema.connection import Address
from seed.load.tables import TABLES

MOST = int(float(os.environ.get("BENCH_MOST_ROWS", "1e7")))
SINK = int(float(os.environ.get("BENCH_SINK_ROWS", "1e8")))
ROUNDS = int(os.environ.get("BENCH_ROUNDS", "5"))
LIMIT_MIB = 1.5 * 2**10
TITLE = "Seeding: the loader's time and memory against rows"
# 1,000 devices; the days grow with the rows up to a month, then the pace does: no aggregate has to be refreshed.
_SPEC = """
import json, sys
from datetime import UTC, datetime
from seed import Spec
rows = int(sys.argv[1])
spec = Spec(users=250, devices_per_user=4, days=max(1, min(29, rows // 160_000)), readings=rows, activities=0,
            notifications=0, until=datetime.now(UTC).replace(hour=0, minute=0, second=0))
# Not getrusage, which begins with the peak of the process that started this one.
def peak_bytes():
    return 1024 * next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmHWM"))
"""
_LOAD = _SPEC + """
from schema.connection import Address
from seed.load.loader import LoadOptions, seed
seconds = seed(Address.from_dict(json.load(sys.stdin)), spec, options=LoadOptions(single_transaction_rows=0)).seconds
print(json.dumps({"seconds": seconds, "peak_bytes": peak_bytes()}))
"""
_SINK = _SPEC + """
import threading, time
from seed.load.encoding import binary
from seed.generate.readings.measurements import make_slice, slices
since, parts, made, lock = time.monotonic(), iter(slices(spec)), [0, 0], threading.Lock()
def work():
    while True:
        with lock:
            part = next(parts, None)
        if part is None:
            return
        rows = make_slice(spec, part)
        size = sum(len(binary(type(rows)(rows.table, {name: values[begin:begin + 40_000] for name, values in
                                                      rows.columns.items()}))) for begin in range(0, len(rows), 40_000))
        with lock:
            made[0] += len(rows)
            made[1] += size
threads = [threading.Thread(target=work) for _ in range(3)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
assert made[0] == rows_asked, made
print(json.dumps({"seconds": time.monotonic() - since, "rows": made[0], "bytes": made[1],
                  "peak_bytes": peak_bytes()}))
""".replace("rows_asked", "int(sys.argv[1])")


def run() -> None:
    """Each size into empty tables, in a process of its own."""
    loads: dict[str, list[dict[str, float]]] = {}
    with running() as address:
        for rows in sizes():
            loads[str(rows)] = [_load(address, rows) for _ in range(ROUNDS)]
    sinks = [_in_process(_SINK, SINK, "") for _ in range(ROUNDS)]
    draw(keep_run("seed_scale", TITLE, {"loads": loads, "made_for_nobody": sinks}, figures))


def sizes() -> list[int]:
    """The numbers of rows: 100,000, and ten times as many again and again."""
    return [10**power for power in range(5, 12) if 10**power <= MOST]


def figures(runs: Sequence[Run]) -> list[Figure]:
    """Seconds a row against a smaller load's, in the same round, and memory."""
    rounds = {int(rows): [load for run in runs for load in run["loads"][rows]] for rows in runs[0]["loads"]}
    baseline = 1_000_000 if 1_000_000 in rounds else min(rounds)
    sinks = [sink for run in runs for sink in run["made_for_nobody"]]
    times = [Figure(f"seconds a row, {rows:,} rows",
                    [load["seconds"] / rows / (base["seconds"] / baseline)
                     for load, base in zip(loads, rounds[baseline], strict=True)], f"a row of {baseline:,}")
             for rows, loads in rounds.items() if rows != baseline]
    memory = [Figure(f"peak memory, {rows:,} rows {what}", [load["peak_bytes"] / 2**20 for load in loads], unit="MiB",
                     at_most=LIMIT_MIB)
              for what, by_rows in (("loaded", rounds), ("made for nobody", {int(sinks[0]["rows"]): sinks}))
              for rows, loads in by_rows.items()]
    return [*times, *memory]


def _load(address: Address, rows: int) -> dict[str, float]:
    execute(address, f"TRUNCATE {', '.join(TABLES)}", "CHECKPOINT")
    load = _in_process(_LOAD, rows, json.dumps(address.to_dict()))
    if execute(address, "SELECT count(*) FROM environmental_readings") != [(rows,)]:
        raise SystemExit(f"bench: not all of {rows} rows were loaded")
    print(rows, load, flush=True)
    return load


def _in_process(program: str, rows: int, stdin: str) -> dict[str, float]:
    since = time.monotonic()
    done = subprocess.run([sys.executable, "-c", program, str(rows)], input=stdin, capture_output=True, text=True,
                          check=False, cwd=ROOT)
    if done.returncode != 0:
        raise SystemExit(f"bench: {rows} rows after {time.monotonic() - since:.0f} s: {done.stderr}")
    measured: dict[str, float] = json.loads(done.stdout)
    return measured


def draw(runs: Sequence[Run]) -> None:
    """Draw the medians of time and memory against rows."""
    figure, (left, right) = plt.subplots(1, 2, figsize=(11, 4), layout="constrained")
    rows = [int(size) for size in runs[0]["loads"]]
    seconds, peaks = ([statistics.median(load[key] for run in runs for load in run["loads"][str(size)])
                       for size in rows] for key in ("seconds", "peak_bytes"))
    left.loglog(rows, seconds, "o-", color="#1f3b57", label="loaded")
    left.loglog(rows, [size * seconds[-1] / rows[-1] for size in rows], ":", color="#888888",
                label="in proportion to rows")
    left.set(xlabel="readings", ylabel="seconds", title="Time of a load, indexes and foreign key included")
    left.legend(frameon=False)
    right.semilogx(rows, [peak / 2**20 for peak in peaks], "o-", color="#1f3b57", label="loaded")
    sinks = [sink for run in runs for sink in run["made_for_nobody"]]
    right.semilogx([sinks[0]["rows"]], [statistics.median(sink["peak_bytes"] for sink in sinks) / 2**20], "s",
                   color="#e4572e", label="made for nobody")
    right.axhline(LIMIT_MIB, color="#888888", linestyle=":", label="limit")
    right.set(xlabel="readings", ylabel="MiB resident at most", title="Memory of the loader", ylim=(0, None))
    right.legend(frameon=False)
    save("seed_scale", figure)
