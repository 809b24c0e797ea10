"""What steps take away is needed by nothing else by then; pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from schema.errors import UnsafeChangeError
from schema.model.change.step import Action, Removed, Sort, Step
from schema.model.live.objects import Need

# A foreign key whose columns could not be compared any more.
INCOMPARABLE = "incomparable foreign key"
VIEWS = ("view", "materialized view", "continuous aggregate")
# What planning a change of these looks after itself: views in the way are created again, or refused by name.
ARRANGED = {Sort.RELATION: VIEWS, Sort.COLUMN: (*VIEWS, "function", "procedure")}
# The server changes no type under these; all else follows the column.
UNDER_TYPES = ("policy", "publication relation", INCOMPARABLE)
WORDS = {Sort.CONSTRAINT: "the constraint has to be dropped", Sort.INDEX: "the index has to be dropped",
         Sort.ATTRIBUTE: "the attribute is going to be dropped", Sort.ROW: "the table's rows are going to change",
         Sort.COLUMN: "the column is going to be dropped", Sort.TYPE: "its type is going to be changed",
         Sort.RELATION: "it has to be dropped and created again", Sort.SEQUENCE: "its sequence is going to be dropped"}


def require_free(steps: Sequence[Step], needs: Mapping[Removed, Sequence[Need]], renamed: Mapping[str, str]) -> None:
    """Raise UnsafeChangeError that names what needs something at the moment when a step takes it away.

    `needs` are those of the live database, `renamed` the new full names of objects by their old ones.
    """
    changed: set[str] = set()
    narrowed: set[str] = set()
    for step in steps:
        for removed in step.removes:
            current = [replace(need, name=renamed.get(need.name, need.name)) for need in needs.get(removed, ())]
            blocking = dict.fromkeys(_text(need, removed) for need in current if _counts(need, removed)
                                     and not _is_gone(need, changed.union(step.drops), narrowed))
            if blocking:
                raise UnsafeChangeError(
                    f"{step.object}: {WORDS[removed.sort]}, and {' and '.join(blocking)} "
                    f"{'is' if len(blocking) == 1 else 'are'} in the way; change or drop that first, and create it "
                    "again afterwards where it is still wanted, or declare this as it is")
        if step.action in (Action.ALTER, Action.REPLACE, Action.DROP, Action.CREATE):
            changed.update((step.object, *step.drops))
        narrowed.update(removed.relation for removed in step.removes if removed.sort is Sort.COLUMN)


def _text(need: Need, removed: Removed) -> str:
    if need.kind == INCOMPARABLE:
        return f"foreign key {need.name}.{need.part}, whose two sides could not be compared then,"
    return f"{need}, which holds rows of it," if removed.sort is Sort.ROW else str(need)


def _counts(need: Need, removed: Removed) -> bool:
    """Whether the need keeps the server from the step."""
    if removed.sort is Sort.TYPE:  # the step itself drops the table's own policies and creates them again
        return need.kind in UNDER_TYPES and need.name != removed.relation
    if removed.sort is Sort.ROW:  # a column that holds rows of the table
        return need.kind == "column" and need.uses == removed.relation.rpartition(".")[2] != need.name
    own_default = (need.name, need.part) == (removed.relation, removed.name)
    return need.kind not in ARRANGED.get(removed.sort, ()) and not (removed.sort is Sort.SEQUENCE and own_default)


def _is_gone(need: Need, changed: set[str], narrowed: set[str]) -> bool:
    """Whether the steps before have dropped or changed it; a dropped column takes its foreign keys along."""
    where = f"{need.name}.{need.part}" if need.part else need.name
    return where in changed or (need.kind == "foreign key" and need.name in narrowed)
