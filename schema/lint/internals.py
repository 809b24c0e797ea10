"""Views on what belongs to TimescaleDB: chunks and its catalog, which no other server has alike."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from schema.lint.finding import Finding, Lint
from schema.model.objects import Object, View

_INTERNAL = re.compile(r'\b_timescaledb_\w+\.(?:"[^"]+"|\w+)')
_CHUNK = re.compile(r'_timescaledb_internal\."?_(?:hyper_|compressed_|materialized_|partial_|direct_|dist_)')


def stands_on(view: View) -> str | None:
    """Return the first relation or function of TimescaleDB's own that the view's query names; None without one."""
    match = _INTERNAL.search(view.query)
    return match[0] if match else None


def is_chunk(relation: str) -> bool:
    """Whether a relation is a chunk or another table that holds data for TimescaleDB."""
    return bool(_CHUNK.match(relation))


def warnings(objects: Sequence[Object]) -> Iterable[Finding]:
    """Yield views on TimescaleDB's internals; one on a chunk keeps that chunk from being dropped."""
    for view in objects:
        relation = stands_on(view) if isinstance(view, View) else None
        if relation is not None:
            effect = "retention cannot drop that chunk, and no other server has it" if is_chunk(relation) else \
                "another version may not have it"
            yield Finding(Lint.VIEW_ON_INTERNALS, view.full_name, "query",
                          f"it stands on {relation}, TimescaleDB's own: {effect}; use the hypertable, or the views of "
                          "timescaledb_information")
