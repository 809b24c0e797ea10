"""Planning 5, 50 and 500 tables, from empty and with nothing to do: this engine beside migra, results and Atlas.

The others compare two loaded databases, so that a shadow has to be loaded before each of their plans; that is told
separately. This engine plans from the declaration, which it puts into the server's words by itself.
"""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.report.keeping import keep_curves
from bench.report.pictures import Curves
from bench.schema.other_planners import install_planners, url
from bench.schema.schemas import script, tables
from schema.connection import Address
from tests.support.running.servers import Database, Server, create_database, drop_database, require_official, running

SIZES = (5, 50, 500)
ROUNDS = int(os.environ.get("BENCH_ROUNDS", "5"))
WARM_REPEATS = 3
OURS = "lifecompanion"
FOLDER = Path(__file__).parents[1]
EMPTY, NOTHING = "from empty", "with nothing to do"


@dataclass(frozen=True)
class Tool:
    """A planner as a command; `compares` two databases, or plans from the declaration."""

    name: str
    command: tuple[str, ...]
    compares: bool = True

    def plan(self, live: Address, declared: Address, size: int, repeats: int) -> tuple[float, list[float], int]:
        """Seconds of the whole process, seconds of each plan within it, and the number of changes."""
        if self.compares:
            given = [url(live), url(declared)]
        else:
            login = live.to_dict()
            del login["password"]
            given = [json.dumps(login), str(size)]
        since = time.perf_counter()
        done = subprocess.run([*self.command, *given, str(repeats)], env={**os.environ, "PGPASSWORD": live.password},
                              cwd=FOLDER.parent, capture_output=True, text=True, check=False)
        taken = time.perf_counter() - since
        if done.returncode != 0:
            raise SystemExit(f"bench: {self.name} failed with {size} tables:\n{done.stderr[-2000:]}")
        answer = json.loads(done.stdout)
        return taken, answer["seconds"], answer["changes"]


def run() -> None:
    """Measure every tool that this machine can have, size by size and round by round."""
    require_official("plan")
    folder = Path(tempfile.mkdtemp(prefix="lcdb-bench-"))
    try:
        tools = [Tool(OURS, (sys.executable, "-m", "bench.planners.ours"), compares=False),
                 *(Tool(name, command) for name, command in install_planners(folder, "plan"))]
        with running("official", folder) as server:
            curves, changes, loading = _measure(server, tools)
    finally:
        shutil.rmtree(folder)
    keep_curves("plan", "Planning, from loaded database to declared one", OURS, "tables", curves,
                facts={"changes": changes, "loading the shadow database that the others need": loading})


def _measure(server: Server, tools: list[Tool]) -> tuple[Curves, dict[str, dict[str, int]], dict[int, list[float]]]:
    curves: Curves = defaultdict(lambda: defaultdict(lambda: defaultdict(list)))
    changes: dict[str, dict[str, int]] = defaultdict(dict)
    loading: dict[int, list[float]] = {}
    for size in SIZES:
        with _databases(server, size) as (empty, live, declared, taken):
            loading[size] = [round(seconds, 3) for seconds in taken]
            for number in range(ROUNDS):
                for case, start in ((EMPTY, empty), (NOTHING, live)):
                    # Each round begins with another tool, so that none always runs on what its neighbour left.
                    for tool in (*tools[number % len(tools):], *tools[:number % len(tools)]):
                        whole, _, count = tool.plan(start, declared, size, 1)
                        _, warm, _ = tool.plan(start, declared, size, WARM_REPEATS)
                        curves[f"{case}, whole process"][tool.name][size].append(whole)
                        curves[f"{case}, warm"][tool.name][size].append(statistics.median(warm[1:]))
                        changes[f"{case}, {size} tables"][tool.name] = count
                        print(f"{size} tables {case}: {tool.name} {whole:.2f} s, warm {warm[-1]:.2f} s, "
                              f"{count} changes", flush=True)
    return curves, changes, loading


@contextmanager
def _databases(server: Server, size: int) -> Iterator[tuple[Address, Address, Address, list[float]]]:
    """An empty database and two loaded ones, and how long each took to load."""
    databases: list[Database] = []
    sql = script(tables(size)).encode()
    taken: list[float] = []
    try:
        for name in ("empty", "live", "declared"):
            databases.append(create_database(server, f"bench_{name}_{size}"))
            if name != "empty":
                since = time.perf_counter()
                with databases[-1].admin.connect() as connection:
                    connection.execute("SET client_min_messages = error")
                    connection.execute(sql)
                taken.append(time.perf_counter() - since)
                with databases[-1].admin.connect() as connection:
                    connection.execute("ANALYZE")
        empty, live, declared = (database.admin for database in databases)
        yield empty, live, declared, taken
    finally:
        for database in databases:
            drop_database(database)
