"""A logical backup of an earlier major version comes back in a later one: a plain database, without TimescaleDB."""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

from backups.drill.comparison import compare
from backups.errors import RestoreError
from backups.logical.backup import run_logical
from backups.logical.catalog import Entry, find_backup, open_backup
from backups.logical.reader import Opened
from backups.restoring.restore import restore_logical
from backups.restoring.target_database import drop_database
from backups.storage.encryption import Keyring, new_key
from backups.storage.object_store import Store
from infra.local.processes import free_port
from schema.connection import Address
from tests.support.machine import MAJOR, earlier_servers
from tests.support.running.s3_servers import S3Server
from tests.support.running.servers import Server

pytestmark = [pytest.mark.servers("debian"), pytest.mark.needs("earlier", "s3")]

# A key to itself, an enum, an index of an expression, a view, a sequence of a column, rows in partitions, and a table
# that is long enough to be read in parts.
SOURCE = r"""
    CREATE TYPE mood AS ENUM ('fine', E'it''s so-so');
    CREATE TABLE people (id serial PRIMARY KEY, boss int REFERENCES people, name text, mood mood, at timestamptz,
        tags text[], facts jsonb, raw bytea, shouted text GENERATED ALWAYS AS (upper(name)) STORED);
    INSERT INTO people (boss, name, mood, at, tags, facts, raw)
        SELECT nullif(g / 2, 0), E'tab\t new\n line \\. ' || g, 'it''s so-so', '2020-02-29 12:00+02',
               ARRAY['a', NULL, g::text], jsonb_build_object('g', g), '\x00ff' FROM generate_series(1, 500) g;
    CREATE INDEX ON people (lower(name));
    CREATE VIEW moody AS SELECT mood, count(*) FROM people GROUP BY mood;
    CREATE TABLE logs (at date NOT NULL, line text) PARTITION BY RANGE (at);
    CREATE TABLE logs_2020 PARTITION OF logs FOR VALUES FROM ('2020-01-01') TO ('2021-01-01');
    CREATE TABLE logs_later PARTITION OF logs DEFAULT;
    INSERT INTO logs SELECT date '2020-12-01' + g, 'line ' || g FROM generate_series(1, 90) g;
    CREATE TABLE long AS SELECT g AS id, repeat(md5(g::text), 4) AS filling FROM generate_series(1, 100000) g;
"""


@pytest.fixture(scope="module")
def earlier() -> Iterator[Address]:
    """A server of an earlier major version from this machine's packages; it takes no administrator as its user."""
    servers = earlier_servers()
    user = "nobody" if os.geteuid() == 0 else None
    with tempfile.TemporaryDirectory(prefix="lcdb-major-") as name:
        password, data, port = Path(name) / "password", Path(name) / "data", free_port()
        password.write_text(secrets.token_hex(8))
        for path in (name, password) if user else ():
            shutil.chown(path, user)
        subprocess.run([servers[0] / "initdb", "-D", data, "-U", "postgres", "--auth=scram-sha-256",
                        f"--pwfile={password}", "--encoding=UTF8", "--locale=C"], check=True, capture_output=True,
                       user=user, cwd=name)
        with subprocess.Popen([servers[0] / "postgres", "-D", data, "-p", str(port), "-k", name, "-c", "fsync=off",
                               "-c", "listen_addresses=127.0.0.1"], stderr=subprocess.DEVNULL, user=user,
                              cwd=name) as process:
            address = Address("127.0.0.1", port, "postgres", "postgres", password.read_text())
            try:
                address.connect(wait_seconds=60).close()
                yield address
            finally:
                process.terminate()


@pytest.fixture(scope="module")
def backup(earlier: Address, s3: S3Server) -> tuple[Store, Keyring, Entry]:
    with earlier.connect() as connection:
        connection.execute("CREATE DATABASE plain")
    source = replace(earlier, database="plain")
    with source.connect() as connection:
        connection.execute(SOURCE.encode())
    bucket = f"majors-{secrets.token_hex(4)}"
    s3.login.client().create_bucket(Bucket=bucket)
    store, ring = Store(s3.login, bucket, patience=5), Keyring([new_key()])
    run_logical(store, ring, source)
    return store, ring, find_backup(store, "plain")


def test_a_backup_is_restored_byte_for_byte_in_a_later_version(
        backup: tuple[Store, Keyring, Entry], server: Server) -> None:
    store, ring, entry = backup
    assert entry.manifest
    assert entry.manifest.server.server_version // 10000 < MAJOR
    name = f"later_{secrets.token_hex(4)}"
    try:
        restored = restore_logical(store, ring, entry, server.admin, name)
        comparison = compare(entry.manifest, replace(server.admin, database=name),
                             opened=Opened(store, *open_backup(store, ring, entry)))
        with replace(server.admin, database=name).connect() as connection:
            following = connection.execute("INSERT INTO public.people (boss, name) VALUES (1, 'x') RETURNING id")
            assert following.fetchone() == (501,)
            with pytest.raises(psycopg.errors.ForeignKeyViolation):
                connection.execute("INSERT INTO public.people (boss) VALUES (9999)")
    finally:
        with server.admin.connect() as connection:
            drop_database(connection, name)
    assert (comparison.differences, comparison.rows, restored.rows) == ([], 500 + 90 + 100_000, 500 + 90 + 100_000)


def test_a_backup_of_a_later_version_is_refused_by_an_earlier_server_before_any_change(
        earlier: Address, backup: tuple[Store, Keyring, Entry], server: Server) -> None:
    store, ring, _ = backup
    name = f"newer_{secrets.token_hex(4)}"
    with server.admin.connect() as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE template0".encode())
    try:
        run_logical(store, ring, replace(server.admin, database=name))
        with pytest.raises(RestoreError, match=r"PostgreSQL found \d+, required \d+ or later; restore into a newer"):
            restore_logical(store, ring, find_backup(store, name), earlier, "back")
    finally:
        with server.admin.connect() as connection:
            drop_database(connection, name)
    with earlier.connect() as connection:
        assert connection.execute("SELECT FROM pg_database WHERE datname = 'back'").fetchone() is None
