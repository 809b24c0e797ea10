"""Read what a database holds right now over one connection: versions, rows, sizes, chunks, policies, standbys."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psycopg
from psycopg import sql

from schema.connection import Address

# A report must not load a large server: a count that takes longer is replaced by the planner's estimate.
COUNT_SECONDS = 5
# The most characters of a job's error, which may quote whole statements.
ERROR_LENGTH = 300

TABLES = """
SELECT c.relname, pg_total_relation_size(c.oid), greatest(c.reltuples, 0)::bigint
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p')
  AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e')
ORDER BY c.relname
"""
HYPERTABLES = """
SELECT h.hypertable_name, public.hypertable_size(format('%I.%I', h.hypertable_schema, h.hypertable_name)::regclass),
       count(c.chunk_name), count(*) FILTER (WHERE c.is_compressed)
FROM timescaledb_information.hypertables h
LEFT JOIN timescaledb_information.chunks c USING (hypertable_schema, hypertable_name)
WHERE h.hypertable_schema = 'public'
GROUP BY h.hypertable_schema, h.hypertable_name
"""
AGGREGATES = """
SELECT a.view_name, public.approximate_row_count(m.oid::regclass), public.hypertable_size(m.oid::regclass),
       count(c.chunk_name), count(*) FILTER (WHERE c.is_compressed)
FROM timescaledb_information.continuous_aggregates a
JOIN pg_namespace n ON n.nspname = a.materialization_hypertable_schema
JOIN pg_class m ON m.relnamespace = n.oid AND m.relname = a.materialization_hypertable_name
LEFT JOIN (pg_inherits i JOIN pg_class k ON k.oid = i.inhrelid JOIN pg_namespace s ON s.oid = k.relnamespace
           JOIN timescaledb_information.chunks c ON c.chunk_schema = s.nspname AND c.chunk_name = k.relname)
       ON i.inhparent = m.oid
WHERE a.view_schema = 'public'
GROUP BY a.view_name, m.oid
ORDER BY a.view_name
"""
# A job that has never run, or does so now, has -infinity there, which is no datetime.
NEXT_START = "CASE WHEN isfinite(j.next_start) THEN j.next_start END"
LAST_START = "CASE WHEN isfinite(s.last_run_started_at) THEN s.last_run_started_at END"
# A policy on an aggregate is listed under the aggregate's name, any other under its hypertable's.
POLICIES = f"""
SELECT coalesce(a.view_name, j.hypertable_name), j.proc_name,
       coalesce(j.config ->> 'drop_after', j.config ->> 'compress_after', ''), {NEXT_START}, s.last_run_status,
       s.job_status = 'Running'
FROM timescaledb_information.jobs j LEFT JOIN timescaledb_information.job_stats s USING (job_id)
LEFT JOIN timescaledb_information.continuous_aggregates a
       ON (a.materialization_hypertable_schema, a.materialization_hypertable_name)
        = (j.hypertable_schema, j.hypertable_name)
WHERE coalesce(a.view_schema, j.hypertable_schema) = 'public'
ORDER BY 1, 2
"""
# Of TimescaleDB's own jobs only those on a table of this schema.
FAILURES = f"""
SELECT j.job_id, coalesce(a.view_name, j.hypertable_name), j.proc_schema, j.proc_name, {LAST_START},
       s.total_failures, {NEXT_START}{{error}}
FROM timescaledb_information.jobs j JOIN timescaledb_information.job_stats s USING (job_id)
LEFT JOIN timescaledb_information.continuous_aggregates a
       ON (a.materialization_hypertable_schema, a.materialization_hypertable_name)
        = (j.hypertable_schema, j.hypertable_name){{errors}}
WHERE s.last_run_status = 'Failed'
  AND (coalesce(a.view_schema, j.hypertable_schema) = 'public' OR j.proc_schema NOT LIKE '\\_timescaledb\\_%')
ORDER BY j.job_id
"""
LAST_ERROR = """
LEFT JOIN LATERAL (SELECT sqlerrcode, err_message FROM timescaledb_information.job_errors
                   WHERE job_id = j.job_id ORDER BY start_time DESC LIMIT 1) e ON true"""
STANDBYS = """
SELECT application_name, state, pg_wal_lsn_diff(pg_current_wal_lsn(), replay_lsn)::bigint,
       extract(epoch FROM replay_lag)::float
