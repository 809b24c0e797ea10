"""How long writers wait while the schema changes under them: each online change against the same writers undisturbed,
and once more while somebody reads the tables in a long transaction."""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from bench.results import draw_stalls, write
from schema import apply
from schema.compare import Options
from schema.objects import Object
from tests.database.online_changes import BEFORE, COMMUNITY, COMPRESSED, PLAIN, after
from tests.database.servers import CannotBeHad, Database, create_database, drop_database, running
from tests.database.writers import Writers, reading, writing

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


def run() -> None:
    """Measure every change, draw the waits of the writers."""
    try:
        with tempfile.TemporaryDirectory(prefix="lcdb-bench-") as folder, running("official", Path(folder)) as server:
            calm = _measured(create_database(server, "bench_online"), read=False)
            read = _measured(create_database(server, "bench_online_read"), read=True)
    except CannotBeHad as error:
        raise SystemExit(f"bench: online_changes needs the official server: {error}") from None
    baseline = calm[UNDISTURBED]
    found = {"benchmark": "writers' waits during online changes, seconds", "lock_timeout_seconds": LOCK_TIMEOUT_SECONDS,
             "baseline": UNDISTURBED, "waits": calm, f"waits {READ}": read,
             "ratios of the longest wait": {name: round(each["max"] / baseline["max"], 2)
                                            for name, each in calm.items()}}
    write("online_changes", found)
    draw_stalls("online_changes", "How long a write takes while the schema changes",
                {"nobody reads for long": calm, READ: read}, LOCK_TIMEOUT_SECONDS)
    late = {name: each for waits in (calm, read) for name, each in waits.items()
            if each["max"] > LOCK_TIMEOUT_SECONDS + each["step"]}
    print("longer than the lock timeout and one statement:", late or "none")


def _measured(database: Database, *, read: bool) -> Stalls:
    """Waits by change: all of them one after the other in one database, under the same writers."""
    apply.ensure(database.owner, BEFORE, options=OPTIONS)
    database.execute(*FILLED, COMPRESSED, "ANALYZE")
    names = [*PLAIN, *COMMUNITY]
    found: Stalls = {}
    with writing(database, every=EVERY_SECONDS) as writers:
        since = time.monotonic()
        time.sleep(BASELINE_SECONDS)
        found[UNDISTURBED] = _told(writers.seconds(since, time.monotonic()), 0.0, BASELINE_SECONDS)
        for number, name in enumerate(names):
            found[name] = _change(database, writers, after(*names[:number + 1]), read=read)
            print(f"{name}{f' {READ}' if read else ''}: {found[name]}", flush=True)
    if writers.failures:
        raise SystemExit(f"bench: {len(writers.failures)} writes failed: {writers.failures[0]}")
    drop_database(database)
    return found


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
    return _told(writers.seconds(begin, until), max(steps), until - begin)


def _told(waits: Sequence[float], step: float, seconds: float) -> dict[str, float]:
    """The waits in figures, with how long the longest step and the whole change took."""
    cuts = statistics.quantiles(waits, n=100, method="inclusive")
    told = {"median": cuts[49], "p95": cuts[94], "p99": cuts[98], "max": max(waits), "step": step, "change": seconds}
    return {**{name: round(value, 4) for name, value in told.items()}, "writes": len(waits)}
