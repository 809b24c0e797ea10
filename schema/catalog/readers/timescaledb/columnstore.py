"""What TimescaleDB's views do not show of the columnstore: what is left to the server, sparse indexes, merged chunks.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from schema.catalog.queries import Row
from schema.model.names import idents
from schema.model.objects import Compression

LEFT_TO_SERVER = (2, 16)  # the first TimescaleDB whose catalog has all that the query reads


def with_details(settings: Compression, row: Row | None) -> Compression:
    """Return the settings with those of `columnstore.sql`; None for segment-by and order-by that the server chooses."""
    if row is None:
        return settings
    return replace(settings, segment_by=None if row["segment_left"] else settings.segment_by,
                   order_by=None if row["order_left"] else settings.order_by,
                   sparse_index=tuple(_sparse(row["sparse"])) or None, chunk_interval=row["merged"])


def _sparse(entries: Sequence[Mapping[str, Any]] | None) -> Iterator[str]:
    """The sparse indexes that somebody chose, in their order."""
    for entry in entries or ():
        if entry.get("source") == "config":
            columns = entry["column"]
            yield f"{entry['type']}({idents([columns] if isinstance(columns, str) else columns)})"
