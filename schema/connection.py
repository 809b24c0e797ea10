"""A database's address and login: the one value that the packages hand to each other."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from typing import Any, Self

import psycopg
from psycopg import Connection, sql
from psycopg.conninfo import make_conninfo
from psycopg.errors import QueryCanceled
from tenacity import Retrying, retry_if_exception, stop_after_delay, wait_random_exponential

from schema.errors import QueryError, ServerUnreachableError, UnfinishedRestoreError

# On loopback an embedded server may first have to finish with another client; from afar, silence means nobody is there.
LOOPBACK_SECONDS, REMOTE_SECONDS = 60, 10
# What a server says that is starting, stopping, full or back from a crash; everything else (wrong password, no such
# database) is final.
PASSING = ("starting up", "shutting down", "in recovery mode", "not yet accepting connections", "too many clients",
           "too many connections", "Connection refused", "connection refused", "server closed the connection",
           "Connection reset")
# A server that went without a word is noticed within a minute, not after the two hours that systems take; within two
# minutes where something was under way to it, not after a quarter of an hour. (Less would also end a COPY whose server
# does not take more rows just then, as it waits for a lock.)
KEEPALIVES = {"keepalives_idle": 20, "keepalives_interval": 10, "keepalives_count": 3, "tcp_user_timeout": 120_000}
# Options of a connection whose work none of its login's own limits is to end half-way.
UNLIMITED = "-c statement_timeout=0 -c idle_in_transaction_session_timeout=0"
# Not a file, but libpq's word for the certificates of the operating system.
SYSTEM = "system"
# A setting of a database that a restore of ours goes on in, or was killed in: the id of the backup.
UNFINISHED = "lifecompanion.restoring"
SWITCHED_OFF = "timescaledb.restoring"
# In one message, so that a login's own limit ends it at most before its second word; then it is asked again.
ATTEMPTS = 20
ASKED = f"""
    BEGIN; SET LOCAL statement_timeout = 0;
    SELECT current_setting('{UNFINISHED}', true), current_setting('{SWITCHED_OFF}', true); COMMIT"""
# Where it is set, most particular first; the server's own configuration last.
PLACES = """
    SELECT d.datname::text, r.rolname::text
      FROM pg_db_role_setting s
      LEFT JOIN pg_database d ON d.oid = s.setdatabase LEFT JOIN pg_roles r ON r.oid = s.setrole
     WHERE (s.setdatabase = 0 OR d.datname = current_database()) AND (s.setrole = 0 OR r.rolname = session_user)
       AND EXISTS (SELECT FROM unnest(s.setconfig) AS entry WHERE split_part(entry, '=', 1) = %s)
     ORDER BY s.setrole = 0, s.setdatabase = 0"""
# Whatever goes wrong is an exception; what the driver tells a log beside it is for whoever listens to that log.
logging.getLogger("psycopg").addHandler(logging.NullHandler())


@dataclass(frozen=True)
class Address:
    """One login to one database. `password` is in no repr; `sslmode` is libpq's."""

    host: str
    port: int
    database: str
    user: str
    password: str = field(repr=False)
    sslmode: str = "prefer"
    sslrootcert: str | None = None

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Build from a mapping as Pulumi passes it: numbers as floats, missing keys for null."""
        return cls(
            host=str(values["host"]), port=int(values["port"]), database=str(values["database"]),
            user=str(values["user"]), password=str(values["password"]),
            sslmode=str(values.get("sslmode") or "prefer"), sslrootcert=values.get("sslrootcert") or None,
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the mapping that `from_dict` takes, without None; it contains the password."""
        return {key: value for key, value in asdict(self).items() if value is not None}

    def dsn(self) -> str:
        """Return a libpq connection string; it contains the password."""
        parts = self.to_dict()
        parts["dbname"] = parts.pop("database")
        return make_conninfo("", **parts)

    def __str__(self) -> str:
        return f"{self.user}@{self.host}:{self.port}/{self.database}"

    def connect(self, *, autocommit: bool = True, wait_seconds: float = 15.0,
                application_name: str = "lifecompanion", options: str = "", amid_restore: bool = False,
                timezone: str | None = "UTC") -> psycopg.Connection[tuple[Any, ...]]:
        """Open a connection in UTC, waiting up to `wait_seconds` for a server that is starting or has too many clients.

        `options` are further ones for the server's process, as `-c name=value`; they count before the role's and the
        database's own. With `timezone` None the server's own holds. Raises ServerUnreachableError with one line
        (address, the server's message, remedy), never with the password; UnfinishedRestoreError, unless `amid_restore`,
        where a restore into the database has not come to its end.
        """
        retrying = Retrying(stop=stop_after_delay(wait_seconds), wait=wait_random_exponential(0.1, max=2),
                            retry=retry_if_exception(_is_passing), reraise=True)
        try:
            seconds = LOOPBACK_SECONDS if self.host in ("127.0.0.1", "localhost") else REMOTE_SECONDS
            connection = retrying(psycopg.connect, self.dsn(), autocommit=autocommit, connect_timeout=seconds,
                                  application_name=application_name, client_encoding="UTF8",
                                  options=" ".join([*([f"-c timezone={timezone}"] if timezone else []), options]),
                                  # Else the environment is asked, and may lead elsewhere.
                                  hostaddr="", target_session_attrs="any", **KEEPALIVES)
            if not amid_restore:
                try:
                    require_restored(connection)
                except BaseException:
                    connection.close()
                    raise
        except psycopg.Error as error:
            raise ServerUnreachableError(self._explain(error)) from None
        return connection

    def read_time_zone(self) -> str:
        """Return the time zone in which this login's background jobs run here: the role's, the database's or the
        server's."""
        with self.connect(timezone=None) as connection:
            row = connection.execute("SELECT current_setting('timezone')").fetchone()
        return str(row[0]) if row else "UTC"

    def _explain(self, error: psycopg.Error) -> str:
        reason = " ".join(str(error).split()) or type(error).__name__
        reason = masked(reason, self.password)
        if "password authentication failed" in reason:
            remedy = f"set the password that the server knows for {self.user}"
        elif "does not exist" in reason:
            remedy = "create it, or correct the name in the stack's configuration"
        else:
            remedy = "check that the server runs and that host and port are right"
        return f"{self}: cannot connect: {reason}; {remedy}"


