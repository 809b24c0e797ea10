"""Steady ingest as the application would do it: batches of 1,000 readings beside 4 readers and the policies' jobs.

INSERT of arrays (unnest), INSERT of VALUES and COPY, first as fast as one writer can, then at given paces up to twice
the specification's load for 100,000 devices.
"""

from __future__ import annotations

import os
import statistics
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np
import psycopg

from bench.report.figures import Figure
from bench.report.keeping import Run, keep_run
from bench.report.pictures import plt, save
from bench.seeding.seed_server import execute, running, seed_seconds
from schema.connection import Address
from seed import Rows, Spec, readings
from seed.load.copy_in import write
from seed.load.tables import Connection

BATCH = 1_000
DEVICES = 1_000
# 10,000 readings a day and device, of 100,000 devices.
WANTED = 100_000 * 10_000 / 86_400
PACES = tuple(round(WANTED * share, -2) for share in (0.25, 0.5, 1.0, 2.0))
# Readings that are there when the writing begins.
THERE = int(2_000_000 * float(os.environ.get("BENCH_SCALE", "1")))
SECONDS = float(os.environ.get("BENCH_SECONDS", "15"))
ROUNDS = int(os.environ.get("BENCH_ROUNDS", "5"))
TITLE = f"Batches of {BATCH:,} readings beside 4 readers and the policies' jobs"
BASELINE = "INSERT VALUES"
QUERIES = (
    "SELECT time_bucket('5 minutes', measured_at) AS t, avg(temperature) FROM environmental_readings WHERE device_id = "
    "{d} AND measured_at > (SELECT max(measured_at) FROM environmental_readings) - interval '1 hour' GROUP BY t",
    "SELECT * FROM environmental_readings WHERE device_id = {d} ORDER BY measured_at DESC LIMIT 50",
    "SELECT time_bucket('1 hour', measured_at) AS t, min(humidity), max(humidity) FROM environmental_readings WHERE "
    "device_id = {d} AND measured_at > (SELECT max(measured_at) FROM environmental_readings) - interval '1 day' "
    "GROUP BY t",
    "SELECT count(*) FROM environmental_readings WHERE measured_at > (SELECT max(measured_at) FROM "
    "environmental_readings) - interval '1 minute' AND temperature > 25",
)
Write = Callable[[Connection, Rows], None]


@dataclass(frozen=True)
class Measured:
    """What one writer reached: rows a second, and how long its batches took; of a paced one, from when each was due."""

    rows_a_second: float
    latencies: Sequence[float]

    def figures(self) -> dict[str, float]:
        """The figures that are kept, in rows and milliseconds."""
        p50, p99 = (float(np.percentile(self.latencies, share)) * 1000 for share in (50, 99))
        return {"rows_a_second": round(self.rows_a_second), "p50_ms": round(p50, 1), "p99_ms": round(p99, 1)}


def insert_values(connection: Connection, rows: Rows) -> None:
    """One INSERT with a row of placeholders for each row, as an ORM's bulk insert sends it."""
    names = list(rows.columns)
    line = f"({', '.join(['%s'] * len(names))})"
    columns = (column.tolist() for column in rows.columns.values())
    values = [value for row in zip(*columns, strict=True) for value in row]
    connection.execute(f"INSERT INTO {rows.table} ({', '.join(names)}) VALUES {', '.join([line] * len(rows))}".encode(),
                       values)


WAYS: dict[str, Write] = {
    BASELINE: insert_values,
    "INSERT unnest": lambda connection, rows: write(connection, rows, copies=False, own_ids=False),
    "COPY": lambda connection, rows: write(connection, rows, copies=True, own_ids=False),
}


def run() -> None:
    """A month of data is there; each way writes for some seconds as fast as it can, then at each pace."""
    with running() as address:
        seed_seconds(address, "--users", "250", "--devices-per-user", "4", "--readings", str(THERE), "--activities",
                     "0", "--notifications", "0")
        stop = threading.Event()
        reads: list[float] = []
        workers = [threading.Thread(target=_read, args=(address, stop, reads, number)) for number in range(4)]
        workers.append(threading.Thread(target=_run_jobs, args=(address, stop)))
        for worker in workers:
            worker.start()
        try:
            batches = _Batches()
            rounds = [_round(address, batches, reads) for _ in range(ROUNDS)]
        finally:
            stop.set()
            for worker in workers:
                worker.join()
    run = {"wanted_rows_a_second": round(WANTED), "rounds": rounds}
    draw(keep_run("ingest", TITLE, run, figures))


def _round(address: Address, batches: _Batches, reads: list[float]) -> dict[str, Any]:
    """Every way, as fast as it goes and at each pace; and how long the readers' queries took meanwhile."""
    since = len(reads)
    result = {"as_fast_as_it_goes": {way: _write(address, insert, batches, None).figures()
                                     for way, insert in WAYS.items()},
              "paced": {way: {str(int(pace)): _write(address, insert, batches, pace).figures() for pace in PACES}
                        for way, insert in WAYS.items()}}
    return {**result, "readers": Measured(0, reads[since:]).figures()}


