"""Compressing chunks that are old enough for their table's policy now, instead of at the policy's next run."""

from __future__ import annotations

from seed.errors import SeedError
from seed.load.progress import Progress, Tally
from seed.load.tables import Connection
from seed.load.worker_pool import Task, WorkerPool

# A policy's config is in the catalog of each edition; what it would compress now, oldest first.
_OLD = """
SELECT format('%I.%I', c.chunk_schema, c.chunk_name)
  FROM timescaledb_information.jobs j
  JOIN timescaledb_information.chunks c USING (hypertable_schema, hypertable_name)
 WHERE j.proc_name IN ('policy_compression', 'policy_columnstore') AND NOT c.is_compressed
   AND c.range_end < now() - (j.config ->> 'compress_after')::interval
 ORDER BY c.range_start"""
_POLICIES = """
SELECT count(*) FROM timescaledb_information.jobs
 WHERE proc_name IN ('policy_compression', 'policy_columnstore') AND hypertable_schema = 'public'"""


def require_compression(connection: Connection) -> None:
    """Raise SeedError where no table has a compression policy, as on the Apache edition."""
    row = connection.execute(_POLICIES).fetchone()
    if not row or not row[0]:
        raise SeedError(f"{connection.info.dbname}: no table has a compression policy to compress by (the Apache "
                        "edition has none); apply the schema on the Community edition, or leave out --compress")


def compress_old_chunks(connection: Connection, pool: WorkerPool | None, progress: Progress) -> None:
    """Compress the chunks that their policy would compress now, in parallel over `pool`; none twice."""
    old = [name for (name,) in connection.execute(_OLD).fetchall()]
    tally = Tally(progress, "compression", len(old))

    def task_of(name: str) -> Task:
        def task(worker: Connection) -> None:
            worker.execute("SELECT compress_chunk(%s::regclass, if_not_compressed => true)", (name,))
            tally.add(1)
        return task

    tasks = [task_of(name) for name in old]
    if pool:
        pool.run(tasks)
        return
    for task in tasks:
        task(connection)
