"""The drill of a logical backup: restored into a temporary server, compared to the byte, its policies run, all timed.
"""

from __future__ import annotations

import getpass
import json
import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import psycopg
from psycopg import sql
from pydantic import TypeAdapter

from backups.config import BackupConfig
from backups.drill.comparison import compare
from backups.drill.report import render_page
from backups.drill.temporary_server import temporary_server
from backups.errors import BackupError, BusyError, DamagedError, WrongKeyError
from backups.logical.catalog import DRILLS, FAILED_DRILLS, LOGICAL, STAMP, Entry, Listed, mark, open_backup
from backups.logical.reader import Opened
from backups.logical.source.snapshot import answers_alone
from backups.physical.catalog import CATALOGUE as PHYSICAL
from backups.postgresql.client_programs import find_programs
from backups.progress import Listener, ignore
from backups.restoring.held_jobs import read_schema, release_jobs
from backups.restoring.restore import Restored, restore_logical
from backups.restoring.target_database import drop_database
from backups.storage.encryption import Keyring
from backups.storage.object_store import Store
from backups.temporary_folders import hold_file
from schema.apply import plan
from schema.comparison.compare import Options
from schema.connection import UNLIMITED, Address
from schema.errors import SchemaError, ServerUnreachableError
from schema.lifecompanion import Timestamps, declared

NAME = "lcdb_drill"
LOCK = 4_201_160_500_733  # one arbitrary number for "a drill is going on in this server"


@dataclass(frozen=True)
class Drill:
    """The result of a drill; `problems` is empty where the backup was proven."""

    backup: str
    database: str
    taken: str
    when: str
    server: str
    rows: int
    bytes: int
    seconds: dict[str, float]
    recovery_seconds: float
    tables_compared: int
    jobs: dict[str, str]
    schema_steps: list[str]
    problems: list[str]
    kind: str = LOGICAL
    # What only a physical one has: the point that it was recovered to, and how much WAL was replayed until there.
    point: str | None = None
    replayed_bytes: int = 0
    # What was compared as it is stored alone, not as queries give it: a line for each kind of it, and why.
    unread: list[str] = field(default_factory=list)

    @property
    def passed(self) -> bool:
        """Whether there were no problems."""
        return not self.problems


def run_drill(store: Store, ring: Keyring, entry: Entry, *, image: str | None = None, admin: Address | None = None,
              timestamps: Timestamps = "timestamp", check_schema: bool = True,
              listener: Listener = ignore) -> Drill:
    """Restore, compare, plan the schema, run every policy once, and store the report with the backup.

    It uses a container of the backup's image or, with `admin`, a database on that server that is dropped afterwards.
    Raises BusyError while another drill runs in that server, BackupError where no drill is possible; faults of the
    backup are in the result's `problems`.
    """
    if entry.manifest is None:
        raise DamagedError(entry.problem or f"backup {entry.id}: no manifest")
    image = image or _proven_image(store, ring, entry)
    find_programs(entry.manifest.server.server_version, image)  # what this machine lacks is no fault of the backup
    since = time.monotonic()
    name = f"{NAME}_{entry.id[-6:]}"
    with _server(entry, image, admin, name) as server:
        started = time.monotonic()
        drill = _drill(store, ring, entry, server, name, timestamps if check_schema else None, image, listener)
    drill = replace(drill, seconds={"server": round(started - since, 2), **drill.seconds})
    write_report(store, entry, drill)
    return drill


def find_embedded(config: BackupConfig, entry: Entry) -> Address | None:
    """The administrator's login where the source is the embedded server, else None.

    No image has the embedded server's TimescaleDB, so its backups are drilled in a database of their own on that
    server. None also where the server does not answer.
    """
    if config.image or not config.admin or (entry.manifest and entry.manifest.server.image):
        return None
    admin = config.administrator()
    with suppress(ServerUnreachableError), admin.connect(application_name="lifecompanion drill") as connection:
        return admin if answers_alone(connection) else None
    return None


def _proven_image(store: Store, ring: Keyring, entry: Entry) -> str | None:
    """The image that the manifest names, if its seal is ours: a container is started of it."""
    try:
        return open_backup(store, ring, entry)[0].server.image
    except (DamagedError, WrongKeyError):
        return None


@contextmanager
def _server(entry: Entry, image: str | None, admin: Address | None, name: str) -> Iterator[Address]:
    if admin is not None:
        with _alone(admin, entry):
            _drop(admin, name)  # what a killed drill left
            try:
                yield admin
            finally:
                _drop(admin, name)
        return
    if not image:
        raise BackupError(f"drill of {entry.id}: no image is known for a temporary server; give --image or --dsn")
    with temporary_server(image) as address:
        yield address


@contextmanager
def _alone(admin: Address, entry: Entry) -> Iterator[None]:
    """Raise BusyError while another drill is going on in this server: it may be of the same backup."""
    busy = BusyError(f"drill of {entry.id}: another drill is going on in this server; wait for its end")
    with replace(admin, database="postgres").connect(application_name="lifecompanion drill", options=UNLIMITED
                                                     ) as connection:
        one_at_a_time = answers_alone(connection)
        if not one_at_a_time and connection.execute("SELECT pg_try_advisory_lock(%s)", [LOCK]).fetchone() != (True,):
            raise busy
        if not one_at_a_time:
            yield
            return
    # A lock of its own would keep the drill out too; and whoever else drills there is on this machine.
    with hold_file(f"drill-{admin.port}") as held:
        if not held:
            raise busy
        yield


