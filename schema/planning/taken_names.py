"""Names of indexes that a plan gives and that something else has: indexes of one schema share their names; pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from schema.errors import UnsafeChangeError
from schema.kinds.undeclared import Dropping
from schema.model.change.diff import Diff
from schema.model.change.step import Action, Step, Transaction
from schema.model.names import ident, with_article
from schema.model.objects import Declared, qualified

PARTS = ("keys", "exclusions", "indexes")
# Behind the name of an index that has to give it up; its table goes at the end of the same plan.
GONE = "__gone"


@dataclass(frozen=True)
class Holder:
    """An index or a sequence that has a name now, and the full name of its table."""

    schema: str
    name: str
    kind: str
    table: str


def given(diffs: Iterable[Diff[Any, Any]]) -> dict[tuple[str, str], str]:
    """Map (schema, name) of each index that the plan creates to the full name of what it is created on."""
    names: dict[tuple[str, str], str] = {}
    for diff in diffs:
        live = _names(diff.live.object) if diff.live else []
        names.update({(diff.declared.schema, name): diff.name for name in _names(diff.declared) if name not in live})
    return names


def freed(dropping: Dropping, wanted: Mapping[tuple[str, str], str], holders: Sequence[Holder],
          declared: Collection[str]) -> Dropping:
    """Return what happens to undeclared objects, with the names freed first that their indexes have and the plan needs.

    `declared` are the full live names of what is declared, whose indexes make way by their own steps. Raises
    UnsafeChangeError where a table that stays has a name.
    """
    going = {step.object for step in dropping.after}
    before: list[Step] = []
    for holder in holders:
        if holder.table in declared:
            continue
        name, owner = qualified(holder.schema, holder.name), wanted[holder.schema, holder.name]
        if holder.table not in going:
            raise UnsafeChangeError(
                f"{owner}: found {name} in use as the name of {with_article(holder.kind)} of {holder.table}, required "
                f"for a key or an index of {owner}; declare another name, or rename or drop the one of {holder.table}")
        other = ident(holder.name[:63 - len(GONE)] + GONE)
        before.append(Step(
            Action.RENAME, holder.table, f"ALTER {holder.kind.upper()} {ident(name)} RENAME TO {other}",
            f"{owner} needs the name, and {holder.table} is going to be dropped", transaction=Transaction.OWN))
    return replace(dropping, before=(*before, *dropping.before)) if before else dropping


def _names(declared: Declared) -> list[str]:
    return [part.name for parts in PARTS for part in getattr(declared, parts, ())]