def masked(text: str, secret: str) -> str:
    """Return the text with *** wherever it holds the secret; a word that only contains it stays as it is."""
    before, after = (r"(?<!\w)" if secret[:1].isalnum() else "", r"(?!\w)" if secret[-1:].isalnum() else "")
    return re.sub(f"{before}{re.escape(secret)}{after}", "***", text) if secret else text


@contextmanager
def one_line_errors(database: str) -> Iterator[None]:
    """Raise what the server refuses within as QueryError, in one line with its words and the remedy."""
    try:
        yield
    except psycopg.Error as error:
        words = " ".join((error.diag.message_primary or str(error)).split())
        if isinstance(error, psycopg.errors.InsufficientPrivilege):
            remedy = "log in as somebody who may, or have it granted"
        elif isinstance(error, psycopg.errors.QueryCanceled):
            remedy = "raise the statement_timeout of this login and database, or try when the server is less busy"
        else:
            remedy = "correct the cause and try again"
        raise QueryError(f"{database}: {words}; {remedy}") from None


def require_restored(connection: Connection[Any]) -> None:
    """Raise UnfinishedRestoreError, with the remedy, where a restore into this database has not come to its end."""
    backup, switched_off = _ask(connection)
    if backup:
        name = connection.info.dbname
        raise UnfinishedRestoreError(
            f"database {name}: the restore of backup {backup} into it goes on, or was killed before its end; wait for "
            f"it, or restore again into {name}, which drops what is there first")
    if _is_on(switched_off):
        raise UnfinishedRestoreError(_explain(connection))


def _ask(connection: Connection[Any]) -> tuple[str | None, str | None]:
    """Both settings, None for one that nothing sets."""
    for attempt in range(ATTEMPTS):
        try:
            answers = connection.execute(ASKED.encode())
            while answers.description is None and answers.nextset():
                pass  # the SELECT alone has rows
            return answers.fetchone() or (None, None)
        except QueryCanceled:
            connection.rollback()
            if attempt == ATTEMPTS - 1:
                raise
    return None, None


def _is_on(value: str | None) -> bool:
    """Whether the server takes this text for true; it is any text while nothing has loaded TimescaleDB."""
    text = (value or "").lower()
    return bool(text) and (text in ("on", "1") or any(word.startswith(text) for word in ("true", "yes")))


def _explain(connection: Connection[Any]) -> str:
    place = connection.execute(PLACES, [SWITCHED_OFF]).fetchone()
    database, role = place or (None, None)
    owners = [sql.SQL(word).format(sql.Identifier(name)) for word, name in (
        ("ROLE {}" if role else "", role), ("IN DATABASE {}" if role else "DATABASE {}", database)) if name]
    if owners:
        setter = sql.SQL(" ").join(owners).as_string(connection)
        remedy = f"ALTER {setter} RESET {SWITCHED_OFF}"
    else:
        setter, remedy = "the whole server", f"ALTER SYSTEM RESET {SWITCHED_OFF} and reload the configuration"
    after = "SELECT timescaledb_post_restore() there where a restore was to end, else " if database and not role else ""
    return (f"database {connection.info.dbname}: {SWITCHED_OFF} is on (set for {setter}), so TimescaleDB is switched "
            f"off in it, as in the midst of a restore; run {after}{remedy}")


def _is_passing(error: BaseException) -> bool:
    return isinstance(error, psycopg.OperationalError) and any(word in str(error) for word in PASSING)
