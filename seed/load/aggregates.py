"""Refreshing continuous aggregates over the loaded rows, where their policies would never do it.

A refresh policy looks back only as far as its start offset. Older rows that were never aggregated stay missing, so
whoever loads rows older than that refreshes the aggregate.
"""

from __future__ import annotations

from psycopg.errors import LockNotAvailable
from tenacity import Retrying, retry_if_exception_type, stop_after_delay, wait_random_exponential

from seed.load.progress import Progress, Tally
from seed.load.tables import Connection, one
from seed.spec import Spec

# Those that others are made from come first: their policies were made first.
_BEHIND = """
SELECT format('%%I.%%I', a.view_schema, a.view_name)
  FROM timescaledb_information.continuous_aggregates a
  JOIN timescaledb_information.jobs j
    ON (j.hypertable_schema, j.hypertable_name) IN ((a.view_schema, a.view_name),
        (a.materialization_hypertable_schema, a.materialization_hypertable_name))
 WHERE j.proc_name = 'policy_refresh_continuous_aggregate'
   AND to_timestamp(%s) < now() - (j.config ->> 'start_offset')::interval
 ORDER BY j.job_id"""
# For so long a job's refresh of the same time is waited for, which the server refuses to begin a second one beside.
BUSY_SECONDS = 600


def refresh_aggregates(connection: Connection, spec: Spec, progress: Progress) -> None:
    """Refresh the continuous aggregates whose policy does not reach back to the first row; nothing where all do."""
    if not one(connection, "SELECT to_regclass('timescaledb_information.continuous_aggregates') IS NOT NULL"):
        return
    behind = [name for (name,) in connection.execute(_BEHIND, (spec.start,)).fetchall()]
    tally = Tally(progress, "aggregates", len(behind))
    retrying = Retrying(retry=retry_if_exception_type(LockNotAvailable), stop=stop_after_delay(BUSY_SECONDS),
                        wait=wait_random_exponential(0.2, max=5), reraise=True)
    for name in behind:
        retrying(connection.execute, "CALL refresh_continuous_aggregate(%s::regclass, NULL, NULL)", (name,))
        tally.add(1)
