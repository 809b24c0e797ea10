"""The corpus of schemas through this project and through tools like it: adopted, planned empty, made again, changed.

Every tool gets the same databases of the same server, and is asked for SQL from one to the other. What it says is run
by psql; pg_dump and TimescaleDB's catalogs then say whether the database is the one that was wanted.
An object that this project leaves out by name may differ; the others name none.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from bench.report.counts import FILE, read_counts, table
from bench.report.keeping import machine
from bench.schema.other_planners import ATLAS_LIBRARY, PINNED, install_planners, url
from infra.local.client_programs import install_client_programs
from schema.apply import ensure, plan
from schema.comparison.compare import Options
from schema.connection import Address
from schema.export.adoption import Adopted, adopt
from schema.export.plain_sql import dump
from schema.model.change.step import Hazard
from tests.support.running.servers import TEMPLATE, Server, create_template, require_official, running
from tests.support.schemas.corpus import FOLDER, FaultError, names, read_changes, run_sql
from tests.support.schemas.corpus_catalog import find_differences, read_sections

OURS = "lifecompanion"
STAGES = ("adopted", "plan empty", "made again", "changes exact")
SECONDS = 120
_USER_SCHEMAS = ("SELECT nspname FROM pg_namespace "
                 "WHERE nspname !~ '^(pg_|_timescaledb|timescaledb_|information_schema)' "
                 "ORDER BY nspname <> 'public', nspname")


# By tool and stage: how often it passed, of how many times, and the first fault.
Faults = Mapping[str, Mapping[str, tuple[int, int, str]]]


@dataclass(frozen=True)
class Tool:
    """`sql` returns the statements from one database to another; `apply` makes the first like the second, and returns
    what it leaves out, by name."""

    name: str
    sql: Callable[[Address, Address], str]
    apply: Callable[[Address, Address], Sequence[str]]


def run() -> None:
    """Try every tool that this machine can have on every file of the corpus; SIDE_BY_SIDE names some of the files."""
    require_official("side_by_side")
    folder = Path(tempfile.mkdtemp(prefix="lcdb-bench-"))
    chosen = os.environ.get("SIDE_BY_SIDE", "").split() or names()
    path = os.environ["PATH"]
    try:
        tools = [Tool(OURS, _own_sql, _apply_own),
                 *(_other(name, command) for name, command in install_planners(folder, "sql"))]
        os.environ["PATH"] = f"{install_client_programs()}{os.pathsep}{path}"
        with running("official", folder) as server:
            create_template(server)
            faults: dict[str, Faults] = {}
            for name in chosen:
                faults[name] = _try(server, name, tools)
                _keep(faults, tools)  # after each file: what was counted stays when the run is ended
    finally:
        os.environ["PATH"] = path
        shutil.rmtree(folder)
    print(table(read_counts()))


def _keep(faults: Mapping[str, Faults], tools: Sequence[Tool]) -> None:
    chosen = list(faults)
    counts = {tool.name: {stage: sum(faults[name][tool.name][stage][0] for name in chosen) for stage in STAGES}
              for tool in tools}
    whole = {stage: sum(faults[name][OURS][stage][1] for name in chosen) for stage in STAGES}
    first = {tool.name: {stage: {name: fault for name in chosen if (fault := faults[name][tool.name][stage][2])}
                         for stage in STAGES} for tool in tools}
    kept = {"date": datetime.now(UTC).strftime("%Y-%m-%d"), "machine": machine(), "files": len(chosen), "of": whole,
            "counts": counts, "pinned": {name: list(pins) for name, pins in PINNED.items()}, "first faults": first}
    FILE.write_text(json.dumps(kept, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def _try(server: Server, name: str, tools: Sequence[Tool]) -> Faults:
    """For each tool and stage: how often it passed, of how many times, and the first fault."""
    with _database(server, "wanted") as wanted, _database(server, "same") as same:
        text = (FOLDER / f"{name}.sql").read_text(encoding="utf-8")
        run_sql(wanted, text)
        run_sql(same, text)
        result = {}
        for tool in tools:
            made: dict[str, list[str | None]] = {stage: [] for stage in STAGES}
            with _database(server, "empty") as empty:
                made["adopted"].append(_fault(partial(tool.sql, empty, wanted)))
                made["plan empty"].append(_fault(partial(_require_nothing, tool, same, wanted)))
                made["made again"].append(_fault(partial(_become, tool, empty, wanted)))
            made["changes exact"] = list(_changes(server, name, tool))
            result[tool.name] = {stage: (sum(fault is None for fault in all_), len(all_),
                                         next((fault for fault in all_ if fault), "")) for stage, all_ in made.items()}
            print(f"{name}: {tool.name}: " + ", ".join(f"{stage} {passed}/{of}" for stage, (passed, of, _)
                                                      in result[tool.name].items()), flush=True)
    return result


def _changes(server: Server, name: str, tool: Tool) -> Iterator[str | None]:
    """Make each change in a copy, and have the tool bring the original there; both are equal before each change."""
    text = (FOLDER / f"{name}.sql").read_text(encoding="utf-8")
    with _database(server, "changed") as changed:
        run_sql(changed, text)
        for change in read_changes(name):
            with _database(server, "before", "changed") as before:
                run_sql(changed, change)
                yield _fault(partial(_become, tool, before, changed))


def _become(tool: Tool, live: Address, wanted: Address) -> None:
    left_out = tool.apply(live, wanted)
    lines = list(find_differences(read_sections(wanted), read_sections(live), left_out))
    if lines:
        raise FaultError(f"{len(lines)} lines differ: {lines[0]}")


def _require_nothing(tool: Tool, same: Address, wanted: Address) -> None:
    steps = [line for line in tool.sql(same, wanted).splitlines() if not line.startswith("CREATE SCHEMA IF NOT EXISTS")]
    if steps:
        raise FaultError(f"a plan of the same says: {steps[0][:120]}")


def _fault(action: Callable[[], object]) -> str | None:
    try:
        action()
    except Exception as error:  # noqa: BLE001 whatever a tool ends in is its fault, and counted
        return " ".join((str(error).strip() or type(error).__name__).splitlines()[0].split())[:300]
    return None


def _own_sql(live: Address, wanted: Address) -> str:
    """The steps of a plan of what was adopted."""
    adopted = adopt(wanted)
    return "".join(f"{step.sql};\n" for step in plan(live, adopted.objects, options=_options(adopted)).steps)


def _apply_own(live: Address, wanted: Address) -> Sequence[str]:
    """An empty database gets what `lcdb schema export` writes; another one is changed by `apply`, which runs its steps
    itself, some of them outside of transactions."""
    adopted = adopt(wanted)
    if adopt(live).objects:
        ensure(live, adopted.objects, options=_options(adopted))
    else:
        run_sql(live, dump(adopted.objects), timeout=SECONDS)
    return adopted.remarks


def _options(adopted: Adopted) -> Options:
    left_out = frozenset(remark.split(": ")[0] for remark in adopted.remarks)
    return Options(whole_schema=True, allow=frozenset(Hazard), protect=left_out, backed_up=True, attempts=2)


def _other(name: str, command: Sequence[str]) -> Tool:
    words = [*command, "-sql"] if name == ATLAS_LIBRARY else command

    def sql(live: Address, wanted: Address) -> str:
        with wanted.connect() as connection:
            schemas = [schema for schema, in connection.execute(_USER_SCHEMAS).fetchall()]
        done = subprocess.run([*words, url(live), url(wanted), *schemas], capture_output=True, text=True, check=False,
                              env={**os.environ, "PGPASSWORD": live.password}, timeout=SECONDS)
        if done.returncode:
            raise FaultError(next((line for line in reversed(done.stderr.splitlines()) if line.strip()), "no answer"))
        # Most compare one schema with another of its name, and leave the schema itself to whoever calls them.
        statements = [*(f'CREATE SCHEMA IF NOT EXISTS "{schema}"' for schema in schemas), *json.loads(done.stdout)]
        return ";\n".join(statement.strip().rstrip(";") for statement in statements)

    def apply(live: Address, wanted: Address) -> Sequence[str]:
        run_sql(live, sql(live, wanted), timeout=SECONDS)
        return ()

    return Tool(name, sql, apply)


@contextmanager
def _database(server: Server, name: str, template: str = "") -> Iterator[Address]:
    database, source = f"side_{name}", f"side_{template}" if template else TEMPLATE
    with server.admin.connect() as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {database} WITH (FORCE)".encode())
        connection.execute(f"CREATE DATABASE {database} TEMPLATE {source}".encode())
    try:
        yield replace(server.admin, database=database)
    finally:
        with server.admin.connect() as connection:
            connection.execute(f"DROP DATABASE IF EXISTS {database} WITH (FORCE)".encode())
