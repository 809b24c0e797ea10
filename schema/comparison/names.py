"""Look who has the names of the indexes that a plan creates. Changes nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from psycopg import Connection

from schema.catalog.queries import rows
from schema.kinds.undeclared import Dropping
from schema.model.change.diff import Diff
from schema.planning import taken_names


def free_names(connection: Connection[Any], dropping: Dropping, diffs: Sequence[Diff[Any, Any]]) -> Dropping:
    """Return what happens to undeclared objects, with the names freed first that the plan needs; one query, and none
    where no index is created. Raises UnsafeChangeError where a table that stays has a name.
    """
    wanted = taken_names.given(diffs)
    if not wanted:
        return dropping
    schemas, names = zip(*wanted, strict=True)
    holders = [taken_names.Holder(**row)
               for row in rows(connection, "name_holders", schemas=list(schemas), names=list(names))]
    present = {name for diff in diffs if diff.live for name in (diff.live.object.full_name, diff.context.former_name)}
    return taken_names.freed(dropping, wanted, holders, {name for name in present if name})
