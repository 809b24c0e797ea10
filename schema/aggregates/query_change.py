"""How an aggregate's live query differs from the declared one, and which change of it costs least; pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from schema.aggregates import aggregate_query
from schema.aggregates.aggregate_query import Query
from schema.model.objects import ContinuousAggregate

ADD_COLUMN = (2, 28)  # the first TimescaleDB that adds columns to continuous aggregates


@dataclass(frozen=True)
class Change:
    """What a query needs: the whole aggregate rebuilt, or only columns renamed (new name by old) and columns added
    (expression by name). All empty where the queries say the same."""

    rebuilt: bool = False
    renamed: Mapping[str, str] = field(default_factory=dict)
    added: Mapping[str, str] = field(default_factory=dict)


def change_of(canonical: ContinuousAggregate, live: ContinuousAggregate | None, *, source_rebuilt: bool,
              adds_columns: bool) -> Change:
    """Return the change from the live query to the canonical one; an empty change where nothing is live.

    `source_rebuilt`: the relation that it reads is replaced by a new one. `adds_columns`: the server can add a column.
    """
    if live is None or aggregate_query.same(live.query, canonical.query):
        return Change(rebuilt=source_rebuilt)
    old, new = aggregate_query.parse(live.query), aggregate_query.parse(canonical.query)
    if old is None or new is None or old.rest.split() != new.rest.split() or source_rebuilt:
        return Change(rebuilt=True)
    return _column_change(old, new, adds_columns=adds_columns) or Change(rebuilt=True)


def _column_change(live: Query, canonical: Query, *, adds_columns: bool) -> Change | None:
    """The change, where columns can be renamed and added in place; else None."""
    added = {name: sql for name, sql in canonical.columns.items() if name not in live.columns}
    renamed: dict[str, str] = {}
    for name, sql in live.columns.items():
        if canonical.columns.get(name, sql) != sql:
            return None
        if name not in canonical.columns:
            twin = next((new_name for new_name, new_sql in added.items() if new_sql == sql), None)
            if twin is None:
                return None
            renamed[name] = twin
            del added[twin]
    if added and not adds_columns:
        return None
    return Change(renamed=renamed, added=added)
