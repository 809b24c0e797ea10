"""Servers for database tests, started once for a test run: embedded, debian (apache), official."""

from __future__ import annotations

import os
import secrets
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from infra.local import docker_engine, embedded_server, processes
from infra.local.base_image import ensure_base_image
from infra.settings import OFFICIAL_IMAGE
from infra.targets.docker import IMAGES, debian_reference
from schema.apply import ensure
from schema.comparison.compare import Options
from schema.connection import Address
from schema.lifecompanion import declared
from tests.support.machine import find_lack, one_at_a_time, require

KINDS = ("official", "debian", "embedded")
COMMUNITY = ("official", "embedded")
MULTI_PROCESS = ("official", "debian")
OWNER = "test_owner"
TEMPLATE = "with_timescaledb"
DECLARED = "with_declared_schema"
SKIP = Options(on_unsupported="skip")
START_SECONDS = 120


@dataclass(frozen=True)
class Server:
    """A running server; `admin` logs in as its superuser."""

    kind: str
    admin: Address
    container: str | None = None

    @property
    def community(self) -> bool:
        """Whether policies and the columnstore can be used."""
        return self.kind in COMMUNITY

    @property
    def multi_process(self) -> bool:
        """Whether several connections can be open at once."""
        return self.kind in MULTI_PROCESS


@dataclass(frozen=True)
class Database:
    """A fresh database with the extension: `owner` may create in it and is no superuser, `admin` is one."""

    server: Server
    owner: Address
    admin: Address

    def execute(self, *statements: str) -> list[tuple[object, ...]]:
        """Run the statements as the owner, one by one; return the rows of the last."""
        with self.owner.connect() as connection:
            for statement in statements:
                cursor = connection.execute(statement.encode())
            return cursor.fetchall() if cursor.description else []


@contextmanager
def running(kind: str, folder: Path, options: Sequence[str] = (), **parameters: str) -> Iterator[Server]:
    """Start a server of this kind and stop it afterwards; `options` are docker's. Skips where the machine has no such
    server.
    """
    require(kind)
    with (_embedded(folder) if kind == "embedded" else _container(kind, folder, options, parameters)) as server:
        yield server


def require_official(bench: str) -> None:
    """End a benchmark in one line where this machine cannot have the official server."""
    if lack := find_lack("official"):
        raise SystemExit(f"bench: {bench} {lack.words}")


def create_declared(server: Server, name: str) -> Database:
    """Create a database with the whole schema and no rows; from a template where the server can have several."""
    if not server.multi_process:
        database = create_database(server, name)
        ensure(database.owner, declared(), options=SKIP)
        return database
    if not has_database(server, DECLARED):
        draft = create_database(server, f"{DECLARED}_draft")
        ensure(draft.owner, declared(), options=SKIP)
        with server.admin.connect() as connection:
            # Only what was applied whole has the name.
            connection.execute(sql.SQL("ALTER DATABASE {} RENAME TO {}").format(
                sql.Identifier(draft.owner.database), sql.Identifier(DECLARED)))
    return create_database(server, name, DECLARED)


def create_database(server: Server, name: str, template: str = TEMPLATE) -> Database:
    """Create an unused database; on the embedded server, which has only one, empty that."""
    password = secrets.token_hex(8)
    if server.multi_process:
        create_template(server)
        with server.admin.connect() as connection:
            connection.execute(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(
                sql.Identifier(name), sql.Identifier(template)))
    admin = replace(server.admin, database=name) if server.multi_process else server.admin
    owner = replace(admin, user=OWNER, password=password)
    with admin.connect() as connection:
        if not server.multi_process:
            empty(connection)
        _make_owner(connection, owner)
    return Database(server, owner, admin)


def create_login(database: Database, name: str, *options: str) -> Address:
    """Create a login of the database, or take over the server's of that name; `options` are CREATE ROLE's."""
    login = replace(database.owner, user=name, password="of-a-test")
    with database.admin.connect() as connection:
        known = connection.execute("SELECT FROM pg_roles WHERE rolname = %s", [name]).fetchone()
        verb = sql.SQL("CREATE" if known is None else "ALTER")
        connection.execute(sql.SQL("{} ROLE {} LOGIN {} PASSWORD {}").format(
            verb, sql.Identifier(name), sql.SQL(" ").join(map(sql.SQL, options)), sql.Literal(login.password)))
    return login


