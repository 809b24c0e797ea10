"""The specification's data set, all five tables from nothing, against COPYing the very same rows from files."""

from __future__ import annotations

import os
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from bench.report.keeping import keep
from bench.seeding.seed_server import execute, psql_seconds, running, seed_seconds
from schema.connection import Address
from seed import Spec
from seed.load.loader import seed
from seed.load.tables import COLUMNS, TABLES

ROUNDS = int(os.environ.get("BENCH_ROUNDS", "7"))
UNTIL = datetime.now(UTC).strftime("%Y-%m-%d")
BASELINE = "psql \\copy of the five tables (CSV)"


def run() -> None:
    """Each round fills the same empty tables in every way."""
    with running() as address, tempfile.TemporaryDirectory(prefix="lcdb-bench-") as folder:
        seed_seconds(address, "--until", UNTIL)
        files = {table: Path(folder) / f"{table}.csv" for table in TABLES}
        psql_seconds(address, *(f"\\copy (SELECT {', '.join(columns)} FROM {table} ORDER BY id) TO '{files[table]}' "
                                "(FORMAT csv)" for table, columns in COLUMNS.items()))
        copies = {table: f"\\copy {table} ({', '.join(columns)}) FROM '{files[table]}' (FORMAT csv)"
                  for table, columns in COLUMNS.items()}
        spec = Spec.from_dict({"number": 20260101, "until": f"{UNTIL}T00:00:00+00:00"})
        seconds: dict[str, list[float]] = {
            BASELINE: [], "psql \\copy of the readings alone": [], "lcdb seed, the whole program": [],
            "seed.load, in a program that runs": []}
        for _ in range(ROUNDS):
            _empty(address)
            psql_seconds(address, copies["users"], copies["devices"])
            seconds["psql \\copy of the readings alone"].append(psql_seconds(address, copies["environmental_readings"]))
            _empty(address)
            seconds[BASELINE].append(psql_seconds(address, *copies.values()))
            _empty(address)
            seconds["lcdb seed, the whole program"].append(seed_seconds(address, "--until", UNTIL))
            _empty(address)
            _forget()
            seconds["seed.load, in a program that runs"].append(seed(address, spec).seconds)
    keep("seed_specification", "The specification's data set into empty tables", (BASELINE,), seconds)


def _empty(address: Address) -> None:
    execute(address, f"TRUNCATE {', '.join(TABLES)}", "CHECKPOINT")


def _forget() -> None:
    """Let nothing that was made in an earlier round help in the next."""
    import gc
    from functools import _lru_cache_wrapper

    for found in gc.get_objects():
        if isinstance(found, _lru_cache_wrapper) and found.__module__.startswith("seed."):
            found.cache_clear()
