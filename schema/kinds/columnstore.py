"""The columnstore: its settings on the table, the policy that moves old chunks to it, and chunks compressed again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from schema.capabilities import CHUNK_SETTINGS, RESETS
from schema.errors import UnsupportedError
from schema.kinds import policy
from schema.model.change.diff import TableDiff
from schema.model.change.step import Action, Hazard, Step, Transaction
from schema.model.live.tables import ColumnstoreChunk
from schema.model.names import ident, idents, literal
from schema.model.objects import Compression, ContinuousAggregate, Table

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
    if live is None or _settings_of(canonical) != _settings_of(live):
        return [_settings(diff, canonical, live)]
    return []


def _settings_of(compression: Compression) -> tuple[object, ...]:
    return compression.segment_by, compression.order_by, compression.sparse_index, compression.chunk_interval


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
    return [chunk for chunk in chunks if chunk.segment_by != (settings.segment_by or chunk.segment_by)
            or chunk.order_by != (settings.order_by or chunk.order_by)]


def _where(diff: TableDiff) -> str:
    return f"{diff.name}.compression"


def _settings(diff: TableDiff, canonical: Compression, live: Compression | None) -> Step:
    why = "the columnstore is not enabled"
    if live is not None:
        why = f"it is segmented by {_list(live.segment_by)}, ordered by {_list(live.order_by)}"
        why += f", with the sparse indexes {_list(live.sparse_index)}" if live.sparse_index else ""
        why += f", with chunks merged to {live.chunk_interval}" if live.chunk_interval else ""
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
    target = f"ALTER {diff.relation} {ident(diff.name)}"
    reset = _left(canonical, live) if live is not None else []
    sql = f"{target} SET ({', '.join(['timescaledb.compress', *_assignments(canonical, live)])})"
    if reset:
        _require_resets(diff, reset)
        sql = f"{target} RESET ({', '.join(f'timescaledb.compress_{name}' for name in reset)});\n{sql}"
    cost = "ACCESS EXCLUSIVE, no scan" if diff.weight.has_rows else ""
    return Step(Action.ALTER, _where(diff), sql, why, transaction=diff.transaction, cost=cost)


def _list(terms: Sequence[str] | None) -> str:
    return "the server's choice" if terms is None else f"({', '.join(terms)})"


def _assignments(canonical: Compression, live: Compression | None) -> list[str]:
    """The options that say what is not left to the server."""
    options = []
    if canonical.segment_by is not None:
        options.append(f"timescaledb.compress_segmentby = {literal(idents(canonical.segment_by))}")
    if canonical.order_by is not None:
        options.append(f"timescaledb.compress_orderby = {literal(', '.join(canonical.order_by))}")
    if canonical.sparse_index is not None:
        options.append(f"timescaledb.sparse_index = {literal(', '.join(canonical.sparse_index))}")
    merged = canonical.chunk_interval
    if merged is not None and (live is None or merged != live.chunk_interval):
        options.append(f"timescaledb.compress_chunk_time_interval = {literal(merged)}")
    return options


def _left(canonical: Compression, live: Compression) -> list[str]:
    """The options that are to be left to the server and are not yet."""
    return [option for option, name in (("segmentby", "segment_by"), ("orderby", "order_by"))
            if getattr(canonical, name) is None and getattr(live, name) is not None]


def _require_resets(diff: TableDiff, options: Sequence[str]) -> None:
    if diff.context.timescaledb < RESETS:
        raise UnsupportedError(f"{diff.name}.compression: TimescaleDB {'.'.join(map(str, diff.context.timescaledb))} "
                               f"does not take {' and '.join(options)} back ({'.'.join(map(str, RESETS))} required); "
                               "name the columns")


def _policy(diff: TableDiff) -> list[Step]:
    declared, canonical = diff.declared.compression, diff.canonical.compression
    if declared is None or canonical is None:
        return []
    live = diff.present.table.compression
    where = f"{_where(diff)}.policy"
    jobs = [job for job in diff.present.jobs if job.procedure == PROCEDURE]
    if declared.after is None and declared.created_before is None:
        return policy.removal("remove_compression_policy", diff, where, jobs)
    if not jobs or live is None:
        sql = policy.addition("add_compression_policy", diff.name, _limits(declared), canonical)
        return [Step(Action.CREATE, where, sql, "there is no policy", transaction=diff.transaction)]
    steps = policy.delete_duplicates(where, [job.id for job in jobs], diff.transaction)
    if _job_of(canonical) != _job_of(live):
        steps.append(policy.alteration(where, jobs[0], limits=_limits(canonical), live_limits=_limits(live),
                                       canonical=canonical, live=live, transaction=diff.transaction))
    return steps


def _limits(compression: Compression) -> dict[str, str]:
    return policy.limit("compress", compression.after, compression.created_before)


def _job_of(compression: Compression) -> Compression:
    """The policy alone, without the columnstore's settings."""
    return replace(compression, segment_by=(), order_by=(), sparse_index=None, chunk_interval=None)


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
