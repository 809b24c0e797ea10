"""The columnstore: its settings on the table, the policy that moves old chunks to it, and chunks compressed anew."""

from __future__ import annotations

from schema.capabilities import CHUNK_SETTINGS
from schema.errors import UnsupportedError
from schema.kinds import policy
from schema.model.live import ColumnstoreChunk, Comparison
from schema.model.names import ident, literal
from schema.model.objects import Compression
from schema.model.step import Action, Hazard, Step, Transaction

PROCEDURE = "policy_compression"


def steps(comparison: Comparison) -> list[Step]:
    """Make settings and policy the declared ones, then those compressed chunks that are to have them, too."""
    return [*settings_steps(comparison), *_policy(comparison), *_recompression(comparison)]


def settings_steps(comparison: Comparison) -> list[Step]:
    """Enable or disable the columnstore, or change what future chunks are compressed by."""
    declared, wanted = comparison.declared.compression, comparison.wanted.compression
    live = comparison.present.table.compression
    if declared is None or wanted is None:
        return [] if live is None else _disable(comparison)
    if live is None or (wanted.segment_by, wanted.order_by) != (live.segment_by, live.order_by):
        return [_settings(comparison, declared, wanted, live)]
    return []


def require_released(comparison: Comparison) -> None:
    """Raise UnsupportedError where compressed chunks go by a column that nobody declares any more."""
    gone = comparison.weight.columnstore_columns - {each.name for each in comparison.wanted.columns}
    gone &= {each.name for each in comparison.present.table.columns}
    if gone and comparison.weight.compressed_chunks:
        raise UnsupportedError(f"{comparison.name}.{min(gone)}: compressed chunks are segmented or ordered by it, so "
                               "it cannot be dropped; keep it declared, change the settings and recompress "
                               "(Compression.recompress) or decompress those chunks first")


def limit(comparison: Comparison) -> str | None:
    """The age up to which compressed chunks are compressed anew; None where none is, or the server cannot tell."""
    declared = comparison.declared.compression
    return declared.recompress if declared and comparison.timescaledb >= CHUNK_SETTINGS else None


def stale(comparison: Comparison) -> list[ColumnstoreChunk]:
    """The chunks that were compressed by other settings than the declared ones and are to have those."""
    wanted = comparison.wanted.compression
    if wanted is None:
        return []
    return [each for each in comparison.present.columnstore
            if (each.segment_by, each.order_by) != (wanted.segment_by, wanted.order_by)]


def _where(comparison: Comparison) -> str:
    return f"{comparison.name}.compression"


def _settings(comparison: Comparison, declared: Compression, wanted: Compression, live: Compression | None) -> Step:
    why = "the columnstore is not enabled"
    if live is not None:
        why = f"it is segmented by ({', '.join(live.segment_by)}), ordered by ({', '.join(live.order_by)})"
    compressed = comparison.weight.compressed_chunks
    if compressed and comparison.timescaledb and comparison.timescaledb < CHUNK_SETTINGS:
        raise UnsupportedError(f"{comparison.name}.compression: {why}; TimescaleDB "
                               f"{'.'.join(map(str, comparison.timescaledb))} changes that only while no chunk is "
                               f"compressed, and {compressed} are; decompress them (decompress_chunk), or update "
                               "TimescaleDB")
    if live is not None and compressed:
        again = len(stale(comparison))
        why += f"; {compressed} chunks that are compressed already keep that: it reaches future chunks only"
        why += f", and {again} of them that are compressed anew below" if again else ""
    # An empty order-by is refused; the server's own would be the same as what is wanted.
    order = declared.order_by or wanted.order_by
    sql = (f"ALTER {comparison.relation} {ident(comparison.name)} SET (timescaledb.compress, "
           f"timescaledb.compress_segmentby = {literal(', '.join(declared.segment_by))}, "
           f"timescaledb.compress_orderby = {literal(', '.join(order))})")
    cost = "ACCESS EXCLUSIVE, no scan" if comparison.weight.has_rows else ""
    return Step(Action.ALTER, _where(comparison), sql, why, transaction=comparison.transaction, cost=cost)


def _policy(comparison: Comparison) -> list[Step]:
    declared, wanted = comparison.declared.compression, comparison.wanted.compression
    if declared is None or wanted is None:
        return []
    live = comparison.present.table.compression
    where = f"{_where(comparison)}.policy"
    jobs = [job for job in comparison.present.jobs if job.procedure == PROCEDURE]
    if declared.after is None:
        return policy.removal("remove_compression_policy", comparison, where, jobs)
    if not jobs or live is None:
        sql = policy.addition("add_compression_policy", comparison.name, declared.after, declared)
        return [Step(Action.CREATE, where, sql, "there is no policy", transaction=comparison.transaction)]
    found = policy.folded(where, [job.id for job in jobs], comparison.transaction)
    if (wanted.after, wanted.schedule, wanted.paused) != (live.after, live.schedule, live.paused):
        found.append(policy.alteration(where, jobs[0].id, key="compress_after", wanted=(declared.after, wanted),
                                       live=(live.after, live), transaction=comparison.transaction,
                                       timezone=jobs[0].timezone))
    return found


def _recompression(comparison: Comparison) -> list[Step]:
    """One step for each chunk, so that an interrupted run goes on with the next."""
    declared, wanted = comparison.declared.compression, comparison.wanted.compression
    if declared is None or wanted is None or declared.recompress is None:
        return []
    if comparison.timescaledb and comparison.timescaledb < CHUNK_SETTINGS:
        raise UnsupportedError(f"{comparison.name}.compression.recompress: TimescaleDB "
                               f"{'.'.join(map(str, comparison.timescaledb))} does not tell what a chunk was "
                               f"compressed by ({'.'.join(map(str, CHUNK_SETTINGS))} required); update it, or take "
                               "recompress away")
    return [Step(Action.COMPUTE, _where(comparison), f"SELECT compress_chunk({literal(each.name)}, recompress => true)",
                 f"the chunk is segmented by ({', '.join(each.segment_by)}), ordered by ({', '.join(each.order_by)}), "
                 f"and younger than {declared.recompress}", (Hazard.BLOCKS_WRITES,), Transaction.OWN,
                 f"ACCESS EXCLUSIVE on this chunk, {each.bytes / 2**20:.1f} MiB", heavy=True)
            for each in stale(comparison)]


def _disable(comparison: Comparison) -> list[Step]:
    if comparison.weight.compressed_chunks:
        raise UnsupportedError(f"{comparison.name}: {comparison.weight.compressed_chunks} chunks are in the "
                               "columnstore, which is "
                               "no longer declared; decompress them (decompress_chunk) or declare compression again")
    jobs = [job for job in comparison.present.jobs if job.procedure == PROCEDURE]
    return [*policy.removal("remove_compression_policy", comparison, f"{_where(comparison)}.policy", jobs),
            Step(Action.ALTER, _where(comparison),
                 f"ALTER {comparison.relation} {ident(comparison.name)} SET (timescaledb.compress = false)",
                 "nobody declares the columnstore", transaction=comparison.transaction)]