FROM pg_stat_replication
ORDER BY application_name
"""


@dataclass(frozen=True)
class TableFacts:
    """One table or continuous aggregate. `rows` is exact unless `estimated`; `chunks` is None for a plain table,
    `compressed` is how many of them are compressed.
    """

    name: str
    rows: int
    estimated: bool
    size_bytes: int
    chunks: int | None = None
    compressed: int = 0
    aggregate: bool = False


@dataclass(frozen=True)
class PolicyFacts:
    """One background job on a hypertable; `after` is an interval as text; `next_start` is None where it is unscheduled
    or runs now.
    """

    table: str
    kind: str
    after: str
    next_start: datetime | None
    last_status: str | None
    runs_now: bool | None = False


@dataclass(frozen=True)
class JobFailure:
    """A job whose last run failed. `error` is one line, `code` its SQLSTATE; both None where the server kept none."""

    job_id: int
    job: str
    started: datetime | None
    failures: int
    next_start: datetime | None
    code: str | None = None
    error: str | None = None


@dataclass(frozen=True)
class StandbyFacts:
    """One connected standby, as the primary sees it."""

    name: str
    state: str
    behind_bytes: int | None
    behind_seconds: float | None


@dataclass(frozen=True)
class ServerFacts:
    """A database at one moment. `timescaledb` and `edition` are None where the extension is not installed."""

    postgresql: str
    timescaledb: str | None
    edition: str | None
    tables: Sequence[TableFacts]
    policies: Sequence[PolicyFacts]
    standbys: Sequence[StandbyFacts]
    failures: Sequence[JobFailure] = ()


def read_server(address: Address) -> ServerFacts:
    """Read one server's facts; takes no locks but those of reading. Raises ServerUnreachableError."""
    with address.connect(application_name="lifecompanion report") as connection:
        # The login is an administrator's: no function of the database's owner may be called in place of the server's.
        connection.execute("SET search_path = pg_catalog")
        postgresql = str(connection.execute("SHOW server_version").fetchall()[0][0]).split()[0]
        extension = connection.execute("SELECT extversion FROM pg_extension WHERE extname = 'timescaledb'").fetchone()
        edition, hypertables, policies, failures = None, {}, [], []
        if extension:
            edition = connection.execute("SELECT current_setting('timescaledb.license', true)").fetchall()[0][0]
            hypertables = {name: facts for name, *facts in connection.execute(HYPERTABLES)}
            policies = [PolicyFacts(table, _kind(procedure), *facts)
                        for table, procedure, *facts in connection.execute(POLICIES.encode())]
            failures = _failures(connection)
        tables = [_table(connection, row, hypertables.get(row[0])) for row in connection.execute(TABLES).fetchall()]
        if edition == "timescale":
            tables += [TableFacts(name, rows, True, size or 0, chunks, compressed, aggregate=True)
                       for name, rows, size, chunks, compressed in connection.execute(AGGREGATES)]
        standbys = [StandbyFacts(*row) for row in connection.execute(STANDBYS)]
    return ServerFacts(postgresql, extension[0] if extension else None, edition, tables, policies, standbys, failures)


def _table(connection: psycopg.Connection[Any], row: tuple[Any, ...], hypertable: list[Any] | None) -> TableFacts:
    name, size, estimate = row
    if hypertable and hypertable[0] is not None:
        size = hypertable[0]
    chunks, compressed = (hypertable[1], hypertable[2]) if hypertable else (None, 0)
    try:
        with connection.transaction():
            connection.execute(f"SET LOCAL statement_timeout = '{COUNT_SECONDS}s'")
            count = sql.SQL("SELECT count(*) FROM public.{}").format(sql.Identifier(name))
            rows, estimated = connection.execute(count).fetchall()[0][0], False
    except psycopg.errors.QueryCanceled:
        if hypertable:
            estimate = connection.execute("SELECT approximate_row_count(format('public.%I', %s::text)::regclass)",
                                          [name]).fetchall()[0][0]
        rows, estimated = estimate, True
    return TableFacts(name, rows, estimated, size, chunks, compressed)


def _failures(connection: psycopg.Connection[Any]) -> list[JobFailure]:
    """The jobs whose last run failed; TimescaleDB has kept their errors since 2.9."""
    kept = connection.execute("SELECT to_regclass('timescaledb_information.job_errors')").fetchall()[0][0]
    query = FAILURES.format(error=", e.sqlerrcode, e.err_message" if kept else "", errors=LAST_ERROR if kept else "")
    failures = []
    for job_id, table, schema, procedure, started, count, next_start, *error in connection.execute(query.encode()):
        job = f"{_kind(procedure)} of {table}" if table else f"{schema}.{procedure}"
        code, message = error or (None, None)
        failures.append(JobFailure(job_id, job, started, count, next_start, code,
                                   " ".join(message.split())[:ERROR_LENGTH] if message else None))
    return failures


def _kind(procedure: str) -> str:
    """The kind of policy that a procedure carries out."""
    return {"policy_retention": "retention", "policy_compression": "compression", "policy_columnstore": "compression",
            "policy_refresh_continuous_aggregate": "refresh", "policy_reorder": "reorder"}.get(procedure, procedure)
