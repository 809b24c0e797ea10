"""`pulumi up` with nothing to do: 50 declared tables against 50 dynamic resources that do nothing, run by run."""

from __future__ import annotations

import json
import os
import tempfile
import time
from pathlib import Path

from bench.report.keeping import keep
from tests.support.programs.checkout import Checkout, make_checkout
from tests.support.running.servers import Server, create_database, drop_database, require_official, running

ROUNDS = int(os.environ.get("BENCH_ROUNDS", "5"))
NUMBER = 50
TABLES, NOTHING = f"{NUMBER} tables", f"{NUMBER} resources that do nothing"
# The schema of the program is another one, declared where the program's is.
SCHEMA = f"""\
from functools import cache
from bench.schema.schemas import tables

@cache
def declared(timestamps="timestamp"):
    return tables({NUMBER})
"""
# What infra.program.schema does for the stack's own schema.
TABLES_PROGRAM = """\
import json, os
import pulumi
from infra.resources import OBJECTS
from schema.lifecompanion import declared
from schema.model.properties import to_dict

login = pulumi.Output.secret(json.loads(os.environ["BENCH_LOGIN"]))
options = {"on_unsupported": "error", "allow": []}
made = {}
for table in declared():
    after = pulumi.ResourceOptions(depends_on=[made[key.table] for key in table.foreign_keys])
    made[table.name] = OBJECTS[type(table)](table.name, login, to_dict(table), options, opts=after)
"""
NOTHING_PROGRAM = f"""\
from nothing import Nothing

for number in range({NUMBER}):
    Nothing(f"nothing-{{number}}")
"""
NOTHING_MODULE = """\
from pulumi.dynamic import CreateResult, Resource, ResourceProvider

class NothingProvider(ResourceProvider):
    serialize_as_secret_always = False
    def create(self, props):
        return CreateResult("nothing", props)

class Nothing(Resource, module="bench", name="Nothing"):
    def __init__(self, name):
        super().__init__(NothingProvider(), name, {"value": name})
"""


def run() -> None:
    """Bring both programs up once, then time unchanged updates in turn, with and without their preview."""
    require_official("unchanged_objects")
    with tempfile.TemporaryDirectory(prefix="lcdb-bench-") as folder, running("official", Path(folder)) as server:
        _compare(Path(folder), server)


def _compare(folder: Path, server: Server) -> None:
    database = create_database(server, "bench_objects")
    programs = {TABLES: _program(folder / "tables", TABLES_PROGRAM),
                NOTHING: _program(folder / "nothing", NOTHING_PROGRAM)}
    (programs[TABLES].root / "schema" / "lifecompanion" / "__init__.py").write_text(SCHEMA)
    (programs[NOTHING].root / "nothing.py").write_text(NOTHING_MODULE)
    os.environ["BENCH_LOGIN"] = json.dumps(database.owner.to_dict())
    try:
        for what, checkout in programs.items():
            checkout.stack("bench", {})
            print(f"first up: {what} {_seconds(checkout):.1f} s")
        for name, title, arguments in (("unchanged_objects", "`pulumi up`", ()),
                                       ("unchanged_objects_update", "`pulumi up --skip-preview`", ("--skip-preview",))):
            seconds: dict[str, list[float]] = {what: [] for what in programs}
            for _ in range(ROUNDS):
                for what, checkout in programs.items():
                    seconds[what].append(_seconds(checkout, *arguments, unchanged=True))
            keep(name, f"{title} of {NUMBER} tables, with nothing to do", (NOTHING,), seconds)
    finally:
        drop_database(database)


def _program(folder: Path, program: str) -> Checkout:
    folder.mkdir()
    checkout = make_checkout(folder)
    (checkout.root / "__main__.py").write_text(program)
    return checkout


def _seconds(checkout: Checkout, *arguments: str, unchanged: bool = False) -> float:
    since = time.monotonic()
    done = checkout.pulumi("up", "--yes", *arguments, "--stack", "bench")
    taken = time.monotonic() - since
    summary = f"{NUMBER + 1} unchanged" if unchanged else f"{NUMBER + 1} created"
    if done.returncode != 0 or summary not in done.stdout:
        raise SystemExit(f"bench: the update failed, or was not `{summary}`:\n{done.stdout}{done.stderr}")
    return taken
