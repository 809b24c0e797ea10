"""The columnstore: its settings on the table, the policy that moves old chunks to it, and chunks compressed again."""

from __future__ import annotations

from collections.abc import Sequence

from schema.capabilities import CHUNK_SETTINGS
from schema.errors import UnsupportedError
from schema.kinds import policy
from schema.model.diff import TableDiff
from schema.model.live import ColumnstoreChunk
from schema.model.names import ident, literal
from schema.model.objects import Compression, ContinuousAggregate, Table
from schema.model.step import Action, Hazard, Step, Transaction

PROCEDURE = "policy_compression"


def steps(diff: TableDiff) -> list[Step]:
    """Make settings and policy the declared ones, then compress those chunks again that must have them, too."""
    return [*settings_steps(diff), *_policy(diff), *_recompression(diff)]


def settings_steps(diff: TableDiff) -> list[Step]:
    """Enable or disable the columnstore, or change what future chunks are compressed by."""
    declared, canonical = diff.declared.compression, diff.canonical.compression
    live = diff.present.table.compression
    if declared is None or canonical is None:
        return [] if live is None else _disable(diff)
    if live is None or (canonical.segment_by, canonical.order_by) != (live.segment_by, live.order_by):
        return [_settings(diff, declared, canonical, live)]
    return []


def require_released(diff: TableDiff) -> None:
    """Raise UnsupportedError where compressed chunks go by a column that nobody declares any more."""
    gone = diff.weight.columnstore_columns - {column.name for column in diff.canonical.columns}
    gone &= {column.name for column in diff.present.table.columns}
    if gone and diff.weight.compressed_chunks:
        raise UnsupportedError(f"{diff.name}.{min(gone)}: compressed chunks are segmented or ordered by it, so "
                               "it cannot be dropped; keep it declared, change the settings and recompress "
                               "(Compression.recompress) or decompress those chunks first")


def limit(declared: Table | ContinuousAggregate, timescaledb: tuple[int, ...]) -> str | None:
    """Return the age up to which compressed chunks are compressed again; None where no chunk is, or where the server
    does not record how a chunk was compressed."""
    settings = declared.compression
    return settings.recompress if settings and timescaledb >= CHUNK_SETTINGS else None


def stale(canonical: Table | ContinuousAggregate, chunks: Sequence[ColumnstoreChunk]) -> list[ColumnstoreChunk]:
    """Return the chunks that were compressed by other settings than the declared ones."""
    settings = canonical.compression
    if settings is None:
        return []
    return [chunk for chunk in chunks
            if (chunk.segment_by, chunk.order_by) != (settings.segment_by, settings.order_by)]


def _where(diff: TableDiff) -> str:
    return f"{diff.name}.compression"


def _settings(diff: TableDiff, declared: Compression, canonical: Compression, live: Compression | None) -> Step:
    why = "the columnstore is not enabled"
    if live is not None:
        why = f"it is segmented by ({', '.join(live.segment_by)}), ordered by ({', '.join(live.order_by)})"
    compressed = diff.weight.compressed_chunks
    if compressed and diff.context.timescaledb and diff.context.timescaledb < CHUNK_SETTINGS:
        raise UnsupportedError(f"{diff.name}.compression: {why}; TimescaleDB "
                               f"{'.'.join(map(str, diff.context.timescaledb))} changes that only while no chunk is "
                               f"compressed, and {compressed} are; decompress them (decompress_chunk), or update "
                               "TimescaleDB")
    if live is not None and compressed:
        again = len(stale(diff.canonical, diff.context.columnstore))
        why += f"; {compressed} chunks that are compressed already keep that: it reaches future chunks only"
        why += f", and {again} of them that are compressed anew below" if again else ""
    # An empty order-by is refused; the server's own is the same as the canonical one.
    order = declared.order_by or canonical.order_by
    sql = (f"ALTER {diff.relation} {ident(diff.name)} SET (timescaledb.compress, "
           f"timescaledb.compress_segmentby = {literal(', '.join(declared.segment_by))}, "
           f"timescaledb.compress_orderby = {literal(', '.join(order))})")
    cost = "ACCESS EXCLUSIVE, no scan" if diff.weight.has_rows else ""
    return Step(Action.ALTER, _where(diff), sql, why, transaction=diff.transaction, cost=cost)


def _policy(diff: TableDiff) -> list[Step]:
    declared, canonical = diff.declared.compression, diff.canonical.compression
    if declared is None or canonical is None:
        return []
    live = diff.present.table.compression
    where = f"{_where(diff)}.policy"
    jobs = [job for job in diff.present.jobs if job.procedure == PROCEDURE]
    if declared.after is None:
        return policy.removal("remove_compression_policy", diff, where, jobs)
    if not jobs or live is None:
        sql = policy.addition("add_compression_policy", diff.name, declared.after, declared)
        return [Step(Action.CREATE, where, sql, "there is no policy", transaction=diff.transaction)]
    steps = policy.fold(where, [job.id for job in jobs], diff.transaction)
    if (canonical.after, canonical.schedule, canonical.paused) != (live.after, live.schedule, live.paused):
        steps.append(policy.alteration(where, jobs[0].id, key="compress_after", canonical=(declared.after, canonical),
                                       live=(live.after, live), transaction=diff.transaction,
                                       timezone=jobs[0].timezone))
    return steps


def _recompression(diff: TableDiff) -> list[Step]:
    """One step for each chunk, so that an interrupted run goes on with the next."""
    declared, canonical = diff.declared.compression, diff.canonical.compression
    if declared is None or canonical is None or declared.recompress is None:
        return []
    if diff.context.timescaledb and diff.context.timescaledb < CHUNK_SETTINGS:
        raise UnsupportedError(f"{diff.name}.compression.recompress: TimescaleDB "
                               f"{'.'.join(map(str, diff.context.timescaledb))} does not tell what a chunk was "
                               f"compressed by ({'.'.join(map(str, CHUNK_SETTINGS))} required); update it, or take "
                               "recompress away")
    return [Step(Action.COMPUTE, _where(diff), f"SELECT compress_chunk({literal(chunk.name)}, recompress => true)",
                 f"the chunk is segmented by ({', '.join(chunk.segment_by)}), "
                 f"ordered by ({', '.join(chunk.order_by)}), and younger than {declared.recompress}",
                 (Hazard.BLOCKS_WRITES,), Transaction.OWN,
                 f"ACCESS EXCLUSIVE on this chunk, {chunk.bytes / 2**20:.1f} MiB", heavy=True)
            for chunk in stale(diff.canonical, diff.context.columnstore)]


def _disable(diff: TableDiff) -> list[Step]:
    if diff.weight.compressed_chunks:
        raise UnsupportedError(f"{diff.name}: {diff.weight.compressed_chunks} chunks are in the "
                               "columnstore, which is "
                               "no longer declared; decompress them (decompress_chunk) or declare compression again")
    jobs = [job for job in diff.present.jobs if job.procedure == PROCEDURE]
    return [*policy.removal("remove_compression_policy", diff, f"{_where(diff)}.policy", jobs),
            Step(Action.ALTER, _where(diff),
                 f"ALTER {diff.relation} {ident(diff.name)} SET (timescaledb.compress = false)",
                 "nobody declares the columnstore", transaction=diff.transaction)]
