"""Policies and columnstore settings, of tables and of aggregates: limits that exclude each other, settings of jobs."""

from __future__ import annotations

import re
from collections.abc import Iterator

from schema.aggregates import refreshes
from schema.model import job_settings
from schema.model.objects import ContinuousAggregate, JobSettings, Table

# Further fields of policies that are intervals.
INTERVALS = ("created_before", "drop_created_before", "chunk_interval")
_SPARSE = re.compile(r'\s*[a-z_]+\s*\(.+\)\s*\Z', re.I | re.S)


def errors(name: str, owner: Table | ContinuousAggregate) -> Iterator[str]:
    """Yield what TimescaleDB would refuse of one owner's policies, whose intervals can be read."""
    retention, compression = owner.retention, owner.compression
    if retention and (retention.drop_after is None) == (retention.drop_created_before is None):
        yield f"{name}.retention: it needs drop_after or drop_created_before; give one of the two"
    if compression and compression.after and compression.created_before:
        yield f"{name}.compression: it has after and created_before; keep one of the two"
    if isinstance(owner, ContinuousAggregate) and compression and compression.created_before:
        yield (f"{name}.compression: TimescaleDB has no columnstore policy by created_before for an aggregate; give "
               "after instead")
    for term in (compression and compression.sparse_index) or ():
        if not _SPARSE.match(term):
            yield f"{name}.compression: {term!r} is no sparse index; write it as 'bloom(column)' or 'minmax(column)'"
    parts: list[tuple[str, JobSettings | None]] = [("compression", compression), ("retention", retention)]
    if isinstance(owner, Table):
        parts.append(("reorder", owner.reorder))
    else:
        parts += [("refresh", refresh) for refresh in refreshes.declared(owner)]
    for part, settings in parts:
        if settings is not None:
            yield from job_settings.errors(f"{name}.{part}", settings)
