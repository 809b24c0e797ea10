"""`lcdb schema --sql DIR` on real servers: a declaration as CREATE statements, read by way of a scratch database."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from psycopg import sql
from typer.testing import CliRunner

from cli.registry import gather
from infra.program.outputs import dsn
from schema import apply
from schema.comparison.compare import Options
from schema.connection import Address
from schema.export.sql_files.folder import read_statements
from schema.export.sql_files.loading import load
from schema.export.sql_files.scratch_database import PREFIX, scratch_database
from tests.support.running.servers import Database, create_login, running
from tests.support.schemas.rich import DECLARED

SKIP = Options(on_unsupported="skip", whole_schema=True)
BOTH = pytest.mark.servers("official", "debian")
pytestmark = pytest.mark.repeats("debian")
ROLE = "test_sql_files"


@pytest.fixture
def creator(database: Database) -> Iterator[Address]:
    """A login of the database that may create others and is no superuser."""
    login = create_login(database, ROLE, "CREATEDB")
    with database.admin.connect() as connection:
        connection.execute(sql.SQL("GRANT ALL ON DATABASE {} TO {}").format(
            sql.Identifier(login.database), sql.Identifier(ROLE)))
        connection.execute(sql.SQL("GRANT ALL ON SCHEMA public TO {}").format(sql.Identifier(ROLE)))
    yield login
    assert scratch_databases(database) == []


def run(address: Address, *arguments: str) -> Any:
    """`lcdb schema ...` against the database."""
    login = dsn({**address.to_dict(), "sslmode": "disable"})
    return CliRunner().invoke(gather(), ["schema", *arguments], env={"LCDB_DSN": login, "STACK": None})


def scratch_databases(database: Database) -> list[str]:
    with database.admin.connect() as connection:
        return [name for (name,) in connection.execute(
            "SELECT datname FROM pg_database WHERE datname LIKE %s", [f"{PREFIX}%"])]


def folder(tmp_path: Path, *texts: str) -> Path:
    """A folder with a file for each text, in their order."""
    path = tmp_path / f"sql{len(list(tmp_path.iterdir()))}"
    path.mkdir()
    for number, text in enumerate(texts):
        (path / f"{number:03}.sql").write_text(text)
    return path


@BOTH
def test_a_database_exported_and_planned_from_its_sql_has_nothing_to_do(database: Database, creator: Address,
                                                                        tmp_path: Path) -> None:
    apply.ensure(creator, DECLARED, options=SKIP)
    edition = ("--edition", "timescale" if database.server.community else "apache")

    exported = run(creator, "export", "--live", *edition)

    assert exported.exit_code == 0, exported.stderr
    files = folder(tmp_path, exported.stdout)
    planned = run(creator, "plan", "--sql", str(files))
    assert planned.output == "nothing to do: the database is as declared\n"
    assert planned.exit_code == 0
    assert run(creator, "check", "--sql", str(files)).exit_code == 0
    # What a remark names, here the right to public that the login has, is not in the files.
    remarks = [f"-- {line.removeprefix('not declared: ')}" for line in exported.stderr.splitlines()]
    assert all("GRANT" in remark for remark in remarks)
    declared = [line for line in exported.stdout.splitlines() if line not in ("-- Not declared here:", *remarks)]
    again = run(creator, "export", "--sql", str(files), *edition).stdout.splitlines()
    assert list(filter(None, again)) == list(filter(None, declared))
    assert ">rooms<" in run(creator, "diagram", "--sql", str(files)).stdout


@BOTH
def test_sql_files_are_applied_and_their_changes_planned(database: Database, creator: Address, tmp_path: Path) -> None:
    table = "CREATE TABLE app.readings (at timestamptz NOT NULL, value double precision);\n"
    first = folder(tmp_path, "CREATE SCHEMA app;", table, "SELECT create_hypertable('app.readings', 'at');")
    assert run(creator, "apply", "--sql", str(first)).exit_code == 0
    assert run(creator, "plan", "--sql", str(first)).exit_code == 0
    second = folder(tmp_path, "CREATE SCHEMA app;\nSET search_path = app;\n" + table,
                    "SELECT create_hypertable('app.readings', 'at', chunk_time_interval => INTERVAL '1 day');",
                    "BEGIN;\nSET LOCAL search_path = app;\nCREATE INDEX by_value ON readings (value);\nCOMMIT;\n")
    planned = run(creator, "plan", "--sql", str(second))
    assert planned.exit_code == 2
    assert "CREATE INDEX by_value ON app.readings" in planned.output
    assert "set_chunk_time_interval" in planned.output
    assert run(creator, "apply", "--sql", str(second)).exit_code == 0
    assert run(creator, "check", "--sql", str(second)).exit_code == 0


@BOTH
def test_schemas_and_their_rights_are_declared_too(database: Database, creator: Address, tmp_path: Path) -> None:
    files = folder(tmp_path, "CREATE SCHEMA empty; CREATE SCHEMA app; CREATE TABLE app.rooms (id int);"
                             "COMMENT ON SCHEMA app IS 'The application''s'; GRANT USAGE ON SCHEMA app TO pg_monitor;"
                             "ALTER DEFAULT PRIVILEGES IN SCHEMA app GRANT SELECT ON TABLES TO pg_monitor;")
    assert run(creator, "apply", "--sql", str(files)).exit_code == 0
    assert run(creator, "plan", "--sql", str(files)).output == "nothing to do: the database is as declared\n"
    assert database.execute("SELECT obj_description('app'::regnamespace), to_regnamespace('empty') IS NOT NULL, "
                            "has_schema_privilege('pg_monitor', 'app', 'usage'), "
                            "(SELECT count(*) FROM pg_default_acl WHERE defaclnamespace = 'app'::regnamespace)") == [
        ("The application's", True, True, 1)]


@BOTH
@pytest.mark.parametrize(("text", "message"), [
    ("CREATE TABLE t (a int);\nCREATE TABLE u (\n  a int,\n  b nosuch\n);", "000.sql:4: type"),
    ("BEGIN;\nCREATE TABLE t (a int);", "000.sql:1: the transaction that begins here has no COMMIT"),
    ("CREATE DATABASE other;", "transaction block; such a statement is no part of a declaration; take it out"),
    ("CREATE TEMP TABLE t (a int);", "000.sql: t: temporary, so that no declaration can have it"),
    ("CREATE TYPE d AS RANGE (subtype = int);\nCREATE TABLE t (a d);",
     "d: a range type, which no kind of object declares"),
    ("CREATE EXTENSION citext;", "citext: an extension that the live database lacks; create it there"),
    ("CREATE PUBLICATION p;", "p: a publication, which no kind of object declares"),
    ("CREATE TEXT SEARCH CONFIGURATION german (COPY = simple);",
     "german: a text search configuration, which no kind of object declares"),
])
def test_what_cannot_be_declared_is_refused_by_name(database: Database, creator: Address, tmp_path: Path, text: str,
                                                    message: str) -> None:
    refused = run(creator, "plan", "--sql", str(folder(tmp_path, text)))
    assert refused.exit_code == 1
    assert message in str(refused.exception)
    assert database.execute("SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace "
                            "AND relname IN ('t', 'u')") == [(0,)]


@BOTH
@pytest.mark.parametrize("text", ["CREATE ROLE other PASSWORD 'secret-1';", "ALTER ROLE postgres SET work_mem = 999;",
                                  "DO $$ BEGIN CREATE ROLE other PASSWORD 'secret-1'; END $$;",
                                  "BEGIN;\nCREATE ROLE other PASSWORD 'secret-1';\nCOMMIT;"])
def test_what_would_change_the_whole_server_is_refused_and_undone(database: Database, tmp_path: Path,
                                                                  text: str) -> None:
    refused = run(database.admin, "plan", "--sql", str(folder(tmp_path, text)))
    assert refused.exit_code == 1
    assert "of the whole server, which is no part of a database's declaration" in str(refused.exception)
    assert "secret-1" not in refused.output + str(refused.exception)
    assert database.execute("SELECT count(*) FROM pg_roles WHERE rolname = 'other'") == [(0,)]
    assert scratch_databases(database) == []


@pytest.mark.needs("official")
def test_no_job_runs_in_the_scratch_database(tmp_path: Path) -> None:
    text = ("CREATE PROCEDURE noop(job_id int, config jsonb) LANGUAGE plpgsql AS 'BEGIN END';\n"
            "SELECT add_job('noop', '1 second');")
    runs = b"SELECT coalesce(sum(total_runs), 0) FROM timescaledb_information.job_stats WHERE job_id >= 1000"
    with running("official", tmp_path, **{"timescaledb.max_background_workers": "8"}) as server:
        live = replace(server.admin, database="with_workers")
        with server.admin.connect() as connection:
            connection.execute("CREATE DATABASE with_workers TEMPLATE template0")
        with live.connect() as connection:
            connection.execute("CREATE EXTENSION timescaledb")
        with scratch_database(live) as scratch, live.connect() as ordinary:
            load(scratch, read_statements(folder(tmp_path, text)))
            for statement in text.split("\n"):
                ordinary.execute(statement.encode())
            for address in (scratch.address, live):
                with address.connect() as connection:
                    connection.execute("SELECT _timescaledb_functions.start_background_workers()")
            while ordinary.execute(runs).fetchall() == [(0,)]:  # in an ordinary database it does run
                time.sleep(0.2)
            with scratch.address.connect() as connection:
                assert connection.execute(runs).fetchall() == [(0,)]
                assert connection.execute("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
                                          "AND pid <> pg_backend_pid()").fetchall() == [(0,)]


@pytest.mark.servers("official")
def test_what_a_killed_run_left_is_dropped_by_the_next(database: Database, creator: Address, tmp_path: Path) -> None:
    slow = folder(tmp_path, "SELECT pg_sleep(2);")
    environment = {**os.environ, "LCDB_DSN": dsn({**creator.to_dict(), "sslmode": "disable"})}
    command = [sys.executable, "-c", "import cli; cli.main()", "schema", "plan", "--sql", str(slow)]
    with subprocess.Popen(command, env=environment) as process:
        while process.poll() is None and not scratch_databases(database):
            time.sleep(0.05)
        process.send_signal(signal.SIGKILL)
    left, = scratch_databases(database)
    sessions = "SELECT count(*) FROM pg_stat_activity WHERE datname = %s OR pid::text = split_part(%s, '_', 3)"
    with database.admin.connect() as connection:
        while connection.execute(sessions, [left, left]).fetchone() != (0,):
            time.sleep(0.1)
    assert run(creator, "plan", "--sql", str(folder(tmp_path, "SELECT 1;"))).exit_code == 0
    assert scratch_databases(database) == []


@BOTH
def test_a_login_that_may_not_create_databases_is_one_line(database: Database, tmp_path: Path) -> None:
    refused = run(database.owner, "plan", "--sql", str(folder(tmp_path, "SELECT 1;")))
    assert refused.exit_code == 1
    assert "may not create one; ALTER ROLE ... CREATEDB" in str(refused.exception)
    assert "\n" not in str(refused.exception)


@pytest.mark.servers("embedded")
def test_a_server_with_one_database_is_one_line(database: Database, tmp_path: Path) -> None:
    refused = run(database.owner, "plan", "--sql", str(folder(tmp_path, "SELECT 1;")))
    assert refused.exit_code == 1
    assert "this server has but one; declare the schema in Python here" in str(refused.exception)


@BOTH
def test_extensions_of_the_live_database_are_in_the_scratch_one(database: Database, creator: Address,
                                                                tmp_path: Path) -> None:
    with database.admin.connect() as connection:
        connection.execute("CREATE SCHEMA ext")
        connection.execute("CREATE EXTENSION citext SCHEMA ext")
        connection.execute("GRANT USAGE ON SCHEMA ext TO PUBLIC")
        connection.execute(sql.SQL("ALTER DATABASE {} SET search_path = public, ext").format(
            sql.Identifier(creator.database)))
    files = folder(tmp_path, "CREATE SCHEMA ext;\nCREATE EXTENSION citext SCHEMA ext;",
                   "CREATE TABLE t (a ext.citext);")
    assert run(creator, "apply", "--sql", str(files)).exit_code == 0
    planned = run(creator, "plan", "--sql", str(folder(tmp_path, "CREATE TABLE t (a citext);")))
    assert (planned.output, planned.exit_code) == ("nothing to do: the database is as declared\n", 0)


@BOTH
def test_both_declarations_at_once_are_one_line(database: Database, creator: Address, tmp_path: Path) -> None:
    refused = run(creator, "plan", "--sql", str(tmp_path), "--declared", "mine.py")
    assert "--declared mine.py is given beside --sql; give one of them" in str(refused.exception)
