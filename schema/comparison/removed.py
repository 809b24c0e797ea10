"""Look who needs what a plan takes away, before anything is done. Changes nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from psycopg import Connection

from schema.capabilities import Capabilities
from schema.catalog.queries import rows, rows_by
from schema.catalog.readers import needs
from schema.model.change.diff import Diff
from schema.model.change.step import Removed, Sort, Step
from schema.model.live.objects import Address, Need
from schema.model.objects import qualified
from schema.planning import removals


def require_removable(connection: Connection[Any], capabilities: Capabilities, steps: Sequence[Step],
                      diffs: Sequence[Diff[Any, Any]]) -> None:
    """Raise UnsafeChangeError where a step takes something away that something else needs by then, which it names.

    Four queries at most, and none where no step takes anything away.
    """
    removed = list(dict.fromkeys(one for step in steps for one in step.removes))
    if not removed:
        return
    former = {diff.name: diff.context.former_name for diff in diffs if diff.context.former_name}
    live_names = [former.get(one.relation) or one.relation for one in removed]
    places: dict[tuple[str, str, str], Address] = {}
    for row in rows(connection, "removed", sorts=[one.sort for one in removed], relations=live_names,
                    names=[one.name for one in removed]):
        places[row["sort"], row["relation"], row["name"]] = Address(row["catalog"], row["id"], row["column"])
    read = needs.read(connection, capabilities, list(dict.fromkeys(places.values())))
    by_removed: dict[Removed, Sequence[Need]] = {}
    for one, live_name in zip(removed, live_names, strict=True):
        place = places.get((one.sort, live_name, one.name))
        by_removed[one] = read.get(place, ()) if place else ()
    for one, keys in _incomparable(connection, removed, live_names).items():
        by_removed[one] = (*by_removed[one], *keys)
    removals.require_free(steps, by_removed, {old: new for new, old in former.items()})


def _incomparable(connection: Connection[Any], removed: Sequence[Removed],
                  live_names: Sequence[str]) -> dict[Removed, tuple[Need, ...]]:
    """The foreign keys that could not be any more, by the column's type that goes."""
    typed = {(live_name, one.name): one for one, live_name in zip(removed, live_names, strict=True)
             if one.sort is Sort.TYPE}
    if not typed:
        return {}
    relations, names = zip(*typed, strict=True)
    keys = rows_by(connection, "incomparable_keys", "relation", relations=list(relations), names=list(names),
                   types=[one.into for one in typed.values()])
    return {one: tuple(Need(removals.INCOMPARABLE, qualified(row["schema"], row["table"]), row["key"])
                       for row in keys.get(live_name, ()) if row["name"] == name)
            for (live_name, name), one in typed.items()}
