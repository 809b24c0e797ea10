"""How long writers wait while the schema changes under them: each online change against the same writers undisturbed,
and once more while somebody reads the tables in a long transaction."""

from __future__ import annotations

import os
import statistics
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from bench.report.figures import Figure
from bench.report.keeping import Run, keep_run
from bench.report.pictures import draw_stalls
from schema import apply
from schema.comparison.compare import Options
from schema.model.objects import Object
from tests.support.running.servers import Database, Server, create_database, drop_database, require_official, running
from tests.support.schemas.online_changes import BEFORE, COMMUNITY, COMPRESSED, PLAIN, after
from tests.support.writers import Writers, reading, writing

LOCK_TIMEOUT_SECONDS = 1.0
OPTIONS = Options(lock_timeout=f"{LOCK_TIMEOUT_SECONDS:g}s", attempts=100)
UNDISTURBED, READ = "no change", "with a long reader"
EVERY_SECONDS, BASELINE_SECONDS, READ_SECONDS = 0.01, 20.0, 5.0
# Half a million rows in the hypertables, so that builds and proofs take their time.
FILLED = (
    "INSERT INTO rooms (name, email, floor) SELECT 'room ' || n, n || '@example.org', n % 9 "
    "FROM generate_series(1, 100000) n",
    "INSERT INTO samples SELECT 1 + n % 200, localtimestamp - n * interval '5 seconds', n % 90, 90 "
    "FROM generate_series(1, 500000) n",
    "INSERT INTO meters SELECT 1 + n % 20, localtimestamp - n * interval '5 seconds', n, n % 3 "
    "FROM generate_series(1, 500000) n")
Stalls = dict[str, dict[str, float]]
ROUNDS = int(os.environ.get("BENCH_ROUNDS", "5"))
TITLE = "How long a write takes while the schema changes"
CALM = "nobody reads for long"


def run() -> None:
    """Measure every change, draw the waits of the writers."""
    require_official("online_changes")
    with tempfile.TemporaryDirectory(prefix="lcdb-bench-") as folder, running("official", Path(folder)) as server:
        rounds = [_round(server, number) for number in range(ROUNDS)]
    run = {"lock_timeout_seconds": LOCK_TIMEOUT_SECONDS, "rounds": rounds}
    draw(keep_run("online_changes", TITLE, run, figures))


def _round(server: Server, number: int) -> dict[str, Stalls]:
    return {CALM: _measured(create_database(server, f"bench_online_{number}"), read=False),
            READ: _measured(create_database(server, f"bench_online_read_{number}"), read=True)}


def figures(runs: Sequence[Run]) -> list[Figure]:
    """The longest wait of each change against that of writers whom nothing disturbs; of all of them, what is beyond
    the lock timeout and the longest statement, whose goal is none."""
    rounds = _rounds(runs)
    longest = [Figure(f"longest wait of a write, {change}",
                      [stalls[CALM][change]["max"] / stalls[CALM][UNDISTURBED]["max"] for stalls in rounds],
                      f"longest wait, {UNDISTURBED}") for change in rounds[0][CALM] if change != UNDISTURBED]
    beyond = [Figure(f"worst wait beyond the lock timeout and the longest statement, {panel}",
                     [max(0.0, *map(_beyond, stalls[panel].values())) for stalls in rounds], unit="s", at_most=0.0)
              for panel in (CALM, READ)]
    return [*beyond, *longest]


def _beyond(waits: dict[str, float]) -> float:
    return waits["max"] - waits["step"] - LOCK_TIMEOUT_SECONDS


def draw(runs: Sequence[Run]) -> None:
    """Draw the medians of all rounds."""
    rounds = _rounds(runs)
    draw_stalls("online_changes", TITLE, {
        panel: {change: {mark: statistics.median(stalls[panel][change][mark] for stalls in rounds)
                         for mark in ("median", "p99", "max")} for change in rounds[0][panel]}
        for panel in (CALM, READ)}, LOCK_TIMEOUT_SECONDS)


def _rounds(runs: Sequence[Run]) -> list[dict[str, Stalls]]:
    return [stalls for run in runs for stalls in run["rounds"]]


def _measured(database: Database, *, read: bool) -> Stalls:
    """Waits by change: all of them one after the other in one database, under the same writers."""
    apply.ensure(database.owner, BEFORE, options=OPTIONS)
    database.execute(*FILLED, COMPRESSED, "ANALYZE")
    names = [*PLAIN, *COMMUNITY]
    stalls: Stalls = {}
    with writing(database, every=EVERY_SECONDS) as writers:
        since = time.monotonic()
        time.sleep(BASELINE_SECONDS)
        stalls[UNDISTURBED] = _figures(writers.seconds(since, time.monotonic()), 0.0, BASELINE_SECONDS)
        for number, name in enumerate(names):
            stalls[name] = _change(database, writers, after(*names[:number + 1]), read=read)
            print(f"{name}{f' {READ}' if read else ''}: {stalls[name]}", flush=True)
    if writers.failures:
        raise SystemExit(f"bench: {len(writers.failures)} writes failed: {writers.failures[0]}")
    drop_database(database)
    return stalls


def _change(database: Database, writers: Writers, objects: Sequence[Object], *, read: bool) -> dict[str, float]:
    begin = time.monotonic()
    marks = [begin]

    def apply_it() -> None:
        apply.ensure(database.owner, objects, options=OPTIONS, progress=lambda _: marks.append(time.monotonic()))

    if read:
        with reading(database, READ_SECONDS):
            begin = time.monotonic()
            apply_it()
    else:
        apply_it()
    until = time.monotonic()
    time.sleep(0.5)
    steps = [later - earlier for earlier, later in zip(marks[1:], [*marks[2:], until], strict=True)]
    return _figures(writers.seconds(begin, until), max(steps), until - begin)


def _figures(waits: Sequence[float], step: float, seconds: float) -> dict[str, float]:
    """The waits in figures, with how long the longest step and the whole change took."""
    cuts = statistics.quantiles(waits, n=100, method="inclusive")
    figures = {"median": cuts[49], "p95": cuts[94], "p99": cuts[98], "max": max(waits), "step": step, "change": seconds}
    return {**{name: round(value, 4) for name, value in figures.items()}, "writes": len(waits)}
