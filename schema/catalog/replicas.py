"""Streaming standbys: before a heavy step, wait until none lags too far behind."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from psycopg import Connection

from schema.catalog.queries import rows
from schema.errors import ApplyError

POLL_SECONDS = 0.5


@dataclass(frozen=True)
class Lag:
    """Bytes of WAL that a standby has yet to replay."""

    standby: str
    bytes: int


def read_lags(connection: Connection[Any]) -> list[Lag]:
    """Read the lag of every streaming standby, the largest first; empty without standbys.

    A login that may not read pg_stat_replication (pg_monitor may) gets the lag of the replication slots instead: the
    WAL that a standby has not received yet.
    """
    return [Lag(row["standby"], row["bytes"]) for row in rows(connection, "replication")]


def await_replicas(connection: Connection[Any], max_lag_bytes: int | None, wait_seconds: float,
                   progress: Callable[[str], None]) -> None:
    """Wait until no standby lags more than `max_lag_bytes`; return at once where that is None.

    Holds no transaction while it waits. Raises ApplyError that names the standby after `wait_seconds`.
    """
    if max_lag_bytes is None:
        return
    deadline = time.monotonic() + wait_seconds
    reported = False
    while worst := next((lag for lag in read_lags(connection) if lag.bytes > max_lag_bytes), None):
        if time.monotonic() > deadline:
            raise ApplyError(f"{connection.info.dbname}: standby {worst.standby} is {worst.bytes:,} bytes behind, "
                             f"still after {wait_seconds:g} s ({max_lag_bytes:,} allowed); let it catch up or raise "
                             "max_replica_lag, and apply again: it goes on from there")
        if not reported:
            progress(f"waiting for standby {worst.standby}: {worst.bytes:,} bytes behind, {max_lag_bytes:,} allowed")
            reported = True
        time.sleep(POLL_SECONDS)
