"""The drill of a physical backup: recovered to a restore point made now, and compared with the source at that point.

The point is later than the backup, so backup and WAL are proven together, exact to the transaction.
"""

from __future__ import annotations

import secrets
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime

import psycopg

from backups.config import BackupConfig
from backups.docker import query_container, run_docker
from backups.drill.leftovers import Owner, remove_leftovers
from backups.drill.logical_drill import Drill, check_schema_and_jobs, write_report
from backups.drill.recovered_server import LOGIN, Server, recover_on_idle_server, use_idle_server
from backups.errors import BackupError, RestoreError
from backups.physical.catalog import PhysicalEntry, list_physical
from backups.physical.pgbackrest import require_physical
from backups.physical.point_in_time import recover, remove_container
from backups.physical.restore_points import Point, compare_point, parse_lsn, segment_lsn, take_point
from backups.physical.settings import read_cipher
from backups.progress import Listener, ignore
from backups.storage.object_store import Store
from schema.connection import Address
from schema.errors import SchemaError, ServerUnreachableError

POINTS = "points/"
# So that no transaction of its own stands between the end of recovery and the comparison.
WITHOUT_AUTOVACUUM = {"autovacuum": "off"}


def drill_physical(config: BackupConfig, entry: PhysicalEntry, *, image: str | None = None, network: str | None = None,
                   idle: Address | None = None, listener: Listener = ignore) -> Drill:
    """Recover to a point in a temporary server, compare, plan the schema, run every policy once, store the report.

    The server is a container of its own, or a second server inside the container of `idle`. The restore point is made
    on the source; where that does not answer, the last one made by a drill is used. Raises BackupError where there is
    nothing to compare with or no way to recover here; faults of the backup are in the result's `problems`.
    """
    physical = require_physical(config)
    image = image or physical.get("image")
    if image is None and entry.manifest:
        entry.manifest.require_seal(str(physical["cipher"]))
        image = entry.manifest.server.image
    if idle is None and not shutil.which("docker"):
        raise RestoreError(f"drill of {entry.id}: no docker command on this machine, and a temporary server is a "
                           "container; run it where there is one")
    since = time.monotonic()
    listener("counting at the source", 0.0)
    point = find_point(config, entry)
    counted = round(time.monotonic() - since, 2)
    # A drill of a backup that is broken is a drill, and is written down; one that found no docker is none.
    with _container() if idle is None else use_idle_server(idle) as name:
        drill = _drill(config, entry, point, lambda: (
            _recover(config, entry, point, name, image, network, listener) if idle is None else
            recover_on_idle_server(idle, point.name, entry.id, _database(config),
                                   lambda line: listener(line, 0.0))), listener)
    drill = replace(drill, seconds={"source": counted, **drill.seconds})
    write_report(config.store(), entry, drill)
    return drill


def find_point(config: BackupConfig, entry: PhysicalEntry) -> Point:
    """A restore point made now on the source and stored, sealed; the last stored one where the source does not answer.
    """
    store, database = config.store(), config.database_name()
    cipher = str((config.physical or {}).get("cipher") or read_cipher(store, config.keyring(), database))
    if config.admin:
        try:
            point = take_point(config.administrator()).with_seal(cipher)
        except ServerUnreachableError:
            return _last_point(store, database, entry, cipher)
        store.put(f"{entry.folder}/{POINTS}{point.name}.json", point.model_dump_json(indent=1).encode())
        return point
    return _last_point(store, database, entry, cipher)


def _last_point(store: Store, database: str, entry: PhysicalEntry, cipher: str) -> Point:
    """The newest that a drill of this backup, or of an older one, made: its WAL comes after this backup's."""
    known = [key for listed in list_physical(store, database) for key, _ in store.objects(f"{listed.folder}/{POINTS}")]
    stop = entry.manifest.stop if entry.manifest else entry.taken
    for key in sorted(known, key=lambda key: key.rsplit("/", 1)[1], reverse=True):
        point = Point.from_json(store.get(key) or b"", cipher, key)
        if point.when >= stop:
            return point
    raise BackupError(f"drill of {entry.id}: the server that was backed up does not answer, and no drill counted there "
                      "since this backup; there is nothing to compare with: recover it with `lcdb backup restore "
                      "--container NAME` and look")