def drop_database(database: Database) -> None:
    """Drop a database of `create_database`; the embedded server's is emptied by the next test."""
    if database.server.multi_process:
        with database.server.admin.connect() as connection:
            name = sql.Identifier(database.owner.database)
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(name))


def empty(connection: psycopg.Connection[tuple[object, ...]]) -> None:
    """Drop every relation, function, type, sequence and collation that belongs to no extension, hypertables one by one,
    aggregates before their sources; then every schema but public.
    """
    connection.execute("SET client_min_messages = error")
    if connection.execute("SELECT to_regclass('timescaledb_information.continuous_aggregates')").fetchone() != (None,):
        aggregates = """
            SELECT format('%I.%I', view_schema, view_name) FROM timescaledb_information.continuous_aggregates
             ORDER BY to_regclass(format('%I.%I', view_schema, view_name))::oid DESC"""
        for (name,) in connection.execute(aggregates).fetchall():
            connection.execute(f"DROP MATERIALIZED VIEW IF EXISTS {name} CASCADE".encode())
    objects = """
        SELECT CASE c.relkind WHEN 'v' THEN 'VIEW' ELSE 'TABLE' END, c.oid::regclass::text
          FROM pg_class c
         WHERE c.relnamespace = ANY(%(schemas)s) AND c.relkind IN ('r', 'v')
           AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e')
        UNION ALL
        SELECT 'ROUTINE', p.oid::regprocedure::text FROM pg_proc p
         WHERE p.pronamespace = ANY(%(schemas)s)
           AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = p.oid AND d.deptype = 'e')
        UNION ALL
        SELECT 'TYPE', t.oid::regtype::text FROM pg_type t
         WHERE t.typnamespace = ANY(%(schemas)s)
           AND (t.typtype IN ('d', 'e') OR EXISTS (SELECT FROM pg_class c WHERE c.oid = t.typrelid AND c.relkind = 'c'))
           AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = t.oid AND d.deptype = 'e')
        UNION ALL
        SELECT 'SEQUENCE', c.oid::regclass::text FROM pg_class c
         WHERE c.relnamespace = ANY(%(schemas)s) AND c.relkind = 'S'
           AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = c.oid AND d.deptype IN ('a', 'e', 'i'))
        UNION ALL
        SELECT 'COLLATION', o.oid::regcollation::text FROM pg_collation o
         WHERE o.collnamespace = ANY(%(schemas)s)"""
    schemas = connection.execute(
        "SELECT oid, nspname FROM pg_namespace WHERE nspname !~ '^(pg_|_timescaledb|timescaledb_|information_schema$)'"
    ).fetchall()
    for kind, name in connection.execute(objects.encode(), {"schemas": [oid for oid, _ in schemas]}).fetchall():
        connection.execute(f"DROP {kind} IF EXISTS {name} CASCADE".encode())
    for _, schema in schemas:
        if schema != "public":
            connection.execute(sql.SQL("DROP SCHEMA {} CASCADE").format(sql.Identifier(str(schema))))


def has_database(server: Server, name: str) -> bool:
    """Tell whether the server has a database of this name."""
    with server.admin.connect() as connection:
        return connection.execute("SELECT FROM pg_database WHERE datname = %s", [name]).fetchone() is not None


def create_template(server: Server) -> None:
    """Create a database with the extension, once for each server; copying it is quicker than CREATE EXTENSION."""
    if has_database(server, TEMPLATE):
        return
    with server.admin.connect() as connection:
        connection.execute(sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(sql.Identifier(TEMPLATE)))
    with replace(server.admin, database=TEMPLATE).connect() as template:
        template.execute("CREATE EXTENSION timescaledb")


