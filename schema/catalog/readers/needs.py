"""Read who needs objects, or parts of them, that are going to be dropped or changed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from psycopg import Connection

from schema.capabilities import Capabilities
from schema.catalog.queries import Row, rows
from schema.model.live.objects import Address, Need
from schema.model.objects import qualified


def read(connection: Connection[Any], capabilities: Capabilities,
         addresses: Sequence[Address]) -> Mapping[Address, tuple[Need, ...]]:
    """Read who needs what is at these addresses, by address; two queries at most, and none where none is given.

    What stands on a continuous aggregate's own views stands for the aggregate. Nothing needs itself.
    """
    if not addresses:
        return {}
    catalogs, ids, columns = zip(*((one.catalog, one.id, one.column) for one in addresses), strict=True)
    present = rows(connection, "needs", catalogs=list(catalogs), ids=list(ids), columns=list(columns))
    aggregates: Mapping[str, Row] = {}
    if capabilities.timescaledb_version is not None and any(row["kind"] == "view" for row in present):
        aggregates = {row["view"]: row for row in rows(connection, "aggregate_views")}
    needs: dict[Address, dict[Need, None]] = defaultdict(dict)
    for row in present:
        root, need = Address(row["catalog"], row["id"], row["column"]), _need(row, aggregates)
        if (need.owner.catalog, need.owner.id) != (root.catalog, root.id):
            needs[root][need] = None
    return {root: tuple(those) for root, those in needs.items()}


def _need(row: Row, aggregates: Mapping[str, Row]) -> Need:
    aggregate = aggregates.get(f"{row['schema']}.{row['name']}") if row["kind"] == "view" else None
    if aggregate:
        return Need("continuous aggregate", qualified(aggregate["schema"], aggregate["name"]), "",
                    Address("pg_class", aggregate["id"]), row["uses"])
    name = qualified(row["schema"], row["name"]) if row["schema"] else row["name"]
    return Need(row["kind"], name, row["part"], Address(row["owner_catalog"], row["owner_id"]), row["uses"])
