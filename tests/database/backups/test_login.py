"""Whoever reads rows for a backup logs in as safely as libpq does, and reads the same bytes whatever the login's own
settings are."""

from __future__ import annotations

import asyncio
import datetime
import secrets
from collections.abc import Iterator
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path
from threading import Timer
from typing import Any

import psycopg
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from backups.errors import DumpError
from backups.logical.copy_out import Reading, copy_out
from backups.logical.source.snapshot import snapshot_of
from backups.logical.work_queue import Piece, PieceQueue
from backups.postgresql.asyncpg_login import log_in
from schema.connection import Address
from tests.support.running.servers import Server, create_database, docker, drop_database

pytestmark = pytest.mark.servers("official")


def certificate(name: str, key: Any, issuer: str, issuer_key: Any) -> bytes:
    def named(common: str) -> x509.Name:
        return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])
    now = datetime.datetime.now(datetime.UTC)
    return x509.CertificateBuilder(
        named(issuer), named(name), key.public_key(), x509.random_serial_number(), now - datetime.timedelta(days=1),
        now + datetime.timedelta(days=1)).add_extension(
        x509.BasicConstraints(name == issuer, None), True).add_extension(
        x509.SubjectAlternativeName([x509.DNSName(name)]), False).sign(
        issuer_key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


@pytest.fixture(scope="module")
def login(server: Server) -> Iterator[Address]:
    """A superuser of its own in a database of its own."""
    database = create_database(server, f"login_{secrets.token_hex(4)}")
    user = replace(database.admin, user=f"reader_{secrets.token_hex(4)}", password=secrets.token_hex(8))
    with database.admin.connect() as connection:
        connection.execute(f"CREATE ROLE {user.user} SUPERUSER LOGIN PASSWORD '{user.password}'".encode())
        connection.execute("CREATE TABLE t AS SELECT decode(md5(g::text), 'hex') AS bytes, g * interval '-1 mon 2 days'"
                           " AS span, 1 / g::float8 AS number, date '2026-11-25' + g AS day, E'a\\\\b\\'é' AS text"
                           " FROM generate_series(1, 5) g")
        connection.execute("CREATE VIEW v AS SELECT E'a\\\\b'::text AS \"X y\" FROM t")
    yield user
    drop_database(database)
    with server.admin.connect() as connection:
        connection.execute(f"DROP ROLE {user.user}".encode())


@pytest.fixture(scope="module")
def tls(server: Server, login: Address, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The server speaks TLS; ca.crt is who signed for `localhost`, other.crt somebody else."""
    folder = tmp_path_factory.mktemp("tls")
    ours, foreign, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(3))
    (folder / "ca.crt").write_bytes(certificate("ca", ours, "ca", ours))
    (folder / "other.crt").write_bytes(certificate("ca", foreign, "ca", foreign))
    (folder / "server.crt").write_bytes(certificate("localhost", key, "ca", ours))
    (folder / "server.key").write_bytes(key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
    container = str(server.container)
    for name in ("server.crt", "server.key"):
        docker("cp", str(folder / name), f"{container}:/tmp/{name}")
    docker("exec", "--user", "root", container, "sh", "-c", "chown postgres /tmp/server.* && chmod 600 /tmp/server.key")
    settings = {"ssl_cert_file": "/tmp/server.crt", "ssl_key_file": "/tmp/server.key", "ssl": "on"}
    with server.admin.connect() as connection:
        for name, value in settings.items():
            connection.execute(f"ALTER SYSTEM SET {name} = '{value}'".encode())
        connection.execute("SELECT pg_reload_conf()")
    yield folder
    with server.admin.connect() as connection:
        for name in settings:
            connection.execute(f"ALTER SYSTEM RESET {name}".encode())
        connection.execute("SELECT pg_reload_conf()")


def by_libpq(address: Address) -> bool | None:
    """Whether over TLS; None where it does not get in."""
    try:
        with psycopg.connect(address.dsn(), connect_timeout=10) as connection:
            return bool(connection.pgconn.ssl_in_use)
    except psycopg.OperationalError:
        return None


def by_asyncpg(address: Address) -> bool | None:
    async def run() -> bool:
        connection = await log_in(address, "test")
        try:
            return bool(await connection.fetchval("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()"))
        finally:
            connection.terminate()
    try:
        return asyncio.run(run())
    except DumpError:
        return None


@pytest.mark.parametrize("root", [None, "ca.crt", "other.crt", "missing.crt"])
@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
def test_a_reader_trusts_whom_libpq_trusts(login: Address, tls: Path, host: str, root: str | None) -> None:
    outcomes, required = {}, {}
    for mode in ("disable", "allow", "prefer", "require", "verify-ca", "verify-full"):
        address = replace(login, host=host, sslmode=mode, sslrootcert=str(tls / root) if root else None)
        outcomes[mode], required[mode] = by_asyncpg(address), by_libpq(address)
    assert outcomes == required


def test_a_wrong_certificate_is_one_line_without_the_password(login: Address, tls: Path) -> None:
    with pytest.raises(DumpError, match=r"a reader cannot log in: .*certificate") as caught:
        copy_out(replace(login, sslmode="verify-full", sslrootcert=str(tls / "other.crt")), Future())
    assert "\n" not in str(caught.value)
    assert login.password not in str(caught.value)


def read(address: Address) -> tuple[dict[str, bytes], str]:
    """The bytes of every table that is nobody's configuration, and the fingerprint of the structure."""
    texts: dict[str, bytes] = {}

    class Text:
        def __init__(self, piece: Piece) -> None:
            self.name = piece.table.full_name
            texts[self.name] = b""

        def write(self, data: bytes) -> None:
            texts[self.name] += data

        def finish(self, rows: int) -> None:
            assert texts[self.name].count(b"\n") == rows

        def abandon(self) -> None:
            raise AssertionError
    with snapshot_of(address) as source:
        reading: Future[Reading] = Future()
        queue = PieceQueue([table for table in source.tables if table.extension is None])
        reading.set_result(Reading(source, queue, Text))
        copy_out(address, reading)
        return texts, source.surroundings.fingerprint


def test_no_setting_of_the_login_changes_a_byte(login: Address, server: Server) -> None:
    required = read(login)
    for setting in ("datestyle = 'SQL, DMY'", "intervalstyle = sql_standard", "bytea_output = escape",
                    "extra_float_digits = -15", "client_encoding = LATIN1", "standard_conforming_strings = off",
                    "search_path = public", "timezone = 'Asia/Tokyo'", "quote_all_identifiers = on",
                    "statement_timeout = 200", "default_transaction_isolation = serializable"):
        with server.admin.connect() as connection:
            connection.execute(f"ALTER ROLE {login.user} RESET ALL".encode())
            connection.execute(f"ALTER ROLE {login.user} SET {setting}".encode())
        assert read(login) == required, setting
    with server.admin.connect() as connection:
        connection.execute(f"ALTER ROLE {login.user} RESET ALL".encode())


def test_a_reader_waits_for_the_snapshot_longer_than_its_login_may_be_idle(login: Address, server: Server) -> None:
    with server.admin.connect() as connection:
        connection.execute(f"ALTER ROLE {login.user} SET idle_session_timeout = 200".encode())
    reading: Future[Reading] = Future()
    with snapshot_of(login) as source:
        Timer(0.8, reading.set_result, [Reading(source, PieceQueue([]), lambda _: pytest.fail("no table"))]).start()
        copy_out(login, reading)
    with server.admin.connect() as connection:
        connection.execute(f"ALTER ROLE {login.user} RESET ALL".encode())


def test_a_login_without_room_for_a_reader_is_one_line_that_says_how_many(
        login: Address, server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("backups.postgresql.asyncpg_login.ROOM_SECONDS", 0.5)
    # A superuser has no limit.
    with server.admin.connect() as connection:
        connection.execute(f"ALTER ROLE {login.user} NOSUPERUSER CONNECTION LIMIT 0".encode())
    try:
        with pytest.raises(DumpError, match=r"a reader cannot log in: .*; .* for each worker and two more") as caught:
            copy_out(login, Future())
    finally:
        with server.admin.connect() as connection:
            connection.execute(f"ALTER ROLE {login.user} SUPERUSER CONNECTION LIMIT -1".encode())
    assert "\n" not in str(caught.value)


def test_a_reader_waits_until_a_full_login_has_room(login: Address, server: Server) -> None:
    def limit(words: str) -> None:
        with server.admin.connect() as connection:
            connection.execute(f"ALTER ROLE {login.user} {words}".encode())
    reading: Future[Reading] = Future()
    with snapshot_of(login) as source:
        reading.set_result(Reading(source, PieceQueue([]), lambda _: pytest.fail("no table")))
        limit("NOSUPERUSER CONNECTION LIMIT 0")
        room = Timer(1, limit, ["SUPERUSER CONNECTION LIMIT -1"])
        room.start()
        try:
            copy_out(login, reading)
        finally:
            room.join()


@pytest.mark.parametrize(("variable", "value"), [
    ("PGTARGETSESSIONATTRS", "read-only"), ("PGHOSTADDR", "127.0.0.9"), ("PGPASSWORD", "wrong"), ("PGHOST", "nowhere"),
    ("PGPORT", "1"), ("PGUSER", "nobody"), ("PGDATABASE", "nothing"), ("PGOPTIONS", "-c search_path=x"),
    ("PGGSSLIB", "none"), ("PGKRBSRVNAME", "x")])
def test_no_variable_of_the_caller_leads_a_login_elsewhere(
        login: Address, monkeypatch: pytest.MonkeyPatch, variable: str, value: str) -> None:
    monkeypatch.setenv(variable, value)
    texts, _ = read(login)
    assert texts["public.t"].count(b"\n") == 5


def test_a_password_of_the_environment_is_not_tried_for_a_login_without_one(
        login: Address, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGPASSWORD", login.password)
    assert by_asyncpg(replace(login, password="")) is None