def _drop(admin: Address, name: str) -> None:
    with replace(admin, database="postgres").connect() as connection:
        drop_database(connection, name)


def _drill(store: Store, ring: Keyring, entry: Entry, server: Address, name: str, timestamps: Timestamps | None,
           image: str | None, listener: Listener) -> Drill:
    problems: list[str] = []
    manifest, address = entry.manifest, replace(server, database=name)
    assert manifest
    restored: Restored | None = None
    steps, jobs, tables, seconds, unread = list[str](), dict[str, str](), 0, dict[str, float](), list[str]()
    since = time.monotonic()
    try:
        restored = restore_logical(store, ring, entry, server, name, image=image, listener=listener)
        seconds = dict(restored.seconds)
        recovery = time.monotonic() - since
        listener("compare", 0.0)
        comparison = compare(manifest, address, image=image, opened=Opened(store, *open_backup(store, ring, entry)))
        tables, problems = comparison.tables, [*restored.lost, *comparison.differences]
        unread += comparison.unread
        seconds["compare"] = round(time.monotonic() - since - recovery, 2)
        release_jobs(address) if manifest.server.timescaledb else None
        steps, jobs = check_schema_and_jobs(address, timestamps, problems)
    except (BackupError, SchemaError) as error:
        recovery = time.monotonic() - since
        problems.append(str(error))
    return Drill(entry.id, entry.database, entry.taken.isoformat(timespec="seconds"),
                 datetime.now(UTC).isoformat(timespec="seconds"),
                 manifest.server.origin(), restored.rows if restored else 0, manifest.stored_bytes, seconds,
                 round(recovery, 2), tables, jobs, steps, problems, unread=unread)


def check_schema_and_jobs(address: Address, timestamps: Timestamps | None, problems: list[str]
                          ) -> tuple[list[str], dict[str, str]]:
    """Plan the schema (unless `timestamps` is None) and run every policy once; returns steps and outcomes.

    The outcome of each job is by its name. Whatever is not as expected is added to `problems`.
    """
    steps = check_schema(address, timestamps) if timestamps is not None else []
    problems += [f"schema: {step}" for step in steps]
    jobs = run_jobs(address)
    problems += [f"job {job}: {outcome}" for job, outcome in jobs.items() if outcome != "ok"]
    return steps, jobs


def check_schema(address: Address, timestamps: Timestamps) -> list[str]:
    """The steps that the schema engine would take; none where the backup was of the declared schema."""
    schema_plan = plan(address, declared(timestamps), options=Options(on_unsupported="skip"))
    return [step.render() for step in schema_plan.steps]


def run_jobs(address: Address) -> dict[str, str]:
    """Run every policy and user-defined job once; returns by job "ok" or the server's error."""
    outcomes: dict[str, str] = {}
    with address.connect() as connection:
        if not connection.execute("SELECT 1 FROM pg_extension WHERE extname = 'timescaledb'").fetchone():
            return outcomes
        schema = read_schema(connection)
        jobs = connection.execute(
            "SELECT job_id, proc_name || coalesce(' on ' || hypertable_name, '') FROM timescaledb_information.jobs"
            " WHERE job_id >= 1000 ORDER BY job_id").fetchall()
        for job, name in jobs:
            try:
                connection.execute(sql.SQL("CALL {}.run_job({})").format(schema, sql.Literal(job)))
                outcomes[f"{job} {name}"] = "ok"
            except psycopg.Error as error:
                outcomes[f"{job} {name}"] = " ".join(str(error).split())[:200]
    return outcomes


def write_report(store: Store, entry: Listed, drill: Drill) -> None:
    """Store the drill as JSON, as a proof only where it passed, and a page with the trend of all drills."""
    facts: dict[str, Any] = {**asdict(drill), "passed": drill.passed, "signed_off_by": signature()}
    mark(store, entry, DRILLS if drill.passed else FAILED_DRILLS, facts)
    page = render_page([*read_drills(store, drill.database)])
    store.put(f"{entry.folder}/report/{datetime.now(UTC).strftime(STAMP)}.html", page.encode())


def signature() -> str:
    """Who ran the drill, as user@machine."""
    try:
        user = getpass.getuser()
    except (OSError, KeyError):  # a container's user may have no name
        user = str(os.getuid())
    return f"{user}@{socket.gethostname()}"


def read_drills(store: Store, database: str) -> list[dict[str, Any]]:
    """The facts of all drills of a database, of either kind of backup, oldest first."""
    keys = [key for catalogue in (LOGICAL, PHYSICAL) for key, _ in store.objects(f"{database}/{catalogue}/")
            if key.endswith(".json") and any(f"/{folder}" in key for folder in (DRILLS, FAILED_DRILLS))]
    drills = [facts for key in keys if (facts := _read_drill(store, key))]
    return sorted(drills, key=lambda facts: str(facts["when"]))


def _read_drill(store: Store, key: str) -> dict[str, Any] | None:
    """The facts of one drill; None where there are none: somebody else put it there."""
    try:
        facts: dict[str, Any] = json.loads(store.get(key) or b"{}")
        TypeAdapter(Drill).validate_python(facts)
    except (DamagedError, RecursionError, ValueError):
        return None
    return facts if isinstance(facts.get("passed"), bool) else None
