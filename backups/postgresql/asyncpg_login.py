"""Logging in with asyncpg by libpq's rules: the same certificate checks, and no PG environment variables."""

from __future__ import annotations

import asyncio
import os
import socket
import ssl
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import asyncpg
from tenacity import AsyncRetrying, retry_if_exception_type, stop_after_delay, wait_random_exponential

from backups.errors import DumpError
from schema.connection import KEEPALIVES, SYSTEM, Address

# What asyncpg raises, a server that speaks nonsense and a TLS handshake that fails included.
FAILURES = (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError)
# For room at a server, or in a role's limit, that is full: as long as `Address.connect` waits.
ROOM_SECONDS = 15.0


async def log_in(address: Address, application_name: str) -> Any:
    """Connect with asyncpg; waits up to 15 s while the server has no free connection.

    Raises DumpError with one line, never with the password.
    """
    retrying = AsyncRetrying(stop=stop_after_delay(ROOM_SECONDS), wait=wait_random_exponential(0.1, max=2),
                             retry=retry_if_exception_type(asyncpg.TooManyConnectionsError), reraise=True)
    try:
        return await retrying(_try_ways, address, application_name)
    except asyncpg.TooManyConnectionsError as error:
        raise DumpError(f"{address}: a reader cannot log in: {one_line(error)}; a backup takes a connection for each "
                        "worker and two more: raise the limit, or give fewer workers") from None
    except FAILURES as error:
        raise DumpError(f"{address}: a reader cannot log in: {one_line(error)}; run the backup again once the server "
                        "lets it in") from None


async def _try_ways(address: Address, application_name: str) -> Any:
    first, *others = _ways(address)
    try:
        return await _connect(address, application_name, first)
    except FAILURES as error:
        for way in others:
            with suppress(*FAILURES):
                return await _connect(address, application_name, way)
        raise error


def one_line(error: BaseException) -> str:
    """The library's error message as one line of at most 300 characters."""
    return (" ".join(str(error).split()) or type(error).__name__)[:300]


def _ways(address: Address) -> list[dict[str, Any]]:
    """How TLS is tried, one after the other.

    Where there is a root certificate, libpq compares with it whatever the mode is; asyncpg only from `require` on.
    """
    mode, named = address.sslmode, address.sslrootcert
    if named == SYSTEM:
        return [{"ssl": ssl.create_default_context()}]
    root = Path(named or os.environ.get("PGSSLROOTCERT") or Path("~/.postgresql/root.crt").expanduser())
    if mode in ("prefer", "allow") and root.exists():
        ways = [_words("require", named), _words("disable", None)]
        return ways if mode == "prefer" else ways[::-1]
    # As libpq, which takes a file that is missing for none, unless it is to verify.
    return [_words(mode, None if mode == "require" and not root.exists() else named)]


def _words(mode: str, root: str | None) -> dict[str, Any]:
    words = {"sslmode": mode, "sslrootcert": root}
    return {"dsn": "postgresql://?" + urlencode({key: value for key, value in words.items() if value})}


async def _connect(address: Address, application_name: str, way: dict[str, Any]) -> Any:
    # Where asyncpg is given nothing, it asks the environment: so it is given everything. Without a password it reads
    # the password file, as libpq does, unless the environment would come before that.
    password = address.password or ("" if "PGPASSWORD" in os.environ else None)
    return await asyncpg.connect(
        **way, host=address.host, port=address.port, user=address.user, password=password, database=address.database,
        direct_tls=False, target_session_attrs="any", krbsrvname="postgres", gsslib="gssapi",
        server_settings={"application_name": application_name}, connection_class=_Connection)


class _Connection(asyncpg.Connection):  # type: ignore[misc] # the library comes without types
    """One that notices when the server is gone without a word, as psycopg's do (`KEEPALIVES`)."""

    def __init__(self, protocol: Any, transport: asyncio.Transport, *rest: Any) -> None:
        super().__init__(protocol, transport, *rest)
        own = transport.get_extra_info("socket")
        if own.family in (socket.AF_INET, socket.AF_INET6):
            own.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            # Linux's names; what a system lacks keeps its own times.
            for key, name in (("keepalives_idle", "TCP_KEEPIDLE"), ("keepalives_interval", "TCP_KEEPINTVL"),
                              ("keepalives_count", "TCP_KEEPCNT"), ("tcp_user_timeout", "TCP_USER_TIMEOUT")):
                if hasattr(socket, name):
                    own.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), KEEPALIVES[key])