def _make_owner(connection: psycopg.Connection[tuple[object, ...]], owner: Address) -> None:
    role, database = sql.Identifier(owner.user), sql.Identifier(owner.database)
    connection.execute("CREATE EXTENSION IF NOT EXISTS timescaledb")
    if not connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [owner.user]).fetchone():
        connection.execute(sql.SQL("CREATE ROLE {}").format(role))
    connection.execute(sql.SQL("ALTER ROLE {} LOGIN PASSWORD {}").format(role, sql.Literal(owner.password)))
    connection.execute(sql.SQL("GRANT CREATE, TEMPORARY ON DATABASE {} TO {}").format(database, role))
    connection.execute(sql.SQL("GRANT CREATE, USAGE ON SCHEMA public TO {}").format(role))


@contextmanager
def _embedded(folder: Path) -> Iterator[Server]:
    address = embedded_server.start(folder, processes.free_port(), secrets.token_hex(8))
    try:
        yield Server("embedded", address)
    finally:
        embedded_server.stop(folder)


@contextmanager
def _container(kind: str, folder: Path, options: Sequence[str], more: Mapping[str, str]) -> Iterator[Server]:
    image = _image(kind)
    password = secrets.token_hex(8)
    secret = folder / "password"
    secret.write_text(password)
    name = f"schema-test-{kind}-{secrets.token_hex(4)}"
    hba = folder / "pg_hba.conf"
    hba.write_text("local all all trust\nhost all all all scram-sha-256\n")
    # No durability: a test's database is thrown away. No scheduler: a template may have no session, and no job runs
    # but those that a test runs.
    parameters = {"hba_file": "/etc/pg_hba.conf", "fsync": "off", "listen_addresses": "*",
                  "shared_preload_libraries": "timescaledb", "timescaledb.telemetry_level": "off",
                  "timescaledb.max_background_workers": "0", "scram_iterations": "1", **more}
    docker("run", "--detach", "--name", name, "--publish", "127.0.0.1::5432", "--shm-size", "256m",
            *os.environ.get("BENCH_DOCKER_OPTIONS", "").split(), *options,
            "--volume", f"{secret}:/run/secrets/password:ro", "--volume", f"{hba}:/etc/pg_hba.conf:ro",
            "--env", "POSTGRES_PASSWORD_FILE=/run/secrets/password", image, "postgres",
            *(word for key, value in parameters.items() for word in ("-c", f"{key}={value}")))
    try:
        port = int(docker("port", name, "5432/tcp").split(":")[-1])
        address = Address("127.0.0.1", port, "postgres", "postgres", password)
        _await(address, name)
        yield Server(kind, address, name)
    finally:
        docker("rm", "--force", "--volumes", name)


@contextmanager
def impatient() -> Iterator[None]:
    """Nobody waits long for a server that takes no logins: for one that is gone and stays away."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setitem(Address.connect.__kwdefaults__ or {}, "wait_seconds", 0.5)
        patched.setattr("schema.connection.REMOTE_SECONDS", 2)
        yield


def _image(kind: str) -> str:
    """Return the docker target's image: the official one present or pulled, the Debian one built. Skips where neither
    can be had.
    """
    require(kind)
    reference = OFFICIAL_IMAGE if kind == "official" else debian_reference()
    with one_at_a_time(kind):
        if docker_engine.has_image(reference):
            return reference
        if kind == "official":
            docker("pull", "--quiet", reference)
        else:
            docker("build", "--quiet", "--tag", reference, "--build-arg", f"BASE={ensure_base_image()}",
                   str(IMAGES / "debian"))
    return reference


def docker(*arguments: str) -> str:
    """Run the docker command; return its output."""
    try:
        return subprocess.run(["docker", *arguments], capture_output=True, text=True, check=True).stdout
    except subprocess.CalledProcessError as error:
        error.add_note(error.stderr.strip())
        raise


def _await(address: Address, name: str) -> None:
    """Wait for the real server: the temporary one of the first start listens on no TCP port."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        try:
            psycopg.connect(address.dsn(), connect_timeout=5).close()
        except psycopg.OperationalError:
            time.sleep(0.1)
        else:
            return
    raise TimeoutError(f"{name} took no login within {START_SECONDS} s: {docker('logs', '--tail', '5', name)}")
