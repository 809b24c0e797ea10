"""Leave objects out of an adoption, and with them all that stands on them, each by name and with the reason."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

from psycopg import Connection

from schema.canonical.scratch import PREFIX
from schema.catalog.queries import rows
from schema.kinds.grants import GRANTABLE
from schema.model.change import dependencies
from schema.model.live.objects import Live
from schema.model.objects import ContinuousAggregate, ForeignKey, Job, Object, Statistics, Table, qualified

# pg_depend does not say what these stand on.
UNCATALOGUED = (ContinuousAggregate, Job)
_SCRATCH = re.compile(rf"\b{PREFIX}_\d+_\d+\.")


def without_standing(connection: Connection[Any], schemas: Sequence[str], live: Sequence[tuple[Live, Object]],
                     refused: Collection[Live]) -> tuple[list[Object], list[str]]:
    """Return the declarations without what stands on things that no kind declares or that were refused, and a remark
    for each that is left out.

    `live` has each object as it is live and as it is declared. A foreign key is left out alone, and its table stays.
    """
    places = [_place(one) for one in refused]
    standing = rows(connection, "standing_on_left_out", schemas=list(schemas), catalogs=[place[0] for place in places],
                    refused_schemas=[place[1] for place in places], names=[place[2] for place in places])
    if not standing and not refused:
        return [declared for _, declared in live], []
    on = {(row["catalog"], row["schema"], row["name"], row["inputs"]): row["on"] for row in standing if not row["key"]}
    keys = {(row["schema"], row["name"], row["key"]) for row in standing if row["key"]}
    remarks = [f"{qualified(row['schema'], row['name'])}: a partition of {row['on']}, which is left out"
               for row in standing if row["partition"]]
    kept = [_without_keys(declared, keys) for _, declared in live]
    gone = {declared: f"{declared.full_name}: stands on {on[_place(one)]}, which is left out"
            for (one, _), (declared, _) in zip(live, kept, strict=True) if _place(one) in on}
    left, reasons = leave_out([declared for declared, _ in kept], gone, [one.object for one in refused],
                              catalogued=True)
    return left, [*remarks, *reasons, *(line for declared, lines in kept if declared in left for line in lines)]


def leave_out(objects: Sequence[Object], refused: Mapping[Object, str], already: Sequence[Any] = (), *,
              catalogued: bool = False) -> tuple[list[Object], list[str]]:
    """Return the objects that are left, and why each other is not, those that depend on refused ones included.

    `refused` has the first part of the reason by object, `already` are declarations whose reason is known. Where both
    hold all that the catalog knows of (`catalogued`), texts are asked only for aggregates and jobs, of which it does
    not say what they read: a name in a text may be a column's, or an overload's.
    """
    gone: dict[Object, None] = dict.fromkeys((*already, *refused))
    by_text: set[Object] = set()
    everything = [*objects, *already]
    # Names of scratch schemas are other ones in every run.
    reasons = [f"{_SCRATCH.sub('', line)} (so it was left out)" for line in refused.values()]
    for declared in dependencies.ordered(objects):
        if declared not in gone:
            needed = [needed for needed in (*dependencies.needs(declared, everything), *_referred(declared, everything))
                      if needed in gone
                      and (not catalogued or isinstance(declared, UNCATALOGUED) or needed in by_text)]
            if needed:
                gone[declared] = None
                by_text.add(declared)
                reasons.append(f"{declared.full_name}: stands on {needed[0].full_name}, which was left out (so it was "
                               "left out, too)")
    return [declared for declared in objects if declared not in gone], reasons


def _referred(declared: Object, objects: Sequence[Object]) -> list[Object]:
    """Return the tables that its foreign keys refer to."""
    keys: Sequence[ForeignKey] = declared.foreign_keys if isinstance(declared, Table) else ()
    names = {key.table for key in keys}
    return [table for table in objects if isinstance(table, Table) and table.full_name in names and table != declared]


def _place(live: Live) -> tuple[str, str, str, str]:
    """(catalog, schema, name, types of the arguments) of an object."""
    kind = GRANTABLE.get(type(live.object))
    catalog = "pg_statistic_ext" if isinstance(live.object, Statistics) else kind.catalog if kind else ""
    return catalog, live.object.schema, live.object.name, getattr(live, "inputs", "")


def _without_keys(declared: Object, keys: Collection[tuple[str, str, str]]) -> tuple[Object, list[str]]:
    if not isinstance(declared, Table):
        return declared, []
    gone = [key for key in declared.foreign_keys if (declared.schema, declared.name, key.name) in keys]
    kept = tuple(key for key in declared.foreign_keys if key not in gone)
    remarks = [f"{declared.full_name}.{key.name}: a foreign key to {key.table}, which is left out (so it was left out)"
               for key in gone]
    return (replace(declared, foreign_keys=kept) if gone else declared), remarks