@contextmanager
def _container() -> Iterator[str]:
    remove_leftovers()
    name = f"lcdb-drill-{secrets.token_hex(4)}"
    try:
        yield name
    finally:
        remove_container(name)


def _drill(config: BackupConfig, entry: PhysicalEntry, point: Point, start_server: Callable[[], Server],
           listener: Listener) -> Drill:
    problems, steps, jobs, tables = list[str](), list[str](), dict[str, str](), 0
    seconds, words = dict[str, float](), entry.manifest.server.describe() if entry.manifest else "PostgreSQL"
    size = entry.manifest.bytes if entry.manifest else 0
    since = time.monotonic()
    recovery = None
    try:
        server = start_server()
        recovery = time.monotonic() - since
        seconds = dict(server.seconds)
        listener("compare", 0.0)
        with server.address.connect(application_name="lifecompanion drill") as connection:
            problems += require_jobs_off(connection)
            size = size or _size(connection)
            problems += compare_point(point, connection, server.next_transaction)
        tables = len(point.counts)
        seconds["compare"] = round(time.monotonic() - since - recovery, 2)
        steps, jobs = check_schema_and_jobs(server.address, config.timestamps, problems)
    except (BackupError, SchemaError, psycopg.Error) as error:
        problems.append(" ".join(str(error).split()))
    return Drill(entry.id, entry.database, entry.taken.isoformat(timespec="seconds"),
                 datetime.now(UTC).isoformat(timespec="seconds"),
                 words, point.rows, size, seconds, round(recovery or time.monotonic() - since, 2), tables, jobs, steps,
                 problems, kind=entry.kind, point=f"{point.name} of {point.when:%Y-%m-%d %H:%M:%S} UTC",
                 replayed_bytes=_count_replayed(entry, point))


def require_jobs_off(connection: psycopg.Connection[object]) -> list[str]:
    """A problem where the recovered server could have run jobs on its own; empty where not."""
    row = connection.execute("SELECT current_setting('timescaledb.max_background_workers', true)").fetchone()
    return [] if row in ((None,), ("0",)) else [f"jobs: found {row} background workers, required 0: they may have run"]


def _recover(config: BackupConfig, entry: PhysicalEntry, point: Point, name: str, image: str | None,
             network: str | None, listener: Listener) -> Server:
    """Recover into the container `name` and make a login of our own there: the source's passwords need not be known."""
    done = recover(config, name, restore_point=point.name, backup=entry.id, image=image, network=network,
                   labels=[Owner.current().label()], parameters=WITHOUT_AUTOVACUUM,
                   listener=lambda line: listener(line, 0.0))
    password = secrets.token_hex(16)
    answers = _inside(name, f"""
        SELECT pg_snapshot_xmax(pg_current_snapshot()), extract(epoch FROM pg_postmaster_start_time());
        CREATE ROLE {LOGIN} SUPERUSER LOGIN PASSWORD '{password}';""").split("|")
    started = datetime.fromisoformat(run_docker(
        "inspect", "--format", "{{.State.StartedAt}}", name).strip()[:26].rstrip("Z") + "+00:00").timestamp()
    # The files are there when the server starts; all after that is replay.
    restore = float(answers[1]) - started
    address = replace(done.address, database=_database(config), user=LOGIN, password=password)
    return Server(address, int(answers[0]), {"restore": round(restore, 2),
                                             "replay": round(max(done.ended - float(answers[1]), 0.0), 2)})


def _database(config: BackupConfig) -> str:
    known = config.database or config.admin
    return str(known["database"]) if known else config.database_name()


def _inside(name: str, statements: str) -> str:
    done = query_container(name, statements)
    if done.returncode != 0:
        raise RestoreError(f"container {name}: {' '.join(done.stderr.split('PASSWORD')[0].split())[:200]}")
    return done.stdout.strip()


def _size(connection: psycopg.Connection[object]) -> int:
    row = connection.execute("SELECT sum(pg_database_size(oid))::bigint FROM pg_database").fetchone()
    assert isinstance(row, tuple)
    return int(row[0])


def _count_replayed(entry: PhysicalEntry, point: Point) -> int:
    """Bytes of WAL between the beginning of the backup and the point."""
    return max(parse_lsn(point.lsn) - segment_lsn(entry.manifest.start_wal), 0) if entry.manifest else 0
