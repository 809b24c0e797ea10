"""Backups of the embedded server, which answers one connection at a time: taken, proven, restored there and drilled."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from backups.drill.comparison import compare
from backups.drill.logical_drill import run_drill
from backups.errors import BusyError, DumpError, RestoreError
from backups.logical.backup import run_logical
from backups.logical.catalog import find_backup, open_backup
from backups.logical.manifest import FORMAT
from backups.logical.reader import Opened
from backups.logical.source.single_connection import dump_and_hold
from backups.logical.source.snapshot import ATTEMPTS, snapshot_of
from backups.logical.source.snapshot_start import begin_snapshot
from backups.postgresql import client_programs
from backups.restoring.restore import restore_logical
from backups.restoring.target_database import drop_database
from backups.storage.encryption import Keyring, new_key
from backups.storage.object_store import Store
from backups.temporary_folders import hold_file
from cli.registry import gather
from infra.local.client_programs import offer_client_programs
from schema.apply import ensure
from schema.connection import Address
from schema.lifecompanion import declared
from tests.support.backed_up import DEVICES, NASTY, READINGS
from tests.support.machine import require
from tests.support.running.s3_servers import S3Server
from tests.support.running.servers import Server

pytestmark = pytest.mark.servers("embedded")

ROWS = 3000
# Of each table and aggregate, what a query gives, compressed chunks included.
AS_QUERIED = """
    SELECT (SELECT count(*) FROM public.environmental_readings),
           (SELECT md5(string_agg(r::text, ',' ORDER BY r.id)) FROM public.environmental_readings r),
           (SELECT md5(string_agg(u::text, ',' ORDER BY u.id)) FROM public.users u),
           (SELECT md5(string_agg(h::text, ',' ORDER BY h.device_id, h.hour)) FROM public.hourly h),
           (SELECT md5(string_agg(o::text, ',' ORDER BY o.at)) FROM public.older_rows o)"""
# A table with columns that its compressed batches lack.
LATER_COLUMNS = (
    "CREATE TABLE public.older_rows (at timestamptz NOT NULL, d int)",
    "SELECT create_hypertable('public.older_rows', 'at', chunk_time_interval => interval '100 days')",
    "ALTER TABLE public.older_rows SET (timescaledb.compress, timescaledb.compress_segmentby = 'd')",
    "INSERT INTO public.older_rows SELECT '2026-01-05'::timestamptz + n * interval '1 min', n % 3"
    " FROM generate_series(1, 300) n",
    "SELECT compress_chunk(c) FROM show_chunks('public.older_rows') c",
    "ALTER TABLE public.older_rows ADD later int DEFAULT 42, ADD sure boolean NOT NULL DEFAULT false")
# One that is computed and reads one that is not, and which of them are.
VIEWS = (
    "CREATE MATERIALIZED VIEW public.beneath AS SELECT count(*) AS n FROM public.users",
    "CREATE MATERIALIZED VIEW public.above AS SELECT n + 1 AS n FROM public.beneath",
    "REFRESH MATERIALIZED VIEW public.beneath WITH NO DATA")
POPULATED = "SELECT relname::text, relispopulated FROM pg_class WHERE relkind = 'm' ORDER BY 1"


@dataclass(frozen=True)
class Subject:
    """A database of the embedded server with compressed chunks and an aggregate, and where its backups go.

    `source` is the login of a role like the stack's `backup`.
    """

    admin: Address
    source: Address
    store: Store
    ring: Keyring
    settings: Path

    def lcdb(self, *words: str, status: int = 0) -> Any:
        done = CliRunner().invoke(gather(), ["backup", *words, "--config", str(self.settings), "--json"])
        assert done.exit_code == status, done.output
        return json.loads(done.stdout)

    def ask(self, query: str, database: str | None = None) -> list[tuple[Any, ...]]:
        with replace(self.admin, database=database or self.admin.database).connect() as connection:
            cursor = connection.execute(query.encode())
            return cursor.fetchall() if cursor.description else []


@pytest.fixture(scope="module")
def subject(server: Server, s3: S3Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Subject]:
    offer_client_programs()
    name, password = f"life_{secrets.token_hex(3)}", secrets.token_hex(8)
    with server.admin.connect() as connection:
        connection.execute(f"CREATE DATABASE {name}".encode())
        connection.execute(f"CREATE ROLE backup_{name} LOGIN PASSWORD '{password}' IN ROLE pg_read_all_data".encode())
    admin = replace(server.admin, database=name)
    with admin.connect() as connection:
        connection.execute("CREATE EXTENSION timescaledb")
    ensure(admin, declared())
    with admin.connect() as connection:
        for statement in (NASTY, DEVICES, READINGS.format(first=1, last=ROWS, of=ROWS)):
            connection.execute(statement.encode())
        connection.execute("SELECT compress_chunk(c) FROM (SELECT show_chunks('environmental_readings') c LIMIT 2) x")
        for statement in LATER_COLUMNS:
            connection.execute(statement.encode())
        for statement in VIEWS:
            connection.execute(statement.encode())
        connection.execute("CREATE MATERIALIZED VIEW hourly WITH (timescaledb.continuous) AS SELECT device_id,"
                           " time_bucket('1 hour', measured_at) AS hour, avg(temperature) AS temperature"
                           " FROM environmental_readings GROUP BY 1, 2")
    source = replace(admin, user=f"backup_{name}", password=password)
    login = s3.login
    bucket, key = f"embedded-{secrets.token_hex(4)}", new_key()
    login.client().create_bucket(Bucket=bucket)
    settings = tmp_path_factory.mktemp("settings") / "backup.json"
    settings.touch(mode=0o600)
    settings.write_text(json.dumps({
        "bucket": bucket, "s3": login.to_dict(), "keys": [key], "database": source.to_dict(),
        "admin": replace(admin, database="postgres").to_dict()}))
    try:
        yield Subject(admin, source, Store(login, bucket, "backups/", patience=5), Keyring([key]), settings)
    finally:
        client_programs.offer_package(None)
        with server.admin.connect() as connection:
            drop_database(connection, name)
            connection.execute(f"DROP ROLE backup_{name}".encode())


@pytest.fixture(scope="module")
def taken(subject: Subject) -> dict[str, Any]:
    facts: dict[str, Any] = subject.lcdb("run")
    return facts


def test_a_backup_is_taken_and_verified_and_listed_with_what_it_holds(subject: Subject, taken: dict[str, Any]) -> None:
    (listed,) = subject.lcdb("list")
    assert (listed["id"], listed["problem"]) == (taken["id"], None)
    assert listed["verified"]
    shown = subject.lcdb("show", taken["id"])
    assert ("(timescale)" in shown["server"], shown["format"]) == (True, FORMAT)
    assert {chunk["unread"] for chunk in shown["chunks"]} == {None}
    assert [chunk["missing"] for chunk in shown["chunks"] if chunk["missing"]] == [{"later": "{42}", "sure": "{f}"}]
    chunks = [table for table in shown["tables"] if table["hypertable"] == "public.environmental_readings"]
    assert sum(table["compressed"] for table in chunks) == 2
    assert {"public.users": 20, "public.devices": 50}.items() <= {
        table["full_name"]: table["rows"] for table in shown["tables"]}.items()
    subject.lcdb("verify", taken["id"])
    assert subject.lcdb("status")["kinds"]["logical"]["problem"] is None


def test_a_drill_proves_it_in_a_database_of_its_own_that_is_gone_afterwards(
        subject: Subject, taken: dict[str, Any]) -> None:
    drill = subject.lcdb("drill", taken["id"])
    assert (drill["passed"], drill["problems"], drill["schema_steps"]) == (True, [], [])
    assert set(drill["jobs"].values()) == {"ok"}
    assert subject.ask("SELECT count(*) FROM pg_database WHERE datname LIKE 'lcdb_drill%'") == [(0,)]
    assert subject.lcdb("list")[0]["drilled"]


def test_what_is_restored_takes_the_live_one_s_place_equal_to_the_byte_and_as_a_query_gives_it(
        subject: Subject, taken: dict[str, Any]) -> None:
    entry = find_backup(subject.store, subject.admin.database, taken["id"])
    assert entry.manifest
    before = subject.ask(AS_QUERIED)
    assert before[0][0] == ROWS
    with pytest.raises(RestoreError, match="is there already, and a restore overwrites nothing"):
        restore_logical(subject.store, subject.ring, entry, subject.admin, subject.admin.database)
    subject.ask("INSERT INTO public.users (name, email, password) VALUES ('late', 'late@example.org', 'x')")
    done = subject.lcdb("restore", taken["id"], "--replace")
    try:
        assert done["held_jobs"]
        comparison = compare(entry.manifest, subject.admin,
                             opened=Opened(subject.store, *open_backup(subject.store, subject.ring, entry)))
        assert (comparison.differences, comparison.rows) == ([], entry.manifest.rows)
        assert subject.ask(AS_QUERIED) == before
        assert subject.ask(POPULATED) == [("above", True), ("beneath", False)]
        assert subject.ask("SELECT n FROM public.above") == [(21,)]
        assert subject.ask("SELECT count(*) FROM public.users WHERE name = 'late'", done["aside"]) == [(1,)]
    finally:
        with replace(subject.admin, database="postgres").connect() as connection:
            drop_database(connection, done["aside"])


def test_a_structure_that_was_changed_while_pg_dump_read_it_is_read_again(subject: Subject) -> None:
    read = list[int]()

    def dump(server_version: int) -> int:
        read.append(server_version)
        if len(read) == 1:
            subject.ask("CREATE TABLE public.came_between (n int)")
        return len(read)
    try:
        with dump_and_hold(subject.source, None, None, dump) as (dumped, source):
            assert dumped == 2
            assert "public.came_between" in {table.full_name for table in source.tables}
    finally:
        subject.ask("DROP TABLE public.came_between")


def test_one_that_is_changed_every_time_is_refused(subject: Subject) -> None:
    count = 0

    def dump(_: int) -> None:
        nonlocal count
        count += 1
        subject.ask(f"COMMENT ON TABLE public.users IS 'number {count}'")
    try:
        with pytest.raises(DumpError, match="its structure was changed each of the 5 times that pg_dump read it"), \
                dump_and_hold(subject.source, None, None, dump):
            pass
    finally:
        subject.ask("COMMENT ON TABLE public.users IS NULL")
    assert count == ATTEMPTS


def test_rows_that_are_written_meanwhile_are_no_change_of_the_structure(subject: Subject) -> None:
    def dump(_: int) -> None:
        subject.ask("UPDATE public.users SET email = email WHERE id = 1")
    with dump_and_hold(subject.source, None, None, dump) as (_dumped, source):
        assert source.snapshot is None


def test_whoever_comes_while_a_backup_reads_waits_and_sees_it_end(subject: Subject) -> None:
    with snapshot_of(subject.source) as source:
        source.release()
        assert subject.ask("SELECT 1") == [(1,)]


def test_a_login_that_may_not_read_every_table_is_refused_with_the_missing_rights(subject: Subject) -> None:
    name = f"blind_{secrets.token_hex(3)}"
    subject.ask(f"CREATE ROLE {name} LOGIN PASSWORD 'x'")
    try:
        with pytest.raises(DumpError, match=r"permission denied.*pg_read_all_data|pg_dump: .*permission denied"):
            run_logical(subject.store, subject.ring, replace(subject.source, user=name, password="x"))
    finally:
        subject.ask(f"DROP ROLE {name}")


def test_a_server_that_does_not_answer_is_an_error_for_every_waiting_client(subject: Subject) -> None:
    gone = replace(subject.source, password="wrong")
    with begin_snapshot(gone) as pending, pytest.raises(Exception, match="password authentication failed"):
        pending.alone.result()


def test_a_released_server_refuses_a_backup_in_one_line_before_any_change(
        subject: Subject, taken: dict[str, Any], servers: Callable[[str], Server]) -> None:
    other = servers("official")
    entry = find_backup(subject.store, subject.admin.database, taken["id"])
    with pytest.raises(RestoreError, match=r"TimescaleDB found 2\.\S+, required exactly 2\.23\.0-dev; restore into a "
                                           "stack of target embedded: no other server has it$"):
        restore_logical(subject.store, subject.ring, entry, other.admin, "refused")
    with other.admin.connect() as connection:
        assert connection.execute("SELECT FROM pg_database WHERE datname = 'refused'").fetchone() is None


def test_two_drills_at_once_are_refused_in_one_line(subject: Subject, taken: dict[str, Any]) -> None:
    entry = find_backup(subject.store, subject.admin.database, taken["id"])
    with hold_file(f"drill-{subject.admin.port}") as held:
        assert held
        with pytest.raises(BusyError, match="another drill is going on in this server"):
            run_drill(subject.store, subject.ring, entry, admin=replace(subject.admin, database="postgres"))


def test_a_machine_without_docker_and_client_programs_takes_those_of_the_package(
        subject: Subject, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    require("clients")
    monkeypatch.setattr(client_programs, "FOLDERS", ())
    monkeypatch.setenv("PATH", str(tmp_path))
    facts = subject.lcdb("run")
    assert facts["program"]["pg_dump"].startswith("17.10")
