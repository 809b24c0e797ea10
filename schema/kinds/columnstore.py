"""The columnstore: its settings on the table, and the policy that moves old chunks to it."""

from __future__ import annotations

from schema.errors import UnsupportedError
from schema.kinds import policy
from schema.live import Comparison
from schema.names import ident, literal
from schema.objects import Compression
from schema.step import Step

PROCEDURE = "policy_compression"


def steps(comparison: Comparison) -> list[Step]:
    """Make settings and policy the declared ones."""
    declared, wanted = comparison.declared.compression, comparison.wanted.compression
    live = comparison.present.table.compression
    if declared is None or wanted is None:
        return [] if live is None else _disable(comparison)
    found: list[Step] = []
    if live is None or (wanted.segment_by, wanted.order_by) != (live.segment_by, live.order_by):
        found.append(_settings(comparison, declared, live))
    return [*found, *_policy(comparison, declared, wanted, live)]


def _where(comparison: Comparison) -> str:
    return f"{comparison.name}.compression"


def _settings(comparison: Comparison, declared: Compression, live: Compression | None) -> Step:
    why = "the columnstore is not enabled"
    if live is not None:
        why = f"it is segmented by ({', '.join(live.segment_by)}), ordered by ({', '.join(live.order_by)})"
        if comparison.weight.compressed_chunks:
            why += f"; {comparison.weight.compressed_chunks} chunks that are compressed already keep that"
    sql = (f"ALTER {comparison.relation} {ident(comparison.name)} SET (timescaledb.compress, "
           f"timescaledb.compress_segmentby = {literal(', '.join(declared.segment_by))}, "
           f"timescaledb.compress_orderby = {literal(', '.join(declared.order_by))})")
    return Step(_where(comparison), sql, why, transaction=comparison.transaction)


def _policy(comparison: Comparison, declared: Compression, wanted: Compression, live: Compression | None) -> list[Step]:
    where = f"{_where(comparison)}.policy"
    jobs = [job.id for job in comparison.present.jobs if job.procedure == PROCEDURE]
    table = literal(ident(comparison.name))
    if declared.after is None:
        return [Step(where, f"SELECT remove_compression_policy({table})", "nobody declares the policy",
                     transaction=comparison.transaction)] if jobs else []
    if not jobs or live is None or live.after is None:
        sql = policy.addition("add_compression_policy", comparison.name, declared.after, declared)
        return [Step(where, sql, "there is no policy", transaction=comparison.transaction)]
    found = policy.folded(where, jobs, comparison.transaction)
    if (wanted.after, wanted.schedule, wanted.paused) != (live.after, live.schedule, live.paused):
        found.append(policy.alteration(where, jobs[0], key="compress_after", wanted=(declared.after, wanted),
                                       live=(live.after, live), transaction=comparison.transaction))
    return found


def _disable(comparison: Comparison) -> list[Step]:
    if comparison.weight.compressed_chunks:
        raise UnsupportedError(f"{comparison.name}: {comparison.weight.compressed_chunks} chunks are in the "
                               "columnstore, which is "
                               "no longer declared; decompress them (decompress_chunk) or declare compression again")
    table = ident(comparison.name)
    found = []
    if any(job.procedure == PROCEDURE for job in comparison.present.jobs):
        found.append(Step(f"{_where(comparison)}.policy", f"SELECT remove_compression_policy({literal(table)})",
                          "nobody declares the policy", transaction=comparison.transaction))
    return [*found, Step(_where(comparison), f"ALTER {comparison.relation} {table} SET (timescaledb.compress = false)",
                         "nobody declares the columnstore", transaction=comparison.transaction)]
