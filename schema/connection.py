"""A database's address and login: the one value that the packages hand to each other."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Self

import psycopg
from psycopg.conninfo import make_conninfo
from tenacity import Retrying, retry_if_exception, stop_after_delay, wait_random_exponential

from schema.errors import ServerUnreachableError
from schema.restoring import require_restored

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
                application_name: str = "lifecompanion", options: str = "", amid_restore: bool = False
                ) -> psycopg.Connection[tuple[Any, ...]]:
        """Open a connection in UTC, waiting up to `wait_seconds` for a server that is starting or has too many clients.

        `options` are further ones for the server's process, as `-c name=value`; the role's own settings override them.
        Raises ServerUnreachableError with one line (address, the server's message, remedy), never with the password;
        UnfinishedRestoreError, unless `amid_restore`, where a restore into the database has not come to its end.
        """
        retrying = Retrying(stop=stop_after_delay(wait_seconds), wait=wait_random_exponential(0.1, max=2),
                            retry=retry_if_exception(_is_passing), reraise=True)
        try:
            seconds = LOOPBACK_SECONDS if self.host in ("127.0.0.1", "localhost") else REMOTE_SECONDS
            connection = retrying(psycopg.connect, self.dsn(), autocommit=autocommit, connect_timeout=seconds,
                                  application_name=application_name, client_encoding="UTF8",
                                  options=f"-c timezone=UTC {options}".rstrip(),
                                  # Else the environment is asked, and may lead elsewhere.
                                  hostaddr="", target_session_attrs="any", **KEEPALIVES)
            if not amid_restore:
                _require_restored(connection)
        except psycopg.Error as error:
            raise ServerUnreachableError(self._explain(error)) from None
        return connection

    def _explain(self, error: psycopg.Error) -> str:
        reason = " ".join(str(error).split()) or type(error).__name__
        reason = reason.replace(self.password, "***") if self.password else reason
        if "password authentication failed" in reason:
            remedy = f"set the password that the server knows for {self.user}"
        elif "does not exist" in reason:
            remedy = "create it, or correct the name in the stack's configuration"
        else:
            remedy = "check that the server runs and that host and port are right"
        return f"{self}: cannot connect: {reason}; {remedy}"


def _require_restored(connection: psycopg.Connection[Any]) -> None:
    """Close the connection where the database is in the midst of a restore; leaves no transaction open."""
    try:
        require_restored(connection)
    except BaseException:
        connection.close()
        raise


def _is_passing(error: BaseException) -> bool:
    return isinstance(error, psycopg.OperationalError) and any(word in str(error) for word in PASSING)
