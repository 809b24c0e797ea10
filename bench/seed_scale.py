"""The loader's cost against rows, and its memory: linear, and flat.

Loads 10^5 rows and ten times as many, again and again, up to BENCH_MOST_ROWS (10^7 unless said otherwise); and makes
BENCH_SINK_ROWS (10^8) for nobody, to see how much memory that takes.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from datetime import UTC, datetime

from bench.results import FOLDER, plt
from bench.seed_server import ROOT, execute, running
from seed.tables import TABLES

MOST = int(float(os.environ.get("BENCH_MOST_ROWS", "1e7")))
SINK = int(float(os.environ.get("BENCH_SINK_ROWS", "1e8")))
LIMIT_BYTES = 1.5 * 2**30
# 1,000 devices; the days grow with the rows up to a month, then the pace does: no aggregate has to be refreshed.
_SPEC = """
import json, resource, sys
from datetime import UTC, datetime
from seed import Spec
rows = int(sys.argv[1])
spec = Spec(users=250, devices_per_user=4, days=max(1, min(29, rows // 160_000)), readings=rows, activities=0,
            notifications=0, until=datetime.now(UTC).replace(hour=0, minute=0, second=0))
"""
_LOAD = _SPEC + """
from schema.connection import Address
from seed.load import Manner, seed
seconds = seed(Address.from_dict(json.load(sys.stdin)), spec, manner=Manner(whole_rows=0)).seconds
print(json.dumps({"seconds": seconds, "peak_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024}))
"""
_SINK = _SPEC + """
import threading, time
from seed.encoding import binary
from seed.measurements import measured, slices
since, parts, made, lock = time.monotonic(), iter(slices(spec)), [0, 0], threading.Lock()
def work():
    while True:
        with lock:
            part = next(parts, None)
        if part is None:
            return
        rows = measured(spec, part)
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
                  "peak_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024}))
""".replace("rows_asked", "int(sys.argv[1])")


def run() -> None:
    """Each size into empty tables, in a process of its own."""
    found: dict[int, dict[str, float]] = {}
    with running() as address:
        rows = 100_000
        while rows <= MOST:
            execute(address, f"TRUNCATE {', '.join(TABLES)}", "CHECKPOINT")
            found[rows] = _in_process(_LOAD, rows, json.dumps(address.to_dict()))
            if execute(address, "SELECT count(*) FROM environmental_readings") != [(rows,)]:
                raise SystemExit(f"bench: not all of {rows} rows were loaded")
            print(rows, found[rows], flush=True)
            rows *= 10
    sink = _in_process(_SINK, SINK, "")
    print("made for nobody:", sink)
    baseline = found[1_000_000]["seconds"] / 1_000_000 if 1_000_000 in found else found[100_000]["seconds"] / 100_000
    kept = {"benchmark": "The loader's cost against rows", "when": datetime.now(UTC).isoformat(timespec="seconds"),
            "baseline": "seconds a row of the load of 1,000,000", "cores": os.cpu_count(),
            "loads": {str(rows): {**each, "ratio": round(each["seconds"] / rows / baseline, 3)}
                      for rows, each in found.items()}, "made_for_nobody": sink, "limit_bytes": LIMIT_BYTES}
    (FOLDER / "seed_scale.json").write_text(json.dumps(kept, indent=2) + "\n")
    _draw(found, sink)


def _in_process(program: str, rows: int, stdin: str) -> dict[str, float]:
    since = time.monotonic()
    done = subprocess.run([sys.executable, "-c", program, str(rows)], input=stdin, capture_output=True, text=True,
                          check=False, cwd=ROOT)
    if done.returncode != 0:
        raise SystemExit(f"bench: {rows} rows after {time.monotonic() - since:.0f} s: {done.stderr}")
    measured: dict[str, float] = json.loads(done.stdout)
    return measured


def _draw(found: dict[int, dict[str, float]], sink: dict[str, float]) -> None:
    figure, (left, right) = plt.subplots(1, 2, figsize=(11, 4), layout="constrained")
    sizes = list(found)
    left.loglog(sizes, [found[rows]["seconds"] for rows in sizes], "o-", color="#1f3b57", label="loaded")
    pace = found[sizes[-1]]["seconds"] / sizes[-1]
    left.loglog(sizes, [rows * pace for rows in sizes], ":", color="#888888", label="in proportion to rows")
    left.set(xlabel="readings", ylabel="seconds", title="Time of a load, indexes and foreign key included")
    left.legend(frameon=False)
    peaks = {**{rows: each["peak_bytes"] for rows, each in found.items()}}
    right.semilogx(list(peaks), [peak / 2**20 for peak in peaks.values()], "o-", color="#1f3b57", label="loaded")
    right.semilogx([sink["rows"]], [sink["peak_bytes"] / 2**20], "s", color="#e4572e", label="made for nobody")
    right.axhline(LIMIT_BYTES / 2**20, color="#888888", linestyle=":", label="limit")
    right.set(xlabel="readings", ylabel="MiB resident at most", title="Memory of the loader", ylim=(0, None))
    right.legend(frameon=False)
    figure.savefig(FOLDER / "seed_scale.png", dpi=130)
    plt.close(figure)
