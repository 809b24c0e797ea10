"""`lcdb seed` of 5,000,000 readings of 1,000 devices, generation included, against COPYing the very same rows."""

from __future__ import annotations

import os
import shutil
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from bench.report.keeping import keep
from bench.seeding.seed_server import execute, login, psql_seconds, running, seconds_of, seed_seconds
from schema.connection import Address
from seed.load.tables import COLUMNS, TABLES

# BENCH_SCALE=0.1 takes a tenth of the rows, to try the benchmark out.
SCALE = float(os.environ.get("BENCH_SCALE", "1"))
ROUNDS = int(os.environ.get("BENCH_ROUNDS", "5"))
READINGS = int(5_000_000 * SCALE)
WHAT = ("--users", "250", "--devices-per-user", "4", "--readings", str(READINGS), "--activities", "0",
        "--notifications", "0", "--until", datetime.now(UTC).strftime("%Y-%m-%d"))
BASELINE = "psql \\copy (CSV)"
READ = f"environmental_readings ({', '.join(COLUMNS['environmental_readings'])})"


def run() -> None:
    """Each round loads the same rows in every way, into the same tables, emptied in between."""
    with running() as address, tempfile.TemporaryDirectory(prefix="lcdb-bench-") as folder:
        rows = Path(folder) / "readings.csv"
        seed_seconds(address, *WHAT)
        psql_seconds(address, f"\\copy (SELECT {', '.join(COLUMNS['environmental_readings'])} FROM "
                              f"environmental_readings ORDER BY id) TO '{rows}' (FORMAT csv)")
        ways = {BASELINE: lambda: psql_seconds(address, f"\\copy {READ} FROM '{rows}' (FORMAT csv)")}
        if shutil.which("timescaledb-parallel-copy"):
            ways["timescaledb-parallel-copy, 2 workers (CSV)"] = lambda: _parallel_copy(address, rows)
        seconds: dict[str, list[float]] = {way: [] for way in (*ways, "lcdb seed, generation included")}
        for number in range(ROUNDS):
            for way, load in ways.items():
                _empty(address, "environmental_readings")
                seconds[way].append(load())
                _require(address)
            _empty(address, *TABLES)
            seconds["lcdb seed, generation included"].append(seed_seconds(address, *WHAT))
            _require(address)
            print(f"round {number + 1}:", {way: round(runs[-1], 1) for way, runs in seconds.items()}, flush=True)
    keep("seed_load", f"{READINGS:,} readings of 1,000 devices into an empty hypertable", (BASELINE,), seconds)


def _parallel_copy(address: Address, rows: Path) -> float:
    # Its own connection string is an argument; the password comes from the environment.
    return seconds_of(["timescaledb-parallel-copy", "--connection", f"sslmode=disable dbname={address.database}",
                       "--table", "environmental_readings", "--columns", ",".join(COLUMNS["environmental_readings"]),
                       "--file", str(rows), "--workers", "2", "--batch-size", "10000", "--copy-options", "CSV"],
                      login(address))


def _empty(address: Address, *tables: str) -> None:
    execute(address, f"TRUNCATE {', '.join(tables)}", "CHECKPOINT")


def _require(address: Address) -> None:
    """Stop where a way did not load every row, or left the table without its indexes and foreign key."""
    counts = execute(address, "SELECT (SELECT count(*) FROM environmental_readings), (SELECT count(*) FROM pg_indexes "
                             "WHERE tablename = 'environmental_readings'), (SELECT count(*) FROM pg_constraint WHERE "
                             "conrelid = 'environmental_readings'::regclass AND contype = 'f' AND convalidated)")
    if counts != [(READINGS, 2, 1)]:
        raise SystemExit(f"bench: rows, indexes and foreign keys are {counts}, not {(READINGS, 2, 1)}")