def figures(runs: Sequence[Run]) -> list[Figure]:
    """How fast each way is, and how long a batch waits where readings come as fast as the specification says."""
    rounds = _rounds(runs)
    fastest = [result["as_fast_as_it_goes"] for result in rounds]
    pace = min(PACES, key=lambda pace: abs(pace - WANTED))
    return [*(Figure(f"{way}: rows a second, one writer", [result[way]["rows_a_second"] for result in fastest],
                     unit="rows/s") for way in WAYS),
            *(Figure(f"{way}: rows a second", [result[way]["rows_a_second"] / result[BASELINE]["rows_a_second"]
                                               for result in fastest], BASELINE) for way in WAYS if way != BASELINE),
            *(Figure(f"{way}: 99 of 100 batches done, {pace:,.0f} rows a second come",
                     [result["paced"][way][str(int(pace))]["p99_ms"] for result in rounds], unit="ms") for way in WAYS),
            Figure("99 of 100 of the readers' queries", [result["readers"]["p99_ms"] for result in rounds], unit="ms")]


def _rounds(runs: Sequence[Run]) -> list[dict[str, Any]]:
    return [result for run in runs for result in run["rounds"]]


class _Batches:
    """Batches of readings that follow each other in time, made before they are written."""

    def __init__(self) -> None:
        self._next = datetime.now(UTC).timestamp()

    def take(self, count: int) -> list[Rows]:
        """So many batches, each of another second."""
        spec = Spec(users=250, devices_per_user=4, days=1, readings=200_000, until=datetime.now(UTC))
        pool = next(readings(spec))
        batches = []
        for number in range(count):
            begin = number * BATCH % (len(pool) - BATCH)
            columns = {name: values[begin:begin + BATCH] for name, values in pool.columns.items() if name != "id"}
            columns["measured_at"] = np.full(BATCH, np.datetime64(int(self._next), "s"))
            columns["device_id"] = np.arange(1, BATCH + 1) % DEVICES + 1
            batches.append(Rows(pool.table, columns))
            self._next += 1
        return batches


def _write(address: Address, way: Write, batches: _Batches, pace: float | None) -> Measured:
    """Write for SECONDS: as fast as it goes, or a batch every 1 / pace-th of its rows."""
    offered = batches.take(int((pace or 60_000) * SECONDS / BATCH) + 1)
    latencies = []
    with address.connect(application_name="bench ingest") as connection:
        began = time.monotonic()
        for number, rows in enumerate(offered):
            due = began + number * BATCH / pace if pace else time.monotonic()
            if due - began > SECONDS or time.monotonic() - began > SECONDS * 2:
                break
            time.sleep(max(0.0, due - time.monotonic()))
            way(connection, rows)
            # From when it was due: a writer that falls behind keeps its readings waiting.
            latencies.append(time.monotonic() - due)
        taken = time.monotonic() - began
    return Measured(len(latencies) * BATCH / taken, latencies)


def _read(address: Address, stop: threading.Event, latencies: list[float], number: int) -> None:
    """Ask what a dashboard asks, ten times a second, of one device after the other."""
    with address.connect(application_name="bench reader") as connection:
        turn = number
        while not stop.is_set():
            since = time.monotonic()
            connection.execute(QUERIES[turn % len(QUERIES)].format(d=turn * 37 % DEVICES + 1).encode()).fetchall()
            latencies.append(time.monotonic() - since)
            turn += 1
            stop.wait(max(0.0, 0.1 - (time.monotonic() - since)))


def _run_jobs(address: Address, stop: threading.Event) -> None:
    """Run the policies' jobs again and again, as their schedules would over days."""
    jobs = execute(address, "SELECT job_id FROM timescaledb_information.jobs WHERE hypertable_name IS NOT NULL")
    with address.connect(application_name="bench jobs") as connection:
        while not stop.wait(2.0):
            for (job,) in jobs:
                try:
                    connection.execute(f"CALL run_job({job})".encode())
                except psycopg.Error as error:
                    print("job", job, error)


def draw(runs: Sequence[Run]) -> None:
    """Draw the medians: rows a second of each way, and the latency of its batches at each pace."""
    rounds = _rounds(runs)
    figure, (left, right) = plt.subplots(1, 2, figsize=(11, 4), layout="constrained")
    left.bar(list(WAYS), [statistics.median(result["as_fast_as_it_goes"][way]["rows_a_second"] for result in rounds)
                          for way in WAYS], color="#9db8d2")
    left.axhline(WANTED, color="#e4572e", linestyle=":")
    left.text(-0.4, WANTED * 1.03, f"100,000 devices: {WANTED:,.0f} rows/s", color="#e4572e", fontsize=8)
    left.set(ylabel="rows a second, one writer", title="As fast as it goes")
    for way in WAYS:
        right.plot(PACES, [statistics.median(result["paced"][way][str(int(pace))]["p99_ms"] for result in rounds)
                           for pace in PACES], "o-", label=way)
    right.axvline(WANTED, color="#e4572e", linestyle=":")
    right.set(xlabel="rows a second offered", ylabel="99 of 100 batches done within ms", yscale="log",
              title="Paced: from when a batch is due to its commit")
    right.legend(frameon=False)
    save("ingest", figure)
